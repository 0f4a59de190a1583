"""Encoders besides the default, loaded once."""

from __future__ import annotations

import pytest

from index.encoding.encoder import Encoder
from index.encoding.models import Model, find_model
from index.encoding.reference import ReferenceEncoder, build_encoder
from tests.index.encoding.model_folders import save_sentencepiece


@pytest.fixture(scope="session")
def sentencepiece_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Save a small model with prompts, whose tokens begin with the space before a word."""
    return find_model(str(save_sentencepiece(tmp_path_factory.mktemp("sentencepiece"))))


@pytest.fixture(scope="session")
def sentencepiece_encoder(sentencepiece_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Export that model."""
    return build_encoder(tmp_path_factory.mktemp("no-index"), sentencepiece_model)


@pytest.fixture(scope="session")
def sentencepiece_reference(sentencepiece_model: Model) -> ReferenceEncoder:
    """Load that model by sentence-transformers."""
    return ReferenceEncoder(sentencepiece_model)
