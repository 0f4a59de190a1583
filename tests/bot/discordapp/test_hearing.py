"""What in a message is for the bot: replies, questions without a mention, and nothing where it is set so."""

from __future__ import annotations

import pytest

from bot.discordapp.client import FootnoteClient
from bot.discordapp.hearing import looks_like_question
from bot.errors import DiscordRefusedError
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.stage import inhabited, title_of
from tests.wire.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import READ_MESSAGE_HISTORY

EVERYDAY = GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES


@pytest.fixture
def service() -> FakeService:
    """Make a service that tells the questions before apart."""
    made = FakeService()
    made.replies = {question: sample_answer(question) for question in ("One?", "Two?")}
    return made


@pytest.fixture
def chat(wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService) -> Chat:
    """Let people ask one after the other."""
    return Chat(wire, bot, service)


ASKING = """\
When did it open?
when did it open
And who chairs it
so how does it work, then
WHY IS IT CLOSED
is it open on sundays
Can I bring a dog
did the council agree
tell me about the lamp
explain the verdict
list all keepers
https://example.org/page who wrote this page
I wonder: is this the one? Anyway.
¿cuándo abrió?
cuándo abrió el faro
¿Y el faro
qué es un faro
dime cuándo abrió
Wann wurde er gebaut?
why?"""

CHATTER = """\
thanks!
Thank you so much
so cool
and thanks
but I disagree
will do
can confirm
do it
is fine by me
what a day that was
how nice
show must go on
name checks out
list looks good
that is what I thought
lol
?
???
https://example.org/watch?v=1
look https://example.org/?q=what%20is
que bueno
gracias"""


@pytest.mark.parametrize("text", ASKING.splitlines())
def test_what_asks_is_told_from_its_words_or_its_question_mark(text: str) -> None:
    assert looks_like_question(text)


@pytest.mark.parametrize("text", ["", " ", "\n", *CHATTER.splitlines()])
def test_chatter_is_no_question(text: str) -> None:
    assert not looks_like_question(text)


async def test_a_reply_that_pings_leans_on_the_answer_that_it_replies_to(
    wire: LoopbackDiscord, chat: Chat
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    first = await chat.mention(ann, guild, "One?")
    second = await chat.command(ann, guild, "Two?")
    await chat.say(bob, guild, "And who?", reply_to=first)
    assert chat.before() == "One?"
    await chat.say(bob, guild, "And who?", reply_to=second)
    assert chat.before() == "Two?"


@pytest.mark.parametrize("way", ["command", "mention"])
async def test_a_reply_is_understood_after_a_restart(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, way: str
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    async with running(bot_settings(), service) as client:
        chat = Chat(wire, client, service)
        asking = chat.mention if way == "mention" else chat.command
        first = await asking(ann, guild, "Who *runs* it?")
    async with running(bot_settings(), service) as client:
        chat = Chat(wire, client, service)
        await chat.say(bob, guild, "Since when?", reply_to=first)
        assert chat.before() == "Who *runs* it?"


async def test_a_reply_whose_question_can_no_longer_be_read_is_asked_alone(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), service) as client:
        first = await Chat(wire, client, service).mention(ann, guild, "One?")
    await wire.deny(guild.channels[0], READ_MESSAGE_HISTORY)
    async with running(bot_settings(), service):
        await wire.say(guild, ann, "Since when?", reply_to=first)
        await wire.log.until(lambda: len(wire.said(guild)) == 2, "an answer")
        assert service.asked_with[-1] == ("Since when?", None, None)
        assert "message_reference" not in wire.said(guild)[-1]  # which needs the history too


async def test_a_bare_reply_that_pings_gets_help(
    wire: LoopbackDiscord, chat: Chat, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    first = await chat.mention(ann, guild, "One?")
    reply = await wire.reply_to(await wire.say(guild, ann, "", reply_to=first))
    assert title_of(reply) == "Ask a question"
    assert service.asked == ["One?"]


async def test_a_mention_in_a_reply_to_somebody_else_is_a_question_of_its_own(
    wire: LoopbackDiscord, chat: Chat
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    said = await wire.say(guild, ann, "It opened last year.")
    await chat.say(bob, guild, f"{wire.world.bot.mention} When did it open?", reply_to=said)
    assert chat.service.asked_with == [("When did it open?", None, None)]


async def test_without_the_intent_nothing_is_heard_in_a_reply_that_does_not_ping(
    wire: LoopbackDiscord, chat: Chat, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    first = await chat.mention(ann, guild, "One?")
    await wire.say(guild, ann, "And who?", reply_to=first, ping=False)
    await chat.mention(ann, guild, "The last one?")
    assert service.asked == ["One?", "The last one?"]
    assert len(wire.said(guild)) == 2
    assert [one.message for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


async def test_with_the_intent_a_reply_need_not_ping(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    wire.gateway.granted = MESSAGE_CONTENT
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    async with running(bot_settings(discord_message_content=True), service) as client:
        chat = Chat(wire, client, service)
        first = await chat.mention(ann, guild, "One?")
        await chat.say(bob, guild, "And who?", reply_to=first, ping=False)
        assert chat.before() == "One?"
        await wire.say(guild, bob, "Is it so?", reply_to=await wire.say(guild, ann, "So it is."), ping=False)
        await wire.say(guild, bob, "When did it open?")
        await chat.mention(ann, guild, "The last one?")
    assert service.asked == ["One?", "And who?", "The last one?"]


@pytest.mark.parametrize("content", [False, True])
async def test_the_intents_asked_for_are_those_of_the_settings(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, content: bool
) -> None:
    wire.gateway.granted = MESSAGE_CONTENT
    async with running(bot_settings(discord_message_content=content), service):
        (identify,) = wire.gateway.identifies
    assert identify["intents"] == EVERYDAY | (MESSAGE_CONTENT if content else 0)


async def test_an_intent_that_is_not_granted_ends_with_where_to_switch_it_on(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    wanted = r"Switch on Message Content Intent at https://discord\.com/developers/applications"
    with pytest.raises(DiscordRefusedError, match=wanted) as refused:
        async with running(bot_settings(discord_message_content=True), service):
            pass
    assert "FOOTNOTE_DISCORD_MESSAGE_CONTENT=false" in str(refused.value)
    assert refused.value.exit_status == 69
