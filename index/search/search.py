"""A question to hits: dense and lexical search, fused, then weighed token by token.

Passages that are near in meaning or in words are candidates; late interaction weighs the best of them, as a
whole and by their best sentence (`index.search.hits` has the sum). What holds the passages stands behind
`index.storage.store.Store`.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from index.articles.article import Article
from index.encoding.encoder import EncodedQuestion, Encoder
from index.folding import WORD
from index.language import part_at
from index.passages.splitting import source_text
from index.search.hits import Found, Hit, HitSentence, TermMatch, fuse, fuse_sentence
from index.search.late_interaction import interact, term_shares, token_weights, weigh
from index.search.parts import Part
from index.search.question import Question, QuestionReader
from index.search.wanted import answer_type_met
from index.storage.store import Store, StoredPassage

__all__ = ["Search"]

_CANDIDATES = 50
"""Passages taken from each of the two searches."""

_RERANKED = 40
"""Candidates that late interaction weighs."""

_HITS = 10


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A passage on its way to a hit: its scores, and the question's tokens against its sentences."""

    stored: StoredPassage
    dense: float
    lexical: float
    nearness: Sequence[float]
    late: Sequence[float]
    mean: Sequence[float]
    whole: float

    @property
    def score(self) -> float:
        return fuse(self.dense, self.lexical, self.whole, max(map(fuse_sentence, self.late, self.mean)))


