"""The dense index by size: exact where it is small, nearly so above, the same cosines either way."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import pytest

from index.encoding.encoder import Vectors, unit
from index.storage.checksums import block_sums
from index.storage.held import HeldFile
from index.storage.manifest import DENSE, EXACT
from index.storage.rowfile import RowFile
from index.storage.vectors import Dense, write_dense

COUNT, DIMENSION = 4_000, 48


def draw(count: int, seed: int) -> Vectors:
    """Draw unit vectors around 40 subjects, as passages are."""
    subjects = np.random.default_rng(0).standard_normal((40, DIMENSION))
    chance = np.random.default_rng(seed)
    near = subjects[chance.integers(len(subjects), size=count)]
    return unit(near + 0.7 * chance.standard_normal((count, DIMENSION)))


def open_dense(home: Path, bodies: npt.NDArray[np.bool_]) -> Dense:
    """Open the index in a folder, with the exact vectors where it has them."""
    exact = None
    if (home / EXACT).exists():
        exact = RowFile(HeldFile(home / EXACT), block_sums(home / EXACT), np.float32, DIMENSION)
    return Dense(home, bodies, DIMENSION, exact)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return draw(COUNT, 1)


@pytest.fixture(scope="module")
def bodies() -> npt.NDArray[np.bool_]:
    return np.arange(COUNT) % 10 > 0


@pytest.fixture(scope="module", params=[COUNT, COUNT - 1], ids=["flat", "listed"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, vectors: Vectors) -> Path:
    """Write the vectors with a threshold that they just keep, and with one that they are just above."""
    home = tmp_path_factory.mktemp("dense")
    write_dense(home, vectors, flat_up_to=request.param)
    assert (home / EXACT).exists() == (request.param < COUNT)
    return home


@pytest.fixture(scope="module")
def dense(home: Path, bodies: npt.NDArray[np.bool_]) -> Dense:
    return open_dense(home, bodies)


@pytest.mark.parametrize("headings", [True, False])
def test_ten_nearest_are_nearly_all_found_with_their_exact_cosines(
    dense: Dense, vectors: Vectors, bodies: npt.NDArray[np.bool_], headings: bool
) -> None:
    found = wanted = 0
    for question in draw(50, 2):
        cosines = vectors @ question
        allowed = np.where(bodies | headings, cosines, -2.0)
        near = dense.nearest(question[None], 50, headings=headings)
        rows, scores = [row for row, _ in near], [score for _, score in near]
        assert len(set(rows)) == 50
        assert scores == sorted(scores, reverse=True)
        assert scores == pytest.approx(cosines[rows], abs=1e-6)
        assert headings or bodies[rows].all()
        found += len(set(np.argsort(-allowed)[:10].tolist()).intersection(rows[:10]))
        wanted += 10
    assert found >= 0.98 * wanted


def test_vectors_come_back_to_the_bit(dense: Dense, vectors: Vectors) -> None:
    rows = [COUNT - 1, 0, 17]
    assert np.array_equal(dense.vectors(rows), vectors[rows])
    assert np.array_equal(dense.vectors([]), vectors[:0])
    assert dense.cosines(vectors[:1], rows) == pytest.approx(vectors[rows] @ vectors[0])


def test_best_of_some_passages_is_exact_and_among_them_alone(dense: Dense, vectors: Vectors) -> None:
    rows = np.arange(100, 140)
    best = dense.best_of(rows, vectors[120:121], 5)
    order = rows[np.argsort(-(vectors[rows] @ vectors[120]))][:5]
    assert best[0][0] == 120
    assert best[0][1] == pytest.approx(1.0, abs=1e-6)
    assert [row for row, _ in best] == order.tolist()
    assert dense.best_of(rows[:0], vectors[:1], 5) == []


def test_no_more_are_found_than_there_are(tmp_path: Path, vectors: Vectors) -> None:
    for threshold in (5, 4):
        write_dense(tmp_path, vectors[:5], flat_up_to=threshold)
        few = open_dense(tmp_path, np.asarray([False, True, True, True, True]))
        assert {row for row, _ in few.nearest(vectors[:1], 50, headings=True)} == {0, 1, 2, 3, 4}
        assert {row for row, _ in few.nearest(vectors[:1], 50, headings=False)} == {1, 2, 3, 4}


def test_same_vectors_make_the_same_files(home: Path, tmp_path: Path, vectors: Vectors) -> None:
    kept = COUNT if not (home / EXACT).exists() else COUNT - 1
    write_dense(tmp_path, vectors, flat_up_to=kept)
    for path in home.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_exact_vectors_may_be_written_from_the_file_that_holds_them(tmp_path: Path, vectors: Vectors) -> None:
    """So a build need not have them all in memory."""
    vectors.tofile(tmp_path / EXACT)
    mapped = np.memmap(tmp_path / EXACT, dtype=np.float32, mode="r").reshape(vectors.shape)
    write_dense(tmp_path, mapped, flat_up_to=0)
    every = np.ones(COUNT, dtype=np.bool_)
    assert np.array_equal(open_dense(tmp_path, every).vectors(range(COUNT)), vectors)
    write_dense(tmp_path, mapped, flat_up_to=COUNT)
    assert not (tmp_path / EXACT).exists()
    assert np.array_equal(open_dense(tmp_path, every).vectors(range(COUNT)), vectors)


def test_index_of_other_passages_is_refused(home: Path) -> None:
    with pytest.raises(ValueError, match=f"{COUNT} vectors"):
        open_dense(home, np.ones(COUNT + 1, dtype=np.bool_))
    assert (home / DENSE).exists()


def test_index_of_another_kind_is_refused(tmp_path: Path, vectors: Vectors) -> None:
    """Only the two kinds that a build writes are read by what is known of them."""
    every = np.ones(COUNT, dtype=np.bool_)
    other = faiss.IndexFlatL2(DIMENSION)
    other.add(vectors)
    faiss.write_index(other, str(tmp_path / DENSE))
    with pytest.raises(ValueError, match="another kind"):
        open_dense(tmp_path, every)
    write_dense(tmp_path, vectors, flat_up_to=0)
    with pytest.raises(ValueError, match="another kind"):
        Dense(tmp_path, every, DIMENSION)
