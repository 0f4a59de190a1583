"""Feedback on answers, and passing a question on to a server's helpers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, eventually, until
from tests.bot.discordapp.service import ABSENT, BREAD, LAMP
from tests.wire.entities import Channel, Guild, Message, Permission, User


async def _votes(chat: Chat, user: User | None = None) -> list[str]:
    """Return the feedback that /privacy show lists for a user."""
    message = await chat.use("privacy show", user)
    return [line for line in list(message.fields.values())[1].split("\n") if line.startswith("- ")]


async def test_feedback_is_recorded_with_its_question_and_thanked_for_in_private(chat: Chat) -> None:
    for answer in (await chat.ask(LAMP), await chat.mention(BREAD), await chat.direct(LAMP, chat.bob)):
        thanks = await chat.click(answer, texts.HELPFUL, chat.bob)  # who need not have asked
        assert (thanks.title, thanks.private) == (texts.THANKS, True)
    assert [line.split(": ")[1] for line in await _votes(chat, chat.bob)] == [LAMP, BREAD, LAMP]
    assert await _votes(chat) == []


@pytest.mark.parametrize(
    ("chosen", "typed", "reason"),
    [
        (None, "It is of 1872.", "It is of 1872."),
        (None, "  ", ""),
        (None, None, ""),
        ("outdated", "It is of 1872.", "Outdated: It is of 1872."),
        ("other_question", "", "Not what I asked"),
        ("of tomorrow", "So.", "So."),
    ],
)
async def test_not_helpful_is_recorded_even_if_the_modal_for_the_reason_is_dismissed(
    chat: Chat, chosen: str | None, typed: str | None, reason: str
) -> None:
    use = await chat.press(chat.ann, await chat.ask(), texts.NOT_HELPFUL)
    choice, label = (await chat.modal(use))["components"]
    assert [option["value"] for option in choice["component"]["options"]] == [
        "passage",
        "outdated",
        "other_question",
        "else",
    ]
    assert (label["component"]["required"], label["component"]["max_length"]) == (False, 500)
    assert choice["component"]["required"] is False
    if typed is not None:
        assert (await chat.answer(await chat.submit(use, chosen, typed))).title == texts.THANKS
    (vote,) = await eventually(lambda: _votes(chat), bool)
    assert vote.endswith(f"{LAMP}: {reason}" if reason else LAMP)


async def test_each_user_has_one_vote_on_an_answer_the_latest(chat: Chat) -> None:
    answer, other = await chat.ask(LAMP), await chat.ask(BREAD)
    for voted_on in (answer, answer, other):
        await chat.click(voted_on, texts.HELPFUL)
    await chat.fill_in(answer, texts.NOT_HELPFUL, "No.")
    votes = await _votes(chat)
    assert (len(votes), any(LAMP in vote and vote.endswith("No.") for vote in votes)) == (2, True)


# Helpers


async def _set_up_helpers(chat: Chat, **options: Any) -> Channel:
    """Have questions passed on in a channel of its own; return it."""
    channel = await chat.channel(chat.guild, "help")
    await chat.configure("helpers", channel=channel, **options)
    return channel


def _passed_on(chat: Chat, where: Channel | Guild) -> list[Message]:
    """Return the questions passed on in a channel."""
    return [message for message in chat.posts(where) if not message.embeds]


@pytest.mark.parametrize("way", ["command", "mention", "private", "thread"])
async def test_a_question_is_passed_on_once_and_pings_only_the_helpers(chat: Chat, way: str) -> None:
    role = chat.world.role(chat.guild, "helpers")
    helpers, question = (
        await _set_up_helpers(chat, role=role),
        "@everyone **who** won the cup final in Lisbon, <@1>?",
    )
    thread = await chat.thread(chat.guild, chat.ann, "thread")  # has the helpers of its channel
    where = thread if way == "thread" else chat.guild
    if way == "mention":
        answer = await chat.mention(question)
    else:
        answer = await chat.ask(question, where=where, private=way == "private" or None)
    before, labels = (answer.embeds, answer.content), set(answer.buttons)
    user = chat.ann if way == "private" else chat.bob
    notice = await chat.click(answer, texts.HELPERS, user)
    assert (notice.title, notice.private) == (texts.PASSED_ON, True)
    (message,) = _passed_on(chat, helpers)
    assert message.shown.quotes == [question]
    assert (f"<@&{role.id}>" in message.content, user.mention in message.content) == (True, True)
    assert (f"<#{answer.channel.id}>" in message.content) is (way != "private")  # discord.com has no such
    assert chat.log.pings == [role.id]
    assert ((answer.embeds, answer.content), labels - set(answer.buttons)) == (before, {texts.HELPERS})


async def test_helpers_may_be_a_channel_without_a_ping_or_a_role_pinged_where_it_was_asked(
    chat: Chat,
) -> None:
    helpers = await _set_up_helpers(chat)
    answer = await chat.mention(ABSENT)
    clicks = (chat.click(answer, texts.HELPERS, user) for user in (chat.ann, chat.bob))
    assert [notice.title for notice in await asyncio.gather(*clicks)] == [texts.PASSED_ON] * 2
    assert (len(_passed_on(chat, helpers)), chat.log.pings) == (1, [])
    role = chat.world.role(chat.guild, "helpers")
    await chat.configure("helpers", role=role)
    await chat.click(await chat.ask(ABSENT), texts.HELPERS)
    assert (len(_passed_on(chat, chat.guild)), chat.log.pings) == (1, [role.id])


@pytest.mark.parametrize("trouble", [Permission.SEND_MESSAGES, Permission.VIEW_CHANNEL, "removed", "server"])
async def test_a_question_that_cannot_be_passed_on_can_be_tried_again(
    chat: Chat, trouble: Permission | str, caplog: pytest.LogCaptureFixture
) -> None:
    helpers = await _set_up_helpers(chat)
    answer, other = await chat.ask(ABSENT), await chat.ask(ABSENT)
    if isinstance(trouble, Permission):
        await chat.deny(helpers, trouble)
    elif trouble == "removed":
        await chat.remove(helpers)
    else:
        chat.faults.answer("POST", f"/channels/{helpers.id}/messages", status=501)
    notice = await chat.click(answer, texts.HELPERS)
    assert (notice.title, notice.private) == (texts.NOT_PASSED_ON, True)
    assert texts.HELPERS in answer.buttons
    await until(lambda: texts.PASS_ON_FAILED in caplog.text)
    await chat.configure("helpers", channel=chat.guild.channels[0])
    assert (await chat.click(answer, texts.HELPERS, chat.bob)).title == texts.PASSED_ON
    await chat.configure("helpers")  # there are no helpers any more
    notice = await chat.answer(await chat.press(chat.ann, other, texts.HELPERS))
    assert (notice.title, notice.private) == (texts.NO_HELPERS, True)
