"""Words read by the collection's: slips corrected, what is right or foreign to it left alone."""

from __future__ import annotations

from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import fold
from index.search.spelling import Reading, Vocabulary
from tests.strategies import hostile_text

WORDS = {
    **dict.fromkeys("commission white letwin outsourcing request elector theater protestants".split(), 2),
    **dict.fromkeys("academy lighthouse keeper political contract skills gap billion plastic".split(), 4),
    **dict.fromkeys("merlin satiny cocreate cafe 1874 theatre base ball baseball".split(), 1),
    "commissioning": 9, "paper": 5, "harbour": 5, "council": 8, "councils": 7, "the": 30, "of": 30,
}  # fmt: skip
COMMON = frozenset("berlin salary scottish scott counter act effect commissioned plastid".split())
FUNCTION_WORDS = frozenset("the of what who did in".split())
VOCABULARY = Vocabulary(WORDS, COMMON)


def read(*terms: str, vocabulary: Vocabulary = VOCABULARY, adjacent: bool = True) -> list[Reading]:
    return vocabulary.read(terms, FUNCTION_WORDS, lambda left, right: adjacent)


SLIPS = {
    "acadmy": "academy", "comissioning": "commissioning", "Comission": "commission", "blal": "ball",
    "lighthuose": "lighthouse", "keepper": "keeper", "letwyn": "letwin", "CÓUNCCIL": "council",
    "harbuor": "harbour", "hrabour": "harbour", "ahrbour": "harbour", "comissioned": "commissioned",
}  # fmt: skip
COMMON_OR_FOREIGN = "berlin salary Scottish plastid counteract scotts bitcoin apolitical effector bequest"
TOO_SHORT_OR_ODD = ["gpa", "pap", "187", "harb0ur", "protestantism", "x" * 2_000]


@pytest.mark.parametrize(("term", "word"), SLIPS.items())
def test_slip_is_corrected(term: str, word: str) -> None:
    (reading,) = read(term, adjacent=False)
    assert (reading.term, reading.words, reading.kind) == (term, (word,), "corrected")
    assert 0.6 <= reading.sureness <= 1


@pytest.mark.parametrize("term", [*COMMON_OR_FOREIGN.split(), *TOO_SHORT_OR_ODD])
def test_word_that_is_right_foreign_or_too_short_is_left_alone(term: str) -> None:
    assert read(term, adjacent=False) == [Reading(term, (fold(term),), "unknown", 0.0)]


@pytest.mark.parametrize("term", ["council", "Café", "commissions", "lighthouses", "who", "1874", "OF"])
def test_word_of_the_collection_is_known_in_any_inflection(term: str) -> None:
    assert read(term) == [Reading(term, (fold(term),), "known", 1.0)]


@pytest.mark.parametrize(
    ("terms", "adjacent", "words", "kinds"),
    [
        ("skillsgap", True, "skills gap", "split"),
        ("skillsgap", False, "skillsgap", "unknown"),
        ("out sourcing", True, "outsourcing outsourcing", "joined joined"),
        ("Co create", True, "cocreate cocreate", "joined joined"),
        ("base ball", True, "base ball", "known known"),
        ("base ball", False, "baseball baseball", "joined joined"),
        ("the ater", False, "the ater", "known unknown"),
    ],
)
def test_words_are_split_and_joined(terms: str, adjacent: bool, words: str, kinds: str) -> None:
    """Two known words are joined only where they never stand side by side; a function word never is."""
    readings = read(*terms.split(), adjacent=adjacent)
    assert [word for reading in readings for word in reading.words] == words.split()
    assert [reading.kind for reading in readings] == kinds.split()


def test_inflections_follow_the_language_however_many_words_there_are() -> None:
    words = {"comision": 2, "hablar": 1}
    assert all(Vocabulary(words, language="es").knows(word) for word in ("comisiones", "hablando"))
    assert not any(Vocabulary(words, language=code).knows("hablando") for code in ("en", "no such"))
    stems = [f"par{one}{other}ant" for one in ascii_lowercase for other in ascii_lowercase]
    many = Vocabulary({f"{stem}ed": 1 for stem in stems})
    assert [stem for stem in stems if not many.knows(f"{stem}ing")] == []


@given(st.lists(hostile_text(*WORDS, most=2) | st.from_regex(r"[a-o]{3,9}\Z"), max_size=6))
def test_any_terms_are_read_in_order_and_always_alike(terms: list[str]) -> None:
    readings = read(*terms)
    assert [reading.term for reading in readings] == terms
    assert readings == read(*terms, vocabulary=Vocabulary(dict(reversed(WORDS.items())), COMMON))
    for reading in readings:
        assert 0 <= reading.sureness <= 1
        if reading.kind in {"known", "unknown"}:
            assert (reading.words, reading.sureness) == ((fold(reading.term),), reading.kind == "known")
        else:
            assert all(word in FUNCTION_WORDS or VOCABULARY.knows(word) for word in reading.words)
