"""Answers as plain text, where embeds are not allowed: in 2,000 units, with citations, to the letter."""

from __future__ import annotations

import dataclasses
import re

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Citation, Quote, Verdict
from bot.chat.words import Words, languages, words_in
from bot.discordapp.delivery import as_text
from bot.discordapp.escape import ELLIPSIS, escape, fit, printable, units
from bot.discordapp.notices import said
from bot.discordapp.render import answer_embed, asked_line, question_asked
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.fake_service import sample_answer
from tests.bot.discordapp.strategies import (
    LANGUAGES,
    LONG,
    TEXTS,
    cut_well,
    foreign_answers,
    made_answers,
    spans,
)
from tests.wire.limits import check_message
from tests.wire.renderer import Shown, render

ENGLISH = words_in("en")
_ADDRESS = re.compile(r"(?<=\]\()https?://[^\s()<>]+(?=\))")
_HALF_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?![!-/:-@\[-`{-~])")


def read(text: str) -> tuple[Shown, list[str]]:
    """Return what is shown of a message's text, and what is bold there; nothing else may act."""
    check_message({"content": text})
    assert not _HALF_ESCAPE.search(text)
    plain, bold = read_bold(_ADDRESS.sub("https://a.example", text))
    shown = render(plain)
    assert shown.constructs == []
    return shown, bold


@given(made_answers() | foreign_answers(), LANGUAGES, st.just("") | TEXTS | LONG)
def test_any_answer_is_a_text_that_can_be_sent_with_its_first_citation(
    answer: Answer, words: Words, question: str
) -> None:
    embed = answer_embed(answer, words)
    text = as_text(embed, asked_line(question) if question else "")
    shown, bold = read(text)
    assert words(str(answer.verdict)) in bold
    assert text.endswith(embed.footer.text or "")
    for field in embed.fields[:1]:
        assert f"\n{field.name}: {field.value}\n" in text
    assert len(shown.links) <= len(embed.fields)


@given(made_answers().filter(lambda one: bool(one.quotes)), LANGUAGES, TEXTS | LONG)
def test_the_quote_of_an_answer_is_shown_or_a_beginning_of_it_and_the_question_if_it_has_room(
    answer: Answer, words: Words, question: str
) -> None:
    answer = dataclasses.replace(answer, verdict=Verdict.ANSWERED, read_as="")
    line = asked_line(question)
    text = as_text(answer_embed(answer, words), line)
    quotes = read(text)[0].quotes
    above = text.partition("\n\n")[0]
    if units(line) <= 400:
        assert (question_asked(above) or "") == printable(question.strip())
    assert above in {line, f"**{words('answered')}**"}
    assert len(quotes) == 1 + (above == line)
    plain, shown = printable(answer.quotes[0].text.strip()), quotes[-1]
    kept = shown if shown == plain else shown.removesuffix(ELLIPSIS)
    assert plain.startswith(kept)
    if kept != plain:
        assert shown.endswith(ELLIPSIS)
        assert cut_well(plain, len(kept))
        assert units(text) > 1750  # nothing is cut while there is room


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("verdict", Verdict)
def test_a_usual_answer_is_not_cut_and_has_every_citation(verdict: Verdict, language: str) -> None:
    texts = tuple(f"The lamp of Gull Rock was lit in {year}." for year in (1871, 1954, 1988))
    embed = answer_embed(sample_answer(verdict=verdict, texts=texts, highlight=(32, 36)), words_in(language))
    text = as_text(embed, asked_line("When was it lit?"))
    parts = [asked_line("When was it lit?"), f"**{embed.title}**", embed.description]
    parts += [f"{field.name}: {field.value}" for field in embed.fields]
    assert text == "\n\n".join([*map(str, parts), str(embed.footer.text)])


def test_an_answer_made_of_the_longest_parts_keeps_its_first_citation_and_most_of_its_quote() -> None:
    most, url = "word " * 1800, "https://a.example/" + "x" * 302
    citation = Citation(1, most, most, most, most, url, 10**6, 0, 1, most, 1.0)
    answer = Answer(
        most, Verdict.ANSWERED, 1.0, (Quote(most, 1, 10**6, 0, 9000, (0, 8995)),), (citation,), "g", 1.0
    )
    text = as_text(answer_embed(answer, ENGLISH), asked_line(most))
    shown, bold = read(text)
    assert "](https://a.example/xxx" in text
    assert len(shown.quotes) == 1
    assert len(bold[1]) > 1000
    assert bold[1].endswith("word")


def test_a_word_that_has_no_room_is_cut_and_not_left_out() -> None:
    text = as_text(answer_embed(sample_answer(texts=("*" * 5000,), highlight=(0, 5000)), ENGLISH))
    shown, bold = read(text)
    assert shown.quotes == [bold[1] + ELLIPSIS]
    assert bold[1] == "*" * len(bold[1])
    assert units(text) > 1990


def test_a_question_that_would_take_most_of_the_room_gives_way_to_the_answer() -> None:
    embed = answer_embed(sample_answer(texts=("The lamp was lit. " * 120,)), ENGLISH)
    short, long = (asked_line(f"Why? {'And how? ' * count}") for count in (80, 110))
    assert as_text(embed, short).startswith(short)
    assert as_text(embed, long).startswith(f"**{embed.title}**")
    for text in (as_text(embed, short), as_text(embed, long)):
        assert read(text)[0].quotes[-1].endswith(ELLIPSIS)
        assert text.endswith(f"\n\nCitation 1: {embed.fields[0].value}\n\n{embed.footer.text}")


def test_a_long_question_leaves_every_citation() -> None:
    url = "https://example.org/" + "x" * 220
    near = sample_answer(verdict=Verdict.RELATED, texts=("One.", "Two.", "Three."), url=url)
    embed = answer_embed(near, ENGLISH)
    text = as_text(embed, asked_line("Why? " * 300))
    assert text.startswith(f"**{embed.title}**")
    assert all(f"{field.name}: {field.value}" in text for field in embed.fields)


@st.composite
def embeds(draw: st.DrawFn) -> discord.Embed:
    """Draw an embed of any parts that Discord takes, escaped and partly bold."""
    text = draw(TEXTS | LONG)
    embed = discord.Embed(
        title=fit(draw(TEXTS), 256) or None, description=fit(text, 4096, bold=draw(spans(text))) or None
    )
    for _ in range(draw(st.integers(0, 25))):
        embed.add_field(name=fit(draw(TEXTS), 256) or "-", value=fit(draw(TEXTS | LONG), 1024) or "-")
    footer = draw(st.none() | LONG.map(lambda one: fit(one, 2048)))
    return embed.set_footer(text=footer) if footer else embed


@given(embeds(), st.just("") | LONG.map(asked_line))
def test_any_embed_is_a_text_within_the_limit_without_broken_escapes_or_open_bold(
    embed: discord.Embed, above: str
) -> None:
    text = as_text(embed, above)
    assert units(text) <= 2000
    assert not _HALF_ESCAPE.search(text)
    read_bold(text)


def test_the_first_citation_stays_however_long_it_is_and_the_others_as_they_have_room() -> None:
    embed = discord.Embed(title="T", description="> word " + "word " * 500)
    for number in range(3):
        embed.add_field(name=f"Citation {number}", value="w" * 1024)
    text = as_text(embed)
    assert f"Citation 0: {'w' * 1024}" in text
    assert "Citation 1" not in text
    assert len(read(text)[0].quotes[0]) > 900


@pytest.mark.parametrize("title", ["T", "Ti"])
def test_what_has_no_room_beside_the_description_is_cut_between_escapes_too(title: str) -> None:
    embed = discord.Embed(title=title).set_footer(text=fit("*" * 3000, 2048))
    assert re.fullmatch(rf"\*\*{title}\*\*\n\n(\\\*)+…", as_text(embed))


@pytest.mark.parametrize("language", languages())
def test_a_notice_is_its_title_and_its_text(language: str) -> None:
    words = words_in(language)
    assert as_text(said(words, "help")) == f"**{words('help')}**\n\n{words('help_text')}"


def test_bold_that_the_cut_leaves_open_is_closed() -> None:
    embed = discord.Embed(title="T", description=f"> {escape('a_b ' * 200)}**{escape('c*d ' * 900)}**")
    text = as_text(embed)
    assert read(text)[1][1].rstrip().endswith("c*d")
    assert text.endswith("c\\*d**…")
