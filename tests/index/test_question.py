"""Questions read forgivingly: misspelt, run together, in digits or words, short or in full, and hostile."""

from __future__ import annotations

import itertools
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.folding import WORD, fold
from index.search.parts import Part
from index.search.question import Question, QuestionReader, Term
from index.search.search import Search
from index.search.wanted import Wanted
from tests.index.test_search import ODD, OPERATORS


@pytest.fixture(scope="module")
def reader(harbour: Search) -> QuestionReader:
    """Read questions by the words of the articles about a harbour."""
    return QuestionReader(harbour.store, harbour.encoder)


def reader_without(harbour: Search, *parts: Part) -> QuestionReader:
    return QuestionReader(harbour.store, harbour.encoder, parts)


def term_of(question: Question, typed: str) -> Term:
    """Return the term that was typed so."""
    (term,) = (one for one in question.terms if one.typed == typed)
    return term


def rows_of(search: Search, term: Term) -> set[int]:
    """Return the passages that a term meets."""
    every = range(search.store.manifest.passages)
    return {row for row in every if search.store.have([row], [term.forms]).all()}


def check_question(question: Question, typed: str) -> None:
    """Assert what holds for the reading of any text."""
    assert question.typed == typed
    question.text.encode()
    assert len(question.terms) <= 32
    for term in question.terms:
        assert 0 <= term.start < term.end <= len(question.text)
        assert WORD.findall(question.text[term.start : term.end])
        assert term.forms
        assert all(re.fullmatch(r"[^\W_]+(?: [^\W_]+)*", form) for form in term.forms)
        assert 0 <= term.rarity <= 4
        assert 0 < term.sureness <= 1
        assert 0 <= term.weight <= term.rarity
    assert all(a.end <= b.start for a, b in itertools.pairwise(question.terms))


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("comissioning acadmy", "commissioning academy"),
        ("What does the Comissioning ACADMY teach?", "What does the commissioning academy teach?"),
        ("when was the tower oppened?", "when was the tower opened?"),
        ("how many vistors come by the ferrry", "how many visitors come by the ferry"),
        ("the whitepaper on outsourcing", "the white paper on outsourcing"),
        ("the greycap", "the grey cap"),
    ],
)
def test_slips_are_mended_in_what_the_encoder_reads(reader: QuestionReader, typed: str, text: str) -> None:
    question = reader.read(typed)
    check_question(question, typed)
    assert question.text == text
    assert question.notes, "and people are told"
    for term in question.terms:
        stands = question.text[term.start : term.end]
        mended = fold(term.typed) != fold(stands)
        assert (term.sureness < 1) == mended
        assert fold(stands) in term.forms


def test_note_says_what_was_typed_and_how_it_is_read(reader: QuestionReader) -> None:
    assert reader.read("comissioning acadmy, acadmy").notes == (
        "comissioning read as commissioning",
        "acadmy read as academy",
    )
    assert reader.read("commissioning academy").notes == ()


def test_correction_counts_less_than_a_word_as_typed(reader: QuestionReader) -> None:
    mended = term_of(reader.read("the acadmy"), "acadmy")
    right = term_of(reader.read("the academy"), "academy")
    assert mended.forms == right.forms
    assert mended.rarity == right.rarity
    assert mended.weight < right.weight == right.rarity


def test_words_taken_apart_are_found_joined_and_apart(harbour: Search, reader: QuestionReader) -> None:
    question = reader.read("who proposed out sourcing")
    assert question.text == "who proposed out sourcing"
    for typed in ("out", "sourcing"):
        term = term_of(question, typed)
        assert set(term.forms) == {typed, "outsourcing"}
        assert rows_of(harbour, term) == rows_of(harbour, term_of(reader.read("outsourcing"), "outsourcing"))


def test_words_run_together_are_found_apart_and_as_typed(reader: QuestionReader) -> None:
    question = reader.read("a whitepaper")
    term = term_of(question, "whitepaper")
    assert set(term.forms) == {"white paper", "whitepaper"}
    assert question.text[term.start : term.end] == "white paper"


@pytest.mark.parametrize(
    "name", ["Thorson", "Leedz", "Berlin", "Bolton", "Olaf", "Bergin", "Zoe Unal", "HPD", "Felton"]
)
def test_name_that_the_articles_lack_stays_as_it_is(reader: QuestionReader, name: str) -> None:
    """An answer about another name than the one asked for would be wrong, and look right."""
    question = reader.read(f"What did {name} say?")
    assert question.text == f"What did {name} say?"
    assert question.notes == ()
    for word in name.split():
        assert term_of(question, word).forms[0] == word.lower()


