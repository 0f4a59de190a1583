"""What is kept at hand: the same as is read, read once, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.storage.recent import Recent


class Shelf:
    """Rows of growing length, and which of them were read."""

    def __init__(self, most: int) -> None:
        self.read: list[int] = []
        self.kept = Recent(self._read, len, most)

    def _read(self, rows: Sequence[int]) -> dict[int, str]:
        self.read.extend(rows)
        return {row: "x" * row for row in rows}


@given(asked=st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=12), most=st.integers(0, 40))
def test_rows_come_in_the_order_asked_for_however_little_is_kept(asked: list[list[int]], most: int) -> None:
    shelf = Shelf(most)
    for rows in asked:
        assert shelf.kept(rows) == ["x" * row for row in rows]


def test_row_is_read_once_while_it_is_kept_and_again_when_it_is_not() -> None:
    shelf = Shelf(most=10)
    shelf.kept([2, 3, 3])
    shelf.kept([3, 2, 4])
    assert shelf.read == [2, 3, 4]
    shelf.kept([5])  # 2, 3, 4 and 5 together are too much: the one asked for longest ago goes
    shelf.kept([4, 5])
    assert shelf.read == [2, 3, 4, 5]
    shelf.kept([3])
    assert shelf.read == [2, 3, 4, 5, 3]


@pytest.mark.parametrize("most", [0, 5])
def test_row_above_the_bound_is_kept_alone(most: int) -> None:
    shelf = Shelf(most)
    shelf.kept([7])
    shelf.kept([7])
    assert shelf.read == [7]


def test_threads_share_it() -> None:
    shelf = Shelf(most=12)
    asked = [[row % 7, (row * 3) % 7] for row in range(200)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shelf.kept, asked)) == [["x" * row for row in rows] for rows in asked]
