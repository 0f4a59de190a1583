"""A question to hits: dense and lexical search, fused, then late interaction.

Passages near in meaning or in words are candidates. Late interaction scores the best of them token by token,
as a whole and by their best sentence (`index.search.hits` has the sum). The collection is behind
`index.storage.store.Store`.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from index.analysis import WORD, spaced_stems
from index.articles.article import Article
from index.encoding.encoder import Encoder, TextVectors, Vectors
from index.errors import DamagedIndexError
from index.language import heading_part_at
from index.passages.encoder_input import searched_text
from index.passages.splitting import source_text
from index.search.antecedents import borrowed
from index.search.hits import AHEAD_BY, Found, Hit, HitSentence, TermMatch, fuse, fuse_sentence
from index.search.identifiers import NO_MATCH, Match, match_parts, name_parts, settle
from index.search.late_interaction import interact, term_shares, token_weights, weighted_sum
from index.search.question import Question, QuestionReader
from index.storage.store import Store, StoredPassage

__all__ = ["Search", "check_encoder"]

_CANDIDATES = 50  # passages taken from each of the two searches
_RERANKED = 30  # candidates that late interaction scores: of 1,825 first quotes, 40 change 5
_HITS = 10


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A passage on its way to a hit, with its scores; `late` and `mean` have one for each sentence.

    `near` has, for each term of the question, the cosine of the passage's nearest token; `of_terms` each
    term's part of `late` and of `own`, shape (2, terms, sentences).
    """

    stored: StoredPassage
    dense: float
    lexical: float
    near: Sequence[float]
    late: Sequence[float]
    mean: Sequence[float]
    own: Sequence[float]
    whole: float
    of_terms: Vectors
    matches: Sequence[Match]

    @property
    def score(self) -> float:
        leads = len(self.stored.passage.leads)
        sentences = map(fuse_sentence, self.late[leads:], self.mean[leads:])
        held = max(match.held for match in self.matches[leads:])
        return fuse(self.dense, self.lexical, self.whole, max(sentences)) + AHEAD_BY * held


def check_encoder(store: Store, encoder: Encoder) -> None:
    """Refuse an encoder other than the one that a collection was made with.

    Raises:
        DamagedIndexError: it is another one.
    """
    if store.info.encoder_fingerprint != encoder.model.fingerprint:
        raise DamagedIndexError(
            f"the index was made with the encoder {store.info.encoder}, and FOOTNOTE_MODEL names "
            f"{encoder.model.name}. Run `footnote index build`, or set FOOTNOTE_MODEL back."
        )


class Search:
    """Searches one collection with the encoder that it was made with."""

    def __init__(self, store: Store, encoder: Encoder) -> None:
        """Pair a collection with its encoder; raises DamagedIndexError if it was made with another."""
        check_encoder(store, encoder)
        self.store = store
        self.encoder = encoder
        self._reader = QuestionReader(store, encoder)

    def __call__(self, typed: str, *, article: str | None = None) -> Found:
        """Search for a question; one without letters or digits finds nothing.

        With the id of an `article`, only its passages are searched; an unknown id finds nothing.
        """
        question = self._reader.read(typed)
        only = None if article is None else self.store.article_row(article)
        if not question.terms or (only is None and article is not None):
            return Found(question, ())
        encoded = self.encoder.encode_question(question.text, self.store.basis)
        question = _with_characters_read(question, encoded)
        dense, lexical = self._candidates(question, encoded, only)
        fused = {row: fuse(score, lexical.get(row, 0.0)) for row, score in dense.items()}
        best = sorted(fused, key=lambda row: (-fused[row], row))[:_RERANKED]
        hits = self._hits(question, self._rerank(question, encoded, best, dense, lexical))
        quotable = (hit for hit in hits if any(one.quotable for one in hit.sentences))
        return Found(question, tuple(quotable), encoded)

    def _candidates(
        self, question: Question, encoded: TextVectors, only: int | None
    ) -> tuple[dict[int, float], dict[int, float]]:
        """Return the cosine of every candidate, and the BM25 of those matched in words, the best being 1."""
        headings = bool(question.heading_parts)
        phrases = [phrase for term in question.terms for phrase in term.forms]
        matched = self.store.best_in_words(phrases, _CANDIDATES, headings=headings, article=only)
        top = max((score for _, score in matched), default=0.0)
        lexical = {row: score / top for row, score in matched} if top > 0 else {}
        dense = dict(self.store.nearest(encoded.dense, _CANDIDATES, headings=headings, article=only))
        if missing := [row for row in lexical if row not in dense]:
            cosines = self.store.passage_vectors(missing) @ encoded.dense
            dense.update(zip(missing, cosines.tolist(), strict=True))
        return dense, lexical

    def _rerank(
        self,
        question: Question,
        encoded: TextVectors,
        rows: Sequence[int],
        dense: dict[int, float],
        lexical: dict[int, float],
    ) -> list[_Candidate]:
        stored = self.store.passages(rows)
        if not stored:
            return []
        tokens = self.store.token_vectors(stored)
        met, means = interact(encoded.tokens, tokens, [count for one in stored for count in one.token_counts])
        shares = term_shares(encoded.spans, [(term.start, term.end) for term in question.terms])
        weights = token_weights(shares, [term.rarity * term.sureness for term in question.terms])
        mean = means.tolist()
        ends = list(itertools.accumulate((len(one.token_counts) for one in stored), initial=0))
        matches = self._match(question, encoded, stored, met)
        with_leads = _with_leads(met, stored, ends)
        own = weighted_sum(met, weights).tolist()
        late = weighted_sum(with_leads, weights).tolist()
        nearest = np.maximum.reduceat(met, ends[:-1], axis=1)
        whole = weighted_sum(nearest, weights).tolist()
        near = (shares @ nearest).T.tolist()
        of_terms = (shares * weights) @ np.stack([with_leads, met])
        candidates = []
        for at, (row, (first, end)) in enumerate(zip(rows, itertools.pairwise(ends), strict=True)):
            searched = dense[row], lexical.get(row, 0.0)
            by_sentence = late[first:end], mean[first:end], own[first:end]
            of_parts = of_terms[:, :, first:end], matches[first:end]
            candidates.append(_Candidate(stored[at], *searched, near[at], *by_sentence, whole[at], *of_parts))
        return sorted(candidates, key=lambda candidate: -candidate.score)[:_HITS]

    def _match(
        self, question: Question, encoded: TextVectors, stored: Sequence[StoredPassage], met: Vectors
    ) -> list[Match]:
        """Compare the identifiers of a question and of each part; a cosine of 1 or 0 in `met` says so."""
        if not question.identifiers:
            return [NO_MATCH] * met.shape[1]
        articles = self.store.articles([one.article for one in stored])
        named = [
            list(name_parts(article, one.passage, question.language))
            for one, article in zip(stored, articles, strict=True)
        ]
        identifiers = settle(question.identifiers, frozenset().union(*itertools.chain(*named)))
        starts = encoded.spans[:, 0]
        tokens = [(starts >= one.start) & (starts < one.end) for one in identifiers]
        matches: list[Match] = []
        for one, names in zip(stored, named, strict=True):
            for part in match_parts(identifiers, names, len(one.passage.leads)):
                for rows, cosine in zip(tokens, part.cosines, strict=True):
                    if cosine is not None:
                        met[rows, len(matches)] = cosine
                matches.append(part)
        return matches

    def _hits(self, question: Question, candidates: Sequence[_Candidate]) -> list[Hit]:
        articles = self.store.articles([candidate.stored.article for candidate in candidates])
        forms = [[spaced_stems(form, question.language) for form in term.forms] for term in question.terms]
        hits = [_hit(question, forms, *pair) for pair in zip(candidates, articles, strict=True)]
        return sorted(hits, key=lambda hit: -hit.rank_score)


