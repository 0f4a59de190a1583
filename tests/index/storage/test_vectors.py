"""The vector index of large collections: nearly all of the nearest, with their exact cosines."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
import pytest

from index.encoding.encoder import Vectors, unit
from index.storage.vectors import EXACT, VECTORS, VectorIndex, write_vectors
from tests.index.storage.copies import files_no_larger_than

COUNT, DIMENSION = 4_000, 48
BODIES = np.arange(COUNT) % 10 > 0


def draw(count: int, seed: int) -> Vectors:
    """Draw unit vectors around 40 subjects, as passages are."""
    subjects = np.random.default_rng(0).standard_normal((40, DIMENSION))
    random = np.random.default_rng(seed)
    chosen = subjects[random.integers(len(subjects), size=count)]
    return unit(chosen + 0.7 * random.standard_normal((count, DIMENSION)))


ALL = draw(COUNT, 1)


def write(home: Path, flat_up_to: int) -> dict[str, bytes]:
    ALL.tofile(home / EXACT)
    write_vectors(home, DIMENSION, flat_up_to)
    return {path.name: path.read_bytes() for path in home.iterdir()}


@pytest.mark.parametrize("headings", [True, False])
@pytest.mark.parametrize("flat_up_to", [COUNT, COUNT - 1])
def test_nearly_all_of_the_nearest_are_found(tmp_path: Path, flat_up_to: int, headings: bool) -> None:
    """With a threshold that the collection just meets, and with one that it exceeds by one."""
    files = write(tmp_path, flat_up_to)
    assert (EXACT in files) == (flat_up_to < COUNT)
    found = 0
    with closing(VectorIndex(tmp_path, BODIES, DIMENSION)) as index:
        for question in draw(50, 2):
            cosines = ALL @ question
            nearest = index.nearest(question, 50, headings=headings)
            rows, scores = [row for row, _ in nearest], [score for _, score in nearest]
            assert scores == sorted(scores, reverse=True) == pytest.approx(cosines[rows], abs=1e-6)
            assert len(set(rows)) == 50
            assert headings or BODIES[rows].all()
            allowed = np.where(BODIES | headings, cosines, -2.0)
            found += len(set(np.argsort(-allowed)[:10].tolist()).intersection(rows[:10]))
    assert found >= 0.98 * 50 * 10
    assert write(tmp_path, flat_up_to) == files, "the same vectors make the same files"


@pytest.mark.parametrize("flat_up_to", [COUNT, 0])
def test_full_disk_and_another_index_are_errors(tmp_path: Path, flat_up_to: int) -> None:
    ALL.tofile(tmp_path / EXACT)
    with files_no_larger_than(ALL.nbytes // 8), pytest.raises(OSError, match="File too large"):
        write_vectors(tmp_path, DIMENSION, flat_up_to)
    write(tmp_path, flat_up_to)
    with pytest.raises(ValueError, match=f"{COUNT} vectors for {COUNT - 1} passages"):
        VectorIndex(tmp_path, BODIES[1:], DIMENSION)
    other = faiss.IndexFlatL2(DIMENSION)
    other.add(ALL)
    faiss.write_index(other, str(tmp_path / VECTORS))
    with pytest.raises(ValueError, match="another kind"):
        VectorIndex(tmp_path, BODIES, DIMENSION)