def test_word_that_the_articles_lack_is_the_rarest_and_finds_nothing(
    harbour: Search, reader: QuestionReader
) -> None:
    question = reader.read("the zeppelin of the pier")
    assert rows_of(harbour, term_of(question, "zeppelin")) == set()
    rarities = {term.typed: term.rarity for term in question.terms}
    assert rarities["zeppelin"] == max(rarities.values()) > rarities["pier"] > rarities["the"]


def test_rarity_is_that_of_bm25(harbour: Search, reader: QuestionReader) -> None:
    term = term_of(reader.read("the tug"), "tug")
    met, passages = len(rows_of(harbour, term)), harbour.store.manifest.passages
    assert 0 < met < passages
    assert term.rarity == pytest.approx(math.log(1 + (passages - met + 0.5) / (met + 0.5)))


def test_function_word_says_nothing_and_weighs_little_however_rare(reader: QuestionReader) -> None:
    question = reader.read("Whose tug would she buy?")
    assert [term.typed for term in question.terms if term.says] == ["tug", "buy"]
    assert all(term.says or term.rarity <= 1 for term in question.terms)
    assert term_of(question, "buy").rarity > 1
    assert not any(term.says for term in reader.read("who is it").terms)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("who’s the “brother”?", 'who\'s the "brother"?'),
        ("the\u00a0tug\n\tand\u3000 coal ", "the tug and coal"),
        ("tug\x00coal", "tug coal"),
        ("tug \ud83d coal", "tug ? coal"),
    ],
)
def test_quotes_and_spaces_are_made_plain(reader: QuestionReader, typed: str, plain: str) -> None:
    question = reader.read(typed)
    check_question(question, typed)
    assert question.text == plain


def test_who_s_is_who_is(reader: QuestionReader) -> None:
    for typed in ("who’s the brother", "who's the brother", "Who's the brother?", "whos the brother"):
        question = reader.read(typed)
        assert question.wanted is Wanted.PERSON
        assert question.notes == ()
    assert [term.typed for term in reader.read("who’s the brother").terms if term.says] == ["brother"]


def test_accents_and_case_make_no_difference_to_what_is_met(harbour: Search, reader: QuestionReader) -> None:
    met = [
        [rows_of(harbour, term) for term in reader.read(typed).terms]
        for typed in (
            "zoe unal cafe eclairs",
            "ZOË ÜNAL CAFÉ ÉCLAIRS",
            "Zoe\u0308 U\u0308nal cafe\u0301 éclairs",  # as some systems write accents
        )
    ]
    assert met[0] == met[1] == met[2]
    assert all(len(rows) == 1 for rows in met[0])
    assert reader.read("zoe unal cafe").notes == (), "nothing is misspelt"


@pytest.mark.parametrize(
    ("typed", "value", "words"),
    [
        ("the 31 lamps", "31", "thirty-one"),
        ("one hundred and twelve steps", "one hundred and twelve", "112 steps"),
        ("opened May 12, 2010", "May 12, 2010", "12 May 2010"),
        ("opened on 2010-05-12", "2010-05-12", "12 May 2010"),
        ("opened in May 2010", "May 2010", "12 May 2010"),
        ("opened in 2010", "2010", "12 May 2010"),
        ("costs 4.20 pounds", "4.20 pounds", "£4.20"),
        ("2/3 of visitors", "2/3", "Two thirds"),
        ("the £48m repairs", "48m", "48 million pounds"),
    ],
)
def test_value_is_one_term_and_met_however_it_is_written(
    harbour: Search, reader: QuestionReader, typed: str, value: str, words: str
) -> None:
    question = reader.read(typed)
    check_question(question, typed)
    term = term_of(question, value)
    assert question.text[term.start : term.end] == value
    assert term.says
    found = harbour.store.passages(sorted(rows_of(harbour, term)))
    assert found
    for stored in found:
        article = harbour.store.articles([stored.article])[0]
        assert words in article.text[stored.passage.start : stored.passage.end]
    (alone,) = [one for one in reader_without(harbour, Part.VALUES).read(typed).terms if one.end == term.end]
    assert term.forms != alone.forms


