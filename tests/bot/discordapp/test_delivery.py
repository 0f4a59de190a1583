"""Trouble at Discord's side: every way of asking ends in something to see, or in a line of the log, and once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, no_traceback, settle, until
from tests.bot.discordapp.service import LAMP, LAMP_QUOTE
from tests.wire.entities import Channel, Message, Permission
from tests.wire.faults import Scope

CALLBACK = ("POST", r"^/interactions/\d+/.*/callback$")
EDIT = ("PATCH", r"^/webhooks/.*/@original$")
POST = ("POST", r"^/channels/\d+/messages$")
BY_INTERACTION, BY_MESSAGE = ("slash", "menu", "button", "form"), ("mention", "direct")
WAYS = BY_INTERACTION + BY_MESSAGE
SHOWN = dict.fromkeys(WAYS, texts.RELATED) | {"button": texts.REASONS}
"""The titles of what is answered where all is well."""

Look = Callable[[], Message | None]


class Asker:
    """Ann, who has got an answer, and from there can ask in every way; the service finds only what is near."""

    def __init__(self, chat: Chat) -> None:
        self.chat, self.service = chat, chat.service

    async def ready(self, where: Channel) -> Asker:
        """Ask once, before the trouble begins."""
        self.where, self.service.verdict = where, "related"
        self.said = await self.chat.say(self.chat.ann, where, LAMP)
        self.answer = await self.chat.ask(where=where)
        self.form = await self.chat.press(self.chat.ann, self.answer, texts.FOLLOW_UP)
        await self.chat.modal(self.form)
        await settle()
        return self

    async def begin(self, way: str) -> Look:
        """Ask in this way; return how to look at what comes of it."""
        chat, ann = self.chat, self.chat.ann
        if way in BY_MESSAGE:
            where = self.where if way == "mention" else chat.place(ann)
            before = len(chat.posts(where))
            await chat.say(ann, where, f"{chat.world.bot.mention} {LAMP}")
            return lambda: next(iter(chat.posts(where)[before:]), None)
        used = await {
            "slash": lambda: chat.slash(ann, "ask", self.where, question=LAMP),
            "menu": lambda: chat.menu(ann, texts.ANSWER_THIS, self.said),
            "button": lambda: chat.press(ann, self.answer, texts.WHY),
            "form": lambda: chat.submit(self.form, "And who kept it?"),
        }[way]()
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
        waiting = (self.chat.log.until(look, f"something by {way}") for way, look in looks.items())
        return {way: one.title for way, one in zip(looks, await asyncio.gather(*waiting), strict=True) if one}


@pytest_asyncio.fixture(loop_scope="session")
async def asker(chat: Chat) -> Asker:
    """Let ann ask once in the server's channel."""
    return await Asker(chat).ready(chat.guild.channels[0])


@pytest.mark.parametrize(
    ("trouble", "in_thread", "code"),
    [
        (Permission.SEND_MESSAGES, False, 50013),
        (Permission.VIEW_CHANNEL, False, 50001),
        (Permission.SEND_IN_THREADS, True, 50013),
        ("locked", True, 160005),
        ("gone", True, 10003),
    ],
)
async def test_where_the_bot_may_not_write_messages_end_in_the_log_and_all_else_is_answered(
    chat: Chat, caplog: pytest.LogCaptureFixture, trouble: Permission | str, in_thread: bool, code: int
) -> None:
    channel = chat.guild.channels[0]
    asker = await Asker(chat).ready(await chat.thread(channel, chat.ann, "thread") if in_thread else channel)
    looks = await asker.hold()
    if isinstance(trouble, Permission):
        await chat.deny(channel, trouble)
    else:
        await (chat.lock if trouble == "locked" else chat.remove)(asker.where)
    chat.service.open.set()
    mention = looks.pop("mention")
    assert await asker.seen(looks) == {way: SHOWN[way] for way in looks}
    await until(lambda: f"could not be posted in channel {asker.where.id}" in caplog.text)
    assert (f"error code: {code}" in caplog.text, mention(), no_traceback(caplog)) == (True, None, True)


