"""The button and form for a follow-up, over the wire."""

from __future__ import annotations

import pytest

from bot.answering.followups import Earlier
from bot.discordapp.client import FootnoteClient
from bot.records.settings import AnswersTo
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import QUOTE, FakeService, sample_answer
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, title_of
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.interaction import Interaction
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import EMBED_LINKS, READ_MESSAGE_HISTORY
from tests.wire.places import User
from tests.wire.records import Json
from tests.wire.renderer import render


async def follow(
    wire: LoopbackDiscord, user: User, message: Json, text: str = "And who runs it?"
) -> Interaction:
    """Press the button, fill in the form and send it."""
    return await wire.submit(await wire.press(user, message, "Ask a follow-up"), [text])


@pytest.mark.usefixtures("bot")
async def test_the_button_opens_a_form_with_one_field(wire: LoopbackDiscord) -> None:
    ann = wire.world.user("ann")
    form = await wire.form(await wire.press(ann, await answer_to(wire, ann), "Ask a follow-up"))
    (label,) = form["components"]
    assert (form["title"], label["label"]) == ("Ask a follow-up", "Your question")
    assert label["component"]["max_length"] == 1000
    assert label["component"].get("required", True)


@pytest.mark.parametrize("way", ["command", "mention", "direct"])
@pytest.mark.usefixtures("bot")
async def test_a_follow_up_is_asked_with_what_was_answered_and_answered_in_public(
    wire: LoopbackDiscord, service: FakeService, way: str
) -> None:
    service.reply = sample_answer(highlight=(QUOTE.index("2019"), QUOTE.index("2019") + 4))
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    who = ann if way == "direct" else bob  # in a server anybody may follow
    answers = {"command": answer_to, "mention": mentioned, "direct": answer_to}
    answer = await answers[way](wire, ann, wire.world.dm(ann) if way == "direct" else guild)
    used = await follow(wire, who, answer)
    shown = await wire.response_to(used)
    earlier = Earlier("When did it open?", "councils")
    assert service.asked_with[-1] == ("And who runs it?", None, earlier)
    assert not used.ephemeral
    assert render(shown["content"]).quotes == ["And who runs it?"]
    assert title_of(shown) == "The articles say"
    assert wire.buttons(shown) == wire.buttons(answer)
    assert wire.log.pings == []


@pytest.mark.usefixtures("bot")
async def test_a_follow_up_can_be_followed(wire: LoopbackDiscord, service: FakeService) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.replies = {
        "And who?": sample_answer("And who?", texts=("It is Mona.",), articles=("mona",)),
    }
    second = await wire.response_to(await follow(wire, ann, await answer_to(wire, ann, guild), "And who?"))
    await wire.response_to(await follow(wire, ann, second, "Since when?"))
    assert service.asked_with[-1] == ("Since when?", None, Earlier("And who?", "mona"))


