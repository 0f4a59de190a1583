"""What a process holds: memory, file descriptors, maps, threads; and what an index takes on the disk."""

from __future__ import annotations

import ctypes
import gc
import math
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.processes import megabytes, resident_mb

__all__ = ["Held", "growth", "table"]


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds, and the disk that an index takes without its encoder's graph."""

    resident_mb: float
    descriptors: float
    maps: float
    threads: int
    disk_mb: float

    @classmethod
    def now(cls, index: Path) -> Held:
        """Look, after what can be freed has been."""
        gc.collect()
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what it may need again, which is not held
        own = Path("/proc/self")
        linux = own.is_dir()
        return cls(
            resident_mb=round(resident_mb(), 1),
            descriptors=len(list((own / "fd").iterdir())) if linux else math.nan,
            maps=len((own / "maps").read_bytes().splitlines()) if linux else math.nan,
            threads=threading.active_count(),
            disk_mb=round(_disk(index), 2),
        )


def _disk(index: Path) -> float:
    models = index / "models"
    return megabytes(index) - (megabytes(models) if models.exists() else 0)


MEMORY_MB, DESCRIPTORS, MAPS, THREADS, DISK = 30.0, 8, 40, 6, 1.3
"""By how much it may grow at work, the disk by this factor. A thread has a stack and a heap in the maps."""


def growth(before: Held, after: Held) -> Iterator[str]:
    """Yield a line on each thing that has grown beyond its bound."""
    most = {
        "resident_mb": before.resident_mb + MEMORY_MB,
        "descriptors": before.descriptors + DESCRIPTORS,
        "maps": before.maps + MAPS,
        "threads": before.threads + THREADS,
        "disk_mb": before.disk_mb * DISK,
    }
    for name, bound in most.items():
        had, has = getattr(before, name), getattr(after, name)
        if has > bound:
            yield f"{name} grew from {had:,} to {has:,}; at most {bound:,.1f} was promised"


def table(first: str, rows: dict[str, Held]) -> str:
    """Return what was held at several times as a Markdown table; `first` heads the column of the times."""
    names = list(Held.__slots__)
    lines = [f"| {first} | {' | '.join(name.replace('_', ' ') for name in names)} |"]
    lines.append(f"| --- |{' ---: |' * len(names)}")
    for at, held in rows.items():
        lines.append(f"| {at} | {' | '.join(f'{value:,}' for value in asdict(held).values())} |")
    return "\n".join(lines)
