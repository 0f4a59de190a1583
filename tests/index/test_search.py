"""Questions to hits: the right passage first, any question at all, scores within their bounds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import DamagedIndexError
from index.search.hits import Found, Hit
from index.search.parts import Part
from index.search.search import Search
from index.storage.local import Generation, open_generation
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


def check_found(found: Found) -> None:
    """Assert what holds for what any question finds."""
    assert len(found.hits) <= 10
    assert all(a.score >= b.score for a, b in itertools.pairwise(found.hits))
    for hit in found.hits:
        check_hit(hit, found)


def check_hit(hit: Hit, found: Found) -> None:
    """Assert that a hit's spans are its article's, and its scores within their bounds."""
    assert 0 <= hit.lexical <= 1
    assert all(-1.001 <= score <= 1.001 for score in (hit.dense, hit.late))
    assert hit.best_sentence.quotable
    assert hit.nearest_sentence.score == max(one.score for one in hit.sentences)
    headings = {one.paragraph == 0 for one in hit.sentences}
    source = hit.article.heading if headings == {True} else hit.article.text
    assert len(headings) == 1
    assert hit.text == source[hit.start : hit.end]
    for one in hit.sentences:
        assert one.text == source[one.start : one.end]
        assert hit.start <= one.start < one.end <= hit.end
        assert all(-1.001 <= score <= 1.001 for score in (one.late, one.mean))
        assert one.late <= hit.late + 1e-5, "no sentence has nearer tokens than all together"
        assert one.wanted in {0, 0.5, 1}
        assert one.quotable or headings == {True}
    assert [one.term for one in hit.terms] == list(found.question.terms)
    assert all(-1.001 <= one.near <= 1.001 for one in hit.terms)


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
    found = search(question)
    check_found(found)
    assert found.hits[0].article.id == article
    assert found.hits[0].best_sentence.text.startswith(sentence)


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
    best = search(question).hits[0]
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
    assert search(question).hits[0].best_sentence.text == line


def test_who_wrote_it_finds_the_author_of_the_only_article(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    put(settings.articles, {"one.txt": "A quiet pond\nAuthor: Lea Brandt\n\nThe pond freezes in January.\n"})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    best = Search(generation, encoder)("who wrote it?").hits[0]
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
    hits = Search(generation, encoder)(question).hits
    headings = [hit.best_sentence.text for hit in hits if hit.text != "T"]
    generation.close()
    assert headings[0] == line


def test_heading_stands_aside_for_a_question_that_does_not_ask_for_it(search: Search) -> None:
    """A title repeats its article's subject, and would be quoted in place of what is said of it."""
    assert all(one.paragraph for hit in search("lamp on Garrow Point").hits for one in hit.sentences)


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
    check_found(search(question))


@pytest.mark.parametrize(
    "question",
    ["", " ", "\n\t\u3000", "?!…", "🦊🦊🦊", "\x00", "___", '" ( * ^', "\ufeff", "\u0301\u0301"],
)
def test_question_without_letters_or_digits_finds_nothing(search: Search, question: str) -> None:
    assert search(question).hits == ()


@pytest.mark.parametrize("question", ["bees " * 20_000, "b" * 100_000, "\ud800" * 100_000, '"' * 100_000])
def test_question_of_100_000_characters_is_answered(search: Search, question: str) -> None:
    check_found(search(question))


def test_long_question_is_searched_for_by_its_beginning(search: Search) -> None:
    assert search("When was the lighthouse first lit? " + "?" * 100_000).hits[0].article.id == "lighthouse"


def test_nul_and_half_characters_do_not_hide_the_words_beside_them(search: Search) -> None:
    for question in ("bees\x00oil store keeper", "bees \ud83d oil store keeper"):
        assert search(question).hits[0].best_sentence.text == "He kept bees behind the oil store."


def test_same_question_gives_the_same_hits(search: Search) -> None:
    assert search("Who kept bees?") == search("Who kept bees?")


def test_lexical_share_is_one_for_the_best_and_zero_without_a_common_word(search: Search) -> None:
    hits = search("clockwork").hits
    assert [hit.lexical for hit in hits if hit.lexical] == [1.0]
    assert hits[0].article.id == "lighthouse"
    assert all(hit.lexical == 0 for hit in search("xyzzy").hits)


def test_terms_tell_which_words_a_passage_has_and_how_near_the_others_come(search: Search) -> None:
    best = search("rye zeppelin").hits[0]
    rye, zeppelin = best.terms
    assert (rye.in_words, zeppelin.in_words) == (True, False)
    assert rye.near > 0.6 > zeppelin.near
    assert not any(one.in_words for one in search("zeppelin").hits[0].terms)


