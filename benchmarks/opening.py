"""What it costs to check an index at opening, by its size: XXH3 and SHA-256, files in memory and on the disk.

    python -m benchmarks.opening [--passages 1000 10000 100000 1000000] [--index FOLDER] [--most-mb 1000]

How many bytes each file has for a passage is taken from an index; without one, the sample articles are built,
whose database is large for so few. Files of random bytes of those sizes are made and read, no more than
`--most-mb` of each kind: what is larger is multiplied, and marked with a star. Cold means that the system was
asked to drop the file from memory (posix_fadvise); it may keep some, and knows of no cache below it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.build import build_index
from index.errors import DamagedIndexError
from index.settings import IndexSettings
from index.storage.checksums import BLOCK, Digests, check_file, digest_file
from index.storage.held import HeldFile
from index.storage.manifest import BASIS, DATABASE, ROWS, read_manifest, read_pointer
from index.storage.vectors import FLAT_UP_TO

ROOT = Path(__file__).parents[1]
_VECTOR = 384
_FLOAT = 4
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Size:
    """The bytes of an index's files: those read at every opening, and those of rows."""

    always: int
    rows: int


def size_of(index: Path, passages: int) -> Size:
    """Return the bytes of an index of so many passages, whose texts are as long as those of another index."""
    manifest = read_manifest(index, read_pointer(index))
    share = passages / manifest.passages
    listed = passages > FLAT_UP_TO
    dense = passages * (_VECTOR + 8 if listed else _VECTOR * _FLOAT)
    rows = sum(size for name, size in manifest.sizes.items() if name in ROWS) * share
    rows += passages * _VECTOR * _FLOAT * listed
    always = manifest.sizes[DATABASE] * share + dense + manifest.sizes[BASIS] + rows / BLOCK * 8
    return Size(round(always), round(rows))


def read_xxh3(path: Path) -> None:
    """Read a file as opening does."""
    with HeldFile(path) as file:
        try:
            check_file(file, Digests("", "", file.size))
        except DamagedIndexError:  # its checksum is not known here, and need not be
            return


def read_sha256(path: Path) -> None:
    """Read a file as opening did before."""
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")


def drop(path: Path) -> None:
    """Ask the system to forget the file's content."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds(read: Callable[[Path], None], path: Path, *, cold: bool) -> float:
    """Return the least of a few times that reading a file takes."""
    least = float("inf")
    for _ in range(_TRIES):
        if cold:
            drop(path)
        begun = time.perf_counter()
        read(path)
        least = min(least, time.perf_counter() - begun)
    return least


def measure(size: int, most: int, folder: Path) -> list[str]:
    """Return the megabytes of some files, and the seconds that it takes to read them in three ways."""
    made = min(size, most)
    path = folder / "made"
    with path.open("wb") as file:
        for at in range(0, made, 1 << 20):
            file.write(os.urandom(min(1 << 20, made - at)))
        file.flush()
        os.fsync(file.fileno())
    read_xxh3(path)  # so that it is in memory
    star = "*" if made < size else ""
    ways = ((read_xxh3, False), (read_xxh3, True), (read_sha256, False))
    times = [seconds(read, path, cold=cold) * size / made for read, cold in ways]
    path.unlink()
    return [f"{size / 1e6:,.1f}", *(f"{one:.3f}{star}" for one in times)]


def built(folder: Path) -> Path:
    """Build the sample articles."""
    settings = IndexSettings.load(articles=ROOT / "articles", index=folder / "index")
    build_index(settings)
    return settings.index


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--passages", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--index", type=Path)
    parser.add_argument("--most-mb", type=int, default=1_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        index = options.index or built(Path(made))
        print("| passages | files | MB | XXH3, s | XXH3, cold, s | SHA-256, s |")
        print("| --- | --- | --- | --- | --- | --- |")
        for passages in options.passages:
            size = size_of(index, passages)
            for kind, count in (("read at every opening", size.always), ("rows", size.rows)):
                cells = measure(count, options.most_mb * 1_000_000, Path(made))
                print(f"| {passages:,} | {kind} | {' | '.join(cells)} |", flush=True)
        graph = max((index / "models").rglob("*.bin"), key=lambda path: path.stat().st_size)
        digest_file(graph)
        times = [seconds(read, graph, cold=cold) for read, cold in ((read_xxh3, False), (read_xxh3, True))]
        times.append(seconds(read_sha256, graph, cold=False))
        cells = [f"{graph.stat().st_size / 1e6:,.1f}", *map("{:.3f}".format, times)]
        print(f"| any | the graph's weights | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