def _with_leads(met: Vectors, stored: Sequence[StoredPassage], ends: Sequence[int]) -> Vectors:
    """Return, for each part of the passages, its nearest tokens or those of the leads above it."""
    if not any(one.passage.leads for one in stored):
        return met
    met = met.copy()
    for one, first, end in zip(stored, ends, ends[1:], strict=False):
        if leads := len(one.passage.leads):
            lead = met[:, first : first + leads].max(axis=1, keepdims=True)
            met[:, first:end] = np.maximum(met[:, first:end], lead)
    return met


def _hit(question: Question, forms: Sequence[Sequence[str]], candidate: _Candidate, article: Article) -> Hit:
    """Put a hit together; `forms` has the stems of every form of each term, between spaces."""
    passage = candidate.stored.passage
    text = source_text(article, passage)
    sentences = []
    texts = ["" if part in passage.leads else text[part.start : part.end] for part in passage.parts]
    gains, sources = borrowed(candidate.of_terms, candidate.mean, forms, texts, question.language)
    scores = np.add(gains, [candidate.late, candidate.own, candidate.mean]).T.tolist()
    matches = [
        max(match, candidate.matches[source], key=attrgetter("held"))
        for match, source in zip(candidate.matches, sources, strict=True)
    ]
    for sentence, match, (late, own, mean) in zip(passage.parts, matches, scores, strict=True):
        paragraph, start, end = sentence.paragraph, sentence.start, sentence.end
        # Of a heading, only the lines that the question asks for can be quoted.
        quotable = not passage.is_heading or heading_part_at(article, start) in question.heading_parts
        sentences.append(
            HitSentence(paragraph, start, end, text[start:end], late, mean, own, quotable, match)
        )
    searched = f"{searched_text(article, passage, question.language)}\n{article.subject}"
    stemmed = spaced_stems(searched, question.language)
    present = [any(form in stemmed for form in some) for some in forms]
    return Hit(
        article=article,
        start=passage.start,
        end=passage.end,
        text=text[passage.start : passage.end],
        dense=candidate.dense,
        lexical=candidate.lexical,
        late=candidate.whole,
        sentences=tuple(sentences[len(passage.leads) :]),
        terms=tuple(map(TermMatch, question.terms, candidate.near, present)),
        leads=tuple(sentences[: len(passage.leads)]),
        stored=candidate.stored,
    )


def _with_characters_read(question: Question, encoded: TextVectors) -> Question:
    """Note how much of a question was read, where it has more words than the encoder reads."""
    end = int(encoded.spans[-1, 1]) if len(encoded.spans) else 0
    if not WORD.search(question.text, end):
        return question
    return dataclasses.replace(question, read_only=end)
