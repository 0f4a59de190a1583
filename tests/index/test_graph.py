"""A graph beside its reference: the same tokens, spans and vectors, whatever the text and the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from index.encoding.agreement import Agreement, compare
from index.encoding.backend import Backend
from index.encoding.encoder import Encoder
from index.encoding.export import describe
from index.encoding.exports import MODEL, WEIGHTS, graph_home
from index.encoding.models import Model, find_model
from index.encoding.onnx_encoder import Graph
from index.encoding.opening import build_encoder, choose_encoder
from index.encoding.reference import Reference
from index.settings import DEFAULT_MODEL
from tests.graphs import copy_index_file
from tests.index.model_folders import PROMPTS, save_sentencepiece, save_transformer
from tests.index.shelf import SHELF

Pair = tuple[Backend, Backend]

TEXTS = st.text() | st.lists(
    st.sampled_from(
        [
            "tram",
            "Zoë’s",
            "31",
            "£4.20",
            "🦊",
            "中文",
            "e\u0301",
            "well-kept",
            "\u200b",
            "?",
            "[SEP]",
            "query: ",
        ]
    ),
    max_size=90,
).map(" ".join)


def same_weights(graph_folder: Path, home: Path, folder: Path) -> Pair:
    """Pair a model that has the default's weights with their graph, described as the model is."""
    home.mkdir()
    default = graph_home(graph_folder, find_model(DEFAULT_MODEL).fingerprint)
    for name in (MODEL, WEIGHTS):
        copy_index_file(str(default / name), str(home / name))
    model = find_model(str(folder))
    reference = Reference(model, 1)
    record = describe(model, reference, np.eye(384, 128, dtype=np.float32), home)
    return reference, Graph(home, record, "none", 1)


@pytest.fixture(scope="session")
def default_pair(graph_folder: Path) -> Pair:
    """Pair the default's graph with its reference."""
    graph = choose_encoder(graph_folder, DEFAULT_MODEL, threads=1)
    return Reference(find_model(DEFAULT_MODEL), 1), graph._backend


@pytest.fixture(scope="session")
def prompted_pair(graph_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Pair a model of a small window and with prompts."""
    home = tmp_path_factory.mktemp("prompted-graph")
    return same_weights(graph_folder, home / "graph", save_transformer(home / "model", prompts=PROMPTS))


@pytest.fixture(scope="session")
def sentencepiece_pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Pair a model whose tokens begin with the space before the word; really exported."""
    home = tmp_path_factory.mktemp("sentencepiece-graph")
    model = find_model(str(save_sentencepiece(home / "model", PROMPTS)))
    encoder = build_encoder(home, model, ())
    assert len(encoder.producer) == 64, "it was exported, and agrees"
    return Reference(model, 1), encoder._backend


@pytest.fixture(params=["default_pair", "prompted_pair", "sentencepiece_pair"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Give each pair in turn."""
    found: Pair = request.getfixturevalue(request.param)
    return found


def assert_agree(pair: Pair, texts: list[str]) -> None:
    found: Agreement = compare(*pair, texts)
    assert found.holds, found


def test_batches_of_several_lengths_agree(pair: Pair) -> None:
    """Short texts are filled up beside long ones, and longer ones cut, as the reference does it."""
    long = " ".join(SHELF.values())
    assert_agree(
        pair, ["", "a", "Who kept bees?", long, long[:300], " ", "\u200b", "a " * 700, "stone " * 253]
    )


@given(text=TEXTS)
@hypothesis_settings(max_examples=25)
def test_any_text_agrees(
    default_pair: Pair, prompted_pair: Pair, sentencepiece_pair: Pair, text: str
) -> None:
    for pair in (default_pair, prompted_pair, sentencepiece_pair):
        assert_agree(pair, [text, "a"])
        assert pair[0].count_tokens([text]) == pair[1].count_tokens([text])
        assert pair[0].count_tokens([text, "", "a b"]) == pair[1].count_tokens([text, "", "a b"])


def test_figures_and_words_are_the_same(pair: Pair) -> None:
    reference, graph = pair
    assert (graph.window, graph.dimension) == (reference.window, reference.dimension)
    assert graph.words() == reference.words()


def test_prompts_differ_for_questions_and_passages(prompted_pair: Pair) -> None:
    """So that the agreement above is one of prompts too."""
    _, graph = prompted_pair
    (question,) = graph.encode(["Who kept bees?"], question=True)
    (passage,) = graph.encode(["Who kept bees?"], question=False)
    assert float(question.dense @ passage.dense) < 0.999
    np.testing.assert_array_equal(question.spans, passage.spans)


def test_basis_is_kept_with_the_graph(encoder: Encoder, reference: Encoder) -> None:
    np.testing.assert_allclose(encoder.basis, reference.basis, atol=1e-6)


def test_on_one_thread_the_vectors_are_the_same(graph_folder: Path) -> None:
    encoder = choose_encoder(graph_folder, DEFAULT_MODEL, threads=2)
    before = encoder.encode_question("Who kept bees?", encoder.basis)
    with encoder.one_thread():
        alone = encoder.encode_question("Who kept bees?", encoder.basis)
    np.testing.assert_allclose(before.dense, alone.dense, atol=1e-5)


def test_agreement_fails_for_a_model_that_is_another(default_pair: Pair, prompted_pair: Pair) -> None:
    assert compare(default_pair[0], prompted_pair[1], ["a " * 100]).apart == "it reads other tokens"
    prompted = compare(default_pair[0], prompted_pair[1], ["Who kept bees?"])
    assert not prompted.holds
    assert min(prompted.dense, prompted.tokens) < 0.999


def test_model_is_that_which_was_exported(encoder: Encoder) -> None:
    model: Model = find_model(DEFAULT_MODEL)
    assert (encoder.model.name, encoder.model.fingerprint) == (model.name, model.fingerprint)
