"""What a quote was changed from: where it stands, and each letter that differs."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.answering.alignment import Change, ChangeKind, compare, is_apart, most_like

LAMP = (
    "The lighthouse on Gull Rock was lit for the first time in 1871. Its lamp burned 40 litres of colza oil "
    "a night.\n\nEbba Lind kept the lamp on Gull Rock for thirty-one years. She wrote “all’s well” in the "
    "log every morning, even on the day the sea broke the kitchen window."
)
SIGN = {ChangeKind.SAME: "", ChangeKind.QUOTED: "+", ChangeKind.ARTICLE: "-"}


def marked(quoted: str, original: str) -> str:
    """Return the changes in a row: `+` and `-` in brackets for what the quote and the article have alone."""
    return "".join(
        one.text if one.kind is ChangeKind.SAME else f"[{SIGN[one.kind]}{one.text}]"
        for one in compare(quoted, original)
    )


@pytest.mark.parametrize(
    ("quoted", "original", "shown"),
    [
        ("It burned oil.", "It burned oil.", "It burned oil."),
        ("It burned  oil.", "It\nburned oil.", "It burned oil."),
        ("It burmed oil.", "It burned oil.", "It bur[+m][-n]ed oil."),
        ("It burned 41 litres.", "It burned 40 litres.", "It burned [+41][-40] litres."),
        ("It never burned oil.", "It burned oil.", "It [+never ]burned oil."),
        ("It burned.", "It burned oil.", "It burned[- oil]."),
        ("It drank oil.", "It burned oil.", "It [+drank][-burned] oil."),
        ('She wrote "well".', "She wrote “well”.", 'She wrote [+"][-“]well[+"][-”].'),
        ("the lamp", "The lamp", "[+t][-T]he lamp"),
        ("It ... oil.", "It burned much oil.", "It [+...][-burned much] oil."),
        ("two m4sons", "two masons", "two [+m4sons][-masons]"),
        ("two masons", "two m4sons", "two [+masons][-m4sons]"),
        ("", "", ""),
        ("a", "", "[+a]"),
        ("", "a", "[-a]"),
    ],
)
def test_each_change_is_a_word_or_the_letters_of_one(quoted: str, original: str, shown: str) -> None:
    assert marked(quoted, original) == shown


@given(st.text(max_size=40), st.text(max_size=40))
@example("a b", "a\n b")
@example("It burmed", "It burned")
def test_the_changes_put_together_are_both_texts(quoted: str, original: str) -> None:
    changes = compare(quoted, original)
    own = "".join(one.text for one in changes if one.kind is not ChangeKind.ARTICLE)
    other = "".join(one.text for one in changes if one.kind is not ChangeKind.QUOTED)
    assert own == " ".join(quoted.split())
    assert other == " ".join(original.split())
    assert all(one.text for one in changes)
    kinds = [one.kind for one in changes]
    assert all(a is not b for a, b in itertools.pairwise(kinds))


@given(st.text(max_size=40))
def test_what_is_the_same_has_no_change(text: str) -> None:
    shown = " ".join(text.split())
    assert compare(text, text) == ((Change(ChangeKind.SAME, shown),) if shown else ())


def found(sentence: str, text: str = LAMP) -> str | None:
    like = most_like(sentence, text)
    return None if like is None else text[like.start : like.end]


FIRST = "The lighthouse on Gull Rock was lit for the first time in 1871."
THIRD = "Ebba Lind kept the lamp on Gull Rock for thirty-one years."


@pytest.mark.parametrize(
    ("sentence", "original"),
    [
        (FIRST, FIRST),
        ("The lighthouse on Gull Rock was lit for the first time in 1872.", FIRST),
        ("The lighthouse on Gull Rock was never lit for the first time in 1871.", FIRST),
        ("The lighthouse on Gull Rock was lit in 1871.", FIRST),
        ("The lightouse on gull Rock was lit for the first tyme in 1871", FIRST.removesuffix(".")),
        ("The bakery on Gull Rock was lit for the first time in 1871.", FIRST),
        ("Ebba Lund kept the lamp on Gull Rock", THIRD.removesuffix(" for thirty-one years.")),
        ("the lamp on Gull Rock for thirty-two years.", THIRD.removeprefix("Ebba Lind kept ")),
        ("Ebba Lind kept ... for thirty-one years.", THIRD),
        ("Ebba Lynd kept […] for thirty-one years", THIRD.removesuffix(".")),
        (
            "Its lamp burned 40 litres … She wrote “all’s well”",
            LAMP[LAMP.index("Its") : LAMP.index(" in the log")],
        ),
        (
            "ighthouse on Gull Rock was lit for the first time",
            FIRST.removeprefix("The ").removesuffix(" in 1871."),
        ),
    ],
)
def test_a_changed_sentence_is_found_where_it_was_taken_from(sentence: str, original: str) -> None:
    assert found(sentence) == original


@pytest.mark.parametrize(
    "sentence",
    [
        "The council will vote on the new tram line in the autumn.",
        "Ebba Lind was born in Hamarvik and died there at a great age.",
        "It was lit.",
        "for thirty-one years ... Ebba Lind kept the lamp on Gull Rock",
        "Ebba Lind kept the lamp ... for the council of the whole city",
        "Its lamp burned all the coal of the house in a night.",
        "on Gull Hill it was cold",
        "Abba Land kopt thi lump in Gull Rack far tharty-ane yeers.",
        "…",
        "",
    ],
)
def test_another_sentence_about_the_same_is_not_like_enough(sentence: str) -> None:
    if sentence == "It was lit.":
        assert found(sentence) != sentence
    else:
        assert found(sentence) is None


def test_a_long_sentence_is_found_by_both_of_its_ends() -> None:
    text = " ".join(
        f"{word} {at}" for at, word in enumerate("red blue green grey white black brown".split() * 60)
    )
    sentence = text[text.index("green 30 ") : text.index(" white 200")]
    assert len(sentence) > 1_000
    for changed in (sentence.replace("red 98", "rad 98"), sentence.replace("grey 31", "gray 31")):
        like = most_like(changed, text)
        assert like is not None
        assert text[like.start : like.end] == sentence


def test_a_word_changed_at_the_edge_is_part_of_what_was_quoted() -> None:
    text = "It rises. A cool cellar stretches the rise to a day. Salt goes in last."
    assert found("0 cool cellar stretches the rise to a day.", text) == text[10:52]
    assert found("Some cool cellar stretches the rise to a day.", text) == text[10:52]
    assert found("A cool cellar stretches the rise to a week.", text) == text[10:52]


def test_the_nearer_of_two_places_is_taken_and_its_likeness_told() -> None:
    text = "The lamp was lit in 1871 by Ebba.\nThe lamp was lit in 1954 by Mara."
    like = most_like("The lamp was lit in 1954 by Sara.", text)
    assert like is not None
    assert text[like.start : like.end] == "The lamp was lit in 1954 by Mara."
    assert 0.9 < like.likeness < 1
    same = most_like("The lamp was lit in 1954 by Mara.", text)
    assert same is not None
    assert same.likeness == 1


@given(st.data())
def test_any_sentence_with_a_letter_changed_is_found(data: st.DataObject) -> None:
    sentence = data.draw(st.sampled_from([FIRST, THIRD, LAMP[LAMP.index("She") :]]))
    at = data.draw(st.integers(0, len(sentence) - 1))
    letter = data.draw(st.characters(categories=["L", "N"]))
    assume(sentence[at].isalnum())
    changed = f"{sentence[:at]}{letter}{sentence[at + 1 :]}"
    place = LAMP.index(sentence)
    like = most_like(changed, LAMP)
    assert like is not None
    assert place - 1 <= like.start <= place + len(sentence.split()[0])
    assert place + len(sentence) - 8 <= like.end <= place + len(sentence)


@given(st.text(max_size=30), st.text(max_size=60))
@example("a…b", "")
def test_any_two_texts_are_compared_without_a_fault(sentence: str, text: str) -> None:
    like = most_like(sentence, text)
    assert like is None or 0 <= like.start <= like.end <= len(text)


@pytest.mark.parametrize(
    ("text", "part", "apart"),
    [
        ("the party", "art", False),
        ("the party", "party", True),
        ("the party", "the", True),
        ("in 18710", "1871", False),
        ("(lamp)", "lamp", True),
        ("灯は明るい", "明る", True),
    ],
)
def test_a_part_of_a_word_is_not_apart_where_words_can_be_told(text: str, part: str, apart: bool) -> None:
    at = text.index(part)
    assert is_apart(text, at, at + len(part)) is apart
