"""Token vectors: one a token from the encoder's one pass, each with its place in the text."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.formats import read_articles
from index.build import build_index
from index.encoding.encoder import pack, project
from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.passages.drafts import Draft, passage_text, split
from index.search.late_interaction import interact
from index.search.search import Search
from index.storage.local import open_generation
from index.storage.writer import write_generation
from tests.conftest import MakeSettings
from tests.index.shelf import SHELF, put, shelve

ENCODERS = [
    "encoder",
    "small_encoder",
    "prompted_encoder",
    "aside_encoder",
    "static_encoder",
    "sentencepiece_encoder",
]
PIECES = st.lists(
    st.sampled_from(
        ["tram", "Zoë’s", "31", "£4.20", "🦊", "中文", "e\u0301", "well-kept", ",", "?", "unfathomable"]
    ),
    min_size=1,
    max_size=8,
).map(" ".join)


@pytest.fixture(params=ENCODERS)
def each(request: pytest.FixtureRequest) -> Encoder:
    """Give every kind of encoder in turn."""
    found: Encoder = request.getfixturevalue(request.param)
    return found


def words_of_spans(text: str, spans: object) -> str:
    """Put together what stands at each span."""
    return "".join(text[start:end] for start, end in np.asarray(spans).tolist())


def test_spans_of_tokens_slice_back_to_the_words(each: Encoder) -> None:
    """Also where the model has words of its own before the text, and where a token begins with a space."""
    text = "It stands 31 metres above the rocks, by Renn’s quay."
    (passage,) = each.encode_passages([text], each.basis)
    question = each.encode_question(text, each.basis)
    for spans, tokens in ((passage.spans, passage.tokens), (question.spans, question.tokens)):
        assert len(spans) == len(tokens)
        assert re.sub(r"\W", "", words_of_spans(text, spans)) == re.sub(r"\W", "", text)
        starts = {match.start() for match in re.finditer(r"\w+", text)}
        assert starts <= set(spans[:, 0].tolist()), "each word has the token that begins it"
        assert not any(text[start:end].startswith(" ") for start, end in spans.tolist())
        assert (np.diff(spans[:, 0]) >= 0).all()


@given(text=PIECES)
def test_any_text_has_its_tokens_in_order_within_it(
    encoder: Encoder, prompted_encoder: Encoder, text: str
) -> None:
    for one in (encoder, prompted_encoder):
        question = one.encode_question(text, one.basis)
        assert len(question.spans) == len(question.tokens) == one.count_tokens([text])[0]
        starts, ends = question.spans.T
        assert (starts >= 0).all()
        assert (starts <= ends).all()
        assert (ends <= len(text)).all()
        assert (np.diff(starts) >= 0).all()


@pytest.mark.parametrize("which", ["small_encoder", "prompted_encoder", "sentencepiece_encoder"])
def test_window_cuts_vectors_and_spans_alike(request: pytest.FixtureRequest, which: str) -> None:
    one: Encoder = request.getfixturevalue(which)
    text = "a " * 200
    (passage,) = one.encode_passages([text], one.basis)
    question = one.encode_question(text, one.basis)
    for spans, tokens in ((passage.spans, passage.tokens), (question.spans, question.tokens)):
        assert len(spans) == len(tokens) > 50
        assert words_of_spans(text, spans) == text[: spans[-1][1]].replace(" ", "")
    assert len(passage.spans) >= one.window, "what is promised to fit is read"


def test_window_leaves_room_for_the_prompt(small_encoder: Encoder, prompted_encoder: Encoder) -> None:
    assert (small_encoder.window, prompted_encoder.window) == (62, 60)


def test_prompt_changes_the_vectors_and_has_no_tokens(
    prompted_encoder: Encoder, small_encoder: Encoder
) -> None:
    text = "Who kept bees?"
    basis = small_encoder.basis
    plain, prompted = (one.encode_question(text, basis) for one in (small_encoder, prompted_encoder))
    np.testing.assert_array_equal(plain.spans, prompted.spans)
    assert float(plain.dense[0] @ prompted.dense[0]) < 0.999
    (passage,) = prompted_encoder.encode_passages([text], basis)
    assert float(passage.dense @ prompted.dense[0]) < 0.999, "each has its own"


def test_token_vectors_are_those_of_the_model(small_encoder: Encoder, model_folder: Path) -> None:
    """As sentence-transformers gives them, without those of the special tokens."""
    from sentence_transformers import SentenceTransformer

    texts = ["Who kept bees?", "He kept bees behind the oil store."]
    basis = small_encoder.basis
    model = SentenceTransformer(str(model_folder), local_files_only=True)
    for text, passage in zip(texts, small_encoder.encode_passages(texts, basis), strict=True):
        output = model.encode(text, output_value="token_embeddings").cpu().numpy()[1:-1]
        np.testing.assert_allclose(passage.tokens.astype(int), pack(output, basis).astype(int), atol=1)
        question = small_encoder.encode_question(text, basis)
        np.testing.assert_allclose(question.tokens, project(output, basis), atol=1e-4)
        np.testing.assert_allclose(passage.dense, model.encode(text), atol=1e-5)


def test_token_knows_its_neighbours(encoder: Encoder) -> None:
    """That is what late interaction has over words: one word is not alike in two meanings."""
    bank, river, money = (
        encoder.encode_question(text, encoder.basis).tokens
        for text in ("the river bank", "a bank of the river", "a bank that lends money")
    )
    assert float(bank[2] @ river[1]) > float(bank[2] @ money[1]) + 0.1


def test_model_without_token_vectors_has_one_a_word(static_encoder: Encoder) -> None:
    question = static_encoder.encode_question("bees, bees or Bees?", static_encoder.basis)
    assert question.spans.tolist() == [[0, 4], [6, 10], [11, 13], [14, 18]]
    np.testing.assert_allclose(question.tokens[0], question.tokens[1], atol=1e-6)
    alone = static_encoder.encode_question("bees", static_encoder.basis)
    np.testing.assert_allclose(question.tokens[0], alone.tokens[0], atol=1e-6)


def test_model_without_a_bound_counts_every_token(static_encoder: Encoder) -> None:
    """Its tokenizer's file says to stop at 128, and would have long sentences cut unread."""
    assert static_encoder.count_tokens(["stone " * 300]) == [300]
    long, longer = (
        static_encoder.encode_passages(["stone " * 200 + last], static_encoder.basis)[0].dense
        for last in ("harbour", "violin")
    )
    assert float(long @ longer) < 1 - 1e-6, "the last word is read"


