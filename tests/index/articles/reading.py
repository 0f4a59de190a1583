"""Helpers that write article files and read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.articles.article import Article
from index.articles.blocks import LEADS, Block, TextBuilder
from index.articles.formats import READERS, read_articles
from index.errors import ArticleError
from tests.index.shelf import put

__all__ = ["BODY", "FORMATS", "Shape", "article_in", "check_blocks", "problems", "put", "shapes"]

Shape = tuple[str, str, tuple[int, ...]]
"""A block as the tables write it: its kind, its text, and the leads above it."""

BODY = "The lamp burned oil."
FORMATS = ", ".join(READERS)
"""The suffixes of all formats, as messages list them."""


def article_in(folder: Path, name: str, content: str | bytes) -> Article:
    """Read a file that holds one article."""
    put(folder, {name: content})
    (article,) = read_articles(folder / name).articles
    return article


def problems(path: Path) -> list[str]:
    """Return the problems for which `--strict` refuses a path, without the folder before each."""
    with pytest.raises(ArticleError) as caught:
        read_articles(path, strict=True)
    return [problem.replace(f"{path}/", "") for problem in caught.value.problems]


def shapes(builder: TextBuilder) -> list[Shape]:
    """Return the blocks that a builder holds."""
    return [(block.kind, builder.text[block.start : block.end], block.above) for block in builder.blocks]


def check_blocks(text: str, blocks: tuple[Block, ...]) -> None:
    """Check what every list of blocks promises about the text that it divides."""
    end = paragraph = 0
    for place, block in enumerate(blocks):
        assert end <= block.start < block.end <= len(text)
        assert text[block.start : block.end].strip()
        assert block.paragraph in {paragraph, paragraph + 1}
        assert list(block.above) == sorted(set(block.above))
        assert all(lead < place and blocks[lead].kind in LEADS for lead in block.above)
        end, paragraph = block.end, block.paragraph
    used = {lead for block in blocks for lead in block.above}
    assert used == {place for place, block in enumerate(blocks) if block.kind in LEADS}
