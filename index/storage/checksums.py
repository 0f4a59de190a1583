"""Checksums of files, and of the blocks of a file: SHA-256 as proof, XXH3 for every day.

Either finds any change that chance makes. Whoever wants to deceive could make two files of one XXH3,
but who can write to the index folder can write another index as well; a copy is proven by its SHA-256
(`footnote index verify`). XXH3 takes a seventh of its time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xxhash

from index.errors import DamagedIndexError
from index.storage.held import HeldFile

__all__ = [
    "BLOCK",
    "Digests",
    "Sums",
    "block_sums",
    "check_file",
    "check_size",
    "digest_file",
    "first_bad_block",
    "read_checked",
    "verify_file",
]

BLOCK = 16_384
"""Bytes that have a checksum of their own in row files.

A question reads some 40 runs of 12 kB: with 4 KiB a tenth less time is spent, with four times the checksums
to hold in memory; with 64 KiB more than half as much again.
"""

_AT_ONCE = 1 << 20
_DIFFERS = "is damaged (its XXH3 differs)"

Sums = npt.NDArray[np.uint64]
"""The XXH3-64 of each block of a file, in order; the last block may be shorter."""


@dataclass(frozen=True, slots=True)
class Digests:
    """What a file's content is known by: SHA-256 and XXH3-128 in hexadecimal, and its size in bytes."""

    sha256: str
    quick: str
    size: int


def digest_file(path: Path) -> Digests:
    """Read a file once and return all that it is known by.

    Raises:
        DamagedIndexError: it cannot be read.
    """
    sha256, quick = hashlib.sha256(), xxhash.xxh3_128()
    with HeldFile(path) as file:
        for part in file.parts(_AT_ONCE):
            sha256.update(part)
            quick.update(part)
        return Digests(sha256.hexdigest(), quick.hexdigest(), file.size)


def check_size(file: HeldFile, wanted: Digests) -> None:
    """Compare a file's size with what it is known by.

    Raises:
        DamagedIndexError: it has another.
    """
    if file.size != wanted.size:
        raise DamagedIndexError.of(file.path, _sizes(file.size, wanted))


def check_file(file: HeldFile, wanted: Digests) -> None:
    """Read a whole file and compare it with its quick checksum.

    Raises:
        DamagedIndexError: it is not what was written.
    """
    check_size(file, wanted)
    quick = xxhash.xxh3_128()
    for part in file.parts(_AT_ONCE):
        quick.update(part)
    if quick.hexdigest() != wanted.quick:
        raise DamagedIndexError.of(file.path, _DIFFERS)


def verify_file(path: Path, wanted: Digests) -> None:
    """Read a whole file and compare it with all that it is known by.

    Raises:
        DamagedIndexError: it is not what was written, or cannot be read.
    """
    found = digest_file(path)
    if found.size != wanted.size:
        raise DamagedIndexError.of(path, _sizes(found.size, wanted))
    if found.sha256 != wanted.sha256:
        raise DamagedIndexError.of(path, "is damaged (its SHA-256 differs)")
    if found.quick != wanted.quick:
        raise DamagedIndexError.of(path, _DIFFERS)


def _sizes(size: int, wanted: Digests) -> str:
    return f"is damaged (it has {size:,} bytes instead of {wanted.size:,})"


def read_checked(file: HeldFile, wanted: Digests) -> bytes:
    """Return a whole file's content, once it is found to be what was written.

    Raises:
        DamagedIndexError: it is not.
    """
    check_size(file, wanted)
    data = file.read()
    if xxhash.xxh3_128_hexdigest(data) != wanted.quick:
        raise DamagedIndexError.of(file.path, _DIFFERS)
    return data


def block_sums(path: Path) -> Sums:
    """Return the checksum of each block of a file.

    Raises:
        DamagedIndexError: it cannot be read.
    """
    with HeldFile(path) as file:
        sums = [xxhash.xxh3_64_intdigest(part) for part in file.parts(BLOCK)]
    return np.asarray(sums, dtype="<u8")


def first_bad_block(data: memoryview, sums: Sums) -> int | None:
    """Return the number of the first block of `data` whose checksum is not that in `sums`; None of none."""
    for number, wanted in enumerate(sums.tolist()):
        if xxhash.xxh3_64_intdigest(data[number * BLOCK : (number + 1) * BLOCK]) != wanted:
            return number
    return None
