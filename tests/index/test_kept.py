"""Vectors kept on the way: they come back bit for bit, and nothing that is damaged ever does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.passages.drafts import PassageVectors
from index.storage.vector_cache import Kept

BASIS = np.eye(6, 4, dtype=np.float32)


def vectors(seed: int, *counts: int) -> PassageVectors:
    chosen = np.random.default_rng(seed)
    dense = chosen.standard_normal(6, dtype=np.float32)
    return PassageVectors(dense, chosen.integers(-127, 128, (sum(counts), 4), dtype=np.int8), counts)


SHELF = {"0a" * 16: vectors(1, 3), "ff" * 16: vectors(2, 0, 5, 1), "5c" * 16: vectors(3, 0)}


def opened(path: Path, scope: str = "scope") -> Kept:
    return Kept(path, scope, BASIS)


def assert_right(kept: Kept, wanted: Mapping[str, PassageVectors]) -> None:
    """Whatever of the shelf is there is as it was added."""
    assert len(kept) == sum(key in kept for key in wanted)
    for key, one in wanted.items():
        if key in kept:
            found = kept[key]
            np.testing.assert_array_equal(found.dense, one.dense)
            np.testing.assert_array_equal(found.tokens, one.tokens)
            assert found.counts == one.counts


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Keep the shelf; return the file."""
    path = tmp_path_factory.mktemp("kept") / "kept"
    with opened(path) as kept:
        kept.add(list(SHELF.items())[:1])
        kept.add(list(SHELF.items())[1:])
    return path.read_bytes()


@contextmanager
def file_of(data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kept")
        path.write_bytes(data)
        yield path


def test_vectors_come_back_at_once_and_when_opened_again(tmp_path: Path) -> None:
    with opened(tmp_path / "kept") as kept:
        assert len(kept) == 0
        kept.add(SHELF.items())
        assert len(kept) == 3
        assert_right(kept, SHELF)
    with opened(tmp_path / "kept") as kept:
        assert len(kept) == 3
        assert "00" * 16 not in kept
        assert_right(kept, SHELF)


@given(cut=st.floats(0, 1, exclude_max=True))
def test_torn_end_is_dropped_and_what_is_added_next_is_whole(whole: bytes, cut: float) -> None:
    """Cut at any byte, as a killed process or a power cut leaves it."""
    length = int(cut * len(whole))
    with file_of(whole[:length]) as path:
        with opened(path) as kept:
            assert len(kept) < 3
            assert_right(kept, SHELF)
            missing = {key: one for key, one in SHELF.items() if key not in kept}
            kept.add(missing.items())
        with opened(path) as kept:
            assert len(kept) == 3
            assert_right(kept, SHELF)


def test_records_before_a_torn_end_are_still_there(whole: bytes) -> None:
    with file_of(whole[:-1]) as path, opened(path) as kept:
        assert len(kept) == 2


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_flipped_bit_is_never_read(whole: bytes, place: float, bit: int) -> None:
    """Anywhere: in a checksum, a vector, a length, a key or the head."""
    harmed = bytearray(whole)
    harmed[int(place * len(whole))] ^= 1 << bit
    with file_of(bytes(harmed)) as path, opened(path) as kept:
        assert len(kept) < 3, "the record that was harmed is gone"
        assert_right(kept, SHELF)


@given(nonsense=st.binary(max_size=200))
def test_nonsense_after_whole_records_is_dropped(whole: bytes, nonsense: bytes) -> None:
    with file_of(whole + nonsense) as path:
        with opened(path) as kept:
            assert len(kept) == 3
        assert path.read_bytes() == whole


def test_record_that_claims_to_be_endless_is_dropped_without_being_read(whole: bytes) -> None:
    """Its length would be 16 GB."""
    for claim in (b"\xff" * 4, b"\x01\0\0\0" + b"\xff" * 4, b"\x02\0\0\0" + b"\xff" * 8):
        with file_of(whole + b"k" * 16 + claim) as path, opened(path) as kept:
            assert len(kept) == 3


def test_vectors_of_another_encoder_or_basis_are_dropped(whole: bytes) -> None:
    with file_of(whole) as path, opened(path, "another") as kept:
        assert len(kept) == 0
    for basis in (-BASIS, np.eye(4, 6, dtype=np.float32), np.eye(6, 5, dtype=np.float32)):
        with file_of(whole) as path, Kept(path, "scope", basis) as kept:
            assert len(kept) == 0


def test_removed_file_is_gone(tmp_path: Path) -> None:
    with opened(tmp_path / "kept") as kept:
        kept.add(SHELF.items())
        kept.remove()
    assert not (tmp_path / "kept").exists()


def test_vectors_that_do_not_come_back_as_they_were_added_are_an_error_and_then_encoded_anew(
    tmp_path: Path,
) -> None:
    """A disk may change what it holds after the file was opened and found whole."""
    with opened(tmp_path / "kept") as kept:
        kept.add(SHELF.items())
        data = bytearray((tmp_path / "kept").read_bytes())
        data[-40] ^= 1
        (tmp_path / "kept").write_bytes(data)
        with pytest.raises(OSError, match="does not give back what was written"):
            kept[list(SHELF)[-1]]
    with opened(tmp_path / "kept") as kept:
        assert len(kept) == 2
