"""A question to hits: dense and lexical search, fused, then weighed by the best sentence of each passage.

The score of a hit is the sum of named signals, each with its weight:

    dense      cosine of the question's vector and the passage's (title and text)
    lexical    BM25 of the passage (FTS5, title at half weight), divided by the question's best: 0 to 1
    sentence   the best sentence's 0.5 x cosine + 0.25 x coverage

The fusion and its weights are from the table in the design, where each query's BM25 is divided by its best;
that of the coverage was chosen on xquad-en and clapnq. BM25 is Robertson and Zaragoza, "The Probabilistic
Relevance Framework" (2009), as SQLite implements it with k1 = 1.2 and b = 0.75.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from index.articles import Article
from index.encoder import Encoder, Vectors
from index.errors import DamagedIndexError
from index.generation import Generation, StoredPassage, source_text
from index.wording import content_terms, part_at, parts_asked_for

__all__ = ["Hit", "HitSentence", "Search"]

_QUESTION_LENGTH = 2_000
"""Characters of a question that are searched for; more would say no more, and cost time."""

_TERMS = 32
_CANDIDATES = 50
_HITS = 10
_LEXICAL = 0.5
_COSINE = 0.5
_COVERAGE = 0.25

_TERM = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class HitSentence:
    """A sentence of a hit: where it stands, and how well it meets the question.

    `cosine` is that of its vector and the question's. `coverage` is the share of the question's content
    terms that it has, each counted by its inverse document frequency: 0 none, 1 all.
    """

    paragraph: int
    start: int
    end: int
    text: str
    cosine: float
    coverage: float
    quotable: bool = True
    """False for a line of a heading that is not asked for, though it may show which article is meant."""

    @property
    def score(self) -> float:
        """How well the sentence meets the question."""
        return _COSINE * self.cosine + _COVERAGE * self.coverage


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that the search found, with its scores; sentences are in the order of the text."""

    article: Article
    start: int
    end: int
    text: str
    dense: float
    lexical: float
    sentences: tuple[HitSentence, ...]

    @property
    def best_sentence(self) -> HitSentence:
        """The sentence to quote: the one that meets the question best, the earlier one of equals."""
        return max((one for one in self.sentences if one.quotable), key=lambda one: one.score)

    @property
    def evidence(self) -> HitSentence:
        """The sentence that shows best that the passage is meant; of a heading, it may be the title."""
        return max(self.sentences, key=lambda one: one.score)

    @property
    def score(self) -> float:
        """The sum by which hits are ordered."""
        return self.dense + _LEXICAL * self.lexical + self.evidence.score


