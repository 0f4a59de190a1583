"""Delivery while Discord has trouble: every question ends in an answer, a notice or a log line, once."""

from __future__ import annotations

import asyncio
import json
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
FOLLOW_UP = ("POST", r"^/webhooks/\d+/[^/]+$")
BY_INTERACTION, BY_MESSAGE = ("slash", "menu", "button", "modal"), ("mention", "direct")
WAYS = BY_INTERACTION + BY_MESSAGE
TITLES = dict.fromkeys(WAYS, texts.RELATED) | {"button": texts.REASONS}
"""The titles of the answers if nothing goes wrong."""

Look = Callable[[], Message | None]


class Asker:
    """Ann, who has an answer and can ask again in every way; the service finds related passages only."""

    def __init__(self, chat: Chat) -> None:
        self.chat, self.service = chat, chat.service

    async def prepare(self, where: Channel) -> Asker:
        """Ask a first question, and open a modal."""
        self.where, self.service.verdict = where, "related"
        self.message = await self.chat.say(self.chat.ann, where, LAMP)
        self.answer = await self.chat.ask(where=where)
        self.modal = await self.chat.press(self.chat.ann, self.answer, texts.FOLLOW_UP)
        await self.chat.modal(self.modal)
        await settle()
        return self

    async def ask(self, way: str) -> Look:
        """Ask in one way; return a function that returns the response, if there is one."""
        chat, ann = self.chat, self.chat.ann
        if way in BY_MESSAGE:
            where = self.where if way == "mention" else chat.place(ann)
            before = len(chat.posts(where))
            await chat.say(ann, where, f"{chat.world.bot.mention} {LAMP}")
            return lambda: next(iter(chat.posts(where)[before:]), None)
        use = await {
            "slash": lambda: chat.slash(ann, "ask", self.where, question=LAMP),
            "menu": lambda: chat.menu(ann, texts.ANSWER_THIS, self.message),
            "button": lambda: chat.press(ann, self.answer, texts.WHY),
            "modal": lambda: chat.submit(self.modal, "And who kept it?"),
        }[way]()
        return lambda: use.outcome

    async def hold(self, ways: tuple[str, ...] = WAYS) -> dict[str, Look]:
        """Ask in these ways, and have the service hold back the answers."""
        self.service.open.clear()
        before = len(self.service.asked)
        looks = {way: await self.ask(way) for way in ways}
        await until(lambda: len(self.service.asked) == before + len(ways))
        return looks

    async def titles(self, looks: dict[str, Look]) -> dict[str, str]:
        """Wait for the responses; return their titles."""
        waiting = (self.chat.log.until(look, f"something by {way}") for way, look in looks.items())
        messages = zip(looks, await asyncio.gather(*waiting), strict=True)
        return {way: message.title for way, message in messages if message}

    async def ask_all(self, ways: tuple[str, ...] = WAYS) -> dict[str, str]:
        """Ask in these ways; return the titles of the responses."""
        return await self.titles({way: await self.ask(way) for way in ways})


@pytest_asyncio.fixture(loop_scope="session")
async def asker(chat: Chat) -> Asker:
    """Return ann in the first channel of the server."""
    return await Asker(chat).prepare(chat.guild.channels[0])


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
async def test_without_access_to_the_channel_mentions_are_logged_and_the_rest_is_answered(
    chat: Chat, caplog: pytest.LogCaptureFixture, trouble: Permission | str, in_thread: bool, code: int
) -> None:
    channel = chat.guild.channels[0]
    where = await chat.thread(channel, chat.ann, "thread") if in_thread else channel
    asker = await Asker(chat).prepare(where)
    looks = await asker.hold()
    if isinstance(trouble, Permission):
        await chat.deny(channel, trouble)
    else:
        await (chat.lock if trouble == "locked" else chat.remove)(where)
    chat.service.open.set()
    mention = looks.pop("mention")
    assert await asker.titles(looks) == {way: TITLES[way] for way in looks}
    await until(lambda: f"{texts.POST_FAILED} in channel {where.id}" in caplog.text)
    assert (f"error code: {code}" in caplog.text, mention(), no_traceback(caplog)) == (True, None, True)


