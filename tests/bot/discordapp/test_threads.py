"""Questions in threads and forum posts, with the message-content intent and without it."""

from __future__ import annotations

import pytest

from tests.bot.discordapp.asking import ask, mention, set_to, settle, until
from tests.bot.discordapp.conftest import running
from tests.bot.discordapp.phrases import ANSWERED, IN_LANGUAGE
from tests.bot.discordapp.service import BREAD, LAMP, ControlledService
from tests.wire.driver import Wire
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.world import Channel, Guild, Kind, Message, User

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENT = 8.0
"""Seconds, more than the bot waits for the first message of a post."""


async def under_an_answer(wire: Wire, *, by_command: bool) -> tuple[Channel, User, User]:
    """Have a question answered, and a thread begun on the answer."""
    guild, ann, bob = await wire.server("ann", "bob")
    answer = await (ask if by_command else mention)(wire, ann, guild, LAMP)
    await settle()
    return await wire.thread(guild, ann, "More", on=answer), ann, bob


@pytest.mark.parametrize("by_command", [True, False])
async def test_in_a_thread_a_mention_goes_on_from_its_latest_answer_whoever_asked(
    wire: Wire, service: ControlledService, by_command: bool
) -> None:
    thread, ann, bob = await under_an_answer(wire, by_command=by_command)
    for user, question, before in ((bob, BREAD, LAMP), (ann, LAMP, BREAD), (bob, BREAD, LAMP)):
        answer = await mention(wire, user, thread, question)
        assert service.asked_with[-1] == (question, None, before)
        await settle()
    await wire.reply(await wire.say(ann, thread, "Since when?", answer))
    assert service.asked_with[-1] == ("Since when?", None, BREAD)
    assert wire.log.seen("GET", "/messages/") == []  # what is remembered is not asked for


