"""Questions to hits: the right passage first, any question at all, scores within their bounds."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index import Encoder, Hit, Search, build_index, open_generation
from index.errors import DamagedIndexError
from tests.conftest import MakeSettings
from tests.index.shelf import put

WORDS = ["lighthouse", "bees", "Dr. Okoye", "tram", "who", "ice", "£4.20", "1874", "the", "wrote"]
OPERATORS = [
    '"',
    '""',
    "'",
    "*",
    "^",
    "(",
    ")",
    "NEAR(",
    " AND ",
    " OR ",
    " NOT ",
    "-",
    "+",
    ":",
    "text:",
    "{",
    "}",
]
ODD = [
    "\x00",
    "\ud800",
    "\udfff",
    "🦊",
    "\u202e",
    "ﷺ",
    "²",
    "Ⅷ",
    "e\u0301",
    "\u200d",
    "שלום",
    "中文",
    "\n",
    "_",
    "𝒜",
]


def check_hits(hits: list[Hit]) -> None:
    """Assert what holds for the hits of any question."""
    assert len(hits) <= 10
    assert all(a.score >= b.score for a, b in itertools.pairwise(hits))
    for hit in hits:
        assert 0 <= hit.lexical <= 1
        assert -1.001 <= hit.dense <= 1.001
        assert hit.best_sentence.score == max(one.score for one in hit.sentences if one.quotable)
        headings = {one.paragraph == 0 for one in hit.sentences}
        source = hit.article.heading if headings == {True} else hit.article.text
        assert len(headings) == 1
        assert hit.text == source[hit.start : hit.end]
        for one in hit.sentences:
            assert one.text == source[one.start : one.end]
            assert hit.start <= one.start < one.end <= hit.end
            assert 0 <= one.coverage <= 1 + 1e-9
            assert -1.001 <= one.cosine <= 1.001
    if any(hit.lexical for hit in hits):
        assert max(hit.lexical for hit in hits) <= 1


@pytest.mark.parametrize(
    ("question", "article", "sentence"),
    [
        ("When was the lighthouse first lit?", "lighthouse", "The lighthouse on Garrow Point was lit"),
        ("Where did the keeper keep his bees?", "lighthouse", "He kept bees behind the oil store."),
        ("What does a loaf of rye bread cost?", "bakery", "Rye bread is its best seller, at £4.20 a loaf."),
        ("Where was the oven bought?", "bakery", "Dr. Okoye, who owns it, bought the oven in Lyon."),
        ("How much did the tram extension cost?", "tram", "The extension cost 48 million crowns"),
        ("How thick was the ice?", "canal", "The ice was twelve centimetres thick"),
        ("how much of the harvest did the frost take", "orchard", "Frost in May took half of the harvest."),
        ("HOW MANY STOPS DOES LINE NINE HAVE", "tram", "The new stretch has seven stops."),
        ("lighthous keper clockwrk", "lighthouse", "Its keeper, Tobias Renn"),
    ],
)
def test_right_passage_and_sentence_come_first(
    search: Search, question: str, article: str, sentence: str
) -> None:
    hits = search(question)
    check_hits(hits)
    assert hits[0].article.id == article
    assert hits[0].best_sentence.text.startswith(sentence)


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("Who wrote the article about the lamp on Garrow Point?", "lighthouse"),
        ("Who is the author of the tram line nine article?", "tram"),
        ("Who published the article on line nine?", "tram"),
        ("Who wrote about ice on the canal?", "canal"),
    ],
)
def test_question_about_a_heading_finds_it(search: Search, question: str, article: str) -> None:
    best = search(question)[0]
    assert (best.article.id, best.best_sentence.paragraph) == (article, 0)
    assert best.text == best.article.heading


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Who wrote the article about the lamp on Garrow Point?", "Author: Ines Falk"),
        ("Who published the article on line nine?", "The Evening Rail"),
    ],
)
def test_question_that_names_the_title_is_answered_with_the_part_it_asks_for(
    search: Search, question: str, line: str
) -> None:
    """With several articles on the shelf, people name the one they mean; its title is no answer then."""
    assert search(question)[0].best_sentence.text == line


def test_who_wrote_it_finds_the_author_of_the_only_article(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    put(settings.articles, {"one.txt": "A quiet pond\nAuthor: Lea Brandt\n\nThe pond freezes in January.\n"})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    best = Search(generation, encoder)("who wrote it?")[0]
    assert (best.best_sentence.paragraph, best.best_sentence.text) == (0, "Author: Lea Brandt")
    generation.close()


@pytest.mark.parametrize(
    ("name", "content", "question", "line"),
    [
        ("a.txt", "Author: Lea Brandt\n\nThe pond freezes.", "Who wrote it?", "Author: Lea Brandt"),
        (
            "b.txt",
            "Brandt\nAuthor: Lea Brandt\n\nA family of potters.",
            "Who wrote it?",
            "Author: Lea Brandt",
        ),
        ("c.md", "---\ntitle: T\nauthor: Quay\npublisher: Quay\n---\nIt rains.", "Who published it?", "Quay"),
        ("d.md", "---\ntitle: Review 2019\npublished: 2019\n---\nIt rains.", "What is its date?", "2019"),
    ],
)
def test_line_of_a_heading_is_known_for_its_part_when_values_are_alike(
    make_settings: MakeSettings, encoder: Encoder, name: str, content: str, question: str, line: str
) -> None:
    """One value may stand in another, or be the same; a short file name may stand in anything."""
    settings = make_settings()
    put(settings.articles, {name: content})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    headings = [hit.best_sentence.text for hit in Search(generation, encoder)(question) if hit.text != "T"]
    generation.close()
    assert headings[0] == line


def test_heading_stands_aside_for_a_question_that_does_not_ask_for_it(search: Search) -> None:
    """A title repeats its article's subject, and would be quoted in place of what is said of it."""
    assert all(one.paragraph for hit in search("lamp on Garrow Point") for one in hit.sentences)


