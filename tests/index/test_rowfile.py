"""Rows read from a file: the rows that were written, in whatever runs they are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.rowfile import RowFile

ROWS = np.arange(60, dtype=np.float32).reshape(20, 3)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.f32"
    ROWS.tofile(path)
    return path


@given(runs=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=8))
def test_runs_are_the_rows_that_were_written_one_after_the_other(
    path: Path, runs: list[tuple[int, int]]
) -> None:
    rows = RowFile(path, np.float32, 3)
    assert len(rows) == 20
    assert np.array_equal(rows.runs(runs), np.concatenate([ROWS[:0], *(ROWS[a:b] for a, b in runs)]))


def test_file_that_is_removed_can_still_be_read(tmp_path: Path) -> None:
    ROWS.astype(np.int8).tofile(tmp_path / "rows.i8")
    rows = RowFile(tmp_path / "rows.i8", np.int8, 3)
    (tmp_path / "rows.i8").unlink()
    assert rows.runs([(19, 20)]).tolist() == [[57, 58, 59]]


def test_file_that_was_cut_short_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    ROWS.tofile(tmp_path / "rows.f32")
    rows = RowFile(tmp_path / "rows.f32", np.float32, 3)
    (tmp_path / "rows.f32").write_bytes(b"\0" * 100)
    with pytest.raises(OSError, match="ends before row 20"):
        rows.runs([(0, 2), (18, 20)])
