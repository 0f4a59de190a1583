"""What was read last from the disk, kept at hand within bounds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

__all__ = ["Recent"]

_T = TypeVar("_T")


class Recent(Generic[_T]):
    """Keeps the rows that were read last, as many as weigh no more than `most` together, and one at least.

    What is kept must never change. Safe to use from several threads.
    """

    def __init__(
        self,
        read: Callable[[Sequence[int]], Mapping[int, _T]],
        weight: Callable[[_T], int],
        most: int,
    ) -> None:
        self._read = read
        self._weight = weight
        self._most = most
        self._rows: OrderedDict[int, _T] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def __call__(self, rows: Sequence[int]) -> list[_T]:
        """Return what stands in each row, in the order asked for; what is missing is read in one go."""
        with self._lock:
            found = {row: self._rows[row] for row in rows if row in self._rows}
        if missing := [row for row in dict.fromkeys(rows) if row not in found]:
            found.update(self._read(missing))
        with self._lock:
            for row, one in found.items():
                self._keep(row, one)
        return [found[row] for row in rows]

    def _keep(self, row: int, one: _T) -> None:
        if row not in self._rows:
            self._total += self._weight(one)
        self._rows[row] = one
        self._rows.move_to_end(row)
        while self._total > self._most and len(self._rows) > 1:
            _, oldest = self._rows.popitem(last=False)
            self._total -= self._weight(oldest)
