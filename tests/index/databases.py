"""Two indexes compared, table by table and vector by vector."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from index.storage.local import open_generation
from index.storage.manifest import DATABASE, read_pointer

__all__ = ["assert_same"]

_TABLES = {
    "articles": "SELECT * FROM articles ORDER BY id",
    "passages": "SELECT * FROM passages ORDER BY id",
    "sentences": "SELECT * FROM sentences ORDER BY id",
    "words": "SELECT * FROM words ORDER BY word",
    "abbreviations": "SELECT * FROM abbreviations ORDER BY rowid",
    "found by": "SELECT * FROM found ORDER BY term, doc, col, offset",
    "lengths": "SELECT id, sz FROM passage_words_docsize ORDER BY id",
    "tables": "SELECT name, sql FROM sqlite_master ORDER BY name",
}


def _tables(index: Path) -> dict[str, list[tuple[Any, ...]]]:
    path = index / read_pointer(index).generation / DATABASE
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE VIRTUAL TABLE temp.found USING fts5vocab(main, passage_words, instance)")
        return {name: database.execute(sql).fetchall() for name, sql in _TABLES.items()}


def assert_same(one: Path, other: Path) -> None:
    """Compare two indexes: the same rows and words, and vectors that differ by no more than rounding."""
    assert _tables(one) == _tables(other)
    a, b = open_generation(one), open_generation(other)
    rows = range(a.manifest.passages)
    assert (a.manifest.tokens, a.manifest.passages) == (b.manifest.tokens, b.manifest.passages)
    np.testing.assert_allclose(a.passage_vectors(rows), b.passage_vectors(rows), rtol=0, atol=1e-5)
    tokens, others = (each.tokens(0, each.manifest.tokens).astype(int) for each in (a, b))
    np.testing.assert_allclose(tokens, others, rtol=0, atol=1)
    np.testing.assert_array_equal(a.basis, b.basis)
    a.close()
    b.close()
