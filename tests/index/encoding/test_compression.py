"""Token vectors made small: their angles stay, whatever the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.encoding.encoder import WIDTH, Encoder, Vectors, find_basis, pack, project, unit
from index.encoding.packing import packed_width, rotation, unpack_rows

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
    width = min(dimension, width)
    assert packed.shape == (12, packed_width(width))
    unpacked, scales = unpack_rows(packed, width)
    own = project(rows, basis) @ rotation(width)
    assert (unit(unpacked) * own).sum(axis=1).min() > 0.95
    np.testing.assert_allclose((unpacked * scales[:, None] * own).sum(axis=1), 1, atol=0.3)


def test_products_with_packed_vectors_are_right_on_average() -> None:
    """At the usual width they differ from the exact ones by a hundredth, to either side."""
    rows, others = rows_of(1, 2_000, 300), unit(rows_of(2, 50, WIDTH))
    basis = find_basis(rows)
    unpacked, scales = unpack_rows(pack(rows, basis), WIDTH)
    off = (others @ rotation(WIDTH) @ unpacked.T) * scales - others @ project(rows, basis).T
    assert abs(off.mean()) < 1e-4
    assert off.std() < 0.012


@given(width=st.integers(1, 200))
def test_rotation_is_orthonormal(width: int) -> None:
    np.testing.assert_allclose(rotation(width) @ rotation(width).T, np.eye(width), atol=1e-5)


def test_rows_of_zeros_and_no_rows_pack_to_as_many() -> None:
    basis = find_basis(rows_of(0, 9, 6), 4)
    rows = np.zeros((2, 6), dtype=np.float32)
    assert np.isfinite(unpack_rows(pack(rows, basis), 4)[1]).all()
    assert pack(rows[:0], basis).shape == (0, 1)
    assert unpack_rows(pack(rows[:0], basis), 4)[0].shape == project(rows[:0], basis).shape == (0, 4)


@pytest.mark.parametrize("which", ["encoder", "sentencepiece_encoder"])
def test_basis_of_an_encoder_is_orthonormal(request: pytest.FixtureRequest, which: str) -> None:
    encoder: Encoder = request.getfixturevalue(which)
    assert encoder.basis.shape == (encoder.dimension, min(encoder.dimension, WIDTH))
    np.testing.assert_allclose(encoder.basis.T @ encoder.basis, np.eye(encoder.basis.shape[1]), atol=1e-5)
