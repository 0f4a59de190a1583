"""Direct messages, over the wire."""

from __future__ import annotations

import pytest

from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import QUOTE, FakeService, sample_answer
from tests.bot.discordapp.stage import title_of
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import User
from tests.wire.renderer import render


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


@pytest.fixture
def ann(wire: LoopbackDiscord) -> User:
    """Make an account."""
    return wire.world.user("ann")


@pytest.mark.parametrize("text", ["When did it open?", "when it opened", "thanks!"])
async def test_every_direct_message_is_a_question_without_a_mention(
    wire: LoopbackDiscord, chat: Chat, ann: User, text: str
) -> None:
    reply = await chat.say(ann, wire.world.dm(ann), text)
    assert chat.service.asked == [text]
    assert render(reply["embeds"][0]["description"]).quotes == [QUOTE]
    assert wire.log.pings == []


async def test_a_mention_in_a_direct_message_is_taken_out(
    wire: LoopbackDiscord, chat: Chat, ann: User
) -> None:
    await chat.say(ann, wire.world.dm(ann), f"{wire.world.bot.mention} Why?")
    assert chat.service.asked == ["Why?"]


async def test_a_direct_message_without_words_gets_help(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient, ann: User
) -> None:
    reply = await wire.reply_to(await wire.say(wire.world.dm(ann), ann, ""))
    assert title_of(reply) == "Ask a question"
    assert service.asked == []


async def test_it_leans_on_the_latest_answer_there(wire: LoopbackDiscord, chat: Chat, ann: User) -> None:
    here = wire.world.dm(ann)
    await chat.say(ann, here, "One?")
    assert chat.before() is None
    await chat.say(ann, here, "And who?")
    assert chat.before() == "One?"
    await chat.command(ann, None, "Two?")
    await chat.say(ann, here, "And who?")
    assert chat.before() == "Two?"
    bob = wire.world.user("bob")
    await chat.say(bob, wire.world.dm(bob), "And who?")
    assert chat.before() is None


async def test_a_reply_leans_on_what_it_replies_to(wire: LoopbackDiscord, chat: Chat, ann: User) -> None:
    here = wire.world.dm(ann)
    first = await chat.say(ann, here, "One?")
    await chat.say(ann, here, "Two?")
    await chat.say(ann, here, "And who?", reply_to=first, ping=False)
    assert chat.before() == "One?"


async def test_after_a_restart_a_reply_still_knows_its_question_and_the_rest_is_asked_alone(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, ann: User
) -> None:
    here = wire.world.dm(ann)
    async with running(bot_settings(), service) as client:
        first = await Chat(wire, client, service).say(ann, here, "One?")
    async with running(bot_settings(), service) as client:
        chat = Chat(wire, client, service)
        await chat.say(ann, here, "And who?")
        assert chat.before() is None
        await chat.say(ann, here, "And who?", reply_to=first)
        assert chat.before() == "One?"


async def test_direct_messages_need_no_intent_and_no_permission_of_any_server(
    wire: LoopbackDiscord, chat: Chat, ann: User
) -> None:
    (identify,) = wire.gateway.identifies
    assert not identify["intents"] & MESSAGE_CONTENT
    assert wire.world.guilds == {}
    await chat.say(ann, wire.world.dm(ann), "Why?")
