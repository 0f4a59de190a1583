"""The shortest implementation of `Store`: plain Python that looks at everything for every question.

It is what the contract is easiest to read against, and what the store on disk is compared with.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from index.analysis import stems, words
from index.articles.article import Article
from index.encoding.compression import PackedTokens, Vectors
from index.passages.encoder_input import searched_text
from index.storage.store import ArticleSummary, Forms, StoredPassage, StoreInfo
from tests.index.storage.store_contract import Collection

__all__ = ["MemoryStore"]

Ranked = list[tuple[int, float]]


class MemoryStore:
    """A collection in memory."""

    def __init__(self, collection: Collection, info: StoreInfo) -> None:
        """Take a collection and what is to be told of it."""
        self.info = info
        self.basis = collection.basis
        self._articles = [entry.article for entry in collection.entries]
        self._abbreviations = dict.fromkeys(
            pair for entry in collection.entries for pair in entry.abbreviations
        )
        self._stored: list[StoredPassage] = []
        dense, tokens = [], []
        for row, entry in enumerate(collection.entries):
            for passage, key, vectors in entry.passages:
                place = (len(self._stored), row, passage, key, sum(map(len, tokens)))
                self._stored.append(StoredPassage(*place, vectors.token_counts))
                dense.append(vectors.dense)
                tokens.append(vectors.tokens)
        self._dense, self._tokens = np.stack(dense), np.concatenate(tokens)
        self._text = [self._stems(self._searched(one)) for one in self._stored]
        self._title = [self._stems(self._articles[one.article].title) for one in self._stored]

    def _searched(self, stored: StoredPassage) -> str:
        return searched_text(self._articles[stored.article], stored.passage, self.info.language)

    def _stems(self, text: str) -> list[str]:
        return stems(text, self.info.language)

    def check(self) -> None:
        """Do nothing: memory is whole."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def vocabulary(self) -> Mapping[str, int]:
        return Counter(
            word
            for one in self._stored
            for word in {*words(self._searched(one)), *words(self._articles[one.article].title)}
        )

    def abbreviations(self) -> Sequence[tuple[str, str]]:
        return list(self._abbreviations)

    def _count_in_text(self, row: int, phrase: list[str]) -> int:
        text = self._text[row]
        return sum(text[at : at + len(phrase)] == phrase for at in range(len(text))) if phrase else 0

    def _has(self, row: int, forms: Forms) -> bool:
        """Tell whether a passage has a term: side by side in its text, or all of it in its title."""
        phrases = [phrase for form in forms if (phrase := self._stems(form))]
        return any(
            self._count_in_text(row, phrase) or set(phrase) <= set(self._title[row]) for phrase in phrases
        )

    def passage_counts(self, terms: Sequence[Forms]) -> list[int]:
        return [sum(self._has(row, forms) for row in range(len(self._stored))) for forms in terms]

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        having = [one for one in self._stored if terms and all(self._has(one.row, forms) for forms in terms)]
        return bool(having) and all(one.passage.is_heading for one in having)

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> Ranked:
        scores = {
            row: math.fsum(self._weight(row, phrase) for phrase in phrases)
            for row in self._allowed(headings, article)
            if self._has(row, phrases)
        }
        return sorted(scores.items(), key=lambda ranked: (-ranked[1], ranked[0]))[:count]

    def _weight(self, row: int, phrase: str) -> float:
        """Weigh a phrase by its rarity and by the passage's length, roughly as BM25 does."""
        if not self._has(row, [phrase]):
            return 0.0
        rarity = math.log(1 + len(self._stored) / self.passage_counts([[phrase]])[0])
        often = self._count_in_text(row, self._stems(phrase)) + 0.5
        return rarity * often / (often + 1 + len(self._text[row]) / 100)

    def with_phrase(self, phrase: str, count: int) -> list[int]:
        rows = range(len(self._stored))
        return [row for row in rows if self._count_in_text(row, self._stems(phrase))][: max(count, 0)]

    def _allowed(self, headings: bool, article: int | None) -> list[int]:
        return [
            one.row
            for one in self._stored
            if (headings or not one.passage.is_heading) and article in {None, one.article}
        ]

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> Ranked:
        rows = self._allowed(headings, article)
        ranked = zip(rows, self.cosines(vector, rows), strict=True)
        return sorted(ranked, key=lambda pair: (-pair[1], pair[0]))[:count]

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> list[float]:
        return [float(cosine) for cosine in self.passage_vectors(rows) @ vector[0]]

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        return self._dense[np.asarray(rows, dtype=int)]

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        runs = [self._tokens[one.first_token :][: sum(one.token_counts)] for one in passages]
        return np.concatenate([self._tokens[:0], *runs])

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        return [dict(enumerate(self._stored))[row] for row in rows]

    def passages_of(self, article: int) -> list[StoredPassage]:
        return [one for one in self._stored if one.article == article]

    def rows_of_keys(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        return {one.key: one.row for one in reversed(self._stored) if one.key in set(keys)}

    def articles(self, rows: Sequence[int]) -> list[Article]:
        return [dict(enumerate(self._articles))[row] for row in rows]

    def article_row(self, identity: str) -> int | None:
        return next((row for row, one in enumerate(self._articles) if one.id == identity), None)

    def catalogue(self) -> list[ArticleSummary]:
        return [
            ArticleSummary(
                row, one.id, one.title, one.author, one.publisher, one.url, one.published,
                len(one.paragraphs), one.content_hash,
            )
            for row, one in enumerate(self._articles)
        ]  # fmt: skip
