"""The vector cache: what was encoded comes back bit for bit, and what is damaged or another's is dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.encoding.encoder import Basis
from index.storage.vector_cache import CACHE, PassageVectors, VectorCache

BASIS = np.eye(6, 4, dtype=np.float32)


def vectors(seed: int, *counts: int) -> PassageVectors:
    """Make the vectors of a passage with so many tokens in each sentence."""
    random = np.random.default_rng(seed)
    dense = random.standard_normal(6, dtype=np.float32)
    return PassageVectors(dense, random.integers(0, 1 << 16, (sum(counts), 1), dtype=np.uint16), counts)


ENTRIES = {bytes([seed]) * 16: vectors(seed, 900) for seed in range(9)}
OTHERS = [("another", BASIS), ("one", -BASIS), ("one", BASIS[:, :3]), ("one", BASIS.reshape(4, 6))]


@pytest.mark.parametrize(("producer", "basis"), OTHERS)
def test_vectors_of_another_encoder_are_dropped(tmp_path: Path, producer: str, basis: Basis) -> None:
    with VectorCache(tmp_path, "one", BASIS) as cache:
        cache.add(ENTRIES.items())
    with VectorCache(tmp_path, producer, basis) as cache:
        assert cache.present(list(ENTRIES)) == set()


@settings(max_examples=60)
@given(
    place=st.floats(0, 1, exclude_max=True),
    length=st.integers(1, 5_000) | st.just(10**6),
    bits=st.integers(1, 255),
)
def test_damaged_vectors_are_dropped(tmp_path: Path, place: float, length: int, bits: int) -> None:
    """Anywhere in the file, or all of it: SQLite's own structure, a key, a vector, a checksum."""
    path = tmp_path / CACHE
    VectorCache.remove(tmp_path)
    with VectorCache(path.parent, "one", BASIS) as cache:
        cache.add(ENTRIES.items())
    whole = path.read_bytes()
    at = int(place * len(whole))
    path.write_bytes(
        whole[:at] + bytes(byte ^ bits for byte in whole[at : at + length]) + whole[at + length :]
    )
    with VectorCache(path.parent, "one", BASIS) as cache:
        for key in cache.present(list(ENTRIES)):
            np.testing.assert_array_equal(cache[key].tokens, ENTRIES[key].tokens)
            np.testing.assert_array_equal(cache[key].dense, ENTRIES[key].dense)
        cache.add(ENTRIES.items())
        assert cache.present(list(ENTRIES)) == set(ENTRIES)
