"""A fetched page as an article, and how it differs from the one that was fetched before."""

from __future__ import annotations

import difflib
import re
from collections import Counter

from index.articles.article import Article, RefusedError, assemble
from index.articles.formats import READERS
from index.sources.archive import Page
from index.sources.reports import PageChange

__all__ = ["compare_pages", "is_error_page", "read_page"]

_SHOWN, _SHOWN_CHARACTERS = 6, 300  # of a page's differences: paragraphs, and characters of each
_NOT_FOUND = re.compile(
    r"\b(?:error|http|status) 404\b|\b404\W+(?:error|not found|page)|^\W*404\W*$"
    r"|\bpage (was |could )?not (be )?found|\bseite (wurde )?nicht gefunden|\bpágina no encontrada"
    r"|\bpage (introuvable|does not exist|doesn.t exist)",
    re.IGNORECASE,
)
_NOT_FOUND_WORDS = 120  # a page of more words is not taken for an error message


def read_page(page: Page) -> Article | RefusedError:
    """Read a page as a build does."""
    file = page.as_file()
    try:
        for parsed in READERS[file.path.suffix](file):
            return parsed if isinstance(parsed, RefusedError) else assemble(parsed)
    except RefusedError as error:
        return error
    return RefusedError("has no text")


def is_error_page(article: Article) -> bool:
    """Tell whether a page that was sent with status 200 says that there is no such page."""
    if len(article.text.split()) > _NOT_FOUND_WORDS:
        return False
    first = article.text.split("\n", 1)[0][:200]
    return bool(_NOT_FOUND.search(article.title) or _NOT_FOUND.search(first))


def compare_pages(after: Article, before: Article | None, identity: str) -> PageChange | None:
    """Return how a page's article changed, paragraph by paragraph; None where it reads the same."""
    new, old = _paragraphs(after), _paragraphs(before) if before else []
    if before and (new, after.heading) == (old, before.heading):
        return None
    lines = [line for line in difflib.unified_diff(old, new, n=0, lineterm="") if line[0] in "+-"][2:]
    words = {sign: Counter(w for line in lines if line[0] == sign for w in line[1:].split()) for sign in "+-"}
    return PageChange(
        kind="changed" if before else "added",
        id=identity,
        words_added=(words["+"] - words["-"]).total(),
        words_removed=(words["-"] - words["+"]).total(),
        paragraphs=max(sum(line[0] == sign for line in lines) for sign in "+-") if lines else 0,
        differences=tuple(line[:_SHOWN_CHARACTERS] for line in lines[:_SHOWN]) if before else (),
    )


def _paragraphs(article: Article) -> list[str]:
    return [article.text[each.start : each.end].replace("\n", " ") for each in article.paragraphs]
