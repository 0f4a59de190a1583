"""Abbreviations: found where an article introduces them, and in questions by either form."""

from __future__ import annotations

import pytest
from hypothesis import given

from index.search.abbreviations import Abbreviations, find_abbreviations
from tests.strategies import hostile_text

HPG, TB = ("HPG", "Harbour Pilots Guild"), ("TB", "Tide Board")
PAIRS = [
    HPG,
    ("HPG", "Higher Pastry Grade"),
    ("IT", "Information Technology"),
    ("R&D", "research and development"),
    ("WHO", "World Health Organization"),
]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("In May the Harbour Pilots Guild (HPG) met.", [HPG]),
        ("The “Harbour Pilots Guild” (‘HPG’, founded in 1874) met.", [HPG]),
        ("The HPG (Harbour Pilots Guild) met.", [HPG]),
        ("the Ferry Owners’ Joint Board (FOJB)", [("FOJB", "Ferry Owners’ Joint Board")]),
        ("It was run by the Ministry of Tides (MoT).", [("MoT", "Ministry of Tides")]),
        ("the Board for Standards in Lamps (Boslam)", [("Boslam", "Board for Standards in Lamps")]),
        ("the Association of Amber Artisans (AAA)", [("AAA", "Association of Amber Artisans")]),
        ("the Office of Oyster Quotas (OOQ)", [("OOQ", "Office of Oyster Quotas")]),
        ("some research and development (R&D)", [("R&D", "research and development")]),
        ("a Non-Local Boat (NLB)", [("NLB", "Non-Local Boat")]),
        ("He met staff. Old Rope Works (ORW) was near.", [("ORW", "Old Rope Works")]),
        ("la Oficina Nacional de Faros (ONF)", [("ONF", "Oficina Nacional de Faros")]),
        ("thiobenzol tetrachloride (TBT)", [("TBT", "thiobenzol tetrachloride")]),
        ("The Tide Board (TB), the Harbour Pilots Guild (HPG), that Tide Board (TB).", [TB, HPG]),
        *((text, []) for text in (
            "", "()", "The lamp (lit in 1874) still burns (HPG).", "She sailed to a large island (Paris).",
            "The crew (Tobias Renn) and the mate (1874).", "The guild met. (HPG)", "The HPG (HPG) met.",
            "They kept a lantern there (LNR).", "Old salts met. Rope works (OSMRW) burned.",
            "The keeper (ABCDEFGHIJK) slept.", "The Harbour Pilots Guild (hpg) met.",
        )),
    ],
)  # fmt: skip
def test_definition_is_found_whole(text: str, pairs: list[tuple[str, str]]) -> None:
    assert find_abbreviations(text) == pairs


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("When did the HPG meet?", {"HPG": ["Harbour Pilots Guild", "Higher Pastry Grade"]}),
        ("when did the hpg meet?", {"hpg": ["Harbour Pilots Guild", "Higher Pastry Grade"]}),
        ("🦊 HARBOUR-PILOTS  guild met", {"HARBOUR-PILOTS  guild": ["HPG"]}),
        ("What did the r&d cost?", {"r&d": ["research and development"]}),
        ("Did the WHO, or HPGs, meet?", {"WHO": ["World Health Organization"]}),
        ("Who pays for IT?", {"IT": ["Information Technology"]}),
        *((question, {}) for question in ("who pays for it?", "WHO LIT IT?", "Which guild has pilots?", "")),
    ],
)
def test_question_gets_the_other_forms(question: str, found: dict[str, list[str]]) -> None:
    """A short form that is also an ordinary word counts only as the articles write it."""
    places = Abbreviations(PAIRS).find(question, frozenset({"it", "who"}))
    assert {question[start:end]: list(names) for start, end, names in places} == found


@given(hostile_text("(", ")", "AB", "Alpha ", "beta ", "known as the ", "HPG", "Harbour Pilots Guild "))
def test_any_text_gives_pairs_that_stand_in_it(text: str) -> None:
    pairs = find_abbreviations(text)
    for short, long in pairs:
        assert short in text
        assert long in text
        assert 2 <= len(short) <= min(10, len(long) - 1)
        question = f"What is {short} then?"
        found = Abbreviations(pairs).find(question)
        assert any(question[start:end] == short and long in names for start, end, names in found)
    places = [(start, end) for start, end, _ in Abbreviations([*pairs, ("&", ""), *PAIRS]).find(text)]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in places)


@pytest.mark.parametrize("piece", ["(", "(A", "A (AB) ", "known as the ", " ", "x", ", or the          "])
def test_hostile_text_takes_linear_time(piece: str) -> None:
    """Half a second or less; a quadratic search would not end within anybody's patience."""
    pairs = find_abbreviations(piece * (100_000 // len(piece)))
    assert len(pairs) == len(set(pairs))
