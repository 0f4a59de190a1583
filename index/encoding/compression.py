"""Token vectors made small: projected to fewer dimensions, then stored as one byte a dimension.

The basis is the principal directions (uncentred PCA, which preserves inner products best; Eckart and Young,
1936) of the token vectors of text made of the encoder's own vocabulary. It depends on the encoder alone, so
every article is packed alike, whenever it is added. 128 dimensions cost nothing measurable (docs/quality.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["WIDTH", "Basis", "PackedTokens", "Vectors", "find_basis", "pack", "project", "unit"]

Vectors = npt.NDArray[np.float32]
"""Rows, one a text or token: shape (rows, dimension)."""

Basis = npt.NDArray[np.float32]
"""Orthonormal columns: shape (dimension, width)."""

PackedTokens = npt.NDArray[np.int8]
"""Projected token vectors, each scaled to fill the range of a byte: shape (tokens, width)."""

WIDTH = 128
"""Dimensions that a token vector keeps; all of them if the encoder has no more."""

_LARGEST = 127


def find_basis(tokens: Vectors, width: int = WIDTH) -> Basis:
    """Return the first `width` principal directions of token vectors, shape (dimension, width)."""
    vectors = unit(tokens).astype(np.float64)
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(directions[:, ::-1][:, :width], dtype=np.float32)


def project(tokens: Vectors, basis: Basis) -> Vectors:
    """Return unit vectors in the basis: shape (tokens, width)."""
    return unit(unit(tokens) @ basis)


def pack(tokens: Vectors, basis: Basis) -> PackedTokens:
    """Return token vectors in the basis, one byte a dimension; this keeps their angles, not their lengths."""
    projected = project(tokens, basis)
    largest = np.abs(projected).max(axis=1, keepdims=True, initial=1e-9)
    return np.asarray(np.round(projected * (_LARGEST / largest)), dtype=np.int8)


def unit(rows: npt.NDArray[Any]) -> Vectors:
    """Return rows scaled to length 1, as float32; a row of zeros stays as it is."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)