def test_other_value_is_not_met(harbour: Search, reader: QuestionReader) -> None:
    for typed in ("32 lamps", "£4.21", "13 May 2010", "49 million pounds"):
        term = next(one for one in reader.read(typed).terms if one.typed[0].isdigit())
        exact = [form for form in term.forms if form not in {"v2010", "v201005"}]
        assert rows_of(harbour, Term("", 0, 1, tuple(exact), 1.0, says=True)) == set()


@pytest.mark.parametrize(
    ("typed", "places", "other"),
    [
        ("When did the HPG buy a tug?", ["HPG"], "harbour pilots guild"),
        ("when did the hpg's tug sail", ["hpg"], "harbour pilots guild"),
        ("Which HPGs have caps?", ["HPGs"], "harbour pilots guild"),
        ("What do the Harbour Pilots Guild wear?", ["Harbour", "Pilots", "Guild"], "hpg"),
        ("what do harbour-pilots guild members wear", ["harbour", "pilots", "guild"], "hpg"),
    ],
)
def test_short_form_is_met_by_its_long_one_and_the_other_way_round(
    harbour: Search, reader: QuestionReader, typed: str, places: list[str], other: str
) -> None:
    question = reader.read(typed)
    with_other = [question.text[term.start : term.end] for term in question.terms if other in term.forms]
    assert with_other == places
    assert all(
        other not in term.forms for term in reader_without(harbour, Part.ABBREVIATIONS).read(typed).terms
    )


def test_each_part_of_reading_can_be_left_out(harbour: Search, reader: QuestionReader) -> None:
    typed = "does the HPG acadmy have thirty-one white papers out sourcing"
    every = reader.read(typed)
    assert (
        len({len(reader_without(harbour, *parts).read(typed).notes) for parts in ((), (Part.SPELLING,))}) == 2
    )
    plain = reader_without(harbour, Part.SPELLING, Part.ABBREVIATIONS, Part.VALUES).read(typed)
    assert plain.text == typed
    assert plain.notes == ()
    assert [term.typed for term in plain.terms] == WORD.findall(typed)
    assert all(term.forms == (fold(term.typed),) for term in plain.terms)
    assert all(term.sureness == 1 for term in plain.terms)
    assert every != plain
    spelt_as_typed = reader_without(harbour, Part.SPELLING).read(typed)
    assert "acadmy" in spelt_as_typed.text
    assert term_of(spelt_as_typed, "thirty-one").forms == term_of(every, "thirty-one").forms
    assert "harbour pilots guild" in term_of(spelt_as_typed, "HPG").forms
    no_values = reader_without(harbour, Part.VALUES).read(typed)
    assert "academy" in no_values.text
    assert "thirty-one" not in {term.typed for term in no_values.terms}


def test_only_the_beginning_of_a_long_question_is_read(reader: QuestionReader) -> None:
    for typed in (
        "tug " * 25_000,
        "t" * 100_000,
        "\ud800" * 100_000,
        '"' * 100_000,
        "1," * 50_000,
        "é" * 100_000,
    ):
        question = reader.read(typed)
        check_question(question, typed)
        assert len(question.text) <= 2_000
    many = reader.read("a question of words " * 5_000)
    assert len(many.terms) == 32


@pytest.mark.parametrize("typed", ["", " ", "?!…", "🦊🦊", "___", "\x00", "\u0301", "“”", "\ud800"])
def test_text_without_letters_and_digits_has_no_terms(reader: QuestionReader, typed: str) -> None:
    question = reader.read(typed)
    check_question(question, typed)
    assert question.terms == ()
    assert (question.parts, question.wanted, question.terms) == (frozenset(), Wanted.ANY, ())


@given(
    typed=st.one_of(
        st.text(st.characters(), max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "acadmy",
                    "HPG",
                    "out",
                    "sourcing",
                    "31",
                    "£4.20",
                    "12 May",
                    "Zoë",
                    "who’s",
                    *OPERATORS,
                    *ODD,
                ]
            ),
            max_size=12,
        ).map(" ".join),
    )
)
@example(typed='tug" OR NEAR(text:* AND "x')
@example(typed="½ ﷺ ℀ ŉ")
def test_any_text_is_read(harbour: Search, reader: QuestionReader, typed: str) -> None:
    """Its forms are phrases that the store takes, whatever stands in it."""
    question = reader.read(typed)
    check_question(question, typed)
    for term in question.terms:
        rows_of(harbour, term)
    assert reader.read(typed) == question
