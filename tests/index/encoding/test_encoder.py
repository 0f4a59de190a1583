"""What every encoder promises, whatever the model: vectors, tokens with their spans, counts."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from platformdirs import user_cache_path

from index.encoding.encoder import Encoder, TextVectors, Vectors, pack, project, question_threads, unit
from index.encoding.exports import export_home, find_damage
from index.encoding.models import find_model
from index.encoding.packing import PackedTokens, rotation, unpack_rows
from index.encoding.reference import ReferenceEncoder, build_encoder, check_agreement
from index.errors import NoModelError
from tests.index.encoding.model_folders import save_sentencepiece

KINDS = ["encoder", "small_encoder", "sentencepiece_encoder"]
WORDS = "tram Zoë’s 31 £4.20 🦊 中文 e\u0301 well-kept \u200b , ? [SEP] query: unfathomable".split(" ")
TEXTS = st.text() | st.lists(st.sampled_from(WORDS), max_size=90).map(" ".join)


@pytest.fixture(params=KINDS)
def each(request: pytest.FixtureRequest) -> Encoder:
    """Give each kind of encoder in turn."""
    encoder: Encoder = request.getfixturevalue(request.param)
    return encoder


def of_tokens(count: int, last: str = "harbour") -> str:
    """Return a text of so many tokens of the default model, without special ones."""
    return "stone " * (count - 1) + last


def dense_of(encoder: Encoder, *texts: str) -> list[Vectors]:
    return [passage.dense for passage in encoder.encode_passages(texts, encoder.basis)]


def same_share(left: PackedTokens, right: PackedTokens, encoder: Encoder) -> float:
    """Return the share of equal coordinates: one near a threshold may fall to either side."""
    rows, others = (unpack_rows(one, encoder.basis.shape[1])[0] for one in (left, right))
    return float((rows == others).mean()) if rows.size else 1.0


def test_each_text_has_the_vectors_that_it_has_alone(each: Encoder) -> None:
    texts = ["a", "", " ", "tram " * 300, "\x00", "🦊", *(f"number {number}" for number in range(70))]
    encoded = each.encode_passages(texts, each.basis)
    assert len(encoded) == len(texts)
    for row in (0, 1, 2, 3, 5, 75):
        (alone,) = each.encode_passages([texts[row]], each.basis)
        assert alone.dense.shape == (each.dimension,)
        np.testing.assert_allclose(encoded[row].dense, alone.dense, atol=1e-5)
        np.testing.assert_array_equal(encoded[row].spans, alone.spans)
        assert same_share(encoded[row].tokens, alone.tokens, each) > 0.99
    assert each.encode_passages([], each.basis) == []
    assert each.count_tokens([]) == []


def test_spans_of_tokens_slice_back_to_the_words(each: Encoder) -> None:
    text = "It stands 31 metres above the rocks, by Renn’s quay."
    (passage,) = each.encode_passages([text], each.basis)
    question = each.encode_question(text, each.basis)
    for spans, tokens in ((passage.spans, passage.tokens), (question.spans, question.tokens)):
        pieces = [text[start:end] for start, end in spans.tolist()]
        assert len(spans) == len(tokens)
        assert re.sub(r"\W", "", "".join(pieces)) == re.sub(r"\W", "", text)
        assert not any(piece.startswith(" ") for piece in pieces)
        starts = {match.start() for match in re.finditer(r"\w+", text)}
        assert starts <= set(spans[:, 0].tolist()), "a token begins where a word does"


@given(text=TEXTS)
@settings(max_examples=40)
def test_tokens_of_any_text_are_in_order_within_it(
    encoder: Encoder, sentencepiece_encoder: Encoder, text: str
) -> None:
    for own in (encoder, sentencepiece_encoder):
        question = own.encode_question(text, own.basis)
        assert len(question.spans) == len(question.tokens)
        if own is encoder:  # the other has a prompt before questions that is shorter than that of passages
            assert len(question.spans) == min(own.count_tokens([text])[0], own.window)
        starts, ends = question.spans.T
        assert (np.diff(starts) >= 0).all()
        assert ((starts >= 0) & (starts <= ends) & (ends <= len(text))).all()


def test_threads_change_no_vector_and_can_be_limited(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Encoder(encoder.home, encoder.model, threads=2)
    for text in ("Who keeps the lamp?", "How long may a visitor moor at the old quay after dark in winter?"):
        one, two = (each.encode_question(text, encoder.basis) for each in (encoder, other))
        np.testing.assert_allclose(one.dense, two.dense, atol=1e-5)
        np.testing.assert_allclose(one.tokens, two.tokens, atol=1e-5)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert 1 <= question_threads() <= 2
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert question_threads() == 1


def test_question_is_compared_with_passages(encoder: Encoder) -> None:
    question = encoder.encode_question("Who kept bees?", encoder.basis)
    (passage,) = encoder.encode_passages(["Who kept bees?"], encoder.basis)
    assert question.dense.shape == passage.dense.shape == (384,)
    assert float(question.dense @ passage.dense) == pytest.approx(1, abs=1e-5)
    width = encoder.basis.shape[1]
    rows, scales = unpack_rows(passage.tokens, width)
    cosines = (question.tokens @ rotation(width) * rows).sum(axis=1) * scales
    np.testing.assert_allclose(cosines, 1, atol=0.05)


def test_default_reads_254_tokens_and_counts_any_number(encoder: Encoder) -> None:
    """The tokenizer's own file says 128, of which two are special."""
    assert encoder.window == 254
    for count, differs in ((130, True), (254, True), (255, False)):
        left, right = dense_of(encoder, of_tokens(count), of_tokens(count, "violin"))
        assert (float(left @ right) < 0.9999) == differs, count
    lengths = [0, 1, 127, 129, 254, 5000]
    texts = ["", *map(of_tokens, lengths[1:])]
    assert encoder.count_tokens(texts) == lengths
    assert [encoder.count_tokens([text])[0] for text in texts] == lengths