@pytest.mark.parametrize("which", ["prompted_encoder", "aside_encoder", "static_encoder"])
def test_any_model_in_a_folder_builds_and_answers(
    request: pytest.FixtureRequest, make_settings: MakeSettings, which: str
) -> None:
    own: Encoder = request.getfixturevalue(which)
    settings = make_settings(model=own.model.name)
    assert shelve(settings, own).articles == 5
    put(settings.articles, {"kiln.txt": "The kiln was lit by Ada Quay.\n"})
    assert build_index(settings, encoder=own).reused == 5
    generation = open_generation(settings.index)
    search = Search(generation, own)
    for question, sentence in (
        ("Who kept bees behind the oil store?", "He kept bees behind the oil store."),
        ("how thick was the ice on the canal", "The ice was twelve centimetres thick near the old brewery."),
        ("Who lit the kiln?", "The kiln was lit by Ada Quay."),
    ):
        best = search(question).hits[0]
        assert best.best_sentence.text == sentence
        assert best.late > 0.4
    generation.close()


def test_every_token_of_a_sentence_is_kept_also_where_it_begins_with_a_space(
    sentencepiece_encoder: Encoder, make_settings: MakeSettings
) -> None:
    """SentencePiece takes the space before a word for a part of it; the first word would be lost."""
    own = sentencepiece_encoder
    settings = make_settings()
    shelve(settings, own)
    generation = open_generation(settings.index)
    for row, _, _ in generation.article_rows():
        article = generation.article(row)
        for stored in generation.passages_of(row):
            text, places = passage_text(article, stored.passage, own, "en")
            (encoded,) = own.encode_passages([text], generation.basis)
            assert sum(stored.tokens) == (encoded.spans[:, 0] >= places[0, 0]).sum()
    search = Search(generation, own)
    terms = search("Who kept bees behind the oil store?").hits[0].terms
    assert min(one.near for one in terms) > 0, "each word has tokens"
    generation.close()


def test_tokens_in_the_index_are_those_of_the_encoder(
    tmp_path: Path, encoder: Encoder, make_settings: MakeSettings
) -> None:
    """Compared with itself, every sentence is as near as can be."""
    settings = make_settings()
    put(settings.articles, SHELF)
    drafts = [Draft(one, split(one, encoder, "en")) for one in read_articles(settings.articles).articles]
    write_generation(tmp_path, drafts, encoder, encoder.basis, "en", lambda step: None)
    generation = open_generation(tmp_path)
    for row, draft in enumerate(drafts):
        for stored in generation.passages_of(row):
            text, places = passage_text(draft.article, stored.passage, encoder, "en")
            question = encoder.encode_question(text, generation.basis)
            tokens = generation.tokens(stored.first_token, stored.first_token + sum(stored.tokens))
            best = interact(question.tokens, tokens, stored.tokens).best
            for number, (start, end) in enumerate(places.tolist()):
                own = (question.spans[:, 0] >= start) & (question.spans[:, 0] < end)
                assert best[own, number].min() > 0.999
    generation.close()


def test_words_of_the_vocabulary_are_whole_words_in_lower_case(
    encoder: Encoder, sentencepiece_encoder: Encoder, static_encoder: Encoder
) -> None:
    assert {"lighthouse", "bees", "commission"} <= encoder.words
    for one in (encoder, sentencepiece_encoder):
        assert all(word.isalpha() and word == word.lower() and len(word) > 1 for word in one.words)
    assert "the" in sentencepiece_encoder.words, "without the mark that a word begins"
    assert not static_encoder.words


def test_basis_is_the_encoder_s_own_and_always_the_same(
    small_encoder: Encoder, model_folder: Path, tmp_path: Path
) -> None:
    """Every index of one encoder is packed alike, whenever and wherever it is made."""
    folder = Path(shutil.copytree(model_folder, tmp_path / "copy"))
    other = Encoder(find_model(str(folder)))
    other.encode_question("something else first", np.eye(384, 128, dtype=np.float32))
    np.testing.assert_array_equal(small_encoder.basis, other.basis)
    assert other.basis.shape == (384, 128)


def test_basis_keeps_what_the_token_vectors_of_real_text_say(encoder: Encoder) -> None:
    """128 of 384 dimensions, found from the vocabulary alone, hold the cosines of an article's tokens."""
    texts = [text.replace("\n", " ")[:600] for text in SHELF.values()]
    whole = np.eye(384, dtype=np.float32)
    full = np.concatenate([encoder.encode_question(text, whole).tokens for text in texts])
    small = np.concatenate([encoder.encode_question(text, encoder.basis).tokens for text in texts])
    apart = np.abs(full @ full.T - small @ small.T)
    assert apart.mean() < 0.05
    first_dimensions = project(full, np.eye(384, 128, dtype=np.float32))
    assert np.abs(full @ full.T - first_dimensions @ first_dimensions.T).mean() > 1.2 * apart.mean()
