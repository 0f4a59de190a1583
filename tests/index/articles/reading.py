"""Helpers that write article files and read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.articles.article import Article
from index.articles.formats import READERS, read_articles
from index.errors import ArticleError
from tests.index.shelf import put

__all__ = ["BODY", "FORMATS", "article_in", "problems", "put"]

BODY = "The lamp burned oil."
FORMATS = ", ".join(READERS)
"""The suffixes of all formats, as messages list them."""


def article_in(folder: Path, name: str, content: str | bytes) -> Article:
    """Read a file that holds one article."""
    put(folder, {name: content})
    (article,) = read_articles(folder / name).articles
    return article


def problems(path: Path) -> list[str]:
    """Return the problems for which a path is refused, without the folder before each."""
    with pytest.raises(ArticleError) as caught:
        read_articles(path)
    return [problem.replace(f"{path}/", "") for problem in caught.value.problems]
