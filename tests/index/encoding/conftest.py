"""Encoders of every kind, loaded once."""

from __future__ import annotations

import pytest

from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.encoding.reference import ReferenceEncoder
from tests.index.encoding.model_folders import PROMPTS, save_sentencepiece, save_static, save_transformer


@pytest.fixture(scope="session")
def prompted_encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Load a model with prompts for questions and passages."""
    folder = save_transformer(tmp_path_factory.mktemp("prompted"), prompts=PROMPTS)
    return ReferenceEncoder(find_model(str(folder)))


@pytest.fixture(scope="session")
def aside_encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Load a model with prompts that are not part of the dense vector."""
    folder = save_transformer(tmp_path_factory.mktemp("aside"), prompts=PROMPTS, include_prompt=False)
    return ReferenceEncoder(find_model(str(folder)))


@pytest.fixture(scope="session")
def static_encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Load a model without a transformer, which has no token vectors."""
    return ReferenceEncoder(find_model(str(save_static(tmp_path_factory.mktemp("static")))))


@pytest.fixture(scope="session")
def sentencepiece_encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Load a model with prompts whose tokens begin with the space before a word."""
    folder = save_sentencepiece(tmp_path_factory.mktemp("sentencepiece"), PROMPTS)
    return ReferenceEncoder(find_model(str(folder)))
