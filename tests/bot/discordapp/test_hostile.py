"""Hostile articles and quotes: shown to the letter, within every limit, and nothing in them acts."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.answer import Answer
from bot.discordapp.inline import web_address
from bot.discordapp.markdown import link
from index.build import build_index
from index.encoding.encoder import Encoder
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.service import open_service
from tests.graphs import lend_graph
from tests.wire.entities import Message, Permission

HOSTILE = {
    "anchor": "\x1b[31mred\x1b[0m \x9b31m",
    "bakery": "\x1b]0;owned\x07 \x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "canal": "\u202egnp.exe \u2066a\u2069",
    "dentist": "**bold** __under__ ~~out~~ ||spoiler|| `code` ```block```",
    "engine": "# One\n## Two\n-# small\n> quote\n>>> more\n- item\n1. first",
    "ferry": "@everyone @here <@1> <@!2> <@&3> <#4> </ask:5> <id:home> <t:1:R> <:a:6> <a:b:7>",
    "guitar": "discord.gg/abc https://discord.gg/abc discord.com/invite/abc",
    "harvest": "[safe](https://evil.example) [a](javascript:x) <https://evil.example> steam://run/1",
    "island": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'& =cmd|'/c calc'!A1",
    "jacket": ":smile: \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e6\U0001f1e6 e"
    + "\u0301\u0316" * 90,
    "kettle": "@everyone **x** " * 80,
    "ladder": "x" * 1500,
    "mirror": "\\" * 101 + "*\\_\\ {title} {0} %s ${HOME}",
}
"""Text that would act on Discord or in a terminal, by the subject of the article that is full of it."""

_PARTS = st.sampled_from(
    [*HOSTILE.values(), "\n", "¯\\_(ツ)_/¯", "e\u0301", "𝒳", "«Ünï»", " ", "word", "3.5"]
)
TEXT = st.lists(_PARTS | st.text(max_size=8), min_size=1, max_size=12).map(" ".join)


def _article(subject: str, text: str) -> str:
    """Return an article with hostile text in every field, as a line of JSON."""
    body = f"Before.\n\nEbba Lind bought the {subject} of Wexholm, {text}\n\nAfter."
    fields = dict.fromkeys(("title", "author", "publisher"), text)
    return json.dumps({"id": subject, "url": f"https://a.example/{subject}", "text": body} | fields)


def _assert_harmless(message: Message, *, allowed: str = "") -> None:
    """Fail if a message contains anything but text and links to the articles."""
    for part in message.every_part:
        assert set(part.constructs) <= {allowed}, part
        assert all(address.startswith("https://a.example/") for _, address in part.links)
        assert not set(part.text) & set("\x00\x07\x1b\x7f")


async def _messages_about(chat: Chat, subject: str, plain: bool) -> list[Message]:
    """Return every message in which a passage is shown, in the first or second channel."""
    question, where = f"Who bought the {subject} of Wexholm?", chat.guild.channels[plain]
    chat.service.verdict = "answered"
    answer = await chat.ask(question, where=where)
    chat.service.verdict = "related"
    related = await chat.mention(question, where=where)
    _assert_harmless(await chat.click(related, texts.WHY), allowed="list")
    verified = await chat.use("verify", where=where, text=answer.shown.quotes[0][:1000])
    context, source = await chat.click(answer, texts.CONTEXT), await chat.click(related, texts.NEXT)
    return [answer, related, context, source, verified]


async def test_nothing_in_an_article_acts_wherever_it_is_shown(
    fresh: Chat, tmp_path: Path, encoder: Encoder, graph_folder: Path
) -> None:
    (tmp_path / "articles").mkdir()
    lines = [_article(subject, text) for subject, text in HOSTILE.items()]
    (tmp_path / "articles/hostile.jsonl").write_text("\n".join(lines), encoding="utf-8")
    index_settings = fresh.settings(articles=tmp_path / "articles", index=tmp_path / ".footnote/index")
    lend_graph(graph_folder, index_settings.index)
    build_index(index_settings, encoder=encoder)
    await fresh.deny(await fresh.channel(fresh.guild), Permission.EMBED_LINKS)
    async with open_service(fresh, tmp_path, encoder), fresh.bot():
        for subject in HOSTILE:
            for plain in (False, True):
                for message in await _messages_about(fresh, subject, plain):
                    _assert_harmless(message)
                    assert bool(message.embeds) is not plain
        _assert_harmless(await fresh.use("index articles", fresh.world.owner, fresh.world.owner))
        for choice in await fresh.complete(fresh.ann, "ask", fresh.guild, "article", ""):
            assert not set(choice["name"]) & set("\n\x00\x07\x1b\x7f")
    assert fresh.log.pings == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x",
        "//a.example/x",
        "ftp://a.example/x",
        "javascript:alert(1)",
        "https:///x",
        "https://[::1",
    ],
)
def test_what_is_no_web_address_is_no_link(url: str) -> None:
    assert link("Title", web_address(url)) == "Title"
    assert link("Title", web_address("https://a.example/x y)")) == "[Title](https://a.example/x%20y%29)"


def _visible(text: str) -> str:
    """Return a text without the characters that Discord does not accept, which are shown as missing."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    controls = {letter for letter in text if unicodedata.category(letter) in {"Cc", "Cs"}} - set("\n\t")
    return "".join(letter for letter in text if letter not in controls | {"\ufffd"})


@settings(max_examples=60)
@given(
    quote=TEXT.filter(lambda text: bool(_visible(text))), title=TEXT,
    verdict=st.sampled_from(["answered", "related"]),
)  # fmt: skip
async def test_any_quote_is_shown_to_the_letter_or_cut_at_its_end(
    chat: Chat, quote: str, title: str, verdict: str
) -> None:
    def change(answer: Answer) -> Answer:
        passage = dataclasses.replace(answer.quotes[0], text=quote, start=0, end=len(quote), header=title)
        cited = dataclasses.replace(answer.citations[0], passage=quote, title=title, author=title, url=None)
        cited = dataclasses.replace(cited, section=(title, quote, title))
        return dataclasses.replace(answer, quotes=(passage,), citations=(cited,), further=())

    chat.service.verdict, chat.service.change = verdict, change
    answer = await chat.ask()
    shown, whole = _visible(answer.shown.quotes[0]), _visible(quote)
    assert shown == whole or (shown.strip("…") in whole and len(shown) > 200)
    assert [part.constructs + part.links for part in answer.every_part] == [[], [], []]
    assert bool(answer.shown.subtext) is bool(title)
    assert chat.log.pings == []
