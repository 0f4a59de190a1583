"""What the tests of the index share besides the encoder: a built index, and a model in a folder."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import Encoder, IndexSettings, Search, build_index, find_model, open_generation
from tests.index.shelf import SHELF, put


@pytest.fixture(scope="session")
def shelf_index(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the shelf's index once; copy it before you harm it."""
    home = tmp_path_factory.mktemp("shelf")
    settings = IndexSettings.load(
        articles=put(home / "articles", SHELF), index=home / "index", model="all-MiniLM-L6-v2", language="en"
    )
    build_index(settings, encoder=encoder)
    return home / "index"


@pytest.fixture
def own_index(shelf_index: Path, tmp_path: Path) -> Path:
    """Copy the shelf's index to the test's own index folder, with the articles beside it."""
    put(tmp_path / "articles", SHELF)
    return Path(shutil.copytree(shelf_index, tmp_path / "index"))


@pytest.fixture(scope="session")
def search(shelf_index: Path, encoder: Encoder) -> Iterator[Search]:
    """Search the shelf."""
    generation = open_generation(shelf_index)
    yield Search(generation, encoder)
    generation.close()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a sentence-transformers model as a person would: the default's weights, a window of 64."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    packaged = find_model("all-MiniLM-L6-v2").folder
    folder = tmp_path_factory.mktemp("models") / "own model"
    with tempfile.TemporaryDirectory() as parts, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("model.safetensors", "tokenizer.json", "vocab.txt", "config.json"):
            Path(parts, name).symlink_to((packaged / name).resolve())
        transformer = Transformer(parts, max_seq_length=64)
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        SentenceTransformer(modules=[transformer, pooling, Normalize()]).save(str(folder))
    return folder


@pytest.fixture(scope="session")
def small_encoder(model_folder: Path) -> Encoder:
    """Load the model in a folder, whose window is small."""
    return Encoder(find_model(str(model_folder)))