async def test_answers_need_neither_embeds_nor_history_nor_the_question_itself(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.hold(("slash", "mention", "direct"))
    await chat.deny(asker.where, Permission.EMBED_LINKS | Permission.READ_HISTORY)
    looks["later"] = await asker.ask("slash")
    for message in [message for message in chat.world.messages.values() if message.author is chat.ann]:
        await chat.messages.delete(message)
    chat.service.open.set()
    await asker.titles(looks)
    answers = {way: look() for way, look in looks.items()}
    for answer in answers.values():
        assert answer is not None
        assert any(LAMP_QUOTE in part.text for part in answer.every_part)
        assert texts.RELATED in (answer.title, *answer.shown.bold)
        assert answer.embeds == [] or answer in (answers["slash"], answers["direct"])
        assert answer.reply_to is None
    assert no_traceback(caplog)


async def test_if_the_pending_response_was_deleted_the_user_gets_a_private_notice(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.hold()
    for message in list(chat.world.messages.values()):
        if message.channel is asker.where and not message.private:
            await chat.messages.delete(message)
    chat.service.open.set()
    deleted = ("slash", "menu", "modal")
    assert await asker.titles(looks) == TITLES | dict.fromkeys(deleted, texts.NOT_TAKEN)
    notices = [looks[way]() for way in deleted]
    assert all(notice and notice.private for notice in notices)
    assert no_traceback(caplog)


async def test_after_fifteen_minutes_a_public_answer_is_posted_in_the_channel(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    looks = await asker.hold(BY_INTERACTION)
    private = await chat.slash(chat.ann, "ask", asker.where, question=LAMP, private=True)
    await until(lambda: len(chat.service.asked) == 6)
    chat.interactions.clock_ahead = chat.interactions.token_lifetime + 1
    chat.service.open.set()
    await chat.log.until(lambda: len(chat.posts(asker.where)) == 3, "three answers")  # not the button's
    await until(lambda: caplog.text.count(texts.EXPIRED) == 2)
    posts = chat.posts(asker.where)
    assert {post.title for post in posts} == {texts.RELATED}
    assert all(post.every_part[0].quotes for post in posts)
    assert ([look() for look in looks.values()], private.outcome) == ([None] * 4, None)
    assert (len(posts), chat.log.pings) == (3, [])
    chat.interactions.clock_ahead = 0
    chat.interactions.all.clear()  # these can never be finished
    assert (await chat.click(posts[0], texts.WHY)).title == texts.REASONS
    assert no_traceback(caplog)


async def test_an_interaction_that_expired_before_its_acknowledgement_is_logged_and_not_answered(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.interactions.acknowledge_within = 0.15
    chat.faults.pause(0.3)
    looks = {way: await asker.ask(way) for way in WAYS}
    assert set((await asker.titles({way: looks[way] for way in BY_MESSAGE})).values()) == {texts.RELATED}
    await until(lambda: caplog.text.count(texts.EXPIRED) == 4)
    chat.interactions.acknowledge_within = 3.0
    assert [looks[way]() for way in BY_INTERACTION] == [None] * 4
    assert (len(chat.service.asked), no_traceback(caplog)) == (1 + len(BY_MESSAGE), True)


async def test_failed_requests_are_retried(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    for route in (CALLBACK, EDIT, POST):
        for status in (500, 502, 503):
            chat.faults.answer(*route, status=status)
    for route in (EDIT, POST):
        chat.faults.answer(*route, reset=True)
    users = [chat.world.user(f"{number}") for number in range(4)]
    uses = [await chat.slash(user, "ask", user, question=LAMP) for user in users]
    questions = [await chat.say(user, user, LAMP) for user in users]
    answers = await asyncio.gather(*map(chat.answer, uses), *map(chat.reply, questions))
    assert [answer.title for answer in answers] == [texts.ANSWERED] * 8
    assert (sum(planned.times for planned in chat.faults.planned), no_traceback(caplog)) == (0, True)


async def test_a_retry_after_a_reset_does_not_post_the_answer_twice(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.faults.answer(*POST, reset=True, acting=True)
    assert await asker.ask_all(("mention",)) == {"mention": texts.RELATED}
    await chat.log.until(lambda: len(chat.log.seen(*POST)) == 2, "the retry")
    await settle()
    await asker.ask_all(("direct",))
    first, retry, other = (request.body for request in chat.log.seen(*POST))
    assert (first["nonce"] == retry["nonce"] != other["nonce"], retry["enforce_nonce"]) == (True, True)
    assert (len(chat.posts(asker.where)), no_traceback(caplog)) == (1, True)


@pytest.mark.parametrize(
    ("scope", "via"), [("user", True), ("shared", True), ("global", True), ("user", False)]
)
async def test_rate_limits_are_waited_out(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture, scope: Scope, via: bool
) -> None:
    for route in (CALLBACK, EDIT, POST):
        chat.faults.rate_limit(*route, 0.15, scope, times=2, via=via)
    assert await asker.ask_all() == TITLES
    for route in (CALLBACK, EDIT, POST):
        limited = next(request for request in chat.log.seen(*route) if request.status == 429)
        same = [request.at for request in chat.log.seen(*route) if request.path == limited.path]
        assert min(at for at in same if at > limited.at) - limited.at >= 0.14
    assert no_traceback(caplog)


async def test_a_burst_above_the_rate_limit_of_another_server_is_answered_in_full(chat: Chat) -> None:
    for _ in range(3):  # of 20 answers at once, 15 are refused; then 10, then 5
        chat.faults.rate_limit(*POST, 0.05, "user", times=15, via=False)
    questions = [await chat.say(chat.ann, chat.guild, f"{chat.world.bot.mention} {LAMP}") for _ in range(20)]
    replies = await asyncio.gather(*map(chat.reply, questions))
    await until(lambda: {reply.title for reply in replies} == {texts.ANSWERED})
    assert len(chat.posts(chat.guild)) == 20


@pytest.mark.parametrize("seconds", [61.0, -1.0])
async def test_a_rate_limit_beyond_patience_ends_in_a_notice(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    chat.faults.answer(*EDIT, status=429, body=json.dumps({"retry_after": seconds}).encode())
    assert await asker.ask_all(("slash",)) == {"slash": texts.NOT_TAKEN}
    assert no_traceback(caplog)


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (403, 50013)])
async def test_where_embeds_are_refused_answers_and_notices_are_plain_text(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture, status: int, code: int
) -> None:
    chat.messages.refused["embeds"] = (status, code)
    looks = {way: await asker.ask(way) for way in WAYS}
    await until(lambda: all(TITLES[way] in (look() or asker.message).content for way, look in looks.items()))
    answers = {way: look() or asker.message for way, look in looks.items()}
    assert [answer.embeds for answer in answers.values()] == [[]] * len(WAYS)
    assert {way for way, answer in answers.items() if LAMP_QUOTE in answer.content} >= set(WAYS) - {"button"}
    assert [answers[way].reply_to is not None for way in BY_MESSAGE] == [True, True]
    notice = await chat.use("ask", question=LAMP, article="no such")
    assert (notice.private, texts.NO_ARTICLE in notice.content) == (True, True)
    assert no_traceback(caplog)


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (403, 160002), (403, 1), (404, 10008)])
async def test_where_a_reply_is_refused_the_answer_is_posted_without_its_reference(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture, status: int, code: int
) -> None:
    chat.messages.refused["message_reference"] = (status, code)
    assert await asker.ask_all(BY_MESSAGE) == dict.fromkeys(BY_MESSAGE, texts.RELATED)
    for where in (asker.where, chat.place(chat.ann)):
        (answer,) = chat.posts(where)
        assert (len(answer.embeds), answer.reply_to) == (1, None)
    assert no_traceback(caplog)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"id": "none"}', b'"text"'])
async def test_an_answer_whose_confirmation_cannot_be_read_stays_and_is_the_only_one(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    chat.service.position = (5, 30.0)  # so that a notice on the queue comes first
    for method, path in (CALLBACK, EDIT, POST, FOLLOW_UP):
        chat.faults.answer(method, path, status=200, body=body, acting=True, times=99)
    looks = {way: await asker.ask(way) for way in BY_INTERACTION}
    await until(lambda: all((look() or asker.message).title == TITLES[way] for way, look in looks.items()))
    await chat.say(chat.ann, asker.where, f"{chat.world.bot.mention} {LAMP}")
    await until(lambda: len(chat.posts(asker.where)) == 2)  # the notice, which can no longer be edited
    refused = await chat.slash(chat.ann, "ask", asker.where, question=LAMP, article="no such")
    assert (await chat.answer(refused)).title == texts.NO_ARTICLE
    await settle()
    assert [post.title for post in chat.posts(asker.where)] == [texts.IN_LINE, texts.RELATED]
    assert [len(use.followups) for use in chat.interactions.all][-5:] == [0, 0, 0, 0, 1]
    assert all((look() or asker.message).title == TITLES[way] for way, look in looks.items())
    assert (texts.RESPONSE_UNREAD in caplog.text, "never retrieved" in caplog.text) == (True, False)
    assert no_traceback(caplog)


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ({"status": 429, "body": b"<html>", "content_type": "text/html"}, texts.NOT_TAKEN),
        ({"status": 400, "body": b'{"code": 50035, "message": "Invalid Form Body"}'}, texts.FAULT),
    ],
)
async def test_a_refused_answer_ends_in_a_private_notice(
    asker: Asker, chat: Chat, caplog: pytest.LogCaptureFixture, answer: dict[str, Any], title: str
) -> None:
    chat.faults.answer(*EDIT, **answer, times=8)  # with the embed, and as plain text
    chat.faults.answer(*POST, **answer, times=3)  # and without being a reply
    mention = await asker.ask("mention")
    assert await asker.ask_all(BY_INTERACTION) == dict.fromkeys(BY_INTERACTION, title)
    await until(lambda: f"{texts.POST_FAILED} in channel" in caplog.text)
    assert (mention(), no_traceback(caplog)) == (None, title == texts.NOT_TAKEN)


async def test_two_hundred_questions_at_once_are_each_acknowledged_in_time_and_answered_once(
    chat: Chat,
) -> None:
    guild, *users = await chat.server(*(f"user {number}" for number in range(200)))
    uses = [await chat.slash(user, "ask", guild, question=f"{LAMP}{' ' * n}") for n, user in enumerate(users)]
    questions = [await chat.say(user, guild, f"{chat.world.bot.mention} {LAMP}") for user in users[:20]]

    def all_answered() -> bool:
        return all(use.outcome and use.outcome.title == texts.ANSWERED for use in uses)

    await chat.log.until(all_answered, "every answer", 60)
    replies = await asyncio.gather(*(chat.reply(question, 60) for question in questions))
    await chat.log.until(lambda: {reply.title for reply in replies} == {texts.ANSWERED}, "every reply", 60)
    for use in uses:
        assert use.outcome is not None
        assert (use.outcome.shown.quotes, use.followups) == ([LAMP_QUOTE], [])
        assert (use.acknowledged_after or 9) < chat.interactions.acknowledge_within
    assert len(chat.posts(guild)) == len(questions)
