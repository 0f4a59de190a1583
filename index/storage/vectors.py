"""The passages' vectors of one generation, and the FAISS index over them, chosen by their number.

Up to `FLAT_UP_TO` passages, every vector is compared (a flat index): exact. Above, an inverted file with
scalar quantisation to a byte a dimension (IVF: Jegou, Douze and Schmid, "Product quantization for nearest
neighbor search", 2011, section IV): the lists nearest to the question are scanned, and the best are compared
again by the exact vectors, which then have a file of rows. Which passages are found is then approximate
(docs/performance.md has the recall). Their cosines are exact, and so is a search within one article.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from index.encoding.encoder import Vectors
from index.errors import DamagedIndexError
from index.files import open_regular

__all__ = ["EXACT", "FLAT_UP_TO", "VECTORS", "RowFile", "VectorIndex", "write_vectors"]

VECTORS = "dense.faiss"
EXACT = "dense.f32"  # the exact vectors, row by row; only beside an approximate index
FLAT_UP_TO = 10_000  # passages; comparing every vector takes about 3 ms

_LISTS_PER_ROOT = 2
_TRAINED_PER_LIST = 64
_ITERATIONS = 8
_PROBED = 128
_RESCORED = 2  # passages that are compared exactly, for each that is asked for
_BATCH = 65_536
_WRITE_BYTES = 1 << 20


def write_vectors(home: Path, dimension: int, flat_up_to: int = FLAT_UP_TO) -> None:
    """Write the index over the unit vectors in `home`/EXACT, which stays only where the index needs it.

    Files are not synced. Raises OSError where one cannot be written.
    """
    vectors = np.memmap(home / EXACT, dtype=np.float32, mode="r").reshape(-1, dimension)
    index: faiss.Index
    if is_flat := len(vectors) <= flat_up_to:
        index = faiss.IndexFlatIP(dimension)
        index.add(np.ascontiguousarray(vectors))
    else:
        index = _train_lists(vectors)
    # Not by FAISS's own file: when closing that fails, it only prints a line.
    with (home / VECTORS).open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write, _WRITE_BYTES))  # type: ignore[attr-defined]
    if is_flat:
        (home / EXACT).unlink()


def _train_lists(vectors: Vectors) -> faiss.IndexIVFScalarQuantizer:
    # Trained on an even sample, so that the same vectors give the same index.
    count, dimension = vectors.shape
    lists = max(1, int(_LISTS_PER_ROOT * math.sqrt(count)))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        lists,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        False,  # by residual: the centroid's part of the cosine would have to be added for each list
    )
    index.cp.niter = _ITERATIONS
    index.cp.max_points_per_centroid = _TRAINED_PER_LIST
    index.cp.min_points_per_centroid = 1  # else FAISS warns of collections that are small only in tests
    step = max(1, count // (_TRAINED_PER_LIST * lists))
    index.train(np.ascontiguousarray(vectors[::step]))
    for first in range(0, count, _BATCH):
        index.add(np.ascontiguousarray(vectors[first : first + _BATCH]))
    index.nprobe = min(_PROBED, lists)
    return index


class VectorIndex:
    """The vectors of one generation, searched; safe to use from several threads."""

    def __init__(self, home: Path, bodies: npt.NDArray[np.bool_], dimension: int) -> None:
        """Open the index in `home`; `bodies` tells of each passage whether it is no heading.

        Raises:
            RuntimeError: FAISS cannot read it.
            ValueError: it is of another kind, or has another number of passages.
        """
        self._index: Any = faiss.read_index(str(home / VECTORS))
        is_approximate = (home / EXACT).exists()
        kind = faiss.IndexIVFScalarQuantizer if is_approximate else faiss.IndexFlatIP
        if type(self._index) is not kind or self._index.d != dimension:
            raise ValueError(f"{VECTORS} is an index of another kind")
        self._exact = RowFile(home / EXACT, np.float32, dimension) if is_approximate else None
        stored = len(bodies) if self._exact is None else len(self._exact)
        if not self._index.ntotal == len(bodies) == stored:
            self.close()
            raise ValueError(f"{VECTORS} has {self._index.ntotal} vectors for {len(bodies)} passages")
        self._probed = getattr(self._index, "nprobe", 0)
        bitmap = np.packbits(bodies, bitorder="little")
        self._bodies = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type] # its wrapper takes it

    def close(self) -> None:
        """Close the file of exact vectors."""
        if self._exact is not None:
            self._exact.close()

    def vectors(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Vectors:
        """Return the exact vectors of passages, shape (rows, dimension)."""
        if self._exact is not None:
            return self._exact.runs((int(row), int(row) + 1) for row in rows)
        return np.asarray(self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64)))

    def nearest(self, vector: Vectors, count: int, *, headings: bool) -> list[tuple[int, float]]:
        """Return the passages nearest to a unit vector, shape (dimension,): row and cosine, best first."""
        allowed = None if headings else self._bodies
        if self._exact is None:
            # FAISS's wrapper accepts arguments that its annotations lack.
            options = faiss.SearchParameters(sel=allowed) if allowed else None  # type: ignore[call-arg]
            scores, rows = self._index.search(vector[None], min(count, self._index.ntotal), params=options)
            found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
            return [(row, score) for row, score in found if row >= 0]
        options = faiss.SearchParametersIVF(sel=allowed, nprobe=self._probed)  # type: ignore[call-arg]
        _, rows = self._index.search(vector[None], _RESCORED * count, params=options)
        return self.best_of(rows[0][rows[0] >= 0], vector, count)

    def best_of(self, rows: npt.NDArray[np.int64], vector: Vectors, count: int) -> list[tuple[int, float]]:
        """Return those of some passages that are nearest to a unit vector, by their exact cosines."""
        scores = self.vectors(rows) @ vector
        order = np.lexsort((rows, -scores))[:count]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))


class RowFile:
    """A file of rows, each `width` numbers of a type; safe to use from several threads.

    Rows are read, not memory-mapped: under a map, a failing disk would end the process.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, width: int) -> None:
        """Open the file; it stays readable when it is removed.

        Raises:
            DamagedIndexError: it cannot be opened.
        """
        self._path, self._dtype, self._width = path, np.dtype(dtype), width
        self._row_bytes = self._dtype.itemsize * width
        self._file = open_regular(path)

    def __len__(self) -> int:
        return os.fstat(self._file.fileno()).st_size // self._row_bytes

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def runs(self, runs: Iterable[tuple[int, int]]) -> npt.NDArray[Any]:
        """Return runs of rows (first, end), one after the other, shape (rows, width).

        Raises:
            DamagedIndexError: the file ends before a run, or cannot be read.
        """
        data = b"".join(self._read(first * self._row_bytes, end * self._row_bytes) for first, end in runs)
        return np.frombuffer(data, dtype=self._dtype).reshape(-1, self._width)

    def _read(self, start: int, end: int) -> bytes:
        try:
            data = os.pread(self._file.fileno(), end - start, start)
        except OSError as error:
            raise DamagedIndexError.unreadable(self._path, error) from error
        if len(data) < end - start:
            raise DamagedIndexError.of(self._path, f"is damaged (it ends before byte {end:,})")
        return data
