"""The articles that are served, in order: to choose one by what is typed, and to name one in few letters.

>>> lines = [ArticleLine.of("lamp", "The lamp on Gull Rock"), ArticleLine.of("rock/2", "Rock pools")]
>>> [line.title for line in Catalogue(lines).suggest("rock")]
['Rock pools', 'The lamp on Gull Rock']
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.analysis import WORD, fold

if TYPE_CHECKING:
    from index.storage.local import Generation

__all__ = ["ArticleLine", "Catalogue", "article_key"]

_KEY_BYTES = 6
"""Bytes of an article's key: of 10,000 articles, two share theirs once in five million sets."""


def article_key(identity: str) -> str:
    """Return what stands for an article's id where room is short: 8 letters, digits, hyphens, underscores."""
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest[:_KEY_BYTES]).decode("ascii")


@dataclass(frozen=True, slots=True)
class ArticleLine:
    """What is told of an article in a list; `paragraphs` counts those of its text."""

    id: str
    key: str
    title: str
    author: str
    publisher: str
    url: str
    published: str
    paragraphs: int

    @classmethod
    def of(  # noqa: PLR0913 - what is told of an article
        cls,
        identity: str,
        title: str,
        author: str = "",
        publisher: str = "",
        url: str = "",
        published: str = "",
        paragraphs: int = 0,
    ) -> ArticleLine:
        """Make a line with its key, of fields in the order in which a generation tells them."""
        return cls(identity, article_key(identity), title, author, publisher, url, published, paragraphs)

    @property
    def label(self) -> str:
        """The title, or the id where there is none."""
        return self.title.strip() or self.id


@dataclass(frozen=True, slots=True)
class _Row:
    """A line with what it is looked up by: its label, the label's words, its id and author, all folded."""

    line: ArticleLine
    label: str
    words: str
    others: str

    def rank(self, typed: str, words: Sequence[str]) -> int | None:
        """Return how well the line meets what was typed, 0 best; None where it does not."""
        if self.label.startswith(typed):
            return 0
        if words and all(word in self.words for word in words):
            return 1
        if typed in self.label:
            return 2
        return 3 if typed in self.others else None


class Catalogue:
    """The articles of one generation, in the order in which they were indexed."""

    def __init__(self, lines: Iterable[ArticleLine]) -> None:
        """Take the lines and prepare what they are looked up by."""
        self._rows = [_row(line) for line in lines]
        self._by_key: dict[str, ArticleLine] = {}
        self._by_id: dict[str, ArticleLine] = {}
        self._by_label: dict[str, ArticleLine] = {}
        for row in self._rows:
            self._by_key.setdefault(row.line.key, row.line)
            self._by_id.setdefault(row.line.id, row.line)
            self._by_label.setdefault(row.label, row.line)

    @classmethod
    def of(cls, generation: Generation) -> Catalogue:
        """Return the catalogue of an open generation."""
        return cls(ArticleLine.of(*fields) for fields in generation.article_lines())

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[ArticleLine]:
        return (row.line for row in self._rows)

    def suggest(self, typed: str, count: int = 25) -> list[ArticleLine]:
        """Return up to `count` articles that somebody who typed this may mean.

        First those whose title begins with it, then those that have a word for each of its words that begins
        with it, then those that have it inside; last those that have it in their id or author. Case and
        accents do not matter. Of equals the order is that of the index; nothing typed gives the first ones.
        """
        wanted = _folded(typed)
        words = [f" {word}" for word in WORD.findall(wanted)]
        found: list[list[ArticleLine]] = [[], [], [], []]
        for row in self._rows:
            rank = row.rank(wanted, words)
            if rank is not None:
                found[rank].append(row.line)
            if len(found[0]) >= count:
                break
        return [line for group in found for line in group][: max(count, 0)]

    def find(self, value: str) -> ArticleLine | None:
        """Return the article whose key, id, or else title this is; the first of several with that title."""
        exact = self._by_key.get(value) or self._by_id.get(value)
        return exact or self._by_label.get(_folded(value))

    def by_key(self, key: str) -> ArticleLine | None:
        """Return the article with this key."""
        return self._by_key.get(key)


def _row(line: ArticleLine) -> _Row:
    label = _folded(line.label)
    # A space before each word, so that one that begins with "gu" is found by " gu".
    words = "".join(f" {word}" for word in WORD.findall(label))
    return _Row(line, label, words, f"{_folded(line.id)}\n{_folded(line.author)}")


def _folded(text: str) -> str:
    return " ".join(fold(text).split())
