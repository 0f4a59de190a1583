"""Questions read forgivingly: misspelt, run together, abbreviated, hostile; names are left alone."""

from __future__ import annotations

import itertools
import math
import re

import pytest
from hypothesis import given

from index.analysis import WORD, fold
from index.search.question import QuestionReader
from index.search.search import Search
from tests.strategies import hostile_text


@pytest.fixture(scope="module")
def reader(search: Search) -> QuestionReader:
    return QuestionReader(search.store, search.encoder)


@given(typed=hostile_text("acadmy", "HPG", "out sourcing", "who’s", "£4.20", surrogates=True))
def test_any_text_is_read_into_terms_with_exact_spans(reader: QuestionReader, typed: str) -> None:
    question = reader.read(typed)
    assert question.typed == typed
    question.text.encode()
    assert len(question.terms) <= 32
    assert bool(question.terms) == bool(WORD.search(question.text))
    for term in question.terms:
        assert 0 <= term.start < term.end <= len(question.text)
        assert WORD.search(question.text[term.start : term.end])
        assert all(re.fullmatch(r"[^\W_]+(?: [^\W_]+)*", form) for form in term.forms)
        assert term.forms
        assert 0 <= term.rarity <= 4
        assert 0 < term.sureness <= 1
    assert all(a.end <= b.start for a, b in itertools.pairwise(question.terms))
    assert reader.read(typed) == question


NAMES = ("Thorson", "Leedz", "Berlin", "Bolton", "Olaf", "Bergin", "Zoe Unal", "HPD", "Felton")
COMMISSIONING, VISITORS = ["comissioning: commissioning"], ["vistors: visitors", "ferrry: ferry"]


@pytest.mark.parametrize(
    ("typed", "text", "notes"),
    [
        ("comissioning acadmy?", "commissioning academy?", [*COMMISSIONING, "acadmy: academy"]),
        ("What does the ACADMY teach?", "What does the academy teach?", ["ACADMY: academy"]),
        ("how do vistors come, by ferrry", "how do visitors come, by ferry", VISITORS),
        ("the whitepaper", "the white paper", ["whitepaper: white paper"]),
        ("who proposed out sourcing", "who proposed out sourcing", ["out sourcing: outsourcing"]),
        ("commissioning academy", "commissioning academy", []),
        ("who’s the “brother”?", 'who\'s the "brother"?', []),
        *((f"What did {name} say?", f"What did {name} say?", []) for name in NAMES),
    ],
)  # fmt: skip
def test_slips_are_corrected_and_names_left_alone(
    reader: QuestionReader, typed: str, text: str, notes: list[str]
) -> None:
    """An answer about another name than the one asked for would be wrong, and look right."""
    question = reader.read(typed)
    assert question.text == text
    assert question.notes == tuple(note.replace(":", " read as") for note in notes)
    guessed = {word for note in notes for word in note.partition(":")[0].split()}
    for term in question.terms:
        assert fold(question.text[term.start : term.end]) in term.forms
        assert (term.sureness < 1) == (term.typed in guessed)


@pytest.mark.parametrize(
    ("typed", "terms", "forms"),
    [
        ("a whitepaper", ["whitepaper"], {"white paper", "whitepaper"}),
        ("out sourcing", ["out", "sourcing"], {"outsourcing"}),
        ("When did the HPG buy a tug?", ["HPG"], {"hpg", "harbour pilots guild"}),
        ("when did the hpg's tug sail", ["hpg"], {"hpg", "harbour pilots guild"}),
        ("what do harbour-pilots guild members wear", ["harbour", "pilots", "guild"], {"hpg"}),
    ],
)
def test_term_has_every_form(reader: QuestionReader, typed: str, terms: list[str], forms: set[str]) -> None:
    question = reader.read(typed)
    for term in question.terms:
        assert (set(term.forms) >= forms) == (term.typed in terms)


def test_rarity_is_that_of_bm25_and_function_words_say_little(search: Search, reader: QuestionReader) -> None:
    question = reader.read("Whose zeppelin and tug would she buy?")
    assert [term.typed for term in question.terms if term.is_content] == ["zeppelin", "tug", "buy"]
    passages = search.store.info.passages
    for term in question.terms:
        (count,) = search.store.passage_counts([term.forms])
        rarity = math.log(1 + (passages - count + 0.5) / (count + 0.5))
        assert term.rarity == pytest.approx(min(rarity, 4 if term.is_content else 1))