@pytest.mark.usefixtures("bot")
async def test_a_follow_up_leans_on_its_own_message_and_not_on_the_latest(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.replies = {"First?": sample_answer("First?"), "Second?": sample_answer("Second?")}
    first = await answer_to(wire, ann, guild, "First?")
    await answer_to(wire, ann, guild, "Second?")
    await wire.response_to(await follow(wire, ann, first))
    _, _, earlier = service.asked_with[-1]
    assert earlier is not None
    assert earlier.question == "First?"


@pytest.mark.parametrize("setting", [False, True])
async def test_a_follow_up_to_what_one_person_saw_is_seen_by_that_person_alone(
    wire: LoopbackDiscord, bot: FootnoteClient, setting: bool
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    if setting:
        await bot.surface.records.change(guild.id, None, private=True)
    answer = await answer_to(wire, ann, guild, private=None if setting else True)
    used = await follow(wire, ann, answer)
    shown = await wire.response_to(used)
    assert used.ephemeral
    assert shown["flags"] & 64
    assert wire.buttons(shown) == wire.buttons(answer)


@pytest.mark.parametrize("way", ["command", "mention", "text", "menu", "forum", "direct"])
async def test_a_forgotten_question_is_read_from_the_message_or_from_what_it_replies_to(
    wire: LoopbackDiscord, service: FakeService, bot_settings: MakeBotSettings, way: str
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    question, forum = "When did it open?", wire.world.forum(guild)
    if way == "text":
        wire.world.deny(guild.channels[0], EMBED_LINKS)
    async with running(bot_settings(), service) as bot:
        if way in {"command", "text"}:
            answer = await answer_to(wire, ann, guild)
        elif way == "menu":
            asked = await wire.say(guild, ann, question)
            answer = await wire.response_to(await wire.menu("Answer this", ann, asked))
        elif way == "forum":
            await bot.surface.records.change(guild.id, None, answers=AnswersTo.QUESTIONS)
            _, starter = await wire.post(forum, ann, question, "It is about the academy.")
            answer = await wire.reply_to(starter)
        else:
            answer = await mentioned(wire, ann, wire.world.dm(ann) if way == "direct" else guild)
    async with running(bot_settings(), service):
        await wire.response_to(await follow(wire, ann, answer))
    assert service.asked_with[-1] == ("And who runs it?", None, Earlier(question))


async def test_a_forgotten_post_is_read_from_its_title_and_its_first_message(
    wire: LoopbackDiscord, service: FakeService, bot_settings: MakeBotSettings
) -> None:
    wire.gateway.granted = MESSAGE_CONTENT
    settings = bot_settings(discord_message_content=True)
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(settings, service):
        text = f"{wire.world.bot.mention} When did it open?"
        post, starter = await wire.post(wire.world.forum(guild), ann, "The academy", text)
        answer = await wire.reply_to(starter)
        second = await mentioned(wire, ann, post, "And who runs it?")
    async with running(settings, service):
        await wire.response_to(await follow(wire, ann, answer, "Why?"))
        assert service.asked_with[-1][2] == Earlier("The academy\nWhen did it open?")
        await wire.response_to(await follow(wire, ann, second, "Why?"))
        assert service.asked_with[-1][2] == Earlier("And who runs it?")


@pytest.mark.parametrize("lost", ["deleted", "hidden", "history", "trouble"])
async def test_where_the_question_before_cannot_be_read_a_follow_up_is_asked_alone(
    wire: LoopbackDiscord, service: FakeService, bot_settings: MakeBotSettings, lost: str
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    async with running(bot_settings(), service):
        asked = await wire.say(guild, ann, f"{wire.world.bot.mention} When did it open?")
        answer = await wire.reply_to(asked)
    async with running(bot_settings(), service):
        if lost == "deleted":
            await wire.delete(asked)
        else:
            asked["mentions"] = []  # so that Discord does not show its text
        if lost == "history":
            await wire.deny(guild.channels[0], READ_MESSAGE_HISTORY)
        elif lost == "trouble":
            wire.fault("GET", f"/messages/{asked['id']}$", status=403)
        shown = await wire.response_to(await follow(wire, ann, answer))
    assert title_of(shown) == "The articles say"
    assert service.asked_with[-1] == ("And who runs it?", None, None)


@pytest.mark.usefixtures("bot")
async def test_a_form_without_a_question_gets_help(wire: LoopbackDiscord, service: FakeService) -> None:
    ann = wire.world.user("ann")
    used = await follow(wire, ann, await answer_to(wire, ann), " \n ")
    assert title_of(await wire.response_to(used)) == "Ask a question"
    assert used.ephemeral
    assert len(service.asked) == 1


@pytest.mark.usefixtures("bot")
async def test_a_follow_up_that_fails_ends_in_a_private_apology(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    ann = wire.world.user("ann")
    answer = await answer_to(wire, ann)
    service.error = RuntimeError("boom")
    shown = await wire.response_to(await follow(wire, ann, answer))
    assert title_of(shown) == "Something went wrong"
    assert shown["flags"] & 64


async def test_follow_ups_are_counted_as_questions_are(
    wire: LoopbackDiscord, service: FakeService, bot_settings: MakeBotSettings
) -> None:
    async with running(bot_settings(discord_user_rate=1), service):
        ann = wire.world.user("ann")
        used = await follow(wire, ann, await answer_to(wire, ann))
        assert title_of(await wire.response_to(used)) == "That was quick"
    assert used.ephemeral
    assert len(service.asked) == 1
