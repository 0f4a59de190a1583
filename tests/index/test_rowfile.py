"""Rows read from a file: the rows that were written, in whatever runs they are asked for, or none."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import DamagedIndexError
from index.storage.checksums import BLOCK, block_sums
from index.storage.held import HeldFile
from index.storage.rowfile import RowFile

ROWS = np.random.default_rng(7).standard_normal((5_000, 3)).astype(np.float32)
"""Rows of 12 bytes: some stand across the border of two blocks."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.f32"
    ROWS.tofile(path)
    return path


def open_rows(path: Path) -> RowFile:
    return RowFile(HeldFile(path), block_sums(path), np.float32, 3)


@given(runs=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), max_size=8))
def test_runs_are_the_rows_that_were_written_one_after_the_other(
    path: Path, runs: list[tuple[int, int]]
) -> None:
    rows = open_rows(path)
    assert len(rows) == 5_000
    assert np.array_equal(rows.runs(runs), np.concatenate([ROWS[:0], *(ROWS[a:b] for a, b in runs)]))


def test_file_that_is_removed_can_still_be_read(tmp_path: Path) -> None:
    ROWS.tofile(tmp_path / "rows.f32")
    rows = open_rows(tmp_path / "rows.f32")
    (tmp_path / "rows.f32").unlink()
    assert np.array_equal(rows.runs([(4_999, 5_000)]), ROWS[4_999:])


def test_file_that_was_cut_short_is_an_error_that_names_it_and_not_a_crash(tmp_path: Path) -> None:
    ROWS.tofile(tmp_path / "rows.f32")
    rows = open_rows(tmp_path / "rows.f32")
    (tmp_path / "rows.f32").write_bytes(b"\0" * 100)
    with pytest.raises(DamagedIndexError, match=r"rows\.f32 is damaged \(it ends before byte"):
        rows.runs([(0, 2), (4_998, 5_000)])


@given(place=st.integers(0, ROWS.nbytes - 1), bit=st.integers(0, 7), row=st.integers(0, 4_999))
def test_bad_block_is_never_read_and_every_other_still_is(
    tmp_path: Path, place: int, bit: int, row: int
) -> None:
    """Any bit, flipped after opening as a disk does it; the message has the block's bytes."""
    path = tmp_path / "rows.f32"
    ROWS.tofile(path)
    rows = open_rows(path)
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    with path.open("r+b") as file:
        file.write(data)
    block = place // BLOCK
    for one in (row, place // 12):
        if 12 * one // BLOCK <= block <= (12 * one + 11) // BLOCK:
            begin, end = block * BLOCK, min((block + 1) * BLOCK, ROWS.nbytes)
            with pytest.raises(DamagedIndexError, match=f"{path}.*bytes {begin:,} to {end - 1:,} "):
                rows.runs([(0, 0), (one, one + 1)])
        else:
            assert np.array_equal(rows.runs([(one, one + 1)]), ROWS[one : one + 1])


@pytest.mark.parametrize("change", [-1, 12, BLOCK])
def test_checksums_of_another_file_are_refused(tmp_path: Path, change: int) -> None:
    ROWS.tofile(tmp_path / "rows.f32")
    sums = block_sums(tmp_path / "rows.f32")
    longer = ROWS.tobytes() + random.Random(1).randbytes(BLOCK)
    (tmp_path / "rows.f32").write_bytes(longer[: ROWS.nbytes + change])
    with pytest.raises(DamagedIndexError, match=r"rows\.f32"):
        RowFile(HeldFile(tmp_path / "rows.f32"), sums, np.float32, 3).runs([(4_999, 5_000)])


def test_row_that_the_file_has_not_is_an_error_that_names_it(path: Path) -> None:
    with pytest.raises(DamagedIndexError, match=r"rows\.f32 is damaged \(it has 5,000 rows\)"):
        open_rows(path).runs([(4_999, 5_001)])
