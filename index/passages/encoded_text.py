"""The text that is encoded of a lead or a sentence; of a table's row, with the names of its columns."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence

from index.analysis import INVISIBLE
from index.articles.article import Article
from index.articles.blocks import BlockKind

__all__ = ["column_names", "plain", "sentence_text"]

_COMPATIBLE = re.compile("[\ufb00-\ufb06\uff01-\uff5e]")


def plain(text: str) -> str:
    """Return text without invisible characters, ligatures and full-width forms, as encoders know it."""
    return _COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), INVISIBLE.sub("", text))


def column_names(article: Article, start: int) -> list[str]:
    """Return the names of a table's columns, where its header begins at `start`; of another lead, none."""
    block = article.block_at(start)
    return _cells(article.text[block.start : block.end]) if block.kind is BlockKind.HEADER else []


def sentence_text(text: str, columns: Sequence[str]) -> str:
    """Return what is encoded of a sentence; of a row, with the name of its column before each cell."""
    if not columns:
        return plain(text)
    cells = itertools.zip_longest(columns, _cells(text), fillvalue="")
    return plain(" · ".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell))


def _cells(row: str) -> list[str]:
    """Return the cells of a row; the first and the last may be empty."""
    return [cell.strip() for cell in f" {row} ".split(" | ")]
