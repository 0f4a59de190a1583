"""Token vectors packed in four bits a dimension.

A unit vector is rotated, so that its coordinates are spread like a normal variable whatever they were
before, and each is rounded to one of the 16 levels that suit such a variable best. Nothing is trained, so
all articles are packed alike. The method is that of Zandieh, Daliri, Hadian and Mirrokni, "TurboQuant:
Online Vector Quantization with Near-optimal Distortion Rate" (2025), with a cosine transform as the
rotation.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["PackedTokens", "pack_rows", "packed_width", "rotation", "unpack_rows"]

PackedTokens = npt.NDArray[np.uint16]
"""Token vectors, four rotated coordinates a number: shape (tokens, packed_width(width))."""

Floats = npt.NDArray[np.float32]

# Levels for a standard normal variable: Max, "Quantizing for Minimum Distortion" (1960), table I, N = 16.
_POSITIVE = [0.1284, 0.3881, 0.6568, 0.9424, 1.256, 1.618, 2.069, 2.733]
_LEVELS = np.array([-level for level in reversed(_POSITIVE)] + _POSITIVE, dtype=np.float32)
_THRESHOLDS = (_LEVELS[1:] + _LEVELS[:-1]) / 2
_SHIFTS = np.array([0, 4, 8, 12], dtype=np.uint16)
_UNPACKED = _LEVELS[np.arange(1 << 16)[:, None] >> _SHIFTS & 15]  # four levels for each number: 1 MB


def packed_width(width: int) -> int:
    """Return how many numbers hold a vector of so many dimensions."""
    return (width + 3) // 4


@lru_cache(maxsize=8)
def rotation(width: int) -> Floats:
    """Return the orthonormal cosine transform (DCT-II) that rotates rows, shape (width, width)."""
    place, frequency = np.mgrid[:width, :width]
    cosines = np.cos(np.pi * (place + 0.5) * frequency / width) * np.sqrt(2 / width)
    cosines[:, 0] /= np.sqrt(2)
    return np.asarray(cosines, dtype=np.float32)


def pack_rows(rows: Floats) -> PackedTokens:
    """Pack unit vectors, shape (rows, width)."""
    width = rows.shape[1]
    codes = np.searchsorted(_THRESHOLDS, rows @ rotation(width) * np.sqrt(width)).astype(np.uint16)
    codes = np.pad(codes, ((0, 0), (0, -width % 4))).reshape(len(rows), packed_width(width), 4)
    return np.asarray(np.bitwise_or.reduce(codes << _SHIFTS, axis=2), dtype=np.uint16)


def unpack_rows(packed: PackedTokens, width: int) -> tuple[Floats, Floats]:
    """Return rotated rows, shape (rows, width), and scales, shape (rows,).

    A row times its scale has the product 1 with the vector that was packed, up to about 0.013, and the same
    product with any other, on average, as that has. Its own length is slightly more than 1.
    """
    rows = np.take(_UNPACKED, packed, axis=0).reshape(len(packed), 4 * packed.shape[1])[:, :width]
    return rows, np.float32(np.sqrt(width)) / np.einsum("ij,ij->i", rows, rows)
