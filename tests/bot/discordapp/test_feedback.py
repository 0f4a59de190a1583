"""Helpful or not, and passing a question on to a server's helpers."""

from __future__ import annotations

import asyncio

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, eventually, until
from tests.bot.discordapp.service import ABSENT, BREAD, LAMP
from tests.wire.entities import Channel, Guild, Message, Permission, User


async def votes(chat: Chat, user: User | None = None) -> list[str]:
    """Return the lines that /privacy show has of somebody's votes."""
    shown = await chat.use("privacy show", user)
    return [line for line in list(shown.fields.values())[1].split("\n") if line.startswith("- ")]


async def test_a_vote_is_kept_with_its_question_and_thanked_for_in_private(chat: Chat) -> None:
    for answer in (await chat.ask(LAMP), await chat.mention(BREAD), await chat.direct(LAMP, chat.bob)):
        thanks = await chat.click(answer, texts.HELPFUL, chat.bob)  # which need not be the asker's
        assert (thanks.title, thanks.private) == (texts.THANKS, True)
    assert [line.split(": ")[1] for line in await votes(chat, chat.bob)] == [LAMP, BREAD, LAMP]
    assert await votes(chat) == []


@pytest.mark.parametrize(("typed", "reason"), [("It is of 1872.", "It is of 1872."), ("  ", ""), (None, "")])
async def test_not_helpful_is_kept_though_the_form_for_the_reason_is_dismissed(
    chat: Chat, typed: str | None, reason: str
) -> None:
    used = await chat.press(chat.ann, await chat.ask(), texts.NOT_HELPFUL)
    (label,) = (await chat.modal(used))["components"]
    assert (label["component"]["required"], label["component"]["max_length"]) == (False, 500)
    if typed is not None:
        assert (await chat.answer(await chat.submit(used, typed))).title == texts.THANKS
    (vote,) = await eventually(lambda: votes(chat), bool)
    assert vote.endswith(reason or LAMP)


async def test_a_person_has_one_vote_on_an_answer_the_last(chat: Chat) -> None:
    answer, other = await chat.ask(LAMP), await chat.ask(BREAD)
    for one in (answer, answer, other):
        await chat.click(one, texts.HELPFUL)
    await chat.fill_in(answer, texts.NOT_HELPFUL, "No.")
    found = await votes(chat)
    assert (len(found), any(LAMP in one and one.endswith("No.") for one in found)) == (2, True)


# Helpers


async def helped(chat: Chat, **more: object) -> Channel:
    """Let the server's helpers be told in a channel of their own."""
    helpers = await chat.channel(chat.guild, "help")
    await chat.configure("helpers", channel=helpers, **more)
    return helpers


def passed_on(chat: Chat, where: Channel | Guild) -> list[Message]:
    """Return what was passed on in a channel."""
    return [one for one in chat.posts(where) if not one.embeds]


def link_to(message: Message) -> str:
    """Return the address of a message in a server."""
    assert message.channel.guild is not None
    return f"https://discord.com/channels/{message.channel.guild.id}/{message.channel.id}/{message.id}"


@pytest.mark.parametrize("way", ["command", "mention", "private", "thread"])
async def test_a_question_is_passed_on_once_and_pings_the_helpers_alone(chat: Chat, way: str) -> None:
    role = chat.world.role(chat.guild, "helpers")
    helpers, question = await helped(chat, role=role), "@everyone **who** painted it, <@1>?"
    thread = await chat.thread(chat.guild, chat.ann, "thread")  # which has the helpers of its channel
    where = thread if way == "thread" else chat.guild
    private = {"private": True} if way == "private" else {}
    asking = chat.mention if way == "mention" else chat.ask
    answer = await asking(question, where=where, **private)
    before, buttons = (answer.embeds, answer.content), set(answer.buttons)
    who = chat.ann if private else chat.bob
    told = await chat.click(answer, texts.HELPERS, who)
    assert (told.title, told.private) == (texts.PASSED_ON, True)
    (message,) = passed_on(chat, helpers)
    assert message.shown.quotes == [question]
    assert (f"<@&{role.id}>" in message.content, who.mention in message.content) == (True, True)
    assert (link_to(answer) in message.content) is (way != "private")
    assert chat.log.pings == [role.id]
    assert ((answer.embeds, answer.content), buttons - set(answer.buttons)) == (before, {texts.HELPERS})


async def test_a_role_alone_is_pinged_where_it_was_asked_and_a_channel_alone_pings_nobody(chat: Chat) -> None:
    helpers = await helped(chat)
    answer = await chat.mention(ABSENT)
    pressing = (chat.click(answer, texts.HELPERS, user) for user in (chat.ann, chat.bob))
    assert [one.title for one in await asyncio.gather(*pressing)] == [texts.PASSED_ON] * 2  # both are told
    assert (len(passed_on(chat, helpers)), chat.log.pings) == (1, [])
    role = chat.world.role(chat.guild, "helpers")
    await chat.configure("helpers", role=role)
    await chat.click(await chat.ask(ABSENT), texts.HELPERS)
    assert (len(passed_on(chat, chat.guild)), chat.log.pings) == (1, [role.id])


@pytest.mark.parametrize("trouble", [Permission.SEND_MESSAGES, Permission.VIEW_CHANNEL, "removed", "server"])
async def test_where_helpers_cannot_be_told_that_is_said_and_may_be_tried_again(
    chat: Chat, trouble: Permission | str, caplog: pytest.LogCaptureFixture
) -> None:
    helpers = await helped(chat)
    answer = await chat.ask(ABSENT)
    if trouble == "removed":
        await chat.remove(helpers)
    elif trouble == "server":
        chat.faults.answer("POST", f"/channels/{helpers.id}/messages", status=501)
    else:
        await chat.deny(helpers, Permission(trouble))
    told = await chat.click(answer, texts.HELPERS)
    assert (told.title, told.private, texts.HELPERS in answer.buttons) == (texts.NOT_PASSED_ON, True, True)
    await until(lambda: "could not be passed on" in caplog.text)
    await chat.configure("helpers", channel=chat.guild.channels[0])
    assert (await chat.click(answer, texts.HELPERS, chat.bob)).title == texts.PASSED_ON
    other = await chat.ask(ABSENT)
    await chat.configure("helpers")  # names nobody any more
    told = await chat.answer(await chat.press(chat.ann, other, texts.HELPERS))
    assert (told.title, told.private) == (texts.NO_HELPERS, True)
