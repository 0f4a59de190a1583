"""What is encoded anew is what changed, and the index is the one that a build from nothing makes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from index.build import BuildReport, build_index
from index.encoding.encoder import Encoder
from index.passages.drafts import Draft, read_passages
from index.passages.splitting import Passage, Sentence
from index.settings import IndexSettings
from index.storage.local import open_generation
from index.storage.verification import verify
from index.storage.writer import write_generation
from tests.conftest import MakeSettings
from tests.index.databases import assert_same
from tests.index.shelf import put

Shelf = dict[str, tuple[str, tuple[str, ...]]]
"""Articles by id: the title and the paragraphs of each."""


def shelve(folder: Path, shelf: Shelf) -> None:
    lines = (
        json.dumps({"id": name, "title": title, "text": "\n\n".join(paragraphs)})
        for name, (title, paragraphs) in shelf.items()
    )
    put(folder, {"shelf.jsonl": "\n".join(lines)})


def built(settings: IndexSettings, shelf: Shelf, encoder: Encoder) -> BuildReport:
    shelve(settings.articles, shelf)
    return build_index(settings, encoder=encoder, force=True)


def paragraph(number: int) -> str:
    """Return a paragraph that is a passage of its own for the small window."""
    return f"Boat {number} was built in {1800 + number} and has {number} oars. " * 3


LONG: Shelf = {"fleet": ("The fleet", tuple(map(paragraph, range(30)))), "kiln": ("Kilns", ("It glows.",))}


def test_changed_paragraph_of_a_long_article_is_all_that_is_encoded(
    make_settings: MakeSettings, sentencepiece_encoder: Encoder, tmp_path: Path
) -> None:
    options = make_settings(model=sentencepiece_encoder.model.name)
    first = built(options, LONG, sentencepiece_encoder)
    title, paragraphs = LONG["fleet"]
    changed = (*paragraphs[:10], paragraph(77), *paragraphs[11:])
    report = built(options, {**LONG, "fleet": (title, changed)}, sentencepiece_encoder)
    assert report.changes.changed == ("fleet",)
    assert (report.reused, report.encoded) == (1, 1)
    assert 0 < report.passages_encoded < first.passages / 10
    other = make_settings(index=tmp_path / "other", model=options.model)
    build_index(other, encoder=sentencepiece_encoder)
    assert_same(options.index, other.index)


def test_passage_that_stands_twice_is_encoded_once(
    make_settings: MakeSettings, sentencepiece_encoder: Encoder
) -> None:
    """In two articles with the same title, in one article, and in two articles that are the same."""
    options = make_settings(model=sentencepiece_encoder.model.name)
    alone = built(options, {"a": ("Boats", (paragraph(1),))}, sentencepiece_encoder)
    twice: Shelf = {name: ("Boats", (paragraph(1),)) for name in "bcd"}
    twice["e"] = ("Boats", (paragraph(1), paragraph(2), paragraph(1)))
    report = built(options, twice, sentencepiece_encoder)
    assert report.passages > 4 * alone.passages
    assert 0 < report.passages_encoded < alone.passages, "only the paragraph that is new"
    (options.index / "CURRENT").unlink()
    anew = build_index(options, encoder=sentencepiece_encoder)
    assert anew.passages_encoded == alone.passages_encoded + report.passages_encoded


def test_same_text_with_other_sentences_is_not_the_same_passage(
    sentencepiece_encoder: Encoder, tmp_path: Path, make_settings: MakeSettings
) -> None:
    """Of both "Ice. Snow. Rain." is encoded, but "Snow." is a sentence of one and in the other's title."""
    options = make_settings(model=sentencepiece_encoder.model.name)
    shelf: Shelf = {"a": ("Ice", ("Snow. Rain.",)), "b": ("Ice. Snow", ("Rain.",))}
    built(options, shelf, sentencepiece_encoder)
    generation = open_generation(options.index)
    tokens = [sum(generation.passages_of(row)[-1].tokens) for row in (0, 1)]
    sentences = [len(generation.passages_of(row)[-1].tokens) for row in (0, 1)]
    generation.close()
    assert sentences == [2, 1]
    assert tokens[0] > tokens[1] > 0


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9), min_size=2),
    cuts=st.lists(st.integers(1, 8), min_size=2, max_size=2),
)
def test_key_tells_apart_what_is_encoded_differently(
    sentencepiece_encoder: Encoder, texts: list[str], cuts: list[int]
) -> None:
    from index.articles.article import Article

    keys, said = set(), set()
    for text in texts:
        for cut in {min(cut, len(text)) for cut in cuts}:
            article = Article("a", "T", "", "", "", "", "", text)
            spans = [span for span in ((0, cut), (cut, len(text))) if span[0] < span[1]]
            passage = Passage(tuple(Sentence(1, *span) for span in spans))
            ((_, key, read),) = read_passages(Draft(article, (passage,)), sentencepiece_encoder, "en")
            keys.add(key)
            said.add((read, tuple(spans)))
    assert len(keys) == len(said)


