"""Trouble at Discord's side: every way of asking ends in something to see, or in a line of the log, and once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.bot.discordapp.asking import ask, no_traceback, press, settle, until
from tests.bot.discordapp.phrases import (
    ANSWER_THIS,
    CONTEXT,
    FAULT,
    FOLLOW_UP,
    HELPFUL,
    NOT_HELPFUL,
    NOT_TAKEN,
    REASONS,
    RELATED,
    WHY,
)
from tests.bot.discordapp.service import LAMP, LAMP_QUOTE, ControlledService
from tests.wire.driver import Wire
from tests.wire.faults import Scope
from tests.wire.interactions import Interaction
from tests.wire.world import Channel, Message, Permission, User

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLBACK, EDIT, POST = (
    ("POST", r"^/interactions/\d+/.*/callback$"),
    ("PATCH", r"^/webhooks/.*/@original$"),
    ("POST", r"^/channels/\d+/messages$"),
)
BY_INTERACTION = ("slash", "menu", "button", "form")
BY_MESSAGE = ("mention", "direct")
WAYS = BY_INTERACTION + BY_MESSAGE
SHOWN = dict.fromkeys(WAYS, RELATED) | {"button": REASONS}
"""The titles of what is answered where all is well."""

Look = Callable[[], Message | None]


@dataclass
class Asker:
    """Somebody who has got an answer, and from there can ask in every way."""

    wire: Wire
    service: ControlledService
    user: User
    where: Channel
    said: Message
    answer: Message
    form: Interaction

    @classmethod
    async def ready(cls, wire: Wire, service: ControlledService, *, in_thread: bool = False) -> Asker:
        """Let somebody ask once, before the trouble begins; the service finds nothing but what is near."""
        service.verdict = "related"
        guild, ann = await wire.server("ann")
        where = await wire.thread(guild, ann, "thread") if in_thread else guild.channels[0]
        said, answer = await wire.say(ann, where, LAMP), await ask(wire, ann, where)
        form = await wire.press(ann, answer, FOLLOW_UP)
        await wire.form(form)
        await settle()
        return cls(wire, service, ann, where, said, answer, form)

    async def begin(self, way: str) -> Look:
        """Ask in this way; return how to look at what comes of it."""
        wire, ann = self.wire, self.user
        if way in BY_MESSAGE:
            where = self.where if way == "mention" else wire.place(ann)
            before = len(wire.said(where))
            await wire.say(ann, where, f"{wire.world.bot.mention} {LAMP}")
            return lambda: next(iter(wire.said(where)[before:]), None)
        if way == "slash":
            used = await wire.slash(ann, "ask", self.where, question=LAMP)
        elif way == "menu":
            used = await wire.menu(ann, ANSWER_THIS, self.said)
        elif way == "button":
            used = await wire.press(ann, self.answer, WHY)
        else:
            used = await wire.submit(self.form, "And who kept it?")
        return lambda: used.outcome

    async def hold(self, ways: tuple[str, ...] = WAYS) -> dict[str, Look]:
        """Ask in these ways of a service that does not answer yet, and wait until it is asked."""
        self.service.open.clear()
        before = len(self.service.asked)
        looks = {way: await self.begin(way) for way in ways}
        await until(lambda: len(self.service.asked) == before + len(ways))
        return looks

    async def ends(self, ways: tuple[str, ...] = WAYS) -> dict[str, str]:
        """Ask in these ways; return the title of what each comes to show."""
        return await self.seen({way: await self.begin(way) for way in ways})

    async def seen(self, looks: dict[str, Look]) -> dict[str, str]:
        """Return the title of what each of these comes to show."""

        async def title(way: str, look: Look) -> str:
            message = await self.wire.log.until(look, f"something to see by {way}")
            assert message is not None
            return message.title

        titles = await asyncio.gather(*(title(way, look) for way, look in looks.items()))
        return dict(zip(looks, titles, strict=True))


@pytest_asyncio.fixture(loop_scope="session")
async def asker(wire: Wire, service: ControlledService) -> Asker:
    """Let somebody ask once."""
    return await Asker.ready(wire, service)


# What Discord does not allow


@pytest.mark.parametrize(
    ("denied", "in_thread", "code"),
    [
        (Permission.SEND_MESSAGES, False, 50013),
        (Permission.VIEW_CHANNEL, False, 50001),
        (Permission.SEND_IN_THREADS, True, 50013),
        ("locked", True, 160005),
        ("gone", True, 10003),
    ],
)
async def test_where_the_bot_may_not_write_messages_end_in_the_log_and_all_else_is_answered(
    wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture,
    denied: Any, in_thread: bool, code: int,
) -> None:  # fmt: skip
    asker = await Asker.ready(wire, service, in_thread=in_thread)
    looks = await asker.hold()
    if isinstance(denied, Permission):
        await wire.deny(asker.where.parent or asker.where, denied)
    else:
        await (wire.lock if denied == "locked" else wire.remove)(asker.where)
    service.open.set()
    mention = looks.pop("mention")
    assert await asker.seen(looks) == {way: SHOWN[way] for way in looks}
    await until(lambda: f"could not be posted in channel {asker.where.id}" in caplog.text)
    assert (f"error code: {code}" in caplog.text, mention()) == (True, None)
    assert no_traceback(caplog)


async def test_where_embeds_are_not_allowed_answers_are_text(
    wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, service)
    await wire.deny(asker.where, Permission.EMBED_LINKS)
    looks = {way: await asker.begin(way) for way in WAYS}
    ends = await asker.seen(looks)
    messages = {way: look() for way, look in looks.items()}
    assert [way for way, message in messages.items() if message and message.embeds] == ["direct"]
    for way, message in messages.items():
        assert message is not None
        assert SHOWN[way] in message.text or ends[way] == SHOWN[way]
        assert way == "button" or any(LAMP_QUOTE in part.text for part in message.every_part)
    assert no_traceback(caplog)


async def test_neither_embeds_nor_history_nor_the_question_itself_is_needed(
    wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, service)
    looks = await asker.hold(("mention",))
    await wire.deny(asker.where, Permission.EMBED_LINKS | Permission.READ_HISTORY)
    for message in [one for one in wire.world.messages.values() if one.author is asker.user]:
        await wire.messages.delete(message)
    service.open.set()
    await asker.seen(looks)
    answer = looks["mention"]()
    assert answer is not None
    assert (answer.reply_to, LAMP_QUOTE in answer.shown.text) == (None, True)
    assert no_traceback(caplog)


async def test_where_thinking_was_deleted_its_user_is_told_so_alone(
    asker: Asker, wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.hold()
    here = [one for one in wire.world.messages.values() if one.channel is asker.where and not one.private]
    for message in here:
        await wire.messages.delete(message)
    service.open.set()
    told = ("slash", "menu", "form")
    assert await asker.seen(looks) == SHOWN | dict.fromkeys(told, NOT_TAKEN)
    assert all((message := looks[way]()) and message.private for way in told)
    assert no_traceback(caplog)


# What comes too late


async def test_an_answer_after_fifteen_minutes_is_posted_in_the_channel_unless_it_is_private(
    wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    asker = await Asker.ready(wire, service)
    looks = await asker.hold(BY_INTERACTION)
    private = await wire.slash(asker.user, "ask", asker.where, question=LAMP, private=True)
    await until(lambda: len(service.asked) == 6)
    wire.interactions.clock_ahead = wire.interactions.token_life + 1
    service.open.set()
    await wire.log.until(lambda: len(wire.said(asker.where)) == 3, "the answers in the channel")
    posted = wire.said(asker.where)
    assert {one.title for one in posted} == {RELATED}
    assert all(one.every_part[0].quotes for one in posted)  # which tell their questions
    await until(lambda: caplog.text.count("Discord no longer waits") == 2)
    assert [look() for look in looks.values()] == [None] * 4
    assert (len(wire.said(asker.where)), private.outcome, wire.log.pings) == (3, None, [])
    wire.interactions.clock_ahead = 0
    wire.interactions.all.clear()  # which can never be finished now
    assert (await press(wire, asker.user, posted[0], WHY)).title == REASONS
    assert no_traceback(caplog)


async def test_what_discord_keeps_from_being_acknowledged_is_logged_and_asked_of_nobody(
    asker: Asker, wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    wire.interactions.acknowledge_within = 0.15
    wire.faults.pause(0.3)
    looks = {way: await asker.begin(way) for way in WAYS}
    assert await asker.seen({way: looks[way] for way in BY_MESSAGE}) == dict.fromkeys(BY_MESSAGE, RELATED)
    await until(lambda: caplog.text.count("Discord no longer waits") == len(BY_INTERACTION))
    wire.interactions.acknowledge_within = 3.0
    assert [looks[way]() for way in BY_INTERACTION] == [None] * 4
    assert len(service.asked) == 1 + len(BY_MESSAGE)  # nobody would see what is answered otherwise
    assert no_traceback(caplog)


# What fails, breaks or is refused for a while


async def test_requests_that_fail_are_made_again(
    asker: Asker, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    for route in (CALLBACK, EDIT, POST):
        for status in (500, 502, 503):
            wire.faults.answer(*route, status=status)
    for route in (EDIT, POST):
        wire.faults.answer(*route, reset=True)
    people = [wire.world.user(f"{number}") for number in range(4)]
    used = [await wire.slash(one, "ask", one, question=LAMP) for one in people]
    said = [await wire.say(one, one, LAMP) for one in people]
    shown = await asyncio.gather(*map(wire.answer, used), *map(wire.reply, said))
    assert [one.title for one in shown] == [RELATED] * 8
    assert all(planned.times == 0 for planned in wire.faults.planned)
    assert no_traceback(caplog)


async def test_an_answer_that_was_posted_though_the_connection_broke_is_there_once(
    asker: Asker, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    wire.faults.answer(*POST, reset=True, acting=True)
    assert await asker.ends(("mention",)) == {"mention": RELATED}
    await wire.log.until(lambda: len(wire.log.seen(*POST)) == 2, "the second try")
    await settle()
    assert len(wire.said(asker.where)) == 1
    first, second = (one.body for one in wire.log.seen(*POST))
    assert (first["nonce"] == second["nonce"], second["enforce_nonce"]) == (True, True)
    await asker.ends(("direct",))
    assert wire.log.seen(*POST)[-1].body["nonce"] != first["nonce"]
    assert no_traceback(caplog)


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_rate_limit_is_waited_out(
    asker: Asker, wire: Wire, caplog: pytest.LogCaptureFixture, scope: Scope
) -> None:
    for route in (CALLBACK, EDIT, POST):
        wire.faults.rate_limit(*route, 0.15, scope, times=2)
    assert await asker.ends() == SHOWN
    for route in (CALLBACK, EDIT, POST):
        limited = next(one for one in wire.log.seen(*route) if one.status == 429)
        later = [one for one in wire.log.seen(*route) if one.path == limited.path and one.at > limited.at]
        assert later[0].at - limited.at >= 0.14
    assert no_traceback(caplog)


async def test_answers_come_after_a_pause_of_the_api(
    asker: Asker, wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.hold()
    wire.faults.pause(0.2)
    service.open.set()
    assert await asker.seen(looks) == SHOWN
    assert no_traceback(caplog)


async def test_the_network_in_front_of_discord_turns_the_bot_away(
    asker: Asker, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    page = {"status": 429, "body": b"<html>", "content_type": "text/html"}
    wire.faults.answer(*EDIT, **page, times=4)
    wire.faults.answer(*POST, **page)
    looks = {way: await asker.begin(way) for way in ("mention", *BY_INTERACTION)}
    mention = looks.pop("mention")
    assert set((await asker.seen(looks)).values()) == {NOT_TAKEN}
    await until(lambda: "could not be posted in channel" in caplog.text)
    assert (mention(), no_traceback(caplog)) == (None, True)


async def test_an_answer_that_discord_finds_malformed_is_apologised_for_and_logged(
    asker: Asker, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    wire.faults.answer(*EDIT, status=400, body=b'{"code": 50035, "message": "Invalid Form Body"}', times=4)
    assert await asker.ends(BY_INTERACTION) == dict.fromkeys(BY_INTERACTION, FAULT)
    assert len([record for record in caplog.records if record.exc_info]) == 4


async def test_each_use_is_answered_once(asker: Asker, wire: Wire) -> None:
    for label in asker.answer.buttons:
        used = await wire.press(asker.user, asker.answer, label)
        await (wire.form(used) if label in {FOLLOW_UP, NOT_HELPFUL} else wire.answer(used))
    await asker.ends()
    assert {CONTEXT, HELPFUL} <= set(asker.answer.buttons)
    for one in wire.interactions.all:
        assert len(wire.log.seen("POST", f"^/interactions/{one.id}/")) == 1, one.name
