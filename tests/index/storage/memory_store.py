"""The shortest implementation of `Store`: plain Python that looks at everything for every question.

It is what the contract is easiest to read against, and what the store on disk is compared with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from index.analysis import stems, words
from index.articles.article import Article
from index.encoding.encoder import Vectors
from index.encoding.packing import PackedTokens
from index.storage.store import ArticleSummary, Forms, StoredPassage, StoreInfo
from tests.index.storage.store_contract import Collection

__all__ = ["MemoryStore"]

Ranked = list[tuple[int, float]]


class MemoryStore:
    """A collection in memory."""

    def __init__(self, collection: Collection, info: StoreInfo) -> None:
        """Take a collection, and what is to be told of it."""
        self.info = info
        self.basis = collection.basis
        self._articles = [entry.article for entry in collection.entries]
        self._abbreviations = [pair for entry in collection.entries for pair in entry.abbreviations]
        self._texts = collection.texts
        self._stems = [(self._stem(text), self._stem(title)) for text, title in collection.texts]
        self._dense = collection.vectors
        self._tokens = np.concatenate([vectors.tokens for *_, vectors in collection.rows])
        self._stored: list[StoredPassage] = []
        first_token = 0
        for row, (article, passage, key, vectors) in enumerate(collection.rows):
            self._stored.append(StoredPassage(row, article, passage, key, first_token, vectors.token_counts))
            first_token += len(vectors.tokens)

    def _stem(self, text: str) -> list[str]:
        return stems(text, self.info.language)

    def check(self) -> None:
        """Do nothing: memory is whole."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def vocabulary(self) -> Mapping[str, int]:
        return Counter(word for text, title in self._texts for word in {*words(text), *words(title)})

    def abbreviations(self) -> Sequence[tuple[str, str]]:
        return list(dict.fromkeys(self._abbreviations))

    def _in_text(self, row: int, phrase: list[str]) -> bool:
        text = self._stems[row][0]
        return bool(phrase) and any(text[at : at + len(phrase)] == phrase for at in range(len(text)))

    def _has(self, row: int, forms: Forms) -> bool:
        """Tell whether a passage has a term: side by side in its text, or all of it in its title."""
        phrases = [phrase for form in forms if (phrase := self._stem(form))]
        title = set(self._stems[row][1])
        return any(self._in_text(row, phrase) or title.issuperset(phrase) for phrase in phrases)

    def passage_counts(self, terms: Sequence[Forms]) -> list[int]:
        return [sum(self._has(row, forms) for row in range(len(self._stored))) for forms in terms]

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        having = [one for one in self._stored if terms and all(self._has(one.row, forms) for forms in terms)]
        return bool(having) and all(one.passage.is_heading for one in having)

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> Ranked:
        """Rank by how many of the phrases a passage has, each weighed by its rarity."""
        weights = [1 / max(1, *self.passage_counts([[phrase]])) for phrase in phrases]
        scores = {
            row: sum(
                weight for phrase, weight in zip(phrases, weights, strict=True) if self._has(row, [phrase])
            )
            for row in self._allowed(headings, article)
        }
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(row, score) for row, score in ranked if score][:count]

    def with_phrase(self, phrase: str, count: int) -> list[int]:
        stemmed = self._stem(phrase)
        return [row for row in range(len(self._stored)) if self._in_text(row, stemmed)][:count]

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
        cosines = [float(cosine) for cosine in self.passage_vectors(rows) @ vector]
        ranked = zip(rows, cosines, strict=True)
        return sorted(ranked, key=lambda pair: (-pair[1], pair[0]))[:count]

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        return np.asarray(self._dense[np.asarray(rows, dtype=int)])

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
                len(one.paragraphs), one.content_hash, one.file,
            )
            for row, one in enumerate(self._articles)
        ]  # fmt: skip
