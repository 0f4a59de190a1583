"""Articles whose every field is written to do harm, on every surface: shown, and nothing more.

One table of texts, and one of surfaces. What Discord's client would do with a text is told by `tests.wire`'s
model of it; nothing in a text of an article may be more than letters, but for its one web address.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from bot.answering.answer import Answer, answer
from bot.answering.confidence import Verdict
from bot.answering.verify import Change, ChangeKind, Checked, CheckVerdict
from bot.chat.quote_reference import Span
from bot.chat.text_fragments import sentence_url
from bot.chat.words import words_in
from bot.discordapp.admin import _list_of
from bot.discordapp.checks import checked_embed
from bot.discordapp.commands import _choice
from bot.discordapp.delivery import as_text
from bot.discordapp.notices import failed_embed
from bot.discordapp.render import (
    Source,
    answer_embed,
    asked_line,
    context_embed,
    source_embed,
)
from bot.discordapp.why import why_embed
from bot.service.catalogue import ArticleLine
from bot.terminal.ask import make_console, show, show_explanation
from index.articles.article import Article
from index.errors import ArticleError
from tests.bot.made import JUDGE, Line, found, hit
from tests.wire.limits import check_message
from tests.wire.renderer import render

ENGLISH = words_in("en")

TEXTS = {
    "colours": "\x1b[31mred\x1b[0m \x9b31m",
    "title": "\x1b]0;owned\x07 \x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "bell and back": "\x07\x08\x08\r\x0b\x0c\x7f\x00",
    "overrides": "\u202egnp.exe \u2066a\u2069",
    "marks": "**bold** __under__ ~~out~~ ||spoiler|| `code` ```block```",
    "headings": "# One\n## Two\n-# small\n> quote\n>>> more\n- item\n1. first",
    "everyone": "@everyone @here",
    "people": "<@1> <@!2> <@&3> <#4> </ask:5> <id:home> <t:1:R> <:a:6> <a:b:7>",
    "invites": "discord.gg/abc https://discord.gg/abc discord.com/invite/abc",
    "scripts": "javascript:alert(1) data:text/html,x file:///etc/passwd vbscript:x",
    "masked": "[safe](https://evil.example) [a](javascript:x) <https://evil.example>",
    "addresses": "https://evil.example http://evil.example steam://run/1 ftp://evil.example",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&",
    "emoji": ":smile: \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e6\U0001f1e6",
    "zalgo": "e" + "\u0301\u0316" * 200,
    "long": "@everyone **x** " * 700,
    "one long word": "x" * 10_000,
    "backslashes": "\\" * 301 + "*\\_\\",
    "half": "\ud800 \udfff",
    "formulas": "=cmd|'/c calc'!A1",
    "format": "{title} {0} %s %(x)s ${HOME} $(id)",
}
URLS = {
    "javascript:alert(1)", "JavaScript://x/%0aalert(1)", "data:text/html,<script>", "file:///etc/passwd",
    "vbscript:x", "ftp://a.example", "//a.example", "a.example", "https://", "https:///x", "http://:80",
    "https://user:pass@a.example\n", "steam://run/1", "discord://x", " ", "https://[", "x" * 10_000,
    "https\x00://a.example", "\x1b]8;;https://a.example\x07",
}  # fmt: skip


def article(text: str, url: str = "https://a.example/page") -> Article:
    """Make an article of which all but the address is that text; its paragraphs have no blank lines."""
    body = text.strip() or "x"
    return Article("an-id", text, text, text, url, text, f"{text}\n{text}", f"Before.\n\n{body}\n\nAfter.")


def answered(text: str, verdict: Verdict, url: str = "https://a.example/page") -> Answer:
    """Make an answer that quotes the text, of an article that is all of that text."""
    made = hit(1.0, [Line(text.strip() or "x")], url=url)
    made = replace(made, article=replace(made.article, title=text, author=text, publisher=text, url=url))
    whole = answer(text, found(made), judge=JUDGE, generation="g")
    return replace(whole, verdict=verdict, read_as=text, read_only=2_000)


def checked(text: str, verdict: CheckVerdict) -> Checked:
    source = article(text)
    changes = (
        Change(ChangeKind.SAME, text),
        Change(ChangeKind.QUOTED, text),
        Change(ChangeKind.ARTICLE, text),
    )
    return Checked(text, verdict, source, 2, 9, 9 + len(text.strip()), text, changes, 3)


def whole(text: str) -> Source:
    source = article(text)
    end = len(source.text) - len("\n\nAfter.")
    return Source(source, Span.of(source.id, source.text[9:end], 9))


Message = dict[str, Any]
OWN = {"why": {"list"}}
"""Constructs of our own words."""


def embedded(embed: Any, content: str = "") -> list[Message]:
    """Return a message with an embed, and the same where embeds are not allowed."""
    return [{"content": content, "embeds": [embed.to_dict()]}, {"content": as_text(embed, content)}]


SURFACES: dict[str, Callable[[str], list[Message]]] = {
    "answer": lambda text: embedded(
        answer_embed(answered(text, Verdict.ANSWERED), ENGLISH, only_in=text), asked_line(text)
    ),
    "near": lambda text: embedded(answer_embed(answered(text, Verdict.RELATED), ENGLISH), asked_line(text)),
    "none": lambda text: embedded(answer_embed(answered(text, Verdict.NOT_FOUND), ENGLISH)),
    "context": lambda text: embedded(context_embed(whole(text), ENGLISH)),
    "source": lambda text: embedded(source_embed(whole(text), ENGLISH, 1, 3)),
    "why": lambda text: embedded(why_embed(answered(text, Verdict.ANSWERED), ENGLISH)),
    "check": lambda text: [
        message
        for one in CheckVerdict
        for message in embedded(checked_embed([checked(text, one)] * 10, ENGLISH))
    ],
    "articles": lambda text: embedded(_list_of([ArticleLine.of("id", text, text)] * 30, 1, ENGLISH)),
    "refused": lambda text: embedded(failed_embed("No", ArticleError([f"{text}: not a regular file"] * 30))),
}


def texts_of(message: Message) -> list[str]:
    """Return every text of a message in which Discord looks for Markdown."""
    found = [message["content"] or ""]
    for embed in message.get("embeds", []):
        found += [embed.get("description", ""), *(one["value"] for one in embed.get("fields", []))]
    return found


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("name", TEXTS)
def test_on_discord_nothing_acts_and_no_limit_is_exceeded(name: str, surface: str) -> None:
    own = OWN.get(surface, set())
    for message in SURFACES[surface](TEXTS[name]):
        check_message(message)
        for text in texts_of(message):
            # In escaped text no two of a mark stand side by side: these are our own bold and struck out.
            shown = render(text.replace("**", "").replace("~~", ""))
            assert set(shown.constructs) <= own
            assert all(url.startswith("https://a.example/page") for _, url in shown.links)
            assert not set(shown.text) & set("\x00\x1b\x07\x7f")


@pytest.mark.parametrize("url", sorted(URLS))
def test_only_web_addresses_become_links(url: str) -> None:
    for verdict in Verdict:
        embed = answer_embed(answered("The lamp.", verdict, url), ENGLISH)
        check_message({"content": "", "embeds": [cast("dict[str, Any]", embed.to_dict())]})
        for text in texts_of({"content": as_text(embed), "embeds": [embed.to_dict()]}):
            assert all(re.match("https?://", found) for found in re.findall(r"\]\(([^)]*)", text))
    if not url.strip().lower().startswith(("https://user", "https://a", "http://a")):
        assert (
            render(str(answer_embed(answered("x", Verdict.ANSWERED, url), ENGLISH).fields[0].value)).links
            == []
        )
        assert sentence_url(url, "The lamp burned.", 0, 8) is None


@pytest.mark.parametrize("name", TEXTS)
def test_a_choice_is_a_line_that_has_room(name: str) -> None:
    shown = _choice(TEXTS[name])
    assert "\n" not in shown
    assert len(shown.encode("utf-16-le")) <= 200


@pytest.mark.parametrize("name", TEXTS)
def test_no_terminal_is_steered(name: str) -> None:
    console = make_console()
    with console.capture() as captured:
        for verdict in Verdict:
            made = answered(TEXTS[name], verdict, "\x1b]8;;file:///x\x07")
            show(console, made, heading=True)
            show_explanation(console, made)
    shown = set(captured.get()) - {"\n"}
    assert not {one for one in shown if unicodedata.category(one) in {"Cc", "Cs"}}
    assert not shown & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


@pytest.mark.parametrize("name", TEXTS)
def test_as_json_a_text_is_what_it_was_in_one_ascii_line(name: str) -> None:
    line = json.dumps(answered(TEXTS[name], Verdict.ANSWERED).as_json())
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["citations"][0]["title"] == TEXTS[name]
