"""What is shown of checked quotes, whatever they are: within the limits, to the letter, and as mere text."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.answering.alignment import compare
from bot.answering.verify import MOST, Checked, CheckVerdict
from bot.chat.words import Words, words_in
from bot.discordapp.checks import checked_embed
from bot.discordapp.escape import printable, units
from index.articles.article import Article
from tests.bot.discordapp.strategies import LANGUAGES, LONG, TEXTS, articles, spans
from tests.wire.renderer import render

ENGLISH = words_in("en")
MARK = re.compile(r"~~|\*\*|\\[^0-9A-Za-z\s]|[\s\S]")
WORDY = st.lists(
    st.sampled_from(["The", "lamp", "of", "**", "~~", "Rock", "oil,", ":cat:", "@here"]), max_size=9
)
QUOTED = TEXTS | LONG | WORDY.map(" ".join)


@st.composite
def checks(draw: st.DrawFn) -> Checked:
    """Draw a checked sentence: any text, beside any part of any article, or absent."""
    article = draw(articles())
    in_heading = draw(st.booleans())
    source = article.heading if in_heading else article.text
    start, end = draw(spans(source))
    original = source[start:end]
    quoted = draw(st.just(original) | QUOTED | st.builds(str.__add__, st.just(original), QUOTED))
    verdict = CheckVerdict.EXACT if quoted == original else draw(st.sampled_from(list(CheckVerdict)[1:]))
    if verdict is CheckVerdict.ABSENT:
        return Checked(quoted, verdict)
    changes = compare(quoted[:2000], original[:4000])
    paragraph = 0 if in_heading else 1
    return Checked(
        quoted, verdict, article, paragraph, start, end, original, changes, draw(st.integers(1, 90))
    )


def read(marked: str) -> tuple[str, str]:
    """Return the quote and what the article has, from the two in one with their marks."""
    quote, original, within = "", "", ""
    run = ""
    for token in MARK.findall(marked):
        if token in {"~~", "**"}:
            assert within in {"", token}, f"{token} inside {within}: {marked!r}"
            assert not within or (run and run == run.strip()), f"white space beside a mark: {marked!r}"
            within, run = ("", "") if within else (token, "")
            continue
        letter = token[-1] if token.startswith("\\") else token
        run += letter
        quote += letter if within != "**" else ""
        original += letter if within != "~~" else ""
    assert within == "", f"{within} never ends: {marked!r}"
    return quote, original


def changed(quoted: str, original: str) -> str:
    """Return what is shown of a changed quote."""
    article = Article("id", "Title", "", "", "", "", "", original)
    one = Checked(
        quoted, CheckVerdict.CHANGED, article, 1, 0, len(original), original, compare(quoted, original), 1
    )
    description = checked_embed([one], ENGLISH).description
    assert description is not None
    return description.split("\n")[0].removeprefix("> ")


@settings(max_examples=30)
@given(st.lists(checks(), max_size=MOST), LANGUAGES)
def test_whatever_is_checked_stays_within_discords_limits(checked: list[Checked], words: Words) -> None:
    embed = checked_embed(checked, words)
    assert embed.title
    assert 0 < units(embed.description or "") <= 4096
    assert len(embed) <= 6000


@given(checks(), LANGUAGES)
def test_whatever_is_checked_is_text_and_not_formatting(checked: Checked, words: Words) -> None:
    shown = checked_embed([checked], words).description or ""
    assert render(re.sub(r"(?<!\\)((?:\\\\)*)(?:~~|\*\*)", r"\1", shown)).constructs == []


@given(QUOTED, QUOTED)
def test_quote_and_original_can_be_read_from_what_is_shown(quoted: str, original: str) -> None:
    shown = changed(quoted, original)
    assume("…" not in shown)
    for one, told in zip((quoted, original), read(shown), strict=True):
        # White space moves out of the marks, and so counts for both.
        assert "".join(told.replace("\u2423", " ").split()) == printable("".join(one.split()))


@pytest.mark.parametrize(
    ("quoted", "original", "shown"),
    [
        ("It opened in 2018.", "It opened in 2019.", "It opened in ~~2018~~**2019**."),
        ("It never opened.", "It opened.", "It ~~never~~ opened."),
        ("It opened.", "It has opened.", "It **has** opened."),
        ("It opened!", "It opened.", "It opened~~!~~**.**"),
        ("a - b and c", "a-b and c", "a~~\u2423~~-~~\u2423~~b and c"),
        ("2 * 3 = 6", "2 * 3 = 7", "2 \\* 3 = ~~6~~**7**"),
        ("It *opened*.", "It opened.", "It ~~\\*~~opened~~\\*~~."),
    ],
)
def test_what_differs_stands_between_marks(quoted: str, original: str, shown: str) -> None:
    assert changed(quoted, original) == shown


def test_in_a_long_sentence_the_change_is_seen_and_what_is_far_from_it_is_not() -> None:
    words = " ".join(f"word{number}" for number in range(150))
    shown = changed(f"{words} red {words}", f"{words} blue {words}")
    assert units(shown) < 700
    assert "word149 ~~red~~**blue** word0" in shown
    assert shown.startswith("… ")
    assert shown.endswith("…")
    assert "word75" not in shown


def test_a_long_change_is_cut_at_its_end() -> None:
    shown = changed("It opened in May.", "It opened " + "very " * 200 + "late in May.")
    assert units(shown) < 700
    assert shown.startswith("It opened **very very")
    assert shown.endswith("…** in May.")


def test_a_quote_of_a_heading_is_said_to_stand_there_and_one_that_stands_once_is_not_counted() -> None:
    heading = "The lamp on Gull Rock"
    article = Article("id", "A title", "", "", "https://a.example", "", heading, "The lamp is lit.")
    one = Checked(heading[4:8], CheckVerdict.EXACT, article, 0, 4, 8, heading[4:8], (), 1)
    description = checked_embed([one], ENGLISH).description
    assert description == "> lamp\n**To the letter**: [A title](https://a.example), heading"


@pytest.mark.parametrize("language", ["en", "de"])
def test_as_many_sentences_are_shown_as_there_is_room_for_and_it_says_so(language: str) -> None:
    many = [Checked(f"{number} " + "word " * 300, CheckVerdict.ABSENT) for number in range(MOST)]
    description = checked_embed(many, words_in(language)).description or ""
    blocks = description.split("\n\n")
    assert 5 < len(blocks) < MOST
    assert blocks[-1] == words_in(language)("check_more", count=len(blocks) - 1)


def test_where_more_may_have_been_given_than_is_checked_it_says_so() -> None:
    one = Checked("It is made of glass.", CheckVerdict.ABSENT)
    said = "No more than the first 10 sentences are checked at once."
    assert said in (checked_embed([one] * MOST, ENGLISH).description or "")
    assert said not in (checked_embed([one] * (MOST - 1), ENGLISH).description or "")
