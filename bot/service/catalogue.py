"""The catalogue of a generation's articles: chosen by what somebody types, named by a short key."""

from __future__ import annotations

import hashlib
import heapq
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.analysis import WORD, fold

if TYPE_CHECKING:
    from index.storage.store import Store

__all__ = ["Catalogue", "CatalogueEntry", "article_key"]

_NO_MATCH = 4


def article_key(identity: str) -> str:
    """Return the short key of an article's id: 6 bytes of its SHA-256 as 8 characters of URL-safe Base64."""
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest[:6]).decode("ascii")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An article of the catalogue; `paragraphs` counts those of its text."""

    id: str
    title: str
    author: str = ""
    publisher: str = ""
    url: str = ""
    published: str = ""
    paragraphs: int = 0

    @property
    def key(self) -> str:
        """The article's short key."""
        return article_key(self.id)

    @property
    def label(self) -> str:
        """The title, or the id if there is none."""
        return self.title.strip() or self.id


class Catalogue:
    """The articles of one generation, in the order in which they were indexed."""

    def __init__(self, entries: Iterable[CatalogueEntry]) -> None:
        """Take the entries; of several with one title, `find` returns the first."""
        self._entries = list(entries)
        self._labels = [_normalize(entry.label) for entry in self._entries]
        self._others = [_normalize(f"{entry.id} {entry.author}") for entry in self._entries]
        self._by_key = {entry.key: entry for entry in self._entries}
        self._by_id = {entry.id: entry for entry in self._entries}
        self._by_label = dict(zip(reversed(self._labels), reversed(self._entries), strict=True))

    @classmethod
    def of(cls, store: Store) -> Catalogue:
        """Return the catalogue of an open store."""
        names = CatalogueEntry.__slots__
        return cls(CatalogueEntry(*(getattr(row, name) for name in names)) for row in store.catalogue())

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self._entries)

    def suggest(self, typed: str, count: int = 25) -> list[CatalogueEntry]:
        """Return up to `count` articles that match what somebody typed, ignoring case and accents.

        Titles that begin with it come first, then titles with words that begin with its words, then titles
        that contain it, then ids and authors that do; in the order of the index. Empty text matches all.
        """
        folded = _normalize(typed)
        beginnings = [re.compile(rf"(?<![^\W_]){word}") for word in WORD.findall(folded)]
        rows = enumerate(zip(self._labels, self._others, strict=True))
        ranked = ((_rank(folded, beginnings, *row), at) for at, row in rows)
        return [self._entries[at] for rank, at in heapq.nsmallest(count, ranked) if rank < _NO_MATCH]

    def find(self, value: str) -> CatalogueEntry | None:
        """Return the article with this key, id, or else title."""
        return self._by_key.get(value) or self._by_id.get(value) or self._by_label.get(_normalize(value))

    def by_key(self, key: str) -> CatalogueEntry | None:
        """Return the article with this key."""
        return self._by_key.get(key)


def _rank(typed: str, beginnings: Sequence[re.Pattern[str]], label: str, others: str) -> int:
    """Return how well an article matches, 0 best."""
    if label.startswith(typed):
        return 0
    if beginnings and all(beginning.search(label) for beginning in beginnings):
        return 1
    if typed in label:
        return 2
    return 3 if typed in others else _NO_MATCH


def _normalize(text: str) -> str:
    return " ".join(fold(text).split())
