"""Token vectors made small: angles kept, lengths given up, any rows at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.encoding.compression import WIDTH, Basis, Vectors, find_basis, pack, project, unit
from index.encoding.encoder import Encoder

SEEDS = st.integers(0, 2**32 - 1)


def rows_of(seed: int, count: int, dimension: int, scale: float = 1.0) -> Vectors:
    """Return rows that differ more in some directions than in others, as token vectors do."""
    generator = np.random.default_rng(seed)
    spread = np.linspace(3, 0.1, dimension)
    mixed = np.linalg.qr(generator.normal(size=(dimension, dimension)))[0]
    return np.asarray(scale * (generator.normal(size=(count, dimension)) * spread) @ mixed, dtype=np.float32)


def cosines(left: Vectors, right: Vectors) -> Vectors:
    """Return the cosine of each row with the other's row, by the definition."""
    products = [
        float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b)) for a, b in zip(left, right, strict=True)
    ]
    return np.asarray(products, dtype=np.float32)


@given(seed=SEEDS, dimension=st.integers(1, 48), count=st.integers(1, 40), width=st.integers(1, 64))
def test_basis_is_orthonormal_and_no_wider_than_asked(
    seed: int, dimension: int, count: int, width: int
) -> None:
    basis = find_basis(rows_of(seed, count, dimension), width)
    assert basis.shape == (dimension, min(dimension, width))
    assert basis.dtype == np.float32
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-5)


@given(seed=SEEDS)
def test_foremost_directions_are_those_that_vectors_differ_in_most(seed: int) -> None:
    """No other basis keeps more of the vectors, and each direction keeps no more than the one before it."""
    rows = rows_of(seed, 60, 12)
    kept = np.square(unit(rows) @ find_basis(rows, 12)).sum(axis=0)
    assert (np.diff(kept) <= 1e-3).all()
    other: Basis = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(12, 4)))[0].astype(np.float32)
    assert np.square(unit(rows) @ find_basis(rows, 4)).sum() >= np.square(unit(rows) @ other).sum()


@given(seed=SEEDS, scale=st.floats(1e-3, 1e3))
def test_full_basis_keeps_every_angle_whatever_the_lengths(seed: int, scale: float) -> None:
    rows = rows_of(seed, 20, 16)
    projected = project(np.float32(scale) * rows, find_basis(rows, 16))
    np.testing.assert_allclose(projected @ projected.T, unit(rows) @ unit(rows).T, atol=1e-4)


@settings(max_examples=30)
@given(seed=SEEDS, dimension=st.integers(2, 160), width=st.integers(1, WIDTH), scale=st.floats(1e-4, 1e4))
def test_packing_keeps_angles(seed: int, dimension: int, width: int, scale: float) -> None:
    """A byte a dimension: rounding turns no vector by more than the width allows, and a token by far less."""
    rows = rows_of(seed, 12, dimension, scale)
    basis = find_basis(rows, width)
    packed = pack(rows, basis)
    assert packed.dtype == np.int8
    assert packed.shape == (12, min(dimension, width))
    assert (np.abs(packed.astype(int)).max(axis=1) == 127).all(), "each fills the range of a byte"
    # Each number is wrong by at most half a step of 1/127 of the largest.
    assert cosines(packed.astype(np.float32), project(rows, basis)).min() > 0.995


def test_rows_of_zeros_and_no_rows_are_no_trouble() -> None:
    basis = find_basis(rows_of(0, 9, 6), 4)
    rows = np.zeros((3, 6), dtype=np.float32)
    rows[1] = rows_of(1, 1, 6)[0]
    packed = pack(rows, basis)
    assert packed[0].tolist() == packed[2].tolist() == [0, 0, 0, 0]
    assert packed[1].any()
    assert project(rows, basis)[0].tolist() == [0, 0, 0, 0]
    for made in (pack(rows[:0], basis), project(rows[:0], basis)):
        assert made.shape == (0, 4)
    assert unit(np.zeros((1, 2))).tolist() == [[0, 0]]
    assert unit(np.array([[0.0, -0.5], [3.0, 0.0]])).tolist() == [[0, -1], [1, 0]]
    np.testing.assert_allclose(unit(np.array([[3, 4]]))[0], np.array([0.6, 0.8]), atol=1e-7)


def test_vector_outside_the_basis_is_packed_as_nothing_or_as_noise_but_never_fails() -> None:
    basis = np.eye(3, 2, dtype=np.float32)
    assert pack(np.array([[0, 0, 5]], dtype=np.float32), basis).tolist() == [[0, 0]]
    assert pack(np.array([[0, -2, 5]], dtype=np.float32), basis).tolist() == [[0, -127]]


@pytest.mark.parametrize("which", ["encoder", "sentencepiece_encoder", "static_encoder"])
def test_basis_of_an_encoder_is_orthonormal_and_of_its_dimensions(
    request: pytest.FixtureRequest, which: str
) -> None:
    """All of them where it has no more than a token keeps."""
    own: Encoder = request.getfixturevalue(which)
    assert own.basis.shape == (own.dimension, min(own.dimension, WIDTH))
    np.testing.assert_allclose(own.basis.T @ own.basis, np.eye(own.basis.shape[1]), atol=1e-5)
