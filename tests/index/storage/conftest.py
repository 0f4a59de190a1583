"""What the tests of the storage share: the collection that stores are put under contract with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from index.articles.formats import read_articles
from index.build_vectors import BuildVectors, draft_article
from index.encoding.encoder import Encoder
from index.search.abbreviations import find_abbreviations
from index.storage.vector_cache import VectorCache
from tests.index.shelf import HANDBOOK, HARBOUR, SHELF, put
from tests.index.storage.milvus_server import Server
from tests.index.storage.store_contract import LANGUAGE, Collection, Entry

TWINS = "\n".join(
    f'{{"id": "twin-{number}", "title": "Twins", "text": "An otter swims."}}' for number in (2, 1)
)


@pytest.fixture(scope="session")
def collection(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Encode both shelves, the handbook, and two articles that differ only in their ids."""
    home = tmp_path_factory.mktemp("collection")
    files = {**SHELF, **HARBOUR, **HANDBOOK, "twins.jsonl": TWINS}
    articles = read_articles(put(home, files)).articles
    drafts = [draft_article(article, encoder, LANGUAGE) for article in articles]
    with VectorCache(home, "contract", encoder.basis) as cache:
        vectors = BuildVectors(None, cache, encoder, encoder.basis)
        vectors.encode_missing(drafts, LANGUAGE, lambda progress: None)
        passages = [tuple(vectors.passages_of(draft)) for draft in drafts]
    entries = [
        Entry(article, find_abbreviations(article.text), own)
        for article, own in zip(articles, passages, strict=True)
    ]
    return Collection(encoder.basis, tuple(entries))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Give an empty folder."""
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one Milvus for all tests; pymilvus, which looks whether an index is done, looks more often."""
    server = Server(tmp_path_factory.mktemp("milvus"))
    server.start()
    clock = SimpleNamespace(time=time.time, sleep=lambda seconds: time.sleep(seconds / 20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pymilvus.client.grpc_handler.time", clock)
        yield server
    server.kill()
