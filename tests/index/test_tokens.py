"""Token vectors of passages, as they are stored in an index."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.articles.reading import read_articles
from index.build import build_index
from index.encoding.encoder import Encoder
from index.passages.drafts import Draft, passage_text, split
from index.search.late_interaction import interact
from index.search.search import Search
from index.storage.local import open_generation
from index.storage.writer import write_generation
from tests.conftest import MakeSettings
from tests.index.shelf import SHELF, put, shelve


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
