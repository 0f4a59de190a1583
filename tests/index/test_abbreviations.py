"""Abbreviations: found where an article introduces them, and met in questions by either form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.search.abbreviations import Abbreviations, find_abbreviations

HPG = ("HPG", "Harbour Pilots Guild")
PAIRS = [
    HPG,
    ("HPG", "Higher Pastry Grade"),
    ("IT", "Information Technology"),
    ("R&D", "research and development"),
    ("WHO", "World Health Organization"),
]
ORDINARY = frozenset({"it", "who"})


@pytest.mark.parametrize(
    "text",
    [
        "In May the Harbour Pilots Guild (HPG) met.",
        "The ‘Harbour Pilots Guild’ (‘HPG’) met.",
        "The “Harbour Pilots Guild” (HPG, founded in 1874) met.",
        "The Harbour Pilots Guild (the HPG) met.",
        "The Harbour Pilots Guild (HPG for short) met.",
        "The Harbour Pilots Guild (hereafter HPG) met.",
        "The HPG (Harbour Pilots Guild) met.",
        "The HPG (the Harbour Pilots Guild; see below) met.",
        "The Harbour Pilots Guild, HPG for short, met.",
        "The Harbour Pilots Guild, or HPG for short, met.",
        "The Harbour Pilots Guild, also known as the HPG, met.",
        "The Harbour Pilots Guild is commonly abbreviated to ‘HPG’.",
    ],
)
def test_definition_is_found_however_it_is_put(text: str) -> None:
    assert find_abbreviations(text) == [HPG]


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("the Ferry Owners’ Joint Board (FOJB)", "FOJB", "Ferry Owners’ Joint Board"),
        ("It was run by the Ministry of Tides (MoT).", "MoT", "Ministry of Tides"),
        ("the Board for Standards in Lamps (Boslam)", "Boslam", "Board for Standards in Lamps"),
        ("the Association of Amber Artisans (AAA)", "AAA", "Association of Amber Artisans"),
        ("the Union of Ropemakers and Sailors (URS)", "URS", "Union of Ropemakers and Sailors"),
        ("the Office of Oyster Quotas (OOQ)", "OOQ", "Office of Oyster Quotas"),
        ("some research and development (R&D)", "R&D", "research and development"),
        ("at 90 turns per minute (TPM)", "TPM", "turns per minute"),
        ("a Non-Local Boat (NLB)", "NLB", "Non-Local Boat"),
        ("He met staff. Old Rope Works (ORW) was near.", "ORW", "Old Rope Works"),
        ("la Oficina Nacional de Faros (ONF)", "ONF", "Oficina Nacional de Faros"),
        ("la Oficina Nacional de Faros, conocida como la ONF, abrió", "ONF", "Oficina Nacional de Faros"),
        ("thiobenzol tetrachloride (TBT)", "TBT", "thiobenzol tetrachloride"),
    ],
)
def test_long_form_is_whole_and_no_more(text: str, short: str, long: str) -> None:
    assert find_abbreviations(text) == [(short, long)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "()",
        "The lamp (lit in 1874) still burns (HPG).",
        "She sailed to a large island in summer (Paris).",
        "The crew (Tobias Renn) and the mate (1874).",
        "The guild met. (HPG)",
        "They kept a lantern there (LNR).",
        "She saw east of the town (Sett).",
        "Old salts met. Rope works (OSMRW) burned.",
        "The keeper (ABCDEFGHIJK) slept.",
        "The Harbour Pilots Guild (hpg) met.",
        "The HPG (HPG) met.",
        "The painter, also known as the Master, was a man of the sea.",
    ],
)
def test_what_defines_nothing_is_passed_over(text: str) -> None:
    assert find_abbreviations(text) == []


def test_pairs_come_once_and_in_order() -> None:
    text = "The Tide Board (TB), the Harbour Pilots Guild (HPG), the Tide Board (TB)."
    assert find_abbreviations(text) == [("TB", "Tide Board"), HPG]


@pytest.mark.parametrize(
    ("question", "others"),
    [
        ("When did the HPG meet?", ["Harbour Pilots Guild", "Higher Pastry Grade"]),
        ("when did the hpg meet?", ["Harbour Pilots Guild", "Higher Pastry Grade"]),
        ("Which HPGs met?", ["Harbour Pilots Guild", "Higher Pastry Grade"]),
        ("Who led the harbour pilots guild?", ["HPG"]),
        ("What is the HARBOUR-PILOTS GUILD?", ["HPG"]),
        ("What did the r&d cost?", ["research and development"]),
        ("Did the WHO pay for research and development?", ["World Health Organization", "R&D"]),
        ("Who pays for IT?", ["Information Technology"]),
        ("who pays for it?", []),
        ("Who lit it?", []),
        ("WHO LIT IT?", []),
        ("Which guild has pilots in the harbour?", []),
        ("", []),
    ],
)
def test_question_gets_the_other_form(question: str, others: list[str]) -> None:
    found = Abbreviations(PAIRS).find(question, ORDINARY)
    assert [name for _, _, names in found for name in names] == others


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (
            "Did the WHO, or HPGs, meet?",
            {"WHO": ["World Health Organization"], "HPGs": [HPG[1], PAIRS[1][1]]},
        ),
        ("🦊 harbour-pilots  guild met", {"harbour-pilots  guild": ["HPG"]}),
        ("what of r&d", {"r&d": ["research and development"]}),
    ],
)
def test_form_is_found_where_it_stands(question: str, found: dict[str, list[str]]) -> None:
    """So that the other form belongs to these words, and to no other word of the question."""
    places = Abbreviations(PAIRS).find(question, ORDINARY)
    assert {question[start:end]: list(names) for start, end, names in places} == found


def test_pair_without_words_is_no_trouble() -> None:
    assert Abbreviations([("&", ""), ("", "&")]).find("&") == []
    assert Abbreviations([]).find("HPG") == []


PIECES = st.sampled_from(
    ["(", ")", "AB", " ", ", ", "or ", "Alpha ", "beta ", "known as the ", "’", "İ", ".", "-"]
)


@given(st.text(max_size=80) | st.lists(PIECES, max_size=30).map("".join))
def test_any_text_gives_pairs_that_stand_in_it(text: str) -> None:
    pairs = find_abbreviations(text)
    for short, long in pairs:
        assert short in text
        assert long in text
        assert 2 <= len(short) <= min(10, len(long) - 1)
        assert any(one.isupper() for one in short)
        question = f"What is {short} then?"
        found = Abbreviations(pairs).find(question)
        assert any(question[start:end] == short and long in names for start, end, names in found)
    places = [(start, end) for start, end, _ in Abbreviations(pairs).find(text)]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "(A",
        "A (AB) ",
        "known as the ",
        ", or AB",
        " ",
        "x",
        ", or the          ",
        "also ",
        "AB for short, ",
    ],
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    """Half a second or less; a quadratic search would not end within the patience of whoever runs it."""
    pairs = find_abbreviations(piece * (100_000 // len(piece)))
    assert len(pairs) == len(set(pairs))
