"""The /index commands, over the wire: who they are refused, and the list of the articles."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.discordapp.client import FootnoteClient
from bot.discordapp.escape import printable
from bot.service.catalogue import ArticleLine, Catalogue
from index.errors import BusyError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import MANAGE_GUILD
from tests.wire.records import Json
from tests.wire.renderer import render

COMMANDS = ("index status", "index rebuild", "index articles", "index history", "index rollback")

HOSTILE = (
    "**bold** _it_ `code` ~~no~~ ||hidden||",
    "@everyone @here <@1> <@&2> <#3> <t:1:R>",
    "[a link](https://example.org) https://example.org",
    "# heading\n## second\n> quote\n- item\n1. one",
    "1. one",
    "\\",
    "a\tb\x00c\x1b[31m\u202ed",
    "x" * 3000,
    "*" * 3000,
    "\U0001f3f4" * 300,
    "e\u0301" * 300,
    "שלום עולם",
)


def lines(count: int) -> tuple[ArticleLine, ...]:
    """Make articles, the n-th of n paragraphs."""
    return tuple(
        ArticleLine.of(f"a/{number}", f"Title {number}", "A. Writer", paragraphs=number)
        for number in range(1, count + 1)
    )


async def listed(wire: LoopbackDiscord, **options: Any) -> Json:
    """List the articles; return the embed."""
    used = await wire.slash("index articles", wire.world.owner, **options)
    (embed,) = (await wire.response_to(used))["embeds"]
    assert used.ephemeral
    return dict(embed)


def numbers(embed: Json) -> list[int]:
    """Return the numbers of the articles that an embed lists."""
    return [int(found) for found in re.findall(r"^(\d+)\\\. ", embed["description"], re.MULTILINE)]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("bot")
async def test_who_may_not_is_refused_privately_though_a_server_shows_them_the_command(
    wire: LoopbackDiscord, service: FakeService, command: str
) -> None:
    guild = wire.world.guild()
    boss = wire.world.join(guild, wire.world.user("boss"), wire.world.role(guild, "boss", MANAGE_GUILD))
    member = wire.world.join(guild, wire.world.user("member"))
    await wire.gateway.announce(guild)
    assert "index" in wire.commands_shown(boss, guild)
    for user, where in ((boss, guild), (member, guild), (guild.owner, guild), (member, None)):
        used = await wire.slash(command, user, where)
        assert title_of(await wire.response_to(used)) == "You may not do that here"
        assert used.ephemeral
    assert service.rebuilds == 0
    assert wire.log.pings == []


@pytest.mark.parametrize("command", COMMANDS)
async def test_in_the_servers_named_whoever_manages_them_may(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, command: str
) -> None:
    named, other = wire.world.guild("named"), wire.world.guild("other")
    boss = wire.world.user("boss")
    for guild in (named, other):
        wire.world.join(guild, boss, wire.world.role(guild, "boss", MANAGE_GUILD))
    async with running(bot_settings(discord_admin_servers={named.id}), service):
        titles = [
            title_of(await wire.response_to(await wire.slash(command, boss, place)))
            for place in (named, other, None)
        ]
    assert [one == "You may not do that here" for one in titles] == [False, True, True]


@pytest.mark.parametrize("command", COMMANDS)
async def test_they_are_refused_while_footnote_is_stopping(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, command: str
) -> None:
    bot.work.stopping = True
    used = await wire.slash(command, wire.world.owner)
    assert title_of(await wire.response_to(used)) == "Footnote is stopping"
    assert used.ephemeral
    assert service.rebuilds == 0


@pytest.mark.usefixtures("bot")
async def test_the_status_is_for_all_and_the_list_of_the_articles_for_one(wire: LoopbackDiscord) -> None:
    guild = wire.world.guild(owner=wire.world.owner)
    await wire.gateway.announce(guild)
    used = await wire.slash("index status", guild.owner, guild)
    assert title_of(await wire.response_to(used)) == "Index"
    assert not used.ephemeral
    assert (await listed(wire))["description"] == "There are none."


@pytest.mark.parametrize(
    ("count", "page", "shown", "footer"),
    [
        (1, None, [1, 1], "Page 1 of 1; articles: 1"),
        (20, None, [1, 20], "Page 1 of 1; articles: 20"),
        (21, None, [1, 20], "Page 1 of 2; articles: 21"),
        (21, 2, [21, 21], "Page 2 of 2; articles: 21"),
        (40, 2, [21, 40], "Page 2 of 2; articles: 40"),
        (1234, 31, [601, 620], "Page 31 of 62; articles: 1,234"),
        (1234, 62, [1221, 1234], "Page 62 of 62; articles: 1,234"),
    ],
)
@pytest.mark.usefixtures("bot")
async def test_articles_are_listed_in_their_order_twenty_a_page(
    wire: LoopbackDiscord,
    service: FakeService,
    count: int,
    page: int | None,
    shown: list[int],
    footer: str,
) -> None:
    service.lines = lines(count)
    embed = await listed(wire, **({} if page is None else {"page": page}))
    first, last = shown
    assert numbers(embed) == list(range(first, last + 1))
    top = render(embed["description"]).text.splitlines()[0]
    assert top == f"{first}. Title {first} · A. Writer · {first:,} ¶"
    assert embed["footer"]["text"] == footer


@pytest.mark.parametrize(("count", "page"), [(0, 1), (0, 7), (20, 2), (21, 3), (21, 100_000)])
@pytest.mark.usefixtures("bot")
async def test_a_page_too_far_says_which_is_the_last(
    wire: LoopbackDiscord, service: FakeService, count: int, page: int
) -> None:
    service.lines = lines(count)
    embed = await listed(wire, page=page)
    last = -(-count // 20)
    said = f"There is no such page; the last one is {last}." if count else "There are none."
    assert (embed["title"], embed["description"]) == ("Articles", said)
    assert "footer" not in embed


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.usefixtures("bot")
async def test_whatever_the_titles_and_authors_are_the_list_is_plain_text_within_the_limits(
    wire: LoopbackDiscord, service: FakeService, title: str
) -> None:
    service.lines = tuple(ArticleLine.of(f"a/{n}", title, title, paragraphs=10**9) for n in range(20))
    embed = await listed(wire)
    shown = render(embed["description"])
    assert shown.constructs == []
    assert numbers(embed) == list(range(1, 21))
    told = shown.text.splitlines()[0].removeprefix("1. ")
    whole = printable(" ".join(title.split()))
    assert told.startswith(whole) or whole.startswith(told.removesuffix("…"))
    assert wire.log.pings == []


@pytest.mark.usefixtures("bot")
async def test_an_article_without_a_title_is_listed_by_its_id(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.lines = (ArticleLine.of("a_b/1", " ", paragraphs=3),)
    shown = render((await listed(wire))["description"])
    assert (shown.text, shown.constructs) == ("1. a_b/1 · 3 ¶", [])


async def test_a_busy_service_is_said_to_be_busy_privately(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings
) -> None:
    class Busy(FakeService):
        async def catalogue(self) -> Catalogue:
            raise BusyError("full", seconds=3)

    async with running(bot_settings(), Busy()):
        used = await wire.slash("index articles", wire.world.owner)
        message = await wire.response_to(used)
    assert title_of(message) == "Too many questions are waiting"
    assert message["flags"] & 64
