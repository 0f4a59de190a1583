"""Embeds: always within Discord's limits, whatever the articles hold."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import Answer, Citation, Quote, Verdict
from bot.discordapp.escape import printable
from bot.discordapp.render import (
    answer_embed,
    failed_embed,
    link,
    progress_embed,
    rebuilt_embed,
    status_embed,
)
from index import Progress
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.fake_service import REPORT, sample_answer
from tests.bot.discordapp.test_escape import TEXTS, spans
from tests.wire.limits import check_message
from tests.wire.renderer import render

LONG = st.builds(lambda text, times: text * times, TEXTS, st.sampled_from([1, 1, 40, 400]))
URLS = (
    st.none()
    | TEXTS
    | TEXTS.map(lambda text: "https://a.example/" + text)
    | LONG.map(lambda t: "http://b.example/" + t)
)


def highlights(text: str) -> st.SearchStrategy[tuple[int, int] | None]:
    """Draw a part of a text, or none."""
    return st.none() | spans(text)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    citations = tuple(
        Citation(number, draw(TEXTS), draw(LONG), draw(LONG), draw(LONG), draw(URLS),
                 draw(st.integers(0, 10**6)), 0, 1, draw(LONG), 0.5)
        for number in range(1, draw(st.integers(0, 5)) + 1)
    )  # fmt: skip
    numbers = st.integers(1, max(1, len(citations)))
    quotes = tuple(
        Quote(
            text := draw(LONG), draw(numbers), draw(st.integers(0, 9)), 0, len(text), draw(highlights(text))
        )
        for _ in range(draw(st.integers(0, 6)) if citations else 0)
    )
    confidence = draw(st.floats(allow_nan=True, allow_infinity=True))
    verdict = draw(st.sampled_from(Verdict))
    return Answer(draw(LONG), verdict, confidence, quotes, citations, "g", 1.0)


def sent(embed: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", embed.to_dict())


@given(answers())
def test_answer_is_within_every_limit_and_acts_on_nothing(answer: Answer) -> None:
    body = sent(answer_embed(answer, question=answer.question))
    check_message({"embeds": [body]})
    description, bold = read_bold(body["description"])
    assert len(bold) <= (answer.verdict is Verdict.ANSWERED)
    for text in [description, *(field["value"] for field in body.get("fields", []))]:
        assert render(text).constructs == []


def test_answer_made_of_the_longest_parts_is_within_every_limit() -> None:
    most = "*" * 9000
    url = "https://a.example/" + "x" * 302
    citations = tuple(Citation(n, most, most, most, most, url, 10**6, 0, 1, most, 1.0) for n in range(1, 6))
    quotes = tuple(Quote(most, n, 10**6, 0, 9000, (5, 8995)) for n in range(1, 6))
    for verdict in Verdict:
        embed = answer_embed(Answer(most, verdict, 1.0, quotes, citations, "g", 1.0), question=most)
        check_message({"embeds": [sent(embed)]})
        assert all("](https://a.example/" in str(field.value) for field in embed.fields)


@given(answers().filter(lambda one: bool(one.quotes)))
def test_first_quote_is_shown_to_the_letter_or_cut_with_an_ellipsis(answer: Answer) -> None:
    if answer.verdict is not Verdict.ANSWERED:
        return
    plain = printable(answer.quotes[0].text.strip())
    shown = render(read_bold(answer_embed(answer).description or "")[0]).quotes[0]
    assert shown == plain or (shown.endswith("…") and plain.startswith(shown[:-1]))


@pytest.mark.parametrize("verdict", Verdict)
def test_only_the_first_quote_of_an_answer_has_words_in_bold(verdict: Verdict) -> None:
    answer = sample_answer(verdict=verdict, texts=("In 1871.", "In 1954.", "In 1988."), highlight=(3, 7))
    _, bold = read_bold(answer_embed(answer).description or "")
    assert bold == (["1871"] if verdict is Verdict.ANSWERED else [])


def test_bold_that_begins_behind_the_cut_is_left_out_and_what_is_cut_ends_in_its_room() -> None:
    text = "word " * 800 + "1871"
    behind = answer_embed(sample_answer(texts=(text,), highlight=(4000, 4004)))
    assert read_bold(behind.description or "")[1] == []
    across = answer_embed(sample_answer(texts=(text,), highlight=(10, 4004)))
    description, (bold,) = read_bold(across.description or "")
    assert text[10:].startswith(bold)
    assert f"{bold}…" in description


@pytest.mark.parametrize("length", [10, 1600])
def test_sentence_of_usual_length_is_never_cut(length: int) -> None:
    text = ("word " * length)[:length].strip()
    assert render(answer_embed(sample_answer(texts=(text,))).description or "").quotes == [text]


def test_further_quotes_are_labelled_and_each_citation_stands_once() -> None:
    answer = sample_answer(texts=("One.", "Two.", "Three.", "Four."))
    body = sent(answer_embed(answer))
    shown = render(body["description"])
    assert shown.quotes == ["One.", "Two.", "Three."]
    assert shown.text.index("One.") < shown.text.index("Also close:") < shown.text.index("Two.")
    assert [field["name"] for field in body["fields"]] == ["Citation 1", "Citation 2", "Citation 3"]


def test_paragraph_0_is_called_the_heading() -> None:
    answer = sample_answer()
    quote = Quote("By A. Writer", 1, 0, 0, 12)
    heading = Answer(answer.question, answer.verdict, 0.9, (quote,), answer.citations, "g", 1.0)
    assert "Citation 1, heading" in (answer_embed(heading).description or "")


@pytest.mark.parametrize(
    ("confidence", "shown"), [(0.0, "0%"), (0.999, "99%"), (1.0, "100%"), (float("nan"), "0%"), (7.0, "100%")]
)
def test_only_certainty_is_called_100_percent(confidence: float, shown: str) -> None:
    base = sample_answer()
    answer = Answer(base.question, base.verdict, confidence, base.quotes, base.citations, "g", 1.0)
    assert answer_embed(answer).footer.text == f"How sure: {shown}"


@pytest.mark.parametrize(
    "url",
    [None, "", "javascript:alert(1)", "ftp://a.example", "https://", "https://u:p@a.example", "http://[bad",
     "https://a.example/" + "x" * 400, "//a.example", "a.example"],
)  # fmt: skip
def test_address_that_is_no_plain_web_address_is_not_linked(url: str | None) -> None:
    assert link("Title", url) == "Title"


def test_parentheses_and_spaces_in_an_address_do_not_end_the_link() -> None:
    linked = link("T", "https://a.example/x_(y) z?q=<1>&r=*a*")
    assert linked == "[T](https://a.example/x_%28y%29%20z?q=%3C1%3E&r=*a*)"
    assert render(linked).links == [("T", "https://a.example/x_%28y%29%20z?q=%3C1%3E&r=*a*")]


def test_title_with_brackets_keeps_its_link_beside_it() -> None:
    shown = render(link("Part [2", "https://a.example"))
    assert shown.text == "Part [2 (open)"
    assert shown.links == [("(open)", "https://a.example")]


@given(TEXTS, LONG)
def test_notices_are_within_every_limit_and_act_on_nothing(short: str, long: str) -> None:
    embeds = [
        failed_embed(ValueError(long)),
        status_embed([(long, short), (short, long)] * 20),
        progress_embed(Progress(long, 10**9, 10**9)),
        rebuilt_embed(dataclasses.replace(REPORT, generation=long)),
    ]
    for embed in embeds:
        body = sent(embed)
        check_message({"embeds": [body]})
        assert render(body.get("description", "")).constructs == []