def test_order_of_articles_may_change_without_encoding(
    make_settings: MakeSettings, sentencepiece_encoder: Encoder, tmp_path: Path
) -> None:
    """Turned round, no article's row follows that of the one before it."""
    options = make_settings(model=sentencepiece_encoder.model.name)
    shelf: Shelf = {f"a{n}": (f"Boat {n}", (paragraph(n), "The tug (T) and (TU).")) for n in range(9)}
    built(options, shelf, sentencepiece_encoder)
    turned = {**dict(reversed(shelf.items())), "z": ("Last", ("It is new.",))}
    report = built(options, turned, sentencepiece_encoder)
    assert (report.reused, report.encoded) == (9, 1)
    assert report.passages_encoded == 2
    other = make_settings(index=tmp_path / "other", model=options.model)
    build_index(other, encoder=sentencepiece_encoder)
    assert_same(options.index, other.index)
    assert verify(options.index) == []


def test_copied_generation_has_the_same_vectors_bit_for_bit(
    make_settings: MakeSettings, sentencepiece_encoder: Encoder, tmp_path: Path
) -> None:
    """More articles, and more tokens of some, than are copied at once."""
    options = make_settings(model=sentencepiece_encoder.model.name)
    many: Shelf = {f"b{n}": (f"Boat {n}", ("It floats.",)) for n in range(130)}
    built(options, {**many, "fleet": ("Fleet", tuple(map(paragraph, range(70))))}, sentencepiece_encoder)
    old = open_generation(options.index)
    assert old.manifest.tokens > 2 * 4096
    drafts = [Draft(old.article(row), (), row) for row, _, _ in old.article_rows()]
    folder = tmp_path / "copied"
    folder.mkdir()
    (folder / old.name).symlink_to(options.index / old.name)
    written = write_generation(folder, drafts, sentencepiece_encoder, old.basis, "en", lambda step: None, old)
    assert (written.encoded, written.resumed) == (0, 0)
    new = open_generation(folder)
    tokens, others = (one.tokens(0, one.manifest.tokens) for one in (old, new))
    np.testing.assert_array_equal(tokens, others)
    rows = range(old.manifest.passages)
    np.testing.assert_array_equal(old.passage_vectors(rows), new.passage_vectors(rows))
    old.close()
    new.close()


TITLES = st.sampled_from(["Boats", "Kilns", "Ice (I)", "Ice. Snow"])
PARAGRAPHS = st.sampled_from(
    [
        *map(paragraph, range(4)),
        "Snow. Rain.",
        "Rain.",
        "The Harbour Pilots Guild (HPG) met on 12 May 2010. It paid £4.20.",
        "Café Ünal (CU) sells éclairs.",
        "- one\n- two",
    ]
)
ARTICLES = st.tuples(TITLES, st.lists(PARAGRAPHS, min_size=1, max_size=4).map(tuple))
SHELVES = st.dictionaries(st.sampled_from("abcdef"), ARTICLES, min_size=1, max_size=5)


@settings(max_examples=20)
@given(states=st.lists(SHELVES, min_size=2, max_size=4))
def test_any_sequence_of_edits_ends_in_the_index_that_a_build_from_nothing_makes(
    sentencepiece_encoder: Encoder, states: list[Shelf]
) -> None:
    """Articles come, go, change, move, trade their ids and places; table by table, and vector by vector."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model = sentencepiece_encoder.model.name
        options = IndexSettings.load(articles=home / "articles", index=home / "index", model=model)
        for state in states:
            built(options, state, sentencepiece_encoder)
        other = IndexSettings.load(articles=home / "articles", index=home / "other", model=model)
        build_index(other, encoder=sentencepiece_encoder)
        assert_same(options.index, other.index)
