"""The catalogue of a generation's articles: chosen by what somebody types, named by a short key."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from index.analysis import WORD, fold

if TYPE_CHECKING:
    from index.storage.store import ArticleSummary

__all__ = ["Catalogue"]

_NO_MATCH = 4  # the worst rank


class Catalogue:
    """The articles of one generation, in the order in which they were indexed."""

    def __init__(self, articles: Iterable[ArticleSummary]) -> None:
        """Take the articles; of several with one title, `find` returns the first."""
        self._articles = list(articles)
        self._titles = [_normalize(article.title) for article in self._articles]
        self._others = [_normalize(f"{article.id} {article.author}") for article in self._articles]
        self._by_key = {article.key: article for article in self._articles}
        self._by_id = {article.id: article for article in self._articles}
        self._by_title = dict(zip(reversed(self._titles), reversed(self._articles), strict=True))

    def __len__(self) -> int:
        return len(self._articles)

    def __iter__(self) -> Iterator[ArticleSummary]:
        return iter(self._articles)

    def suggest(self, typed: str, count: int = 25) -> list[ArticleSummary]:
        """Return up to `count` articles that match what somebody typed, ignoring case and accents.

        Titles that begin with it come first, then titles with words that begin with its words, then titles
        that contain it, then ids and authors that do; in the order of the index. Empty text matches all.
        """
        folded = _normalize(typed)
        beginnings = [re.compile(rf"(?<![^\W_]){word}") for word in WORD.findall(folded)]
        rows = enumerate(zip(self._titles, self._others, strict=True))
        ranked = ((_rank(folded, beginnings, *row), at) for at, row in rows)
        return [self._articles[at] for rank, at in heapq.nsmallest(count, ranked) if rank < _NO_MATCH]

    def find(self, value: str) -> ArticleSummary | None:
        """Return the article with this key, id, or else title."""
        return self._by_key.get(value) or self._by_id.get(value) or self._by_title.get(_normalize(value))

    def by_key(self, key: str) -> ArticleSummary | None:
        """Return the article with this key."""
        return self._by_key.get(key)


def _rank(typed: str, beginnings: Sequence[re.Pattern[str]], title: str, others: str) -> int:
    if title.startswith(typed):
        return 0
    if beginnings and all(beginning.search(title) for beginning in beginnings):
        return 1
    if typed in title:
        return 2
    return 3 if typed in others else _NO_MATCH


def _normalize(text: str) -> str:
    return " ".join(fold(text).split())
