"""Vectors that several machines encode for one build, until a generation has them.

A collection holds those of one encoder and basis, by passage key. A key is a hash of what the encoder reads,
so it does not matter who writes it, or how often.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from index.encoding.encoder import Basis
from index.encoding.models import Model
from index.errors import SettingsError
from index.settings import IndexSettings
from index.storage.milvus.client import STRONG, Blobs, NoCollectionError, chunks, connect
from index.storage.milvus.copying import collection_prefix
from index.storage.vector_cache import PassageVectors

__all__ = ["SharedVectors"]

_CHUNK = 200  # passages in one call: some 7 MB


class SharedVectors:
    """Vectors by passage key, of one encoder and basis.

    Every method raises BusyError where Milvus does not answer.
    """

    def __init__(self, settings: IndexSettings, model: Model, basis: Basis, *, force: bool = False) -> None:
        """Take those of the collection that the settings name.

        Raises:
            SettingsError: there are some of another encoder, and `force` is not given.
        """
        self._client = connect(settings.store, settings.store_token_file)
        scope = model.fingerprint.encode() + str(basis.shape).encode() + basis.tobytes()
        self._collection = f"{_prefix(settings)}{hashlib.sha256(scope).hexdigest()[:16]}"
        self._blobs = Blobs(self._client, self._collection)
        others = [name for name in _collections(settings) if name != self._collection]
        if others and not force:
            raise SettingsError(
                f"the vectors in {others[0]} at {settings.store} were made with another encoder than "
                f"{model.name} here. Set one FOOTNOTE_MODEL on all machines, and copy the folder `encoders` "
                "of one index to the others. To give those vectors up: `footnote index publish --force`."
            )

    def present(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return which of these keys have vectors."""
        return {key for batch in self.read(keys) for key, _ in batch}

    def read(self, keys: Sequence[bytes]) -> Iterator[list[tuple[bytes, PassageVectors]]]:
        """Yield the vectors that there are of these keys, in batches."""
        for some in chunks(list(keys), _CHUNK):
            try:
                found = self._blobs.get([key.hex() for key in some], **STRONG)
            except NoCollectionError:
                return
            yield [(bytes.fromhex(key), _unpacked(data)) for key, data in found.items()]

    def __getitem__(self, key: bytes) -> PassageVectors:
        """Return the vectors of a passage; raises KeyError where there are none."""
        return dict(vectors for batch in self.read([key]) for vectors in batch)[key]

    def add(self, vectors: Iterable[tuple[bytes, PassageVectors]]) -> None:
        """Add the vectors of passages by their keys."""
        self._client.ensure(self._collection, Blobs.FIELDS)
        self._blobs.put((key.hex(), _packed(passage)) for key, passage in vectors)

    @staticmethod
    def drop(settings: IndexSettings) -> None:
        """Drop all vectors of the collection that the settings name, those of other encoders too."""
        for name in _collections(settings):
            connect(settings.store, settings.store_token_file).write("drop_collection", name)


def _collections(settings: IndexSettings) -> list[str]:
    names = connect(settings.store, settings.store_token_file).read("list_collections")
    return [name for name in names if name.startswith(_prefix(settings))]


def _prefix(settings: IndexSettings) -> str:
    return f"{collection_prefix(settings)}_Vectors_"


def _packed(passage: PassageVectors) -> bytes:
    file = io.BytesIO()
    np.savez(file, dense=passage.dense, tokens=passage.tokens, counts=np.asarray(passage.token_counts, "<i4"))
    return file.getvalue()


def _unpacked(data: bytes) -> PassageVectors:
    with np.load(io.BytesIO(data), allow_pickle=False) as parts:
        return PassageVectors(parts["dense"], parts["tokens"], tuple(parts["counts"].tolist()))