async def test_a_thread_under_somebody_elses_message_goes_on_from_nothing(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann = await wire.server("ann")
    await mention(wire, ann, guild, LAMP)
    await settle()
    for on in (await wire.say(ann, guild, "Look at this"), None):
        await mention(wire, ann, await wire.thread(guild, ann, "thread", on=on), "And who?")
        assert service.asked_with[-1] == ("And who?", None, None)


@pytest.mark.parametrize("by_command", [True, False])
async def test_after_a_restart_a_thread_still_goes_on_from_its_answer(
    own_wire: Wire, service: ControlledService, by_command: bool
) -> None:
    async with running(own_wire, service):
        thread, _, bob = await under_an_answer(own_wire, by_command=by_command)
    async with running(own_wire, service):
        await mention(own_wire, bob, thread, "And who?")
    assert service.asked_with[-1] == ("And who?", None, LAMP)


async def test_without_the_intent_only_mentions_are_answered_in_a_thread_and_a_channel_of_questions(
    wire: Wire, service: ControlledService
) -> None:
    thread, ann, _ = await under_an_answer(wire, by_command=False)
    assert thread.guild is not None
    await set_to(wire, thread.guild, "answers", to="questions")
    for where in (thread, thread.guild):
        await wire.say(ann, where, "And who kept it?")
        await mention(wire, ann, where, BREAD)
    assert service.asked == [LAMP, BREAD, BREAD]


async def test_with_the_intent_a_question_under_an_answer_needs_no_mention(
    reading: Wire, service: ControlledService
) -> None:
    thread, ann, bob = await under_an_answer(reading, by_command=True)
    await reading.reply(await reading.say(bob, thread, "And who kept it?"))
    assert service.asked_with[-1] == ("And who kept it?", None, LAMP)
    said = await reading.say(bob, thread, "thanks!")
    await reading.say(ann, thread, "Is that right?", said, ping=False)
    await reading.say(ann, thread, f"{bob.mention} what do you think of it?")
    await reading.say(ann, thread, "Who made this?", webhook=True)
    await reading.say(ann, thread, "Who pinned this?", kind=6)
    await reading.reply(await reading.say(bob, thread, "Is this the last one?"))
    assert service.asked == [LAMP, "And who kept it?", "Is this the last one?"]


async def test_with_the_intent_other_peoples_threads_are_left_alone_and_looked_up_once(
    reading: Wire, service: ControlledService
) -> None:
    guild, ann = await reading.server("ann")
    thread = await reading.thread(guild, ann, "thread", on=await reading.say(ann, guild, "Look at this"))
    for question in ("When was it lit?", "Who lit it?", "Why?"):
        await reading.say(ann, thread, question)
        await settle()
    await mention(reading, ann, thread, BREAD)
    assert service.asked == [BREAD]
    assert len(reading.log.seen("GET", f"/messages/{thread.id}$")) == 1


async def test_a_thread_whose_answer_cannot_be_read_now_is_known_once_it_can(
    own_wire: Wire, service: ControlledService
) -> None:
    own_wire.gateway.granted = MESSAGE_CONTENT
    async with running(own_wire, service, discord_message_content=True):
        thread, _, bob = await under_an_answer(own_wire, by_command=False)
    path = f"/messages/{thread.id}$"
    async with running(own_wire, service, discord_message_content=True):
        own_wire.faults.answer("GET", path, status=403)
        await own_wire.say(bob, thread, "Who kept it?")
        await own_wire.log.until(lambda: own_wire.log.seen("GET", path), "the refusal")
        await settle()
        await own_wire.reply(await own_wire.say(bob, thread, "And who lit it?"))
    assert service.asked_with[1:] == [("And who lit it?", None, LAMP)]


ASKED = f"{LAMP}|when was it lit|tell me about the lamp|Can I bring a dog|¿Y el faro?|Wann wurde er gebaut?"
STATEMENTS = (
    "thanks!|so cool|will do|is fine by me|what a day that was|how nice|lol|???|https://example.org/?q=what%20is|"
    "gracias"
)


async def test_a_channel_that_answers_everything_answers_what_asks_and_no_chatter(
    reading: Wire, service: ControlledService
) -> None:
    guild, ann = await reading.server("ann")
    second, thread = await reading.channel(guild), await reading.thread(guild, ann, "thread")
    await reading.say(ann, guild, "Who asked before?")
    await set_to(reading, guild, "answers", to="questions", channel=guild.channels[0])
    await reading.say(ann, second, "Who asks elsewhere?")
    for text in STATEMENTS.split("|"):
        await reading.say(ann, guild, text)
    for where, text in ((guild, ASKED), (thread, BREAD)):
        for question in text.split("|"):
            assert (await reading.reply(await reading.say(ann, where, question))).embeds
    await set_to(reading, guild, "answers", to="inherit", channel=guild.channels[0])
    await reading.say(ann, guild, "Who asks afterwards?")
    await mention(reading, ann, guild, "The last one?")
    assert service.asked == [*ASKED.split("|"), BREAD, "The last one?"]


@pytest.mark.xfail(strict=True, reason="until the merge: statements that begin as a question does")
@pytest.mark.parametrize(
    "text",
    [
        "When I get home tonight I will do it",
        "What I like is the new lamp",
        "Where I live there is no lighthouse",
    ],
)
async def test_a_channel_that_answers_everything_does_not_answer_statements(
    reading: Wire, service: ControlledService, text: str
) -> None:
    guild, ann = await reading.server("ann")
    await set_to(reading, guild, "answers", to="questions")
    await reading.say(ann, guild, text)
    await mention(reading, ann, guild, "The last one?")
    assert service.asked == ["The last one?"]


# Forums


async def forum_of(wire: Wire, answers: str = "questions") -> tuple[Guild, Channel, User]:
    """Make a forum with this setting, and somebody who posts there."""
    guild, ann = await wire.server("ann")
    forum = await wire.channel(guild, "questions", Kind.FORUM)
    await set_to(wire, guild, "answers", to=answers, channel=forum)
    return guild, forum, ann


async def answer_in(wire: Wire, post: Channel, within: float = 5.0) -> Message:
    """Wait for what the bot says in a post."""
    return (await wire.log.until(lambda: wire.said(post), "an answer in the post", within))[0]


async def test_without_the_intent_a_post_is_answered_once_by_its_title(
    wire: Wire, service: ControlledService
) -> None:
    guild, forum, ann = await forum_of(wire)
    await wire.say(ann, guild, "Who asks without a mention?")
    post = await wire.post(forum, ann, LAMP, "And who kept it?")
    bare = await wire.post(forum, ann, f"  {BREAD} ", None)
    assert (await answer_in(wire, post)).reply_to is wire.world.messages[post.id]
    answer = await answer_in(wire, bare, PATIENT)  # by then the bot's patience with the first has ended too
    assert (answer.title, answer.reply_to) == (ANSWERED, None)
    await wire.say(ann, bare, "Its first message comes late.", id=bare.id)
    await mention(wire, ann, post, "Why?")
    assert service.asked == [LAMP, BREAD, "Why?"]
    assert wire.log.pings == []


async def test_posts_that_are_not_asked_of_the_bot_are_left_alone(
    wire: Wire, service: ControlledService
) -> None:
    guild, forum, ann = await forum_of(wire)
    robot = wire.world.join(guild, wire.world.user("robot", bot=True))
    await wire.post(forum, robot, "Is this news?", "text")
    await wire.post(forum, ann, "Is this from a hook?", "text", webhook=True)
    for answers in ("mentions", "never"):
        await set_to(wire, guild, "answers", to=answers, channel=forum)
        await wire.post(forum, ann, "Is this elsewhere?", "text")
    await mention(wire, ann, guild, "The last one?")
    assert service.asked == ["The last one?"]


@pytest.mark.parametrize(
    ("body", "asked"),
    [("{}", LAMP), ("{} I want to see it.", LAMP), ("Is it lit? {} I go.", f"{LAMP}\nIs it lit?")],
)
async def test_a_mention_in_a_post_asks_its_title_wherever_mentions_are_answered(
    wire: Wire, service: ControlledService, body: str, asked: str
) -> None:
    _, forum, ann = await forum_of(wire, "inherit")
    await answer_in(wire, await wire.post(forum, ann, LAMP, body.format(wire.world.bot.mention)))
    assert service.asked == [asked]


@pytest.mark.parametrize(
    ("title", "body", "asked"),
    [
        ("When was it lit?", "I found nothing.", "When was it lit?"),
        ("When was it lit?", "I looked. Who kept it? Thanks", "When was it lit?\nWho kept it?"),
        ("The lamp", "I need the date.", "The lamp\nI need the date."),
        ("The lamp?", "the lamp?", "The lamp?"),
        ("The lamp", "word " * 800, "The lamp\n" + ("word " * 100).strip()),
    ],
)
async def test_with_the_intent_a_post_is_asked_with_what_its_body_asks(
    reading: Wire, service: ControlledService, title: str, body: str, asked: str
) -> None:
    _, forum, ann = await forum_of(reading)
    post = await reading.post(forum, ann, title, body)
    await answer_in(reading, post)
    await settle()
    await reading.say(ann, post, "thanks!")
    await reading.reply(await reading.say(ann, post, "And who kept it?"))
    assert service.asked_with == [(asked, None, None), ("And who kept it?", None, asked)]


async def test_a_post_is_answered_in_the_language_of_the_server_or_the_one_set(wire: Wire) -> None:
    guild, forum, ann = await forum_of(wire)
    guild.locale = "de"
    await wire.announce(guild)
    assert (await answer_in(wire, await wire.post(forum, ann, LAMP, "text"))).title == IN_LANGUAGE["de"]
    await set_to(wire, guild, "language", language="es")
    assert (await answer_in(wire, await wire.post(forum, ann, LAMP, "text"))).title == IN_LANGUAGE["es"]


async def test_a_post_that_is_locked_or_deleted_at_once_is_only_logged(
    wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    _, forum, ann = await forum_of(wire)
    service.open.clear()
    locked, gone = [await wire.post(forum, ann, title, "text") for title in (LAMP, BREAD)]
    await until(lambda: len(service.asked) == 2)
    await wire.lock(locked)
    await wire.remove(gone)
    service.open.set()
    await answer_in(wire, await wire.post(forum, ann, "The last one?", "text"))
    await until(lambda: caplog.text.count("could not be posted") == 2)
    assert "Traceback" not in caplog.text
