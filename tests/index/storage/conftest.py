"""What the tests of the storage share: the collection that stores are put under contract with."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.articles.formats import read_articles
from index.build_vectors import BuildVectors, draft_article
from index.encoding.encoder import Encoder
from index.search.abbreviations import find_abbreviations
from index.storage.vector_cache import VectorCache
from tests.index.shelf import HANDBOOK, HARBOUR, SHELF, put
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
