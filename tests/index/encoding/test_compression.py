"""Token vectors made small: their angles stay, whatever the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.encoding.encoder import WIDTH, Encoder, Vectors, find_basis, pack, project, unit

SEEDS = st.integers(0, 2**32 - 1)


def rows_of(seed: int, count: int, dimension: int, scale: float = 1.0) -> Vectors:
    """Return rows that vary more in some directions than in others, as token vectors do."""
    generator = np.random.default_rng(seed)
    mixed = np.linalg.qr(generator.normal(size=(dimension, dimension)))[0]
    rows = generator.normal(size=(count, dimension)) * np.linspace(3, 0.1, dimension)
    return np.asarray(scale * rows @ mixed, dtype=np.float32)


@given(seed=SEEDS, dimension=st.integers(1, 48), count=st.integers(1, 40), width=st.integers(1, 64))
def test_basis_is_orthonormal_and_no_wider_than_asked(
    seed: int, dimension: int, count: int, width: int
) -> None:
    basis = find_basis(rows_of(seed, count, dimension), width)
    assert basis.shape == (dimension, min(dimension, width))
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-5)


@given(seed=SEEDS)
def test_no_other_basis_keeps_more_of_the_vectors(seed: int) -> None:
    rows = rows_of(seed, 60, 12)
    kept = np.square(unit(rows) @ find_basis(rows, 12)).sum(axis=0)
    assert (np.diff(kept) <= 1e-3).all(), "the first direction keeps the most"
    other = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(12, 4)))[0].astype(np.float32)
    assert np.square(unit(rows) @ find_basis(rows, 4)).sum() >= np.square(unit(rows) @ other).sum()


@given(seed=SEEDS, dimension=st.integers(2, 48), width=st.integers(1, 48), scale=st.floats(1e-3, 1e3))
def test_packing_keeps_angles(seed: int, dimension: int, width: int, scale: float) -> None:
    rows = rows_of(seed, 12, dimension, scale)
    basis = find_basis(rows, width)
    packed = pack(rows, basis)
    assert packed.shape == (12, min(dimension, width))
    assert (np.abs(packed.astype(int)).max(axis=1) == 127).all(), "each row fills the range of a byte"
    # Each number is off by at most half a step of 1/127 of the largest.
    assert (unit(packed) * project(rows, basis)).sum(axis=1).min() > 0.995


def test_rows_of_zeros_and_no_rows_pack_to_the_same() -> None:
    basis = find_basis(rows_of(0, 9, 6), 4)
    rows = np.zeros((2, 6), dtype=np.float32)
    assert pack(rows, basis).tolist() == project(rows, basis).tolist() == [[0] * 4] * 2
    assert pack(rows[:0], basis).shape == project(rows[:0], basis).shape == (0, 4)
    outside = np.array([[0, 0, 5], [0, -2, 5]], dtype=np.float32)
    assert pack(outside, np.eye(3, 2, dtype=np.float32)).tolist() == [[0, 0], [0, -127]]


@pytest.mark.parametrize("which", ["encoder", "sentencepiece_encoder"])
def test_basis_of_an_encoder_is_orthonormal(request: pytest.FixtureRequest, which: str) -> None:
    encoder: Encoder = request.getfixturevalue(which)
    assert encoder.basis.shape == (encoder.dimension, min(encoder.dimension, WIDTH))
    np.testing.assert_allclose(encoder.basis.T @ encoder.basis, np.eye(encoder.basis.shape[1]), atol=1e-5)