def test_accents_and_inflections_do_not_hide_a_word(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    put(settings.articles, {"a.txt": "Zoë baked éclairs.", "b.txt": "Skaters were skating on the pond."})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    found = Search(generation, encoder)
    for question, name in (("zoe eclair", "a"), ("skate ponds", "b")):
        best = found(question).hits[0]
        assert (best.article.id, best.lexical) == (name, 1.0)
        assert all(one.in_words for one in best.terms)
    generation.close()


def test_ties_keep_the_order_of_the_articles(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    rows = [
        {"id": f"twin-{number}", "title": "Twin", "text": "The same words of otters."} for number in (3, 1, 2)
    ]
    put(settings.articles, {"twins.jsonl": "\n".join(map(json.dumps, rows))})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    hits = Search(generation, encoder)("What of otters?").hits
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
        found = Search(generation, encoder)(f"Where does heron {number} nest?")
        check_found(found)
        assert len(found.hits) == 10
        assert found.hits[0].article.id == str(number)
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


@pytest.mark.parametrize(
    ("question", "article", "sentence"),
    [
        ("what dose the comissioning acadmy do", "academy", "The commissioning academy trains council staff"),
        ("Who proposed out sourcing in a whitepaper?", "academy", "A white paper on outsourcing"),
        ("how much does a tiket to the towr cost", "pier", "A ticket to the tower costs £4.20."),
        ("the 31 lamps", "pier", "The pier has thirty-one lamps."),
        ("one hundred and twelve steps?", "pier", "Its tower has 112 steps."),
        ("what was opened on May 12th, 2010", "pier", "It was opened on 12 May 2010."),
        ("2/3 of the visitors", "pier", "Two thirds of the visitors come by ferry."),
        ("what took £48m?", "pier", "Repairs took 48 million pounds."),
        ("When did the HPG buy the steam tug?", "tug", "The Harbour Pilots Guild bought a steam tug"),
        ("What do the Harbour Pilots Guild members wear?", "caps", "HPG members wear a grey cap at sea."),
        ("ZOE UNALS ECLAIRS", "cafe", "Zoë Ünal’s café sells éclairs."),
        ("who’s her brother", "cafe", "Her brother Oluf Thorsen bakes them."),
    ],
)
def test_question_written_otherwise_than_the_article_finds_the_sentence(
    harbour: Search, question: str, article: str, sentence: str
) -> None:
    found = harbour(question)
    check_found(found)
    assert found.hits[0].article.id == article
    assert found.hits[0].best_sentence.text.startswith(sentence)


@pytest.mark.parametrize(
    ("part", "question", "word"),
    [
        (Part.SPELLING, "the acadmy", "acadmy"),
        (Part.VALUES, "31 lamps", "31"),
        (Part.ABBREVIATIONS, "the HPG tug", "HPG"),
    ],
)
def test_forgiving_reading_is_what_finds_it(harbour: Search, part: Part, question: str, word: str) -> None:
    """Words alone would not: with the part left out, the same passage does not have the word."""
    with_it = harbour(question).hits[0]
    without = Search(harbour.store, harbour.encoder, {part})(question)
    same = next(hit for hit in without.hits if hit.text == with_it.text)
    assert [one.in_words for one in with_it.terms if one.term.typed == word] == [True]
    assert [one.in_words for one in same.terms if one.term.typed == word] == [False]


def test_equal_titles_do_not_crowd_out_passages(make_settings: MakeSettings, encoder: Encoder) -> None:
    """More headings than there are candidates, each nearer to the question than the text that answers it."""
    settings = make_settings()
    rows = [
        {
            "id": f"report-{number}",
            "title": "When the heron nests",
            "author": "Ada Quay",
            "text": f"Reed {number}.",
        }
        for number in range(80)
    ]
    rows[71]["text"] = "It begins in March, said the warden."
    put(settings.articles, {"reports.jsonl": "\n".join(map(json.dumps, rows))})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    search = Search(generation, encoder)
    for parts in ((), {Part.LEXICAL}, {Part.DENSE}):
        found = Search(generation, encoder, parts)("When does the heron nest, by the warden?")
        check_found(found)
        assert not found.question.parts
        assert all(one.paragraph for hit in found.hits for one in hit.sentences)
        assert found.hits[0].article.id == "report-71"
    for parts in ((), {Part.LEXICAL}):
        hits = Search(generation, encoder, parts)("when the heron nests").hits
        assert len(hits) == 10, "no place is lost to a heading"
    assert search("Who wrote when the heron nests?").hits[0].best_sentence.text == "Ada Quay"
    generation.close()


def test_value_that_is_asked_for_decides_between_sentences_that_are_as_near(search: Search) -> None:
    """The one with the number is quoted, not the one that repeats the question's words."""
    wanting = search("How many stops does line nine have?").hits[0]
    assert {one.wanted for one in wanting.sentences} == {0, 1}
    assert wanting.best_sentence.wanted == 1
    assert {one.wanted for one in search("Who owns the bakery?").hits[0].sentences} == {0.5}


def test_same_search_may_be_asked_from_several_threads(search: Search) -> None:
    questions = [
        "Who kept bees?",
        "How thick was the ice?",
        "what did the overn cost",
        "who wrote of line nine",
    ] * 4
    expected = list(map(search, questions))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(search, questions)) == expected


def test_word_of_the_title_counts_less_than_one_of_the_text(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    texts = {
        "in-title.txt": "Ullapool council\n\nIt raised the fare in May.\n",
        "in-text.txt": "A northern council\n\nUllapool raised the fare.\n",
        "neither.txt": "A southern council\n\nIt raised the fare again.\n",
    }
    put(settings.articles, texts)
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    lexical = {hit.article.id: hit.lexical for hit in Search(generation, encoder)("Ullapool").hits}
    generation.close()
    assert lexical["in-text"] == 1 > lexical["in-title"] > 0.2
    assert lexical["neither"] == 0


ABOUT_ANYTHING = [
    "Who kept bees?",
    "oven in Lyon",
    "What is the title?",
    "who wrote it",
    "line nine stops",
    "frost",
]


@pytest.mark.parametrize("without", [(), {Part.LEXICAL}, {Part.DENSE}])
@pytest.mark.parametrize("article", ["lighthouse", "bakery", "tram", "canal", "orchard"])
def test_search_in_one_article_finds_that_article_alone(
    search: Search, article: str, without: Collection[Part]
) -> None:
    """Whatever is asked, whichever of the two searches finds it; its heading only where it is asked for."""
    one_sided = Search(search.store, search.encoder, without)
    for question in ABOUT_ANYTHING:
        found = one_sided(question, article=article)
        check_found(found)
        assert {hit.article.id for hit in found.hits} <= {article}
        assert found.hits or Part.DENSE in without, "the dense search always finds what is nearest"
        headings = any(not one.paragraph for hit in found.hits for one in hit.sentences)
        assert found.question.parts or not headings


def test_search_in_one_article_finds_what_other_articles_would_crowd_out(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    rows = [
        {"id": f"report-{number}", "title": f"Report {number}", "text": "The grey heron nests in the reeds."}
        for number in range(120)
    ]
    rows[97]["text"] = "The warden whose dog swims in the pond behind the mill once saw a heron on a Friday."
    put(settings.articles, {"reports.jsonl": "\n".join(map(json.dumps, rows))})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    for parts in ((), {Part.LEXICAL}, {Part.DENSE}):
        search = Search(generation, encoder, parts)
        asked = "Where does the grey heron nest?"
        assert all(hit.article.id != "report-97" for hit in search(asked).hits)
        (hit,) = search(asked, article="report-97").hits
        assert hit.text == rows[97]["text"]
        assert hit.lexical == (0 if Part.LEXICAL in parts else 1), "the best of its article is the measure"
    generation.close()


def test_search_in_one_article_reads_its_heading_where_the_question_asks_for_it(search: Search) -> None:
    best = search("Who wrote it?", article="tram").hits[0]
    assert best.best_sentence.text == "Petra Holm, Samir Aziz"


@pytest.mark.parametrize("article", ["", "Lighthouse", "lighthouse.txt", "no such", "' OR 1 --", "\ud800"])
def test_search_in_an_article_that_there_is_not_finds_nothing(search: Search, article: str) -> None:
    found = search("Who kept bees?", article=article)
    assert found.hits == ()
    assert found.question == search("Who kept bees?").question
    assert search.store.article_row(article) is None


def test_articles_are_told_in_the_order_in_which_they_were_indexed(shelf: Generation) -> None:
    lines = shelf.article_lines()
    assert [fields[0] for fields in lines] == ["bakery", "lighthouse", "tram", "canal", "orchard"]
    assert [fields[-1] for fields in lines] == [2, 2, 2, 2, 1]


def test_nearest_passages_of_an_article_are_its_own_with_or_without_its_heading(shelf: Generation) -> None:
    row = shelf.article_row("tram")
    assert row is not None
    passages = shelf.passages_of(row)
    (vector,) = shelf.passage_vectors([0])
    for headings in (True, False):
        near = shelf.nearest(vector[None], 50, headings=headings, article=row)
        wanted = {one.row for one in passages if headings or not one.passage.is_heading}
        assert {found for found, _ in near} == wanted
        assert [score for _, score in near] == sorted((score for _, score in near), reverse=True)


def test_article_is_found_by_its_id(search: Search, shelf: Generation) -> None:
    article = shelf.article_by_id("canal")
    assert article is not None
    assert (article.id, article.title) == ("canal", "Ice on the canal")
    assert article == search("ice", article="canal").hits[0].article
