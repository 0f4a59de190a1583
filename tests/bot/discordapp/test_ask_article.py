"""/ask of one article: what is suggested while somebody types, and what is asked then."""

from __future__ import annotations

from unicodedata import category

import pytest

from bot.discordapp.escape import units
from bot.service.catalogue import ArticleLine, Catalogue
from index.errors import BusyError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json
from tests.wire.renderer import render

LAMP = ArticleLine.of("lamp.txt", "The lamp on Gull Rock", "Mara Holt")
GULLS = ArticleLine.of("gulls.txt", "Gulls of the north")
BREAD = ArticleLine.of("bread.md", "Bread without a clock", "Jon Vass")
ODD = (
    ArticleLine.of("long", "A title of very many words " * 20),
    ArticleLine.of("one word", "w" * 500),
    ArticleLine.of("faces", "\U0001f600" * 90),
    ArticleLine.of("mixed", "x" * 98 + "\U0001f600\U0001f600"),
    ArticleLine.of("lines", "Two\nlines\tand\u2028more"),
    ArticleLine.of("controls", "\x1b[31mred\x00"),
    ArticleLine.of("half", "half a \ud83d"),
    ArticleLine.of("blank title", " \n "),
    ArticleLine.of("no title", ""),
    ArticleLine.of("markdown", "**Bold** <@1> @everyone [x](https://y.example)"),
)


async def typed(wire: LoopbackDiscord, text: str) -> list[Json]:
    """Type into the option; return what is suggested."""
    ann = wire.world.user("ann")
    return await wire.autocomplete("ask", ann, focused="article", article=text, question="Why?")


@pytest.mark.usefixtures("bot")
async def test_titles_that_begin_with_what_is_typed_come_before_those_that_hold_it(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.lines = (LAMP, GULLS, BREAD)
    assert await typed(wire, "gull") == [
        {"name": "Gulls of the north", "value": GULLS.key},
        {"name": "The lamp on Gull Rock", "value": LAMP.key},
    ]
    assert [one["value"] for one in await typed(wire, "ead WITH")] == [BREAD.key]
    assert await typed(wire, "nothing like it") == []


@pytest.mark.usefixtures("bot")
async def test_as_many_are_suggested_as_discord_takes(wire: LoopbackDiscord, service: FakeService) -> None:
    service.lines = tuple(ArticleLine.of(f"{number}", f"Article {number}") for number in range(60))
    assert [one["value"] for one in await typed(wire, "")] == [one.key for one in service.lines[:25]]
    assert len(await typed(wire, "art")) == 25


@pytest.mark.usefixtures("bot")
async def test_odd_titles_are_suggested_in_one_line_within_the_limit(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.lines = ODD
    found = await typed(wire, "")
    assert [one["value"] for one in found] == [line.key for line in ODD]
    names = {line.id: one["name"] for line, one in zip(ODD, found, strict=True)}
    assert all(0 < units(name) <= 100 for name in names.values())
    assert not any(category(letter) in {"Cc", "Cs", "Zl", "Zp"} for name in names.values() for letter in name)
    assert names["one word"] == "w" * 99 + "…"
    assert names["mixed"] == "x" * 98 + "…"
    assert names["lines"] == "Two lines and more"
    assert names["blank title"] == "blank title"
    assert names["no title"] == "no title"
    assert names["long"].startswith("A title of very many words A title")


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("value", [BREAD.key, "bread.md", "Bread without a clock", " bread WITHOUT a clock "])
async def test_the_article_that_is_chosen_or_typed_is_the_one_asked(
    wire: LoopbackDiscord, service: FakeService, value: str
) -> None:
    service.lines = (LAMP, BREAD)
    used = await wire.slash("ask", wire.world.user("ann"), question="How long?", article=value)
    (embed,) = (await wire.response_to(used))["embeds"]
    assert service.asked_with == [("How long?", "bread.md", None)]
    assert "Only in: Bread without a clock" in embed["description"]


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("line", ODD, ids=[one.id for one in ODD])
async def test_an_article_with_an_odd_title_can_be_asked(
    wire: LoopbackDiscord, service: FakeService, line: ArticleLine
) -> None:
    service.lines = ODD
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?", article=line.key)
    (embed,) = (await wire.response_to(used))["embeds"]
    assert service.asked_with == [("Why?", line.id, None)]
    assert "Only in: " in embed["description"]
    assert render(embed["description"]).constructs == []


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("private", [True, False])
async def test_an_unknown_article_is_refused_privately_and_nothing_is_asked(
    wire: LoopbackDiscord, service: FakeService, private: bool
) -> None:
    service.lines = (LAMP, BREAD)
    ann = wire.world.user("ann")
    used = await wire.slash("ask", ann, question="Why?", article="Bread with a clock", private=private)
    message = await wire.response_to(used)
    assert title_of(message) == "There is no such article"
    assert message["flags"] == 64
    assert service.asked == []
    assert [one for one in wire.messages.all.values() if not one["flags"]] == []


@pytest.mark.usefixtures("bot")
async def test_a_blank_article_is_none(wire: LoopbackDiscord, service: FakeService) -> None:
    service.lines = (LAMP,)
    await wire.response_to(await wire.slash("ask", wire.world.user("ann"), question="Why?", article="  "))
    assert service.asked_with == [("Why?", None, None)]


class Overrun(FakeService):
    """A service that nobody gets to now."""

    async def catalogue(self) -> Catalogue:
        raise BusyError("too much waits", seconds=6)


async def test_nothing_is_suggested_while_too_much_waits_and_the_question_is_told_so(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    service = Overrun()
    async with running(bot_settings(), service):
        assert await typed(wire, "b") == []
        used = await wire.slash("ask", wire.world.user("ann"), question="Why?", article="bread.md")
        (embed,) = (await wire.response_to(used))["embeds"]
    assert embed["description"] == "Footnote is busy. Try again in 6 s."
    assert service.asked == []
