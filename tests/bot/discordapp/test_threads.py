"""Questions in threads, forum posts and channels that answer every question, with and without the intent."""

from __future__ import annotations

import pytest

from tests.bot.discordapp.chat import Chat, settle
from tests.bot.discordapp.service import BREAD, LAMP
from tests.wire.entities import Channel, Kind, Message
from tests.wire.gateway import MESSAGE_CONTENT


async def _thread_on_answer(chat: Chat, *, by_command: bool = False) -> Channel:
    """Have ann ask, and start a thread on the answer."""
    answer = await (chat.ask if by_command else chat.mention)(LAMP)
    await settle()
    return await chat.thread(chat.guild, chat.ann, "More", on=answer)


@pytest.mark.parametrize("by_command", [True, False])
async def test_a_thread_follows_up_on_its_latest_answer_whoever_asked(chat: Chat, by_command: bool) -> None:
    thread = await _thread_on_answer(chat, by_command=by_command)
    for user, question, earlier in (
        (chat.bob, BREAD, LAMP), (chat.ann, LAMP, BREAD), (chat.bob, BREAD, LAMP)
    ):  # fmt: skip
        answer = await chat.mention(question, user, thread)
        assert chat.service.latest() == (question, None, earlier)
        await settle()
    await chat.reply(await chat.say(chat.ann, thread, "Since when?", answer))
    assert chat.service.latest() == ("Since when?", None, BREAD)
    assert chat.log.seen("GET", "/messages/") == []  # what the bot remembers is not requested
    for on in (await chat.say(chat.ann, chat.guild, "Look at this"), None):
        await chat.mention("And who?", where=await chat.thread(chat.guild, chat.ann, "another", on=on))
        assert chat.service.latest() == ("And who?", None, None)


async def test_after_a_restart_a_thread_still_follows_up_on_its_answer(fresh: Chat) -> None:
    async with fresh.bot():
        threads = [await _thread_on_answer(fresh, by_command=by_command) for by_command in (True, False)]
    async with fresh.bot():
        for thread in threads:
            await fresh.mention("And who?", fresh.bob, thread)
            assert fresh.service.latest() == ("And who?", None, LAMP)


async def test_without_the_intent_only_mentions_are_answered(chat: Chat) -> None:
    thread = await _thread_on_answer(chat)
    await chat.configure("answers", to="questions")
    for where in (thread, chat.guild):
        await chat.say(chat.ann, where, "And who kept it?")
        await chat.mention(BREAD, where=where)
    assert chat.service.asked == [LAMP, BREAD, BREAD]


async def test_with_the_intent_a_question_below_an_answer_needs_no_mention(reading: Chat) -> None:
    thread, ann, bob = await _thread_on_answer(reading, by_command=True), reading.ann, reading.bob
    await reading.reply(await reading.say(bob, thread, "And who kept it?"))
    assert reading.service.latest() == ("And who kept it?", None, LAMP)
    thanks = await reading.say(bob, thread, "thanks!")
    await reading.say(ann, thread, "Is that right?", thanks, ping=False)
    await reading.say(ann, thread, f"{bob.mention} what do you think of it?")
    await reading.say(ann, thread, "Who made this?", webhook=True)
    await reading.say(ann, thread, "Who pinned this?", kind=6)
    await reading.reply(await reading.say(bob, thread, "Is this the last one?"))
    assert reading.service.asked == [LAMP, "And who kept it?", "Is this the last one?"]


async def test_with_the_intent_other_threads_are_ignored_and_requested_once(reading: Chat) -> None:
    message = await reading.say(reading.ann, reading.guild, "Look at this")
    thread = await reading.thread(reading.guild, reading.ann, "thread", on=message)
    for question in ("When was it lit?", "Who lit it?", "Why?"):
        await reading.say(reading.ann, thread, question)
        await settle()
    await reading.mention(BREAD, where=thread)
    assert reading.service.asked == [BREAD]
    assert len(reading.log.seen("GET", f"/messages/{thread.id}$")) == 1