async def test_neither_embeds_nor_history_nor_the_question_itself_is_needed(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.hold(("slash", "mention", "direct"))
    await chat.deny(asker.where, Permission.EMBED_LINKS | Permission.READ_HISTORY)
    looks |= {"now": await asker.begin("slash")}
    for message in [one for one in chat.world.messages.values() if one.author is chat.ann]:
        await chat.messages.delete(message)
    chat.service.open.set()
    await asker.seen(looks)
    shown = {way: message for way, look in looks.items() if (message := look())}
    assert (shown["mention"].embeds, shown["mention"].reply_to, shown["now"].embeds) == ([], None, [])
    for message in shown.values():
        assert any(LAMP_QUOTE in part.text for part in message.every_part)
        assert texts.RELATED in (message.title, *message.shown.bold)
    assert no_traceback(caplog)


async def test_where_thinking_was_deleted_its_user_alone_is_told_so(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.hold()
    here = [one for one in chat.world.messages.values() if one.channel is asker.where and not one.private]
    for message in here:
        await chat.messages.delete(message)
    chat.service.open.set()
    told = ("slash", "menu", "form")
    assert await asker.seen(looks) == SHOWN | dict.fromkeys(told, texts.NOT_TAKEN)
    assert all((message := looks[way]()) and message.private for way in told)
    assert no_traceback(caplog)


async def test_an_answer_after_fifteen_minutes_is_posted_in_the_channel_unless_it_is_private(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.hold(BY_INTERACTION)
    private = await chat.slash(chat.ann, "ask", asker.where, question=LAMP, private=True)
    await until(lambda: len(chat.service.asked) == 6)
    chat.interactions.clock_ahead = chat.interactions.token_lifetime + 1
    chat.service.open.set()
    posted = await chat.log.until(
        lambda: (chat.posts(asker.where) * 1)[2:] and chat.posts(asker.where), "answers"
    )
    assert ({one.title for one in posted}, all(one.every_part[0].quotes for one in posted)) == (
        {texts.RELATED},
        True,
    )
    await until(lambda: caplog.text.count("Discord no longer waits") == 2)
    assert [look() for look in looks.values()] == [None] * 4
    assert (len(chat.posts(asker.where)), private.outcome, chat.log.pings) == (3, None, [])
    chat.interactions.clock_ahead = 0
    chat.interactions.all.clear()  # which can never be finished now
    assert (await chat.click(posted[0], texts.WHY)).title == texts.REASONS
    assert no_traceback(caplog)


async def test_what_discord_keeps_from_being_acknowledged_is_logged_and_not_asked(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.interactions.acknowledge_within = 0.15
    chat.faults.pause(0.3)
    looks = {way: await asker.begin(way) for way in WAYS}
    assert await asker.seen({way: looks[way] for way in BY_MESSAGE}) == dict.fromkeys(
        BY_MESSAGE, texts.RELATED
    )
    await until(lambda: caplog.text.count("Discord no longer waits") == 4)
    chat.interactions.acknowledge_within = 3.0
    assert [looks[way]() for way in BY_INTERACTION] == [None] * 4
    assert (len(chat.service.asked), no_traceback(caplog)) == (1 + len(BY_MESSAGE), True)


async def test_requests_that_fail_are_made_again(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    for route in (CALLBACK, EDIT, POST):
        for status in (500, 502, 503):
            chat.faults.answer(*route, status=status)
    for route in (EDIT, POST):
        chat.faults.answer(*route, reset=True)
    people = [chat.world.user(f"{number}") for number in range(4)]
    used = [await chat.slash(one, "ask", one, question=LAMP) for one in people]
    said = [await chat.say(one, one, LAMP) for one in people]
    shown = await asyncio.gather(*map(chat.answer, used), *map(chat.reply, said))
    assert [one.title for one in shown] == [texts.ANSWERED] * 8
    assert (sum(planned.times for planned in chat.faults.planned), no_traceback(caplog)) == (0, True)


async def test_an_answer_that_was_posted_though_the_connection_broke_is_there_once(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.faults.answer(*POST, reset=True, acting=True)
    assert await asker.ends(("mention",)) == {"mention": texts.RELATED}
    await chat.log.until(lambda: len(chat.log.seen(*POST)) == 2, "the second try")
    await settle()
    await asker.ends(("direct",))
    first, second, other = (one.body for one in chat.log.seen(*POST))
    assert (first["nonce"] == second["nonce"] != other["nonce"], second["enforce_nonce"]) == (True, True)
    assert (len(chat.posts(asker.where)), no_traceback(caplog)) == (1, True)


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_rate_limit_is_waited_out(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture, scope: Scope
) -> None:
    for route in (CALLBACK, EDIT, POST):
        chat.faults.rate_limit(*route, 0.15, scope, times=2)
    assert await asker.ends() == SHOWN
    for route in (CALLBACK, EDIT, POST):
        limited = next(one for one in chat.log.seen(*route) if one.status == 429)
        later = [one.at for one in chat.log.seen(*route) if one.path == limited.path and one.at > limited.at]
        assert later[0] - limited.at >= 0.14
    assert no_traceback(caplog)


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ({"status": 429, "body": b"<html>", "content_type": "text/html"}, texts.NOT_TAKEN),
        ({"status": 400, "body": b'{"code": 50035, "message": "Invalid Form Body"}'}, texts.FAULT),
    ],
)
async def test_an_answer_that_is_refused_ends_in_a_private_notice(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture, answer: dict[str, Any], title: str
) -> None:
    chat.faults.answer(*EDIT, **answer, times=4)
    chat.faults.answer(*POST, **answer, times=2)
    mention = await asker.begin("mention")
    assert await asker.ends(BY_INTERACTION) == dict.fromkeys(BY_INTERACTION, title)
    await until(lambda: "could not be posted in channel" in caplog.text)
    assert (mention(), no_traceback(caplog)) == (None, title == texts.NOT_TAKEN)


async def test_hundreds_of_questions_at_once_are_acknowledged_in_time_and_answered_once(chat: Chat) -> None:
    guild, *people = await chat.server(*(f"user {number}" for number in range(200)))
    used = [await chat.slash(one, "ask", guild, question=f"{LAMP}{' ' * n}") for n, one in enumerate(people)]
    said = [await chat.say(one, guild, f"{chat.world.bot.mention} {LAMP}") for one in people[:20]]

    def answered() -> bool:
        return all(one.outcome and one.outcome.title == texts.ANSWERED for one in used)

    await chat.log.until(answered, "every answer", 60)
    replies = await asyncio.gather(*(chat.reply(one, 60) for one in said))
    await chat.log.until(lambda: {one.title for one in replies} == {texts.ANSWERED}, "every reply", 60)
    assert all(one.outcome and one.outcome.shown.quotes == [LAMP_QUOTE] and not one.followups for one in used)
    assert max(one.acknowledged_after or 9 for one in used) < chat.interactions.acknowledge_within
    assert len(chat.posts(guild)) == len(said)
