"""Answers as embeds: within Discord's limits and to the letter, whatever the articles hold."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Citation, Quote, Reasons, Verdict
from bot.chat.words import Words, languages, words_in
from bot.discordapp.escape import ELLIPSIS, escape, printable, units
from bot.discordapp.render import (
    answer_embed,
    article_line,
    asked_line,
    percent,
    question_asked,
    quotes_shown,
)
from bot.service.catalogue import ArticleLine
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.fake_service import sample_answer
from tests.bot.discordapp.strategies import LANGUAGES, LONG, TEXTS, cut_well, foreign_answers, made_answers
from tests.bot.made import JUDGE, Line, found, hit
from tests.wire.limits import check_message
from tests.wire.renderer import render

ENGLISH = words_in("en")
LONGEST = "*" * 9000


def sent(embed: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", embed.to_dict())


def is_shown(text: str, shown: str) -> bool:
    """Say whether a text is shown whole, or a beginning of it with an ellipsis."""
    plain, kept = printable(text.strip()), shown.removesuffix(ELLIPSIS)
    return shown == plain or (
        shown.endswith(ELLIPSIS) and plain.startswith(kept) and cut_well(plain, len(kept))
    )


@given(made_answers() | foreign_answers(), LANGUAGES, st.just("") | LONG, TEXTS | LONG)
def test_an_answer_is_within_every_limit_and_acts_on_nothing(
    answer: Answer, words: Words, only_in: str, asked: str
) -> None:
    body = sent(answer_embed(answer, words, only_in=only_in))
    check_message({"content": asked_line(asked), "embeds": [body]})
    description, bold = read_bold(body["description"])
    assert len(bold) <= (answer.verdict is Verdict.ANSWERED)
    for text in [asked_line(asked), description, *(field["value"] for field in body.get("fields", []))]:
        assert render(text).constructs == []
    assert [*render(asked_line(asked)).links, *render(description).links] == []


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("verdict", Verdict)
def test_an_answer_made_of_the_longest_parts_is_within_every_limit(verdict: Verdict, language: str) -> None:
    url = "https://a.example/" + "x" * 302
    made = hit(1.0, [Line("灯" * 20 + " burned oil" * 600)], url=url[:200])
    article = dataclasses.replace(made.article, title=LONGEST, author=LONGEST, publisher=LONGEST)
    made = dataclasses.replace(made, article=article)
    citations = tuple(
        Citation(n, LONGEST, LONGEST, LONGEST, LONGEST, url, 10**6, 0, 1, LONGEST, 1.0) for n in range(1, 6)
    )
    quotes = tuple(Quote(LONGEST, n, 10**6, 0, 9000, (5, 8995)) for n in range(1, 6))
    reasons = Reasons(found(made), (made,) * 5, JUDGE)
    answer = Answer(LONGEST, verdict, 1.0, quotes, citations, "g", 1.0, reasons=reasons, read_as=LONGEST)
    embed = answer_embed(answer, words_in(language), only_in=LONGEST)
    check_message({"content": asked_line(LONGEST), "embeds": [sent(embed)]})
    assert len(embed.fields) == {Verdict.ANSWERED: 1, Verdict.RELATED: 3, Verdict.NOT_FOUND: 2}[verdict]
    for field in embed.fields:
        ((_, target),) = render(str(field.value)).links
        assert "#:~:text=" in target
        assert len(target) > 500


@given(
    made_answers().filter(lambda one: bool(one.quotes)),
    LANGUAGES,
)
def test_the_first_quote_alone_is_shown_of_an_answer_to_the_letter_with_what_answers_in_bold(
    answer: Answer, words: Words
) -> None:
    answer = dataclasses.replace(answer, verdict=Verdict.ANSWERED)
    quote = answer.quotes[0]
    embed = answer_embed(answer, words)
    description, bold = read_bold(embed.description or "")
    (shown,) = render(description).quotes
    plain = printable(quote.text.strip())
    if units(escape(plain)) + 2 * plain.count("\n") + 6 <= 2400:
        assert shown == plain
    assert is_shown(quote.text, shown)
    if shown == quote.text and quote.highlight_in_text:
        start, end = quote.highlight_in_text
        assert "".join(bold) == quote.text[start:end]
    assert len(embed.fields) == 1
    assert embed.title == words("answered")


@given(
    made_answers().filter(lambda one: bool(one.quotes)),
    LANGUAGES,
    st.sampled_from([Verdict.RELATED, Verdict.NOT_FOUND]),
)
def test_near_passages_are_each_shown_once_and_each_said_to_be_no_answer(
    answer: Answer, words: Words, verdict: Verdict
) -> None:
    answer = dataclasses.replace(answer, verdict=verdict, read_as="")
    count = min(len(answer.quotes), 3 if verdict is Verdict.RELATED else 2)
    embed = answer_embed(answer, words)
    assert embed.title == words(str(verdict))
    shown = render(embed.description or "")
    assert shown.text.startswith(words(f"nearest_{verdict}"))
    assert shown.text.count(words("passage_near")) == len(shown.quotes) == len(embed.fields) == count
    for citation, text in zip(answer.citations, shown.quotes, strict=False):
        plain = printable(citation.passage.strip())
        middle = text.removeprefix(ELLIPSIS).removesuffix(ELLIPSIS)
        assert text == plain or (middle in plain and middle != text)
    names = [words("citation", number=number) for number in range(1, count + 1)]
    assert [field.name for field in embed.fields] == names


def test_a_near_passage_that_has_no_room_is_shown_around_what_is_near_in_it() -> None:
    near = "The keeper was Ebba Lind."
    passage = f"{'Gulls nest there. ' * 60}{near} {'She wrote a log. ' * 60}"
    base = sample_answer(verdict=Verdict.RELATED, texts=(near,))
    citation = dataclasses.replace(base.citations[0], passage=passage)
    embed = answer_embed(dataclasses.replace(base, citations=(citation,)), ENGLISH)
    (shown,) = render(embed.description or "").quotes
    assert f"Gulls nest there. {near} She wrote a log." in shown
    assert shown.startswith(ELLIPSIS)
    assert shown.endswith(ELLIPSIS)


@given(st.lists(st.integers(1, 4), max_size=8), st.sampled_from(Verdict))
def test_quotes_of_one_passage_are_shown_as_one(numbers: list[int], verdict: Verdict) -> None:
    base = sample_answer(verdict=verdict, texts=("a", "b", "c", "d"))
    quotes = tuple(Quote(f"{at}", number, 1, 0, 1) for at, number in enumerate(numbers))
    shown = quotes_shown(dataclasses.replace(base, quotes=quotes))
    most = {Verdict.ANSWERED: 1, Verdict.RELATED: 3, Verdict.NOT_FOUND: 2}[verdict]
    assert [one.citation for one in shown] == list(dict.fromkeys(numbers))[:most]
    assert all(one == next(two for two in quotes if two.citation == one.citation) for one in shown)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("verdict", Verdict)
def test_where_nothing_is_near_it_says_so(verdict: Verdict, language: str) -> None:
    words = words_in(language)
    embed = answer_embed(Answer("Why?", verdict, 0.0, (), (), "g", 1.0), words)
    assert embed.description == words("nothing_near")
    assert (embed.fields, embed.footer.text) == ([], words(f"sure_{verdict}", share="0%"))


def test_what_a_question_was_read_with_and_the_one_article_that_was_asked_are_told() -> None:
    answer = sample_answer(read_as="the **lamp**")
    lines = (answer_embed(answer, ENGLISH, only_in="Gull_Rock_").description or "").split("\n\n")
    assert lines[:2] == ["Only in: Gull\\_Rock\\_", "Read together with: the \\*\\*lamp\\*\\*"]


def test_bold_that_begins_behind_the_cut_is_left_out_and_what_is_cut_ends_in_its_room() -> None:
    text = "word " * 800 + "1871"
    behind = answer_embed(sample_answer(texts=(text,), highlight=(4000, 4004)), ENGLISH)
    assert read_bold(behind.description or "")[1] == []
    across = answer_embed(sample_answer(texts=(text,), highlight=(10, 4004)), ENGLISH)
    description, (bold,) = read_bold(across.description or "")
    assert text[10:].startswith(bold)
    assert f"{bold}…" in description


def test_paragraph_0_is_called_the_heading() -> None:
    quote = Quote("By A. Writer", 1, 0, 0, 12)
    answer = dataclasses.replace(sample_answer(), quotes=(quote,))
    assert "Citation 1, heading" in (answer_embed(answer, ENGLISH).description or "")


@pytest.mark.parametrize(
    ("confidence", "shown"),
    [(0.0, "0%"), (0.29, "29%"), (0.57, "57%"), (0.999999999999, "99%"), (1.0, "100%"), (float("nan"), "0%"),
     (7.0, "100%"), (-1.0, "0%")],
)  # fmt: skip
def test_shares_are_rounded_down_so_that_only_certainty_is_100_percent(confidence: float, shown: str) -> None:
    assert percent(confidence) == shown
    answer = dataclasses.replace(sample_answer(), confidence=confidence)
    assert answer_embed(answer, ENGLISH).footer.text == f"How sure: {shown}"


@given(TEXTS.map(lambda text: text[:1000]) | st.text(max_size=1000))
def test_the_question_above_an_answer_is_read_back(question: str) -> None:
    line = asked_line(question)
    check_message({"content": line})
    plain = printable(question.strip())
    assert render(line).quotes == [plain]
    assert (question_asked(line) or "") == plain


def test_the_question_above_an_answer_is_cut_where_it_has_no_room_and_other_text_is_no_question() -> None:
    asked = question_asked(asked_line("~" * 1000))
    assert asked is not None
    assert asked == "~" * (len(asked) - 1) + ELLIPSIS
    assert question_asked("When did it open?") is None
    assert question_asked("**The articles say**\n\n> In 1871.") is None


@given(TEXTS | LONG, TEXTS, st.integers(0, 10**6))
@example("The\nlamp", "Ann\nHolt", 3)
def test_an_article_of_a_list_is_one_line(title: str, author: str, count: int) -> None:
    line = article_line(dataclasses.replace(ArticleLine.of("lamp", title), author=author, paragraphs=count))
    assert "\n" not in line
    assert line.endswith(f"{count:,} ¶")