async def test_a_thread_whose_answer_could_not_be_read_is_requested_again(fresh: Chat) -> None:
    fresh.gateway.granted = MESSAGE_CONTENT
    async with fresh.bot(discord_message_content=True):
        thread = await _thread_on_answer(fresh)
    path = f"/messages/{thread.id}$"
    async with fresh.bot(discord_message_content=True):
        fresh.faults.answer("GET", path, status=403)
        await fresh.say(fresh.bob, thread, "Who kept it?")
        await fresh.log.until(lambda: fresh.log.seen("GET", path), "the refusal")
        await settle()
        await fresh.reply(await fresh.say(fresh.bob, thread, "And who lit it?"))
    assert fresh.service.asked_with[1:] == [("And who lit it?", None, LAMP)]


# Channels that answer every question

QUESTIONS = (
    LAMP, "when was it lit", "tell me about the lamp", "Can I bring a dog", "¿Y el faro?",
    "Wann wurde er gebaut?",
)  # fmt: skip
CHATTER = (
    "thanks!", "so cool", "will do", "is fine by me", "what a day that was", "how nice", "lol", "???",
    "gracias", "https://a.example/?q=who", "When I get home tonight I will do it",
)  # fmt: skip


async def test_a_channel_that_answers_every_question_ignores_chatter(reading: Chat) -> None:
    guild, ann, second = reading.guild, reading.ann, await reading.channel(reading.guild)
    thread = await reading.thread(guild, ann, "thread")
    await reading.say(ann, guild, "Who asked before?")
    await reading.configure("answers", to="questions", channel=guild.channels[0])
    await reading.say(ann, second, "Who asks elsewhere?")
    for text in CHATTER:
        await reading.say(ann, guild, text)
    for question in QUESTIONS:
        assert (await reading.reply(await reading.say(ann, guild, question))).embeds
    assert (await reading.reply(await reading.say(ann, thread, BREAD))).embeds
    await reading.configure("answers", to="inherit", channel=guild.channels[0])
    await reading.say(ann, guild, "Who asks afterwards?")
    await reading.mention("The last one?")
    assert reading.service.asked == [*QUESTIONS, BREAD, "The last one?"]


# Forums


async def _forum(chat: Chat, answers: str = "questions") -> Channel:
    """Make a forum with this setting."""
    forum = await chat.channel(chat.guild, "questions", Kind.FORUM)
    await chat.configure("answers", to=answers, channel=forum)
    return forum


async def _answer_in(chat: Chat, post: Channel) -> Message:
    """Wait for the bot's answer in a post."""
    return (await chat.log.until(lambda: chat.posts(post), "an answer in the post", 8))[0]


async def test_without_the_intent_a_post_is_answered_once_by_its_title(chat: Chat) -> None:
    post = await chat.post(await _forum(chat), chat.ann, LAMP, "And who?")
    assert (await _answer_in(chat, post)).reply_to is chat.world.messages[post.id]
    await chat.mention("Why?", where=post)
    assert (chat.service.asked, chat.log.pings) == ([LAMP, "Why?"], [])


async def test_posts_by_bots_and_in_other_forums_are_ignored(chat: Chat) -> None:
    forum, robot = await _forum(chat), chat.world.user("robot", bot=True)
    await chat.post(forum, chat.world.join(chat.guild, robot), "Is this news?", "text")
    await chat.post(forum, chat.ann, "Is this from a webhook?", "text", webhook=True)
    for answers in ("mentions", "never"):
        await chat.configure("answers", to=answers, channel=forum)
        await chat.post(forum, chat.ann, "Is this elsewhere?", "text")
    await chat.mention("The last one?")
    assert chat.service.asked == ["The last one?"]


@pytest.mark.parametrize(
    ("body", "asked"),
    [("{}", LAMP), ("{} I want to see it.", LAMP), ("Is it lit? {} I go.", f"{LAMP}\nIs it lit?")],
)
async def test_a_mention_in_a_post_asks_its_title_too(chat: Chat, body: str, asked: str) -> None:
    forum = await _forum(chat, "inherit")
    await _answer_in(chat, await chat.post(forum, chat.ann, LAMP, body.format(chat.world.bot.mention)))
    assert chat.service.asked == [asked]


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
async def test_with_the_intent_a_post_is_asked_with_the_questions_in_its_body(
    reading: Chat, title: str, body: str, asked: str
) -> None:
    post = await reading.post(await _forum(reading), reading.ann, title, body)
    await _answer_in(reading, post)
    await settle()
    await reading.say(reading.ann, post, "thanks!")
    await reading.reply(await reading.say(reading.ann, post, "And who kept it?"))
    assert reading.service.asked_with == [(asked, None, None), ("And who kept it?", None, asked)]
