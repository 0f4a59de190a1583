"""The words that answer: shown where the signals point at one span, and not shown where they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.search.highlight import highlight

WORDS = """Who lit how many when the lamp Dr. Okoye Renn of 31 £5 2010 seven stops cost said in May , . by 50%
    Quién cuándo año 12 J. K. É""".split()
TEXTS = st.one_of(
    st.text(st.characters(), max_size=80), st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
)


@pytest.mark.parametrize(
    ("question", "sentence", "shown"),
    [
        ("How many stops does it have?", "The new stretch has seven stops.", "seven"),
        ("how many stops", "Of 31 trams, nine go on to the seven stops by the sea.", "seven"),
        ("When was the lamp lit?", "The lamp was lit on 2 May 1875.", "2 May 1875"),
        ("In what year was the lamp lit?", "The lamp was lit on 2 May 1875.", "1875"),
        ("What does a loaf cost?", "A loaf is cheap.", None),
        ("How much does a loaf cost?", "A loaf costs £4.20 here.", "£4.20"),
        ("What percentage was lost?", "The frost took 40% of the apples.", "40%"),
        ("How long did it freeze?", "It froze for two weeks.", "two weeks"),
        # Of a word that stands there twice, the nearer place counts.
        (
            "When did the lamp of the harbour burn?",
            "One lamp was dark; the lamp 1890 harbour boats carried differs from that of 1874.",
            "1890",
        ),
        ("Who designed the bridge?", "The bridge was designed by Tobias Renn.", "Tobias Renn"),
        ("who designed the bridge", "Ada Quay paid; Tobias Renn designed the bridge.", "Tobias Renn"),
    ],
)
def test_answer_is_shown(question: str, sentence: str, shown: str | None) -> None:
    span = highlight(question, sentence, "en")
    assert (sentence[slice(*span)] if span else None) == shown


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Who met on the quay?", "On the quay Tobias Renn met Ada Vane."),
        ("When was it open?", "It was open in 1874, 1875 and 1876."),
        ("Where was the oven bought?", "The oven was bought in Lyon."),
        ("Why was it closed?", "It closed because of ice."),
        ("lamp on the point", "The lamp was lit in 1874."),
        ("How many keepers were there?", "The keeper kept bees."),
        ("When was the lamp lit in 1874?", "The lamp was lit in 1874."),
        ("How many keepers?", "9 keepers. " * 400),
    ],
)
def test_nothing_is_shown_where_it_is_not_clear(question: str, sentence: str) -> None:
    """Two of a kind as near as each other, a kind that is not shown, nothing new, or no sentence at all."""
    assert highlight(question, sentence, "en") is None


def test_spanish_and_other_languages() -> None:
    sentence = "El puente se abrió el 12 de mayo de 2010."
    assert highlight("¿Cuándo se abrió el puente?", sentence, "es") == (22, 40)
    assert highlight("¿En qué año se abrió el puente?", sentence, "es") == (36, 40)
    assert highlight("Milloin silta avattiin?", "Silta avattiin 2010.", "fi") is None


@given(question=TEXTS, sentence=TEXTS, language=st.sampled_from(["en", "es", "xx"]))
def test_any_text_gives_a_span_inside_it_or_none(question: str, sentence: str, language: str) -> None:
    span = highlight(question, sentence, language)
    assert span is None or 0 <= span[0] < span[1] <= len(sentence)
    assert span == highlight(question, sentence, language)
