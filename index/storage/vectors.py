"""The dense vectors of passages, and the index over them, which is chosen by how many there are.

Up to `FLAT_UP_TO` passages every vector is compared (FAISS's flat index): exact. Above, vectors lie in lists,
one a centroid of k-means, a byte a dimension (IVF with scalar quantisation: Jegou, Douze and Schmid, "Product
quantization for nearest neighbor search", 2011, section IV); the lists nearest to the question are looked
through, and the best of them compared again by the exact vectors, which then have a file of their own. Which
passages are found is then approximate (docs/performance.md has the recall); their cosines are exact, and so
is a search in one article, which compares all of its passages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from index.encoding.compression import Vectors
from index.storage.manifest import DENSE, EXACT
from index.storage.rowfile import RowFile

__all__ = ["FLAT_UP_TO", "Dense", "write_dense"]

FLAT_UP_TO = 10_000
"""Passages up to which every vector is compared: some 3 ms."""

_LISTS_PER_ROOT = 2
_TRAINED_ON = 64
"""Vectors a list that k-means sees."""
_ITERATIONS = 8
_PROBED = 128
_RESCORED = 2
"""Passages that are compared exactly, for each that is asked for."""
_BATCH = 65_536
_PIECE = 1 << 20
"""Bytes that are written at once."""


def write_dense(home: Path, vectors: Vectors, flat_up_to: int = FLAT_UP_TO) -> None:
    """Write the index over unit vectors, and the vectors themselves where the index has them not exactly.

    `vectors` may be a map of the very file of exact vectors, which a build may fill as it goes: it is kept
    where it is needed, and removed where it is not. Files are not synced.

    Raises:
        OSError: a file cannot be written.
    """
    exact = home / EXACT
    held = getattr(vectors, "filename", None)
    index: faiss.Index
    if len(vectors) <= flat_up_to:
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors))
        exact.unlink(missing_ok=True)
    else:
        index = _listed(vectors)
        if held is None or Path(held).resolve() != exact.resolve():
            exact.write_bytes(np.ascontiguousarray(vectors).data)
    # Not by FAISS's own file: of an error when that is closed, it only prints a line.
    with (home / DENSE).open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write, _PIECE))  # type: ignore[attr-defined]


def _listed(vectors: Vectors) -> faiss.IndexIVFScalarQuantizer:
    """Return an index of lists, its centroids trained on an even sample; the same vectors give the same."""
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
    index.cp.max_points_per_centroid = _TRAINED_ON
    index.cp.min_points_per_centroid = 1  # or it warns of what is a small collection only in tests
    step = max(1, count // (_TRAINED_ON * lists))
    index.train(np.ascontiguousarray(vectors[::step]))
    for first in range(0, count, _BATCH):
        index.add(np.ascontiguousarray(vectors[first : first + _BATCH]))
    index.nprobe = min(_PROBED, lists)
    return index


class Dense:
    """The dense vectors of one generation, searched; safe to use from several threads."""

    def __init__(
        self, home: Path, bodies: npt.NDArray[np.bool_], dimension: int, exact: RowFile | None = None
    ) -> None:
        """Open the index in `home`; `bodies` tells of each passage whether it is no heading.

        `exact` has the vectors themselves, of `dimension` numbers each, where the index is approximate.

        Raises:
            RuntimeError: FAISS cannot read it.
            ValueError: it is of another kind, or has another number of passages than `bodies`.
        """
        self._index: Any = faiss.read_index(str(home / DENSE))
        kind = faiss.IndexFlatIP if exact is None else faiss.IndexIVFScalarQuantizer
        if type(self._index) is not kind or self._index.d != dimension:
            raise ValueError(f"{DENSE} is an index of another kind")
        self._exact = exact
        count = self._index.ntotal
        if not count == len(bodies) == len(bodies if exact is None else exact):
            raise ValueError(f"{DENSE} has {count} vectors for {len(bodies)} passages")
        self._probed = getattr(self._index, "nprobe", 0)
        bitmap = np.packbits(bodies, bitorder="little")
        self._bodies = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type] # its wrapper takes it

    def vectors(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Vectors:
        """Return the exact vectors of passages, shape (rows, dimension)."""
        if self._exact is not None:
            return self._exact.runs((int(row), int(row) + 1) for row in rows)
        return np.asarray(self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64)))

    def cosines(self, vector: Vectors, rows: Sequence[int] | npt.NDArray[np.int64]) -> Vectors:
        """Return the cosines of a unit vector, shape (1, dimension), and those of passages: shape (rows,)."""
        return np.asarray(self.vectors(rows) @ vector[0])

    def nearest(self, vector: Vectors, count: int, *, headings: bool) -> list[tuple[int, float]]:
        """Return the passages nearest to a unit vector, shape (1, dimension): row and cosine, best first."""
        chosen = None if headings else self._bodies
        # Its wrapper takes what its annotations do not know.
        if self._exact is None:
            options = faiss.SearchParameters(sel=chosen) if chosen else None  # type: ignore[call-arg]
            scores, rows = self._index.search(vector, min(count, self._index.ntotal), params=options)
            found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
            return [(row, score) for row, score in found if row >= 0]
        options = faiss.SearchParametersIVF(sel=chosen, nprobe=self._probed)  # type: ignore[call-arg]
        _, rows = self._index.search(vector, _RESCORED * count, params=options)
        return self.best_of(rows[0][rows[0] >= 0], vector, count)

    def best_of(self, rows: npt.NDArray[np.int64], vector: Vectors, count: int) -> list[tuple[int, float]]:
        """Return those of some passages that are nearest to a unit vector, by their exact cosines."""
        scores = self.cosines(vector, rows)
        order = np.lexsort((rows, -scores))[:count]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))
