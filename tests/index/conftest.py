"""What the tests of the index share besides the encoder: a built index, and a model in a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.encoding.reference import build_encoder
from index.search.search import Search
from index.settings import IndexSettings
from index.storage.local import LocalStore, open_store
from tests.graphs import copy_index_file
from tests.index.encoding.model_folders import save_transformer
from tests.index.shelf import HARBOUR, SHELF, put


@pytest.fixture(scope="session")
def shelf_index(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the index of both shelves once; copy it before you damage it."""
    home = tmp_path_factory.mktemp("shelf")
    articles = put(home / "articles", {**SHELF, **HARBOUR})
    build_index(IndexSettings.load(articles=articles, index=home / "index"), encoder=encoder)
    return home / "index"


@pytest.fixture
def own_index(shelf_index: Path, tmp_path: Path) -> Path:
    """Copy that index to the test's own index folder, with its articles beside it."""
    put(tmp_path / "articles", {**SHELF, **HARBOUR})
    return Path(shutil.copytree(shelf_index, tmp_path / "index", copy_function=copy_index_file))


@pytest.fixture(scope="session")
def shelf(shelf_index: Path) -> Iterator[LocalStore]:
    """Open the index of both shelves."""
    store = open_store(shelf_index)
    yield store
    store.close()


@pytest.fixture(scope="session")
def search(shelf: LocalStore, encoder: Encoder) -> Search:
    """Search both shelves."""
    return Search(shelf, encoder)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a model whose window is small."""
    return save_transformer(tmp_path_factory.mktemp("models") / "own model")


@pytest.fixture(scope="session")
def small_encoder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Export the model in a folder, whose window is small."""
    return build_encoder(tmp_path_factory.mktemp("no-index"), find_model(str(model_folder)))
