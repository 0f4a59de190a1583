"""A store in plain Python, that looks at everything for every question: what a real one is held to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import Stemmer

from index.articles.article import Article
from index.encoding.encoder import PackedTokens, Vectors
from index.language import words_of
from index.passages.drafts import sentence_texts
from index.passages.splitting import HEADING
from index.search.values import value_terms
from index.storage.local import Generation
from index.storage.store import Forms, StoredPassage

__all__ = ["MemoryStore"]

Words = list[str]


class MemoryStore:
    """Holds what a generation holds, read out of it once."""

    def __init__(self, generation: Generation) -> None:
        self.name = "in memory"
        self.manifest = generation.manifest
        self.basis = generation.basis
        self._stem = Stemmer.Stemmer("porter").stemWord
        self._articles = [generation.article(row) for row, _, _ in generation.article_rows()]
        self._stored = [one for row in range(len(self._articles)) for one in generation.passages_of(row)]
        self._vectors = generation.passage_vectors(range(len(self._stored)))
        self._tokens = generation.tokens(0, generation.manifest.tokens)
        self._words = generation.words()
        self._abbreviations = generation.abbreviations()
        self._columns = [self._read(one) for one in self._stored]

    def _read(self, stored: StoredPassage) -> tuple[Words, Words]:
        """Return the stems of a passage's text and of its title."""
        language = self.manifest.passage_settings["language"]
        article = self._articles[stored.article]
        text = "\n".join(sentence_texts(article, stored.passage, language))
        return self._stems(" ".join([text, *value_terms(text, language)])), self._stems(article.title)

    def _stems(self, text: str) -> Words:
        return [self._stem(word) for word in words_of(text)]

    def words(self) -> Mapping[str, int]:
        return self._words

    def abbreviations(self) -> Sequence[tuple[str, str]]:
        return self._abbreviations

    def _often(self, row: int, phrase: str) -> float:
        """Count a phrase in a passage, in its title at half weight."""
        wanted = self._stems(phrase)
        counts = [
            sum(words[at : at + len(wanted)] == wanted for at in range(len(words)))
            for words in self._columns[row]
        ]
        return counts[0] + 0.5 * counts[1]

    def counts(self, terms: Sequence[Forms]) -> list[int]:
        return [int(met) for met in self.have(range(len(self._stored)), terms).sum(axis=0)]

    def adjacent(self, left: str, right: str) -> bool:
        return any(self._often(row, f"{left} {right}") for row in range(len(self._stored)))

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        met = np.flatnonzero(self.have(range(len(self._stored)), terms).all(axis=1))
        return len(met) > 0 and all(self._stored[row].passage.is_heading for row in met)

    def _allowed(self, headings: bool, article: int | None) -> list[int]:
        return [
            one.row
            for one in self._stored
            if (headings or one.passage.sentences[0].paragraph != HEADING) and article in {None, one.article}
        ]

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        rows = self._allowed(headings, article)
        return sorted(zip(rows, self.cosines(vector, rows), strict=True), key=lambda one: -one[1])[:count]

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> list[float]:
        return [float(self._vectors[row] @ vector) for row in rows]

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        lengths = [sum(map(len, columns)) for columns in self._columns]
        mean = sum(lengths) / len(lengths)
        scores: dict[int, float] = {}
        for phrase in phrases:
            often = [self._often(row, phrase) for row in range(len(lengths))]
            met = sum(map(bool, often))
            idf = max(math.log((len(lengths) - met + 0.5) / (met + 0.5)), 1e-6)
            for row in self._allowed(headings, article):
                if f := often[row]:
                    norm = 1.2 * (1 - 0.75 + 0.75 * lengths[row] / mean)
                    scores[row] = scores.get(row, 0.0) + idf * f * 2.2 / (f + norm)
        return sorted(scores.items(), key=lambda one: (-one[1], one[0]))[:count]

    def have(self, rows: Sequence[int], terms: Sequence[Forms]) -> npt.NDArray[np.bool_]:
        met = [[any(self._often(row, phrase) for phrase in term) for term in terms] for row in rows]
        return np.asarray(met, dtype=np.bool_).reshape(len(rows), len(terms))

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        return [self._stored[row] for row in rows]

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        runs = [self._tokens[one.first_token : one.first_token + sum(one.tokens)] for one in passages]
        return np.concatenate([self._tokens[:0], *runs])

    def articles(self, rows: Sequence[int]) -> list[Article]:
        return [self._articles[row] for row in rows]

    def article_row(self, identity: str) -> int | None:
        return next((row for row, one in enumerate(self._articles) if one.id == identity), None)