class Search:
    """Searches one collection with the encoder that it was made with."""

    def __init__(self, store: Store, encoder: Encoder, without: Collection[Part] = ()) -> None:
        """Pair a collection with its encoder; the parts named in `without` are left out.

        Raises:
            DamagedIndexError: the collection was made with another encoder.
        """
        store.manifest.check_encoder(encoder.model)
        self.store = store
        self.encoder = encoder
        self.without = frozenset(without)
        self._reader = QuestionReader(store, encoder, without)

    def __call__(self, typed: str, *, article: str | None = None) -> Found:
        """Search for a question; one without letters or digits finds nothing.

        With the id of an `article`, only its passages are looked at; an id that there is not finds nothing.
        """
        question = self._reader.read(typed)
        only = None if article is None else self.store.article_row(article)
        if not question.terms or (only is None and article is not None):
            return Found(question, ())
        encoded = self.encoder.encode_question(question.text, self.store.basis)
        question = _as_encoded(question, encoded)
        dense, lexical = self._candidates(question, encoded, only)
        fused = {row: fuse(score, lexical.get(row, 0.0)) for row, score in dense.items()}
        best = sorted(fused, key=lambda row: (-fused[row], row))[:_RERANKED]
        hits = self._hits(question, self._weigh(question, encoded, best, dense, lexical))
        return Found(question, tuple(hit for hit in hits if any(one.quotable for one in hit.sentences)))

    def _candidates(
        self, question: Question, encoded: EncodedQuestion, only: int | None
    ) -> tuple[dict[int, float], dict[int, float]]:
        """Return the cosine of every candidate, and the BM25 of those that have words of the question.

        `only` is the row of the one article that they may be of.
        """
        lexical = {} if Part.LEXICAL in self.without else self._lexical(question, only)
        if Part.DENSE in self.without:
            return dict.fromkeys(lexical, 0.0), lexical
        headings = bool(question.parts)
        nearest = self.store.nearest(encoded.dense, _CANDIDATES, headings=headings, article=only)
        dense = dict(nearest)
        if missing := [row for row in lexical if row not in dense]:
            dense.update(zip(missing, self.store.cosines(encoded.dense, missing), strict=True))
        return dense, lexical

    def _lexical(self, question: Question, only: int | None) -> dict[int, float]:
        """Return the passages with the best BM25, divided by the best of them."""
        phrases = [phrase for term in question.terms for phrase in term.forms]
        headings = bool(question.parts)
        rows = self.store.best_in_words(phrases, _CANDIDATES, headings=headings, article=only)
        top = max((score for _, score in rows), default=0.0)
        return {row: score / top for row, score in rows} if top > 0 else {}

    def _weigh(
        self,
        question: Question,
        encoded: EncodedQuestion,
        rows: Sequence[int],
        dense: dict[int, float],
        lexical: dict[int, float],
    ) -> list[_Candidate]:
        """Return the best candidates after late interaction, best first."""
        stored = self.store.passages(rows)
        tokens = self.store.token_vectors(stored)
        seen = interact(encoded.tokens, tokens, [count for one in stored for count in one.tokens])
        shares = term_shares(encoded.spans, [(term.start, term.end) for term in question.terms])
        weights = token_weights(shares, [term.rarity for term in question.terms])
        late = (self._on(Part.LATE) * weigh(seen.best, weights)).tolist()
        mean = (self._on(Part.SENTENCE) * seen.mean).tolist()
        ends = list(itertools.accumulate((len(one.tokens) for one in stored), initial=0))
        nearest = np.maximum.reduceat(seen.best, ends[:-1], axis=1) if stored else seen.best
        whole = (self._on(Part.LATE) * weigh(nearest, weights)).tolist()
        nearness = (shares @ nearest).T.tolist()
        candidates = [
            _Candidate(
                stored=one,
                dense=dense[row],
                lexical=lexical.get(row, 0.0),
                nearness=nearness[at],
                late=late[first:last],
                mean=mean[first:last],
                whole=whole[at],
            )
            for at, (row, one, (first, last)) in enumerate(
                zip(rows, stored, itertools.pairwise(ends), strict=True)
            )
        ]
        return sorted(candidates, key=lambda one: -one.score)[:_HITS]

    def _on(self, part: Part) -> float:
        return float(part not in self.without)

    def _hits(self, question: Question, candidates: Sequence[_Candidate]) -> list[Hit]:
        """Put hits together, in order, with the articles that they are of."""
        articles = self.store.articles([one.stored.article for one in candidates])
        met = self.store.have([one.stored.row for one in candidates], [term.forms for term in question.terms])
        return list(map(self._hit, itertools.repeat(question), candidates, articles, met.tolist()))

    def _hit(
        self, question: Question, candidate: _Candidate, article: Article, in_words: Sequence[bool]
    ) -> Hit:
        """Put a hit together; of a heading only the lines asked for can be quoted."""
        stored = candidate.stored
        text = source_text(article, stored.passage)
        sentences = []
        for number, one in enumerate(stored.passage.sentences):
            piece = text[one.start : one.end]
            quotable = not stored.passage.is_heading or part_at(article, one.start) in question.parts
            sentences.append(
                HitSentence(
                    paragraph=one.paragraph,
                    start=one.start,
                    end=one.end,
                    text=piece,
                    late=candidate.late[number],
                    mean=candidate.mean[number],
                    wanted=self._wanted(question, piece),
                    quotable=quotable,
                )
            )
        return Hit(
            article=article,
            start=stored.passage.start,
            end=stored.passage.end,
            text=text[stored.passage.start : stored.passage.end],
            dense=candidate.dense,
            lexical=candidate.lexical,
            late=candidate.whole,
            sentences=tuple(sentences),
            terms=tuple(map(TermMatch, question.terms, candidate.nearness, in_words)),
            row=stored.row,
        )

    def _wanted(self, question: Question, sentence: str) -> float:
        if Part.WANTED in self.without or not question.wanted.is_value:
            return 0.5
        return answer_type_met(sentence, question.wanted, question.text, question.language)


def _as_encoded(question: Question, encoded: EncodedQuestion) -> Question:
    """Return a question with how much of it was read, where it has more words than the encoder reads."""
    end = int(encoded.spans[-1, 1]) if len(encoded.spans) else 0
    if not WORD.search(question.text, end):
        return question
    return dataclasses.replace(question, read_only=end)