@settings(max_examples=60)
@given(
    question=st.one_of(
        st.text(st.characters(), max_size=60),
        st.lists(st.sampled_from(WORDS + OPERATORS + ODD), max_size=12).map("".join),
        st.lists(st.sampled_from(WORDS + OPERATORS + ODD), max_size=12).map(" ".join),
    )
)
@example(question='" OR NEAR( *')
@example(question='bees" AND text:("ice')
@example(question="'; DROP TABLE articles; --")
@example(question="\ud800")
@example(question="bees \udc80 ice")
@example(question="bees\x00ice")
def test_any_question_is_answered(search: Search, question: str) -> None:
    check_hits(search(question))


@pytest.mark.parametrize(
    "question",
    ["", " ", "\n\t\u3000", "?!…", "🦊🦊🦊", "\x00", "___", '" ( * ^', "\ufeff", "\u0301\u0301"],
)
def test_question_without_letters_or_digits_finds_nothing(search: Search, question: str) -> None:
    assert search(question) == []


@pytest.mark.parametrize("question", ["bees " * 20_000, "b" * 100_000, "\ud800" * 100_000, '"' * 100_000])
def test_question_of_100_000_characters_is_answered(search: Search, question: str) -> None:
    check_hits(search(question))


def test_long_question_is_searched_for_by_its_beginning(search: Search) -> None:
    assert search("When was the lighthouse first lit? " + "?" * 100_000)[0].article.id == "lighthouse"


def test_nul_and_half_characters_do_not_hide_the_words_beside_them(search: Search) -> None:
    for question in ("bees\x00oil store keeper", "bees \ud83d oil store keeper"):
        assert search(question)[0].best_sentence.text == "He kept bees behind the oil store."


def test_same_question_gives_the_same_hits(search: Search) -> None:
    assert search("Who kept bees?") == search("Who kept bees?")


def test_lexical_share_is_one_for_the_best_and_zero_without_a_common_word(search: Search) -> None:
    hits = search("clockwork")
    assert [hit.lexical for hit in hits if hit.lexical] == [1.0]
    assert hits[0].article.id == "lighthouse"
    assert all(hit.lexical == 0 for hit in search("xyzzy"))


def test_coverage_counts_the_terms_that_a_sentence_has(search: Search) -> None:
    covered = {one.text: one.coverage for hit in search("rye bread seller") for one in hit.sentences}
    assert covered["Rye bread is its best seller, at £4.20 a loaf."] == pytest.approx(1)
    assert covered["He kept bees behind the oil store."] == 0
    half = {one.text: one.coverage for hit in search("rye zeppelin") for one in hit.sentences}
    assert 0 < half["Rye bread is its best seller, at £4.20 a loaf."] < 1


def test_accents_and_inflections_do_not_hide_a_word(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    put(settings.articles, {"a.txt": "Zoë baked éclairs.", "b.txt": "Skaters were skating on the pond."})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    found = Search(generation, encoder)
    for question, name in (("zoe eclair", "a"), ("skate ponds", "b")):
        best = found(question)[0]
        assert (best.article.id, best.lexical) == (name, 1.0)
        assert best.best_sentence.coverage == pytest.approx(1)
    generation.close()


def test_ties_keep_the_order_of_the_articles(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    rows = [
        {"id": f"twin-{number}", "title": "Twin", "text": "The same words of otters."} for number in (3, 1, 2)
    ]
    put(settings.articles, {"twins.jsonl": "\n".join(map(json.dumps, rows))})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    hits = Search(generation, encoder)("What of otters?")
    assert len({hit.score for hit in hits}) == 1
    assert [hit.article.id for hit in hits] == ["twin-3", "twin-1", "twin-2"]
    generation.close()


def test_at_most_ten_hits_and_the_best_of_many_is_among_them(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    """More articles than are weighed, each with a title line that is as near as its text."""
    settings = make_settings()
    rows = [
        {
            "id": str(number),
            "title": f"Heron report {number}",
            "text": f"Heron {number} nests in pond {number}.",
        }
        for number in range(120)
    ]
    put(settings.articles, {"herons.jsonl": "\n".join(map(json.dumps, rows))})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    for number in (7, 63, 119):
        hits = Search(generation, encoder)(f"Where does heron {number} nest?")
        check_hits(hits)
        assert len(hits) == 10
        assert hits[0].article.id == str(number)
    generation.close()


def test_generation_of_another_encoder_is_refused(
    shelf_index: Path, small_encoder: Encoder, encoder: Encoder
) -> None:
    generation = open_generation(shelf_index)
    with pytest.raises(DamagedIndexError, match=r"all-MiniLM-L6-v2.*FOOTNOTE_MODEL") as caught:
        Search(generation, small_encoder)
    assert small_encoder.model.name in str(caught.value)
    Search(generation, encoder)
    generation.close()
