"""The vector index of large collections: nearly all of the nearest, with their exact cosines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
import pytest

from index.encoding.compression import Vectors, unit
from index.storage.vectors import EXACT, VECTORS, VectorIndex, write_vectors
from tests.index.storage.test_files import files_no_larger_than

COUNT, DIMENSION = 4_000, 48
BODIES = np.arange(COUNT) % 10 > 0


def draw(count: int, seed: int) -> Vectors:
    """Draw unit vectors around 40 subjects, as passages are."""
    subjects = np.random.default_rng(0).standard_normal((40, DIMENSION))
    random = np.random.default_rng(seed)
    chosen = subjects[random.integers(len(subjects), size=count)]
    return unit(chosen + 0.7 * random.standard_normal((count, DIMENSION)))


VECTORS_OF_ALL = draw(COUNT, 1)


def write(home: Path, flat_up_to: int, vectors: Vectors = VECTORS_OF_ALL) -> Path:
    vectors.tofile(home / EXACT)
    write_vectors(home, DIMENSION, flat_up_to)
    return home


@pytest.fixture(scope="module", params=[COUNT, COUNT - 1], ids=["exact", "approximate"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the vectors with a threshold that they just meet, and with one that they exceed by one."""
    return write(tmp_path_factory.mktemp("vectors"), request.param)


@pytest.fixture(scope="module")
def index(home: Path) -> Iterator[VectorIndex]:
    with closing(VectorIndex(home, BODIES, DIMENSION)) as index:
        yield index


@pytest.mark.parametrize("headings", [True, False])
def test_nearly_all_of_the_ten_nearest_are_found_with_their_exact_cosines(
    index: VectorIndex, headings: bool
) -> None:
    found = 0
    for question in draw(50, 2):
        cosines = VECTORS_OF_ALL @ question
        nearest = index.nearest(question[None], 50, headings=headings)
        rows, scores = [row for row, _ in nearest], [score for _, score in nearest]
        assert len(set(rows)) == 50
        assert scores == sorted(scores, reverse=True)
        assert scores == pytest.approx(cosines[rows], abs=1e-6)
        assert headings or BODIES[rows].all()
        allowed = np.where(BODIES | headings, cosines, -2.0)
        found += len(set(np.argsort(-allowed)[:10].tolist()).intersection(rows[:10]))
    assert found >= 0.98 * 50 * 10


def test_vectors_come_back_to_the_bit_and_the_best_of_some_rows_is_exact(index: VectorIndex) -> None:
    rows = [COUNT - 1, 0, 17]
    np.testing.assert_array_equal(index.vectors(rows), VECTORS_OF_ALL[rows])
    some = np.arange(100, 140)
    order = some[np.argsort(-(VECTORS_OF_ALL[some] @ VECTORS_OF_ALL[120]))][:5]
    best = index.best_of(some, VECTORS_OF_ALL[120:121], 5)
    assert [row for row, _ in best] == order.tolist()
    assert best[0] == (120, pytest.approx(1.0, abs=1e-6))


def test_same_vectors_make_the_same_files(home: Path, tmp_path: Path) -> None:
    write(tmp_path, COUNT - (home / EXACT).exists())
    for path in home.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_index_of_other_passages_or_of_another_kind_is_refused(home: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=f"{COUNT} vectors"),
        closing(VectorIndex(home, np.ones(COUNT + 1, dtype=np.bool_), DIMENSION)),
    ):
        pass
    other = faiss.IndexFlatL2(DIMENSION)
    other.add(VECTORS_OF_ALL)
    faiss.write_index(other, str(tmp_path / VECTORS))
    with pytest.raises(ValueError, match="another kind"):
        VectorIndex(tmp_path, BODIES, DIMENSION)


def test_file_that_has_no_room_is_an_error(tmp_path: Path) -> None:
    """Also where less is missing than FAISS keeps back until it closes a file."""
    for rows in (100, COUNT):
        VECTORS_OF_ALL[:rows].tofile(tmp_path / EXACT)
        with files_no_larger_than(rows * DIMENSION * 4), pytest.raises(OSError, match="File too large"):
            write_vectors(tmp_path, DIMENSION)
