"""The contract of the store, kept by the one on disk, exact and approximate, and by plain Python alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from index.build import passage_settings
from index.encoding.encoder import Encoder
from index.files import checksum
from index.search.search import Search
from index.storage.local import LocalStore
from index.storage.store import Store
from index.storage.vectors import EXACT, VECTORS, write_vectors
from index.storage.writer import GenerationWriter
from tests.index.storage.memory_store import MemoryStore
from tests.index.storage.store_contract import LANGUAGE, Collection, StoreContract


@pytest.fixture(scope="module", params=["exact", "approximate"])
def local(
    request: pytest.FixtureRequest,
    encoder: Encoder,
    collection: Collection,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalStore]:
    """Write the collection to disk and open it, with the vector index of a small or of a large collection."""
    folder = tmp_path_factory.mktemp("local")
    with GenerationWriter(folder, encoder, collection.basis, passage_settings(LANGUAGE)) as writer:
        for entry in collection.entries:
            writer.add(entry.article, entry.abbreviations, entry.passages)
        home, manifest = writer.home, writer.finish("")
    if request.param == "approximate":
        collection.vectors.tofile(home / EXACT)
        write_vectors(home, manifest.dimension, flat_up_to=0)
        changed = {name: checksum(home / name) for name in (EXACT, VECTORS)}
        manifest = dataclasses.replace(manifest, files={**manifest.files, **changed})
    store = LocalStore(home, manifest)
    yield store
    store.close()


@pytest.fixture(scope="module")
def memory(local: LocalStore, collection: Collection) -> MemoryStore:
    return MemoryStore(collection, local.info)


class TestLocalStore(StoreContract):
    @pytest.fixture
    def store(self, local: LocalStore) -> Store:
        return local


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self, memory: MemoryStore) -> Store:
        return memory


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("what dose the comissioning acadmy do", None),
        ("What do the HPG members wear?", None),
        ("Who wrote it?", None),
        ("An otter?", None),
        ("How much is a ticket?", "pier"),
    ],
)
def test_search_finds_the_same_in_either(
    local: LocalStore, memory: MemoryStore, encoder: Encoder, question: str, article: str | None
) -> None:
    """Engines may score words differently, so hits are compared by all that does not depend on it."""
    found, plain = (Search(store, encoder)(question, article=article) for store in (local, memory))
    assert found.question == plain.question
    assert found.hits[0].text == plain.hits[0].text
    late = [{(hit.article.id, hit.start, hit.end): hit.late for hit in one.hits} for one in (found, plain)]
    for place in late[0].keys() & late[1].keys():
        assert late[0][place] == pytest.approx(late[1][place], abs=1e-5)
