"""What a search needs of the collection that it searches: the seam behind which another engine can stand.

`Generation` is the one that there is: FAISS, memory maps and SQLite on one machine. Whatever
else keeps these promises (tests/index/test_store.py) can be searched as well. Passages and articles are
numbered from 0 by rows, an article's passages one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index.articles.article import Article
from index.encoding.compression import Basis, PackedTokens, Vectors
from index.passages.splitting import Passage
from index.storage.manifest import Manifest

__all__ = ["Forms", "Store", "StoredPassage"]

Forms = Sequence[str]
"""Phrases, each of which meets one term: words with one space between them, in small letters."""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as it stands in a store.

    `row` numbers it, `first_sentence` and `first_token` what it begins with; `tokens` counts those of each
    sentence.
    """

    row: int
    article: int
    first_sentence: int
    passage: Passage
    first_token: int
    tokens: tuple[int, ...]


class Store(Protocol):
    """An immutable collection of passages, to be searched from several threads."""

    @property
    def name(self) -> str:
        """What names this state of the collection; answers carry it."""

    @property
    def manifest(self) -> Manifest:
        """What the collection was made with, and how much it holds."""

    @property
    def basis(self) -> Basis:
        """The basis that its token vectors are packed in."""

    def words(self) -> Mapping[str, int]:
        """Return words as they are spelt, folded, with how many passages have each; the commonest, or all."""

    def abbreviations(self) -> Sequence[tuple[str, str]]:
        """Return the abbreviations that the articles introduce, as short and long form."""

    def counts(self, terms: Sequence[Forms]) -> list[int]:
        """Return how many passages meet each term; one met by inflection, accents and case aside."""

    def adjacent(self, left: str, right: str) -> bool:
        """Tell whether two words stand side by side, in this order, in some passage."""

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        """Tell whether some passage meets all of these terms, and none but headings do."""

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages nearest to a question's vector: row and cosine, best first.

        The vector has the shape (1, dimension). Without `headings`, no heading is among them, nor takes the
        place of another passage; with the row of an `article`, only its passages are, and none is missed.
        """

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> list[float]:
        """Return the cosines of a question's vector and those of passages."""

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages with the highest BM25 for all phrases: row and score, best first, then by row.

        Every score is above 0. `headings` and `article` as for `nearest`.
        """

    def have(self, rows: Sequence[int], terms: Sequence[Forms]) -> npt.NDArray[np.bool_]:
        """Tell which passages meet which terms: shape (rows, terms)."""

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """Return passages by row, in the order asked for."""

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        """Return the packed token vectors of passages, one after the other: shape (tokens, width)."""

    def articles(self, rows: Sequence[int]) -> list[Article]:
        """Return articles by row, in the order asked for."""

    def article_row(self, identity: str) -> int | None:
        """Return the row of the article with this id, or None."""