@pytest.mark.parametrize("kind", ["small_encoder", "sentencepiece_encoder"])
def test_text_is_cut_at_the_window_which_leaves_room_for_the_prompt(
    request: pytest.FixtureRequest, kind: str
) -> None:
    own: Encoder = request.getfixturevalue(kind)
    assert (own.window == 62) == (kind == "small_encoder")
    (passage,) = own.encode_passages(["a " * 200], own.basis)
    assert own.window <= len(passage.spans) == len(passage.tokens) < 64
    assert passage.spans[-1][1] < 200


def test_prompt_of_questions_is_another_than_that_of_passages(
    encoder: Encoder, sentencepiece_encoder: Encoder
) -> None:
    for own, same in ((encoder, True), (sentencepiece_encoder, False)):
        question = own.encode_question("Who kept bees?", own.basis)
        (passage,) = own.encode_passages(["Who kept bees?"], own.basis)
        np.testing.assert_array_equal(passage.spans, question.spans)
        assert (float(passage.dense @ question.dense) > 0.999) == same


def test_vectors_are_those_of_sentence_transformers(small_encoder: Encoder, model_folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    texts, basis = ["Who kept bees?", "He kept bees behind the oil store."], small_encoder.basis
    model: Any = SentenceTransformer(str(model_folder), local_files_only=True)
    for text, passage in zip(texts, small_encoder.encode_passages(texts, basis), strict=True):
        tokens = model.encode(text, output_value="token_embeddings").cpu().numpy()[1:-1]
        np.testing.assert_allclose(passage.dense, model.encode(text), atol=1e-5)
        assert same_share(passage.tokens, pack(tokens, basis), small_encoder) > 0.99
        question = small_encoder.encode_question(text, basis)
        np.testing.assert_allclose(question.tokens, project(tokens, basis), atol=1e-4)


def test_words_are_whole_words_in_lower_case(encoder: Encoder, sentencepiece_encoder: Encoder) -> None:
    assert {"lighthouse", "bees", "commission"} <= encoder.words
    assert "the" in sentencepiece_encoder.words, "without the mark that a word begins"
    for own in (encoder, sentencepiece_encoder):
        assert all(word.isalpha() and word == word.lower() and len(word) > 1 for word in own.words)


def test_threads_may_encode_and_count_at_once(encoder: Encoder) -> None:
    expected = encoder.encode_question(of_tokens(200), encoder.basis)
    wrong: list[str] = []

    def work() -> None:
        for _ in range(5):
            if encoder.count_tokens([of_tokens(900)]) != [900]:
                wrong.append("count")
            question = encoder.encode_question(of_tokens(200), encoder.basis)
            if not np.allclose(question.tokens, expected.tokens, atol=1e-4):
                wrong.append("tokens")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@given(text=TEXTS)
@settings(max_examples=25)
def test_export_agrees_with_the_reference_on_any_text(
    reference: ReferenceEncoder,
    encoder: Encoder,
    sentencepiece_reference: ReferenceEncoder,
    sentencepiece_encoder: Encoder,
    text: str,
) -> None:
    for left, right in ((reference, encoder), (sentencepiece_reference, sentencepiece_encoder)):
        for question in (False, True):
            for ours, theirs in zip(
                left.encode_batch([text, "a"], question=question),
                right.encode_batch([text, "a"], question=question),
                strict=True,
            ):
                np.testing.assert_array_equal(ours.spans, theirs.spans)
                np.testing.assert_allclose(ours.dense, theirs.dense, atol=1e-5)
                np.testing.assert_allclose(unit(ours.tokens), unit(theirs.tokens), atol=1e-4)


class Mirrored(Encoder):
    """Reads the right tokens and computes other vectors."""

    def encode_batch(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        batch = super().encode_batch(texts, question=question)
        return [dataclasses.replace(vectors, dense=vectors.dense[::-1]) for vectors in batch]


def test_export_that_differs_is_not_used(
    reference: ReferenceEncoder, encoder: Encoder, small_encoder: Encoder
) -> None:
    check_agreement(reference, encoder)
    with pytest.raises(ValueError, match="tokenizes differently"):
        check_agreement(reference, small_encoder)
    with pytest.raises(ValueError, match=r"vectors of its export differ \(cosine -?0\."):
        check_agreement(reference, Mirrored(encoder.home, encoder.model))


def test_model_that_cannot_be_exported_is_refused_with_the_reason(tmp_path: Path) -> None:
    model = find_model(str(save_sentencepiece(tmp_path / "model", include_prompt=False)))
    with pytest.raises(NoModelError, match=r"cannot be exported to ONNX: .* differ .*FOOTNOTE_MODEL"):
        build_encoder(tmp_path / "index", model)
    assert find_damage(export_home(user_cache_path("footnote"), model.fingerprint)), (
        "it is not taken for whole"
    )