class Search:
    """Searches one generation with the encoder that it was made with."""

    def __init__(self, generation: Generation, encoder: Encoder) -> None:
        """Pair a generation with its encoder.

        Raises:
            DamagedIndexError: the generation was made with another encoder.
        """
        if generation.manifest.encoder_fingerprint != encoder.model.fingerprint:
            raise DamagedIndexError(
                f"the index was made with the encoder {generation.manifest.encoder}, and FOOTNOTE_MODEL "
                f"names {encoder.model.name}. Run `footnote index build`, or set FOOTNOTE_MODEL back."
            )
        self.generation = generation
        self.encoder = encoder

    def __call__(self, question: str) -> list[Hit]:
        """Return up to 10 hits for a question, best first; none for one without letters or digits."""
        # Half a character (a lone surrogate) can be neither encoded nor looked up.
        text = question[:_QUESTION_LENGTH].encode("utf-8", "replace").decode().replace("\x00", " ")
        terms = list(dict.fromkeys(_TERM.findall(text.lower())))[:_TERMS]
        if not terms:
            return []
        vector = self.encoder.encode_question(text)
        dense = dict(self.generation.nearest(vector, _CANDIDATES))
        lexical = self._lexical(terms)
        missing = [row for row in lexical if row not in dense]
        if missing:
            scores = self.generation.passage_vectors(missing) @ vector[0]
            dense.update(zip(missing, map(float, scores), strict=True))
        fused = {row: score + _LEXICAL * lexical.get(row, 0.0) for row, score in dense.items()}
        language = self.generation.manifest.passage_settings["language"]
        parts = parts_asked_for(terms, language)
        if not parts:
            fused = {row: score for row, score in fused.items() if not self.generation.is_heading(row)}
        best = sorted(fused, key=lambda row: (-fused[row], row))[:_HITS]
        stored = self.generation.passages(best)
        sentences = self._weigh(stored, vector, content_terms(terms, language))
        hits = [
            self._hit(one, dense[one.row], lexical.get(one.row, 0.0), weights, parts)
            for one, weights in zip(stored, sentences, strict=True)
        ]
        quotable = (hit for hit in hits if any(sentence.quotable for sentence in hit.sentences))
        return sorted(quotable, key=lambda hit: -hit.score)

    def _lexical(self, terms: list[str]) -> dict[int, float]:
        """Return the passages with the best BM25, divided by the best of them."""
        rows = self.generation.query(
            "SELECT rowid, -bm25(passage_words, 1.0, 0.5) AS score FROM passage_words "
            "WHERE passage_words MATCH ? ORDER BY score DESC, rowid LIMIT ?",
            " OR ".join(f'"{term}"' for term in terms),
            _CANDIDATES,
        )
        top = max((score for _, score in rows), default=0.0)
        return {row: score / top for row, score in rows} if top > 0 else {}

    def _weigh(
        self, stored: list[StoredPassage], vector: Vectors, terms: list[str]
    ) -> list[list[tuple[float, float]]]:
        """Return cosine and coverage of every sentence of each passage."""
        weights = {term: self._rarity(term) for term in terms}
        total = sum(weights.values())
        weighed = []
        for one in stored:
            rows = range(one.first_sentence, one.first_sentence + len(one.passage.sentences))
            cosines = self.generation.sentence_vectors(rows) @ vector[0]
            covered = dict.fromkeys(rows, 0.0)
            for term, weight in weights.items():
                for row in self._sentences_with(term, rows):
                    covered[row] += weight / total
            weighed.append([(float(cosine), covered[row]) for row, cosine in zip(rows, cosines, strict=True)])
        return weighed

    def _rarity(self, term: str) -> float:
        """Return a term's inverse document frequency, log(1 + (N - n + 0.5) / (n + 0.5)): always above 0.

        N counts passages and n those with the term. Source: Lucene's BM25Similarity, which adds 1 so that a
        term of more than half the passages does not count against a passage.
        """
        ((count,),) = self.generation.query(
            "SELECT count(*) FROM passage_words WHERE passage_words MATCH ?", f'"{term}"'
        )
        passages = self.generation.manifest.passages
        return math.log(1 + (passages - count + 0.5) / (count + 0.5))

    def _sentences_with(self, term: str, rows: range) -> list[int]:
        found = self.generation.query(
            "SELECT rowid FROM sentence_words WHERE sentence_words MATCH ? AND rowid BETWEEN ? AND ?",
            f'"{term}"',
            rows[0],
            rows[-1],
        )
        return [row for (row,) in found]

    def _hit(
        self,
        stored: StoredPassage,
        dense: float,
        lexical: float,
        weights: list[tuple[float, float]],
        parts: frozenset[str],
    ) -> Hit:
        """Put a hit together; of a heading only the lines asked for can be quoted."""
        article = self.generation.article(stored.article)
        text = source_text(article, stored.passage)
        sentences = []
        for one, (cosine, coverage) in zip(stored.passage.sentences, weights, strict=True):
            piece = text[one.start : one.end]
            quotable = not stored.passage.is_heading or part_at(article, one.start) in parts
            sentences.append(
                HitSentence(one.paragraph, one.start, one.end, piece, cosine, coverage, quotable)
            )
        span = text[stored.passage.start : stored.passage.end]
        return Hit(article, stored.passage.start, stored.passage.end, span, dense, lexical, tuple(sentences))
