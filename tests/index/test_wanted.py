"""What questions ask for, in the forms that people type, and what of it a sentence has that is new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.search.wanted import Wanted, answer_type_met, candidates, wanted

WORDS = """Who what when the Dr. Okoye Renn of de van 31 £5 2010 because said "yes" in May J. K. , . ’s U.S.
    É Ünal because por qué cuánto Quién ciudad million half name""".split()
TEXTS = st.one_of(
    st.text(st.characters(), max_size=80),
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=14).map("".join),
)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who lit the lamp?", Wanted.PERSON),
        ("who's the keeper", Wanted.PERSON),
        ("Who’s the keeper?", Wanted.PERSON),
        ("whos the keeper", Wanted.PERSON),
        ("Which engineer drew the bridge?", Wanted.PERSON),
        ("what was the name of the engineer", Wanted.PERSON),
        ("To whom did the harbour board write?", Wanted.PERSON),
        ("where did the keeper keep his bees", Wanted.PLACE),
        ("In which city was the oven bought?", Wanted.PLACE),
        ("name of the river that runs past the mill", Wanted.PLACE),
        ("What company built the tram?", Wanted.NAME),
        ("what's the name of the newspaper", Wanted.NAME),
        ("How many stops does the line have?", Wanted.NUMBER),
        ("how many seasons of the show", Wanted.NUMBER),
        ("how tall is the tower", Wanted.NUMBER),
        ("What is the population of the town?", Wanted.NUMBER),
        ("The tower has how many steps?", Wanted.NUMBER),
        ("How much did the extension cost?", Wanted.MONEY),
        ("what is the chairman's salary", Wanted.MONEY),
        ("What percentage of the harvest was lost?", Wanted.SHARE),
        ("when did the frst tram run", Wanted.DATE),
        ("In what year was the lamp lit?", Wanted.DATE),
        ("what date is the fair", Wanted.DATE),
        ("How long did the frost last?", Wanted.DURATION),
        ("why was the line closed", Wanted.REASON),
        ("What caused the fire?", Wanted.REASON),
        ("How did the keeper signal?", Wanted.MANNER),
        ("What is a fresnel lens?", Wanted.DEFINITION),
        ("What did the council say?", Wanted.SAYING),
        ("What are the stops on the line?", Wanted.LIST),
        ("Is the lamp electric?", Wanted.YES_NO),
        ("lamp on the point", Wanted.ANY),
        ("When the tram opened, who drove it?", Wanted.PERSON),
        ("", Wanted.ANY),
    ],
)
def test_kind_that_a_question_asks_for(question: str, kind: Wanted) -> None:
    assert wanted(question, "en") is kind
    assert wanted(question.lower().rstrip("?"), "en") is kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("¿Quién encendió la lámpara?", Wanted.PERSON),
        ("quien encendio la lampara", Wanted.PERSON),
        ("¿Dónde guardaba las abejas?", Wanted.PLACE),
        ("¿En qué ciudad compró el horno?", Wanted.PLACE),
        ("¿Cuántas paradas tiene la línea?", Wanted.NUMBER),
        ("cuanto costo el tranvia", Wanted.MONEY),
        ("¿Cuánto tiempo duró la helada?", Wanted.DURATION),
        ("¿Qué porcentaje de la cosecha se perdió?", Wanted.SHARE),
        ("¿Cuándo se abrió el puente?", Wanted.DATE),
        ("¿En qué año se abrió?", Wanted.DATE),
        ("¿Por qué se cerró la línea?", Wanted.REASON),
        ("¿Cómo avisaba el farero?", Wanted.MANNER),
    ],
)
def test_kind_that_a_question_asks_for_in_spanish(question: str, kind: Wanted) -> None:
    assert wanted(question, "es") is kind


def spans(text: str, question: str, language: str = "en") -> list[str]:
    """Return the words of each candidate."""
    found = candidates(text, wanted(question, language), question, language)
    return [text[start:end] for start, end in found]


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Who lit it?", "In spring the lamp was lit by Tobias Renn of Garrow.", ["Tobias Renn of Garrow"]),
        ("Who owns the oven?", "The baker, Dr. A. Okoye, owns it.", ["Dr. A. Okoye"]),
        ("Who is Renn's neighbour?", "Tobias Renn lived beside Ada Quay.", ["Ada Quay"]),
        ("who drew it", "She sent it to J. K. Vane, of the Lyon Museum.", ["J. K. Vane"]),
        ("Where was the oven bought?", "Okoye bought the oven in Lyon in May.", ["Okoye", "Lyon"]),
        ("how many stops", "The line has seven stops and cost £5.", ["seven"]),
        ("how many keepers were there", "In five years it had three keepers.", ["three"]),
        ("how many miles is it", "It runs for twelve miles.", ["twelve miles"]),
        ("how much did it cost", "It cost £4.20 in 1990.", ["£4.20"]),
        ("when was the lamp of 1874 lit", "The lamp of 1874 was lit on 2 May 1875.", ["2 May 1875"]),
        ("how long did the frost last", "It took 31 trees and lasted two weeks.", ["two weeks"]),
        ("what share was lost", "Half of the 40 trees died.", ["Half"]),
        ("why was it closed", "It closed because of ice.", ["because"]),
    ],
)
def test_candidates_are_of_the_kind_and_new(question: str, text: str, expected: list[str]) -> None:
    assert spans(text, question) == expected


def test_value_of_the_question_is_not_new_in_another_spelling() -> None:
    assert spans("There were thirty-one bees.", "how many of the 31 bees are there") == []


def test_names_are_compared_without_accents_and_case() -> None:
    assert spans("It was drawn by Zoë Ünal.", "who is zoe unal") == []


def test_names_in_spanish() -> None:
    text = "En 1990 lo escribió María de la Cruz en Lugo."
    assert spans(text, "¿Quién lo escribió?", "es") == ["María de la Cruz", "Lugo"]


def test_met_is_one_none_or_half() -> None:
    text = "The lamp was lit by Tobias Renn."
    assert answer_type_met(text, Wanted.PERSON, "who lit the lamp", "en") == 1
    assert answer_type_met(text, Wanted.DATE, "when was it lit", "en") == 0
    assert answer_type_met(text, Wanted.ANY, "lamp", "en") == 0.5
    assert answer_type_met(text, Wanted.DEFINITION, "what is a lamp", "en") == 0.5


def test_unknown_language_tells_nothing_of_names_and_reads_digits() -> None:
    assert wanted("Kuka sytytti lampun?", "fi") is Wanted.ANY
    assert answer_type_met("Tobias Renn, 1874", Wanted.REASON, "miksi", "fi") == 0.5
    assert answer_type_met("Tobias Renn, 1874", Wanted.DATE, "milloin", "fi") == 1


@given(
    question=TEXTS,
    text=TEXTS,
    language=st.sampled_from(["en", "es", "xx"]),
    kind=st.sampled_from(list(Wanted)),
)
def test_any_text_gives_spans_that_slice_back(question: str, text: str, language: str, kind: Wanted) -> None:
    assert wanted(question, language) in Wanted
    end = 0
    for start, stop in candidates(text, kind, question, language):
        assert end <= start < stop <= len(text)
        end = stop
    assert answer_type_met(text, kind, question, language) in {0.0, 0.5, 1.0}


@pytest.mark.parametrize(
    "piece", ["A ", "A. ", "Aa of ", "A-", ", a", '"a', "A", "because ", "Dr. ", "A’", "¿"]
)
def test_100_000_characters_take_linear_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    for kind in (Wanted.PERSON, Wanted.LIST, Wanted.SAYING, Wanted.REASON):
        candidates(text, kind, text, "en")
    assert wanted(text, "en") in Wanted
