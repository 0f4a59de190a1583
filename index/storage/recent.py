"""What was read last from the disk, kept at hand within bounds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

__all__ = ["Recent"]

_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")


class Recent(Generic[_K, _T]):
    """Keeps what was read last, by its keys: as much as weighs no more than `most`, and one thing at least.

    What is kept must never change. Safe to use from several threads.
    """

    def __init__(
        self,
        read: Callable[[Sequence[_K]], Mapping[_K, _T]],
        weight: Callable[[_T], int],
        most: int,
    ) -> None:
        self._read = read
        self._weight = weight
        self._most = most
        self._kept: OrderedDict[_K, _T] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def __call__(self, keys: Sequence[_K]) -> list[_T]:
        """Return what has each key, in the order asked for; what is missing is read in one go."""
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
        if missing := [key for key in dict.fromkeys(keys) if key not in found]:
            found.update(self._read(missing))
        with self._lock:
            for key, one in found.items():
                self._keep(key, one)
        return [found[key] for key in keys]

    def _keep(self, key: _K, one: _T) -> None:
        if key not in self._kept:
            self._total += self._weight(one)
        self._kept[key] = one
        self._kept.move_to_end(key)
        while self._total > self._most and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._total -= self._weight(oldest)
