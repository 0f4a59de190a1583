"""Open questions are asked again after each swap; those that now have an answer are marked, and told of."""

from __future__ import annotations

import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from bot.records.settings import AnswersTo
from tests.bot.discordapp.fake_service import QUOTE, FakeService, sample_answer
from tests.bot.discordapp.gapped import gaps_answered, made_gap
from tests.bot.discordapp.stage import inhabited
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import SEND_MESSAGES
from tests.wire.places import Guild, User
from tests.wire.records import Json
from tests.wire.renderer import render

NOW = "This question, asked here before, now has an answer"


@pytest.fixture
async def place(wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient) -> tuple[Guild, User]:
    """Make a server with a member, in which all but "Still open?" is answered; channels are told."""
    service.replies = {"Still open?": sample_answer("Still open?", Verdict.RELATED)}
    guild, (ann,) = await inhabited(wire, "ann")
    await bot.surface.records.change(guild.id, None, tell_gaps=True)
    return guild, ann


async def opened(bot: FootnoteClient, guild: Guild) -> list[str]:
    return [gap.question for gap in await bot.surface.records.gaps(guild.id)]


async def told(wire: LoopbackDiscord, guild: Guild, count: int = 1) -> list[Json]:
    """Return what the bot has said in the server's channel, once it has said so much."""
    return await wire.log.until(lambda: wire.said(guild) if len(wire.said(guild)) >= count else [], "a word")


async def test_those_that_now_have_an_answer_are_marked_and_the_others_stay_open(
    bot: FootnoteClient, service: FakeService, place: tuple[Guild, User]
) -> None:
    guild, ann = place
    for question in ("When?", "Still open?", "Where?"):
        await made_gap(bot, guild, ann, question)
    service.swap("g-2")
    answered = await gaps_answered(bot, guild.id, 2)
    assert {(gap.question, gap.answered_by) for gap in answered} == {("When?", "g-2"), ("Where?", "g-2")}
    assert await opened(bot, guild) == ["Still open?"]
    assert service.asked == ["Where?", "Still open?", "When?"]
    service.replies = {}
    service.swap("g-3")
    answered = await gaps_answered(bot, guild.id, 3)
    assert {gap.question: gap.answered_by for gap in answered}["Still open?"] == "g-3"
    assert service.asked[3:] == ["Still open?"]


async def test_the_channel_is_told_with_the_quote_and_without_a_ping(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, place: tuple[Guild, User]
) -> None:
    guild, ann = place
    second = wire.world.channel(guild, "second")
    await wire.gateway.announce(guild)
    question = f"<@{ann.id}> @everyone **when**\n# did it open?"
    await made_gap(bot, guild, ann, question)
    await made_gap(bot, guild, ann, "x" * 1900 + " <@1> **y**", second)
    service.swap("g-2")
    (message,) = await told(wire, guild)
    first, *asked = message["content"].split("\n")
    assert first == f"{NOW}:"
    shown = render("\n".join(asked))
    assert (shown.quotes, shown.constructs) == ([question], [])
    (embed,) = message["embeds"]
    assert embed["title"] == "The articles say"
    assert render(embed["description"]).quotes == [QUOTE]
    assert render(embed["fields"][0]["value"]).links == [
        ("Councils and skills", "https://example.org/councils")
    ]
    (long,) = await wire.log.until(lambda: wire.said(second), "a word there")
    assert render(long["content"]).constructs == []
    assert wire.log.pings == []


@pytest.mark.parametrize("reason", ["not set", "taken back", "never", "private", "direct"])
async def test_nobody_is_told_where_the_settings_do_not_say_so(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, place: tuple[Guild, User], reason: str
) -> None:
    guild, ann = place
    records = bot.surface.records
    if reason == "not set":
        await records.leave(guild.id)
    elif reason == "taken back":
        await records.change(guild.id, None, tell_gaps=False)
    elif reason == "never":
        await records.change(guild.id, guild.channels[0].id, answers=AnswersTo.NEVER)
    other, (bob,) = await inhabited(wire, "bob")
    await records.change(other.id, None, tell_gaps=True)
    await made_gap(bot, other, bob, "Where?")
    if reason == "private":  # such a question is kept under no channel
        await records.add_gap(
            server=guild.id, channel=0, user=ann.id, question="When?", verdict="related", confidence=0.3,
            vector=await service.vector("When?"),
        )  # fmt: skip
    else:
        await made_gap(bot, None if reason == "direct" else guild, ann, "When?", guild.channels[0])
    service.swap("g-2")
    await told(wire, other)  # it was asked before the other, so its turn comes after
    assert service.asked == ["When?", "Where?"]
    assert await opened(bot, guild) == []
    assert wire.said(guild) == wire.said(wire.world.dm(ann)) == []
    assert not wire.log.seen("POST", "/channels/[01]/")


async def test_a_thread_is_told_in_the_language_of_its_channel(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, place: tuple[Guild, User]
) -> None:
    guild, ann = place
    thread = await wire.thread(guild, ann, "thread")
    await bot.surface.records.change(guild.id, guild.channels[0].id, language="de")
    await made_gap(bot, guild, ann, "When?", thread)
    service.swap("g-2")
    (message,) = await wire.log.until(lambda: wire.said(thread), "a word in the thread")
    assert message["content"].startswith("Diese Frage, hier schon gestellt, hat jetzt eine Antwort:\n")
    assert message["embeds"][0]["title"] == "Die Artikel sagen"


async def test_a_channel_that_cannot_be_told_keeps_no_other_from_being_told(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, place: tuple[Guild, User]
) -> None:
    guild, ann = place
    gone, closed = wire.world.channel(guild, "gone"), wire.world.channel(guild, "closed")
    await wire.gateway.announce(guild)
    await made_gap(bot, guild, ann, "Where?")
    for channel in (gone, closed):
        await made_gap(bot, guild, ann, f"When in {channel.name}?", channel)
    await wire.remove(gone)
    await wire.deny(closed, SEND_MESSAGES)
    service.swap("g-2")
    (message,) = await told(wire, guild)
    assert render(message["content"]).quotes == ["Where?"]
    assert len(await gaps_answered(bot, guild.id, 3)) == 3
