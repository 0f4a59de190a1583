"""Hostile articles, questions and answers: shown to the letter, within every limit, and nothing in them acts."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.answer import Answer
from index.build import build_index
from index.encoding.encoder import Encoder
from tests.bot.discordapp.asking import ask, mention, press
from tests.bot.discordapp.conftest import running, settings_for
from tests.bot.discordapp.phrases import CONTEXT, NEXT, WHY
from tests.bot.discordapp.service import ControlledService
from tests.graphs import lend_graph
from tests.wire.driver import Wire
from tests.wire.world import Message, Permission

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXTS = {
    "colours": "\x1b[31mred\x1b[0m \x9b31m",
    "terminal title": "\x1b]0;owned\x07 \x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "overrides": "\u202egnp.exe \u2066a\u2069",
    "marks": "**bold** __under__ ~~out~~ ||spoiler|| `code` ```block```",
    "line marks": "# One\n## Two\n-# small\n> quote\n>>> more\n- item\n1. first",
    "people": "@everyone @here <@1> <@!2> <@&3> <#4> </ask:5> <id:home> <t:1:R> <:a:6> <a:b:7>",
    "invites": "discord.gg/abc https://discord.gg/abc discord.com/invite/abc",
    "masked": "[safe](https://evil.example) [a](javascript:x) <https://evil.example>",
    "addresses": "https://evil.example steam://run/1 ftp://evil.example javascript:alert(1)",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&",
    "emoji": ":smile: \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e6\U0001f1e6",
    "combining": "e" + "\u0301\u0316" * 90,
    "long": "@everyone **x** " * 80,
    "one long word": "x" * 1500,
    "backslashes": "\\" * 101 + "*\\_\\",
    "formulas": "=cmd|'/c calc'!A1",
    "format": "{title} {0} %s %(x)s ${HOME} $(id)",
}
NAMES = "anchor bakery canal dentist engine ferry guitar harvest island jacket kettle ladder mirror needle".split()
NAMES += "orchard pencil quarry".split()


def question_about(name: str) -> str:
    """Return a question that the hostile article of that name answers."""
    return f"Who bought the {name} of Wexholm?"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hostile(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, graph_folder: Path
) -> AsyncIterator[ControlledService]:
    """Open an index of articles whose every field is hostile."""
    home = tmp_path_factory.mktemp("hostile")
    lines = [
        {"id": name, "title": text, "author": text, "publisher": text, "url": f"https://a.example/{name}",
         "text": f"Before.\n\nEbba Lind bought the {name} of Wexholm, {text}\n\nAfter."}
        for name, text in zip(NAMES, TEXTS.values(), strict=True)
    ]  # fmt: skip
    (home / "hostile.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    async with Wire("x") as unused:
        made = settings_for(unused, articles=home / "hostile.jsonl", index=home / "index")
    lend_graph(graph_folder, made.index)
    build_index(made, encoder=encoder)
    service = ControlledService(made)
    await service.start()
    yield service
    await service.close()


def assert_harmless(message: Message, *, own_list: bool = False) -> None:
    """Fail where anything but the links to the articles is more than letters, or a letter that steers."""
    for part in message.every_part:
        assert set(part.constructs) <= ({"list"} if own_list else set()), part
        assert all(address.startswith("https://a.example/") for _, address in part.links)
        assert not set(part.text) & set("\x00\x07\x1b\x7f")


@pytest.mark.parametrize("embeds", [True, False], ids=["embeds", "text"])
async def test_nothing_in_an_article_acts_wherever_it_is_shown(
    own_wire: Wire, hostile: ControlledService, embeds: bool
) -> None:
    wire = own_wire
    async with running(wire, hostile):
        guild, ann = await wire.server("ann", owner=wire.world.owner)
        if not embeds:
            await wire.deny(guild, Permission.EMBED_LINKS)
        for name in NAMES:
            hostile.verdict = None
            answer = await ask(wire, ann, guild, question_about(name))
            hostile.verdict = "related"
            near = await mention(wire, ann, guild, question_about(name))
            shown = [answer, near, await press(wire, ann, answer, CONTEXT), await press(wire, ann, near, NEXT)]
            shown.append(await wire.answer(await wire.slash(ann, "verify", guild, text=answer.content or "x y")))
            for message in shown:
                assert_harmless(message)
                assert bool(message.embeds) is embeds
            assert_harmless(await press(wire, ann, near, WHY), own_list=True)
        listed = await wire.answer(await wire.slash(guild.owner, "index articles", guild))
        assert_harmless(listed)
        for one in await wire.suggested(ann, "ask", guild, "article", ""):
            assert not set(one["name"]) & set("\n\x00\x07\x1b\x7f")
    assert wire.log.pings == []


ODD = st.sampled_from([*TEXTS.values(), "\n", "¯\\_(ツ)_/¯", "👩‍👩‍👧", "e\u0301", "𝒳", "«Ünï»", " ", "word", "3.5"])
LETTERS = st.lists(ODD | st.text(max_size=8), min_size=1, max_size=12).map(" ".join)


def letters_of(text: str) -> str:
    """Return a text without what Discord does not take, which is shown as missing."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return "".join(one for one in lines if one in "\n\t" or unicodedata.category(one) not in {"Cc", "Cs"} and one != "\ufffd")


@settings(max_examples=60)
@given(
    quote=LETTERS.filter(lambda text: bool(letters_of(text))), title=LETTERS,
    verdict=st.sampled_from(["answered", "related"]),
)  # fmt: skip
async def test_any_quote_is_shown_to_the_letter_or_a_beginning_of_it(
    wire: Wire, service: ControlledService, quote: str, title: str, verdict: str
) -> None:
    def change(answer: Answer) -> Answer:
        first = dataclasses.replace(answer.quotes[0], text=quote, start=0, end=len(quote), highlight=None)
        cited = dataclasses.replace(answer.citations[0], passage=quote, title=title, author=title, url=None)
        return dataclasses.replace(answer, quotes=(first,), citations=(cited,), further=())

    service.verdict, service.change = verdict, change
    guild, ann = await wire.server("ann")
    answer = await ask(wire, ann, guild)
    (shown,) = answer.shown.quotes
    shown, whole = letters_of(shown), letters_of(quote)
    assert shown == whole or (shown.removesuffix("…") in whole and len(shown) > 200)
    assert [part.constructs + part.links for part in answer.every_part] == [[], [], []]
    assert wire.log.pings == []


@settings(max_examples=15)
@given(question=LETTERS.map(lambda text: text[:1000]).filter(lambda text: bool(text.strip())))
async def test_any_question_is_repeated_above_its_answer_as_mere_text(
    wire: Wire, service: ControlledService, question: str
) -> None:
    guild, ann = await wire.server("ann")
    answer = await ask(wire, ann, guild, question)
    assert [part.constructs for part in answer.every_part] == [[]] * len(answer.every_part)
    (asked,) = answer.every_part[0].quotes
    assert letters_of(question).startswith(letters_of(asked).removesuffix("…"))
    assert wire.log.pings == []
