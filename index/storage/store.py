"""The store: what search, answers and builds need of a collection, as a protocol.

Another engine that keeps its promises (tests/index/storage/store_contract.py) can take the place of
`index.storage.local.LocalStore`. Articles and passages are numbered by rows from 0; the passages of an
article have consecutive rows, its heading's first.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from index.articles.article import Article
    from index.encoding.encoder import Basis, Vectors
    from index.encoding.packing import PackedTokens
    from index.passages.splitting import Passage

__all__ = ["ArticleSummary", "Forms", "Store", "StoreInfo", "StoredPassage", "article_key"]

Forms = Sequence[str]
"""The ways to write one term of a question: words with single spaces between them, folded."""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a generation holds and what it was made with; `built` is in UTC, ISO 8601.

    `passage_settings` is what passages depend on besides the encoder; `confidence`, where known, what the
    confidence was fitted on.
    """

    generation: str
    built: str
    encoder: str
    encoder_fingerprint: str
    passage_settings: Mapping[str, Any]
    articles: int
    passages: int
    sentences: int
    tokens: int
    bytes: int
    confidence: str = ""

    @property
    def language(self) -> str:
        """The language of the articles, as an ISO 639 code."""
        return str(self.passage_settings["language"])

    def lines(self) -> list[tuple[str, str]]:
        """Return label and value pairs for people."""
        return [
            ("generation", self.generation),
            ("built", f"{datetime.fromisoformat(self.built):%Y-%m-%d %H:%M} UTC"),
            ("encoder", self.encoder),
            ("fingerprint", self.encoder_fingerprint),
            ("articles", f"{self.articles:,}"),
            ("passages", f"{self.passages:,}"),
            ("sentences", f"{self.sentences:,}"),
            ("size", f"{self.bytes / 1e6:,.1f} MB"),
            *([("confidence", self.confidence)] if self.confidence else []),
        ]


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage in a store: its row, its article's row, and where its tokens' vectors are.

    `key` is the hash of what was encoded (16 bytes). The vectors of its sentences' tokens, `token_counts` of
    each, follow one another from `first_token` on.
    """

    row: int
    article: int
    passage: Passage
    key: bytes
    first_token: int
    token_counts: tuple[int, ...]


def article_key(identity: str) -> str:
    """Return the short key of an article's id: 6 bytes of its SHA-256 as 8 characters of URL-safe Base64."""
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest[:6]).decode("ascii")


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """An article in a list: its row, its fields, the paragraphs of its text, its content hash, its file."""

    row: int
    id: str
    title: str
    author: str
    publisher: str
    url: str
    published: str
    paragraphs: int
    content_hash: str
    file: str = ""

    @property
    def key(self) -> str:
        """The article's short key."""
        return article_key(self.id)


class Store(Protocol):
    """An immutable collection of passages, safe to use from several threads.

    Every method raises DamagedIndexError where the collection turns out damaged.
    """

    @property
    def info(self) -> StoreInfo:
        """What the collection holds and what it was made with."""

    @property
    def basis(self) -> Basis:
        """The basis in which its token vectors are packed."""

    def check(self) -> None:
        """Wait for integrity checks under way; return once the collection is known to be whole."""

    def close(self) -> None:
        """Release files and connections; the store cannot be used afterwards."""

    # Words

    def vocabulary(self) -> Mapping[str, int]:
        """Return folded words with the number of passages that have each: the most common, or all."""

    def abbreviations(self) -> Sequence[tuple[str, str]]:
        """Return the abbreviations that the articles introduce: short form, long form."""

    def passage_counts(self, terms: Sequence[Forms]) -> list[int]:
        """Return the document frequency of each term, by any of its forms; inflection does not matter."""

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        """Tell whether some passage has all of these terms, and no passage but headings has."""

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages with the highest BM25 for the phrases: row and score, best first, then by row.

        Every score is above 0. Without `headings`, no heading is among them, nor takes the place of another
        passage. With the row of an `article`, only its passages are.
        """

    def with_phrase(self, phrase: str, count: int) -> list[int]:
        """Return up to `count` passages that have a phrase's words side by side, in order of rows."""

    # Vectors

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages nearest to a vector of shape (dimension,): row and cosine, best first.

        `headings` and `article` as for `best_in_words`; with an `article` none is missed.
        """

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """Return the vectors of passages, shape (rows, dimension)."""

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        """Return the packed token vectors of passages, one after the other, shape (tokens, packed width)."""

    # Content

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """Return passages by row, in the order asked for."""

    def passages_of(self, article: int) -> list[StoredPassage]:
        """Return every passage of an article, in order; the heading's first."""

    def rows_of_keys(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Return the row of a passage with each of these keys, where there is one."""

    def articles(self, rows: Sequence[int]) -> list[Article]:
        """Return articles by row, in the order asked for."""

    def article_row(self, identity: str) -> int | None:
        """Return the row of the article with this id, or None."""

    def catalogue(self) -> list[ArticleSummary]:
        """Return every article's summary, in order."""
