"""What Discord refuses while a question is answered: permissions, closed threads, what is gone or late."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp
import discord
import pytest

from bot.discordapp.client import FootnoteClient
from bot.discordapp.delivery import post
from tests.bot.discordapp.fake_service import QUOTE, FakeService
from tests.bot.discordapp.stage import answer_to, inhabited, title_of
from tests.bot.discordapp.ways import ANSWERED, BY_INTERACTION, Asker, no_traceback, until
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import (
    EMBED_LINKS,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
)

NOT_TAKEN = "Discord did not take the answer"
LIFE = 15 * 60


def denied(bits: int) -> Callable[[Asker], Awaitable[None]]:
    """Return the trouble that a permission is taken from the bot."""

    async def deny(asker: Asker) -> None:
        await asker.wire.deny(asker.where.parent or asker.where, bits)

    return deny


async def locked(asker: Asker) -> None:
    await asker.wire.lock(asker.where)


async def archived(asker: Asker) -> None:
    await asker.wire.lock(asker.where, archived=True)


async def gone(asker: Asker) -> None:
    await asker.wire.remove(asker.where)


@pytest.mark.parametrize(
    ("trouble", "in_thread", "reason"),
    [
        pytest.param(denied(SEND_MESSAGES), False, "50013", id="may not send"),
        pytest.param(denied(VIEW_CHANNEL), False, "50001", id="may not view"),
        pytest.param(denied(SEND_MESSAGES_IN_THREADS), True, "50013", id="may not send in threads"),
        pytest.param(locked, True, "160005", id="locked"),
        pytest.param(archived, True, "50083", id="archived"),
        pytest.param(gone, True, "10003", id="gone"),
    ],
)
async def test_where_the_bot_may_not_write_messages_end_in_the_log_and_all_else_is_answered(
    wire: LoopbackDiscord,
    bot: FootnoteClient,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
    trouble: Callable[[Asker], Awaitable[None]],
    in_thread: bool,
    reason: str,
) -> None:
    asker = await Asker.ready(wire, bot, service, in_thread=in_thread)
    looks = await asker.ask_all()
    await trouble(asker)
    service.open.set()
    mention = looks.pop("mention")
    expected = ANSWERED | (dict.fromkeys(BY_INTERACTION, NOT_TAKEN) if trouble is gone else {})
    assert await asker.seen(looks) == {way: expected[way] for way in looks}
    line = f"An answer could not be posted in channel {asker.where.id}: "
    await until(lambda: line in caplog.text)
    assert f"error code: {reason}" in caplog.text
    assert mention() is None
    assert no_traceback(caplog)


async def test_where_history_may_not_be_read_the_answer_is_posted_without_reference(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, bot, service)
    looks = await asker.ask_all()
    await denied(READ_MESSAGE_HISTORY)(asker)
    service.open.set()
    assert await asker.seen(looks) == ANSWERED
    assert "message_reference" not in (looks["mention"]() or {})
    assert no_traceback(caplog)


async def test_where_embeds_are_not_allowed_answers_are_text(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, bot, service)
    await denied(EMBED_LINKS)(asker)
    ends = await asker.ends()
    assert ends.pop("direct") == ANSWERED["direct"]
    assert "**Why this verdict**" in ends.pop("button")
    for text in ends.values():
        assert f"**{ANSWERED['slash']}**" in text
        assert QUOTE in text
    assert no_traceback(caplog)


async def test_neither_embeds_nor_history_nor_the_question_itself_is_needed(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, bot, service)
    looks = await asker.ask_all(("mention",))
    await denied(EMBED_LINKS | READ_MESSAGE_HISTORY)(asker)
    for message in [one for one in wire.messages.all.values() if one["author"]["id"] == str(asker.user.id)]:
        await wire.delete(message)
    service.open.set()
    assert QUOTE in (await asker.seen(looks))["mention"]
    assert no_traceback(caplog)


async def test_deleted_meanwhile(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, bot, service)
    looks = await asker.ask_all()
    for message in [one for one in wire.messages.all.values() if not one["flags"] & 64]:
        await wire.delete(message)
    service.open.set()
    # The question's message is not needed; that the bot's own "is thinking" was deleted is told in private.
    private = dict.fromkeys(("slash", "menu", "form"), NOT_TAKEN)
    assert await asker.seen(looks) == ANSWERED | private
    assert all((looks[way]() or {})["flags"] == 64 for way in private)
    assert no_traceback(caplog)


async def test_an_answer_that_comes_after_fifteen_minutes_is_posted_in_the_channel(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, bot, service)
    looks = await asker.ask_all(BY_INTERACTION)
    wire.interactions.clock_ahead = LIFE + 1
    service.open.set()
    posted = await wire.log.until(lambda: wire.said(asker.guild)[2:], "the answers in the channel")
    assert {title_of(one) for one in wire.said(asker.guild)} == {ANSWERED["slash"]}
    assert sorted(one["content"] for one in wire.said(asker.guild)) == [
        "> And who chairs it?",
        "> When did it open?",
        "> When did it open?",
    ]
    assert wire.buttons(posted[0]) == wire.buttons(asker.answer)
    # What the button shows is its presser's alone.
    await until(lambda: "Discord no longer waits for an answer" in caplog.text)
    assert [look() for look in looks.values()] == [None] * 4
    assert wire.log.pings == []
    assert no_traceback(caplog)


async def test_a_private_answer_that_comes_too_late_is_posted_nowhere(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.open.clear()
    await wire.slash("ask", ann, guild, question="Why?", private=True)
    await until(lambda: service.asked)
    wire.interactions.clock_ahead = LIFE + 1
    service.open.set()
    await until(lambda: "Discord no longer waits for an answer" in caplog.text)
    assert wire.said(guild) == []
    assert no_traceback(caplog)


async def test_where_a_late_answer_may_not_be_posted_either_it_ends_in_the_log(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, bot, service)
    await denied(SEND_MESSAGES)(asker)
    await asker.ask_all(("slash",))
    wire.interactions.clock_ahead = LIFE + 1
    service.open.set()
    await until(lambda: "Discord no longer waits for an answer" in caplog.text)
    assert "could not be posted in channel" in caplog.text
    assert wire.said(asker.guild) == []
    assert no_traceback(caplog)


async def test_a_late_answer_can_be_asked_further(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService
) -> None:
    asker = await Asker.ready(wire, bot, service)
    await asker.ask_all(("slash",))
    wire.interactions.clock_ahead = LIFE + 1
    service.open.set()
    (late,) = await wire.log.until(lambda: wire.said(asker.guild), "the answer in the channel")
    wire.interactions.clock_ahead = 0
    await until(lambda: bot.surface.exchanges.of_message(int(late["id"])))
    used = await wire.press(asker.user, late, "Why?")
    assert title_of(await wire.response_to(used)) == "Why this verdict"
    wire.interactions.clock_ahead = LIFE + 1  # the command's own response can never be finished


class Flaky:
    """A channel to which the first requests do not arrive."""

    id = 7

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.nonces = list(errors), list[object]()

    async def send(self, *, nonce: int, **_: object) -> str:
        self.nonces.append(nonce)
        if self.errors:
            raise self.errors.pop(0)
        return "posted"


@pytest.mark.parametrize(
    ("errors", "outcome"),
    [
        ([aiohttp.ServerDisconnectedError(), ConnectionResetError()], "posted"),
        ([aiohttp.ServerDisconnectedError()] * 3, None),
        ([TimeoutError()], None),  # it was waited for long enough
    ],
)
async def test_what_does_not_arrive_is_sent_again(
    monkeypatch: pytest.MonkeyPatch, errors: list[Exception], outcome: str | None
) -> None:
    monkeypatch.setattr("bot.discordapp.delivery._AGAIN_AFTER", (0.0, 0.0))
    channel = Flaky(*errors)
    sent: object = await post(channel, discord.Embed(title="t"))  # type: ignore[arg-type]
    assert sent == outcome
    assert len(set(channel.nonces)) == 1


async def test_private_answers_stay_private_where_they_are_in_time(
    wire: LoopbackDiscord, bot: FootnoteClient
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    answer = await answer_to(wire, ann, guild, private=True)
    assert answer["flags"] == 64
    assert wire.said(guild) == []
