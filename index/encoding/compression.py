"""Token vectors made small: projected to fewer dimensions, then one byte a dimension.

The basis is found from the encoder alone, so that every article is packed alike, whenever it is added: the
principal directions (uncentred PCA, which keeps inner products best; Eckart and Young, 1936) of the token
vectors of texts made of the encoder's own vocabulary. On the development sets 128 dimensions of such a basis
lose no more than those of the articles' own vectors; see docs/quality.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["WIDTH", "Basis", "PackedTokens", "Vectors", "find_basis", "pack", "pack_all", "project", "unit"]

Vectors = npt.NDArray[np.float32]
"""Rows, one a text or token: shape (rows, dimension)."""

Basis = npt.NDArray[np.float32]
"""Orthonormal columns: shape (dimension, width)."""

PackedTokens = npt.NDArray[np.int8]
"""Projected token vectors, each scaled to fill the range of a byte: shape (tokens, width)."""

WIDTH = 128
"""Dimensions that a token vector keeps; all of them where the encoder has no more."""

_LARGEST = 127


def find_basis(tokens: Vectors, width: int = WIDTH) -> Basis:
    """Return the `width` directions in which token vectors differ most, the foremost first."""
    vectors = unit(tokens).astype(np.float64)
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(directions[:, ::-1][:, :width], dtype=np.float32)


def project(tokens: Vectors, basis: Basis) -> Vectors:
    """Return unit vectors in the basis: shape (tokens, width)."""
    return unit(unit(tokens) @ basis)


def pack(tokens: Vectors, basis: Basis) -> PackedTokens:
    """Return token vectors in the basis, a byte a dimension; their lengths are lost, their angles kept."""
    projected = project(tokens, basis)
    largest = np.abs(projected).max(axis=1, keepdims=True, initial=1e-9)
    return np.asarray(np.round(projected * (_LARGEST / largest)), dtype=np.int8)


def pack_all(texts: Sequence[Vectors], basis: Basis) -> list[PackedTokens]:
    """Return the token vectors of each text, packed: one product of matrices for them all."""
    packed = pack(np.concatenate(texts), basis)
    ends = np.cumsum([len(tokens) for tokens in texts])[:-1]
    return np.split(packed, ends)


def unit(rows: npt.NDArray[Any]) -> Vectors:
    """Return rows of length 1, as floats; one of nothing but zeros stays as it is."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)
