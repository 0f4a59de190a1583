"""Follow-ups: which question they refer to, the modal that asks them, and that nothing private leaks."""

from __future__ import annotations

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import WAYS, Chat, settle
from tests.bot.discordapp.service import ABSENT, BREAD, LAMP
from tests.wire.entities import Kind, Message, Permission
from tests.wire.gateway import MESSAGE_CONTENT


async def test_a_follow_up_is_answered_with_the_subject_of_the_previous_question(chat: Chat) -> None:
    first = await chat.mention("When was the lamp on Gull Rock replaced?")
    await settle()
    second = await chat.mention("Who kept it for thirty-one years?", to=first)
    assert second.title == texts.ANSWERED
    assert "Ebba Lind kept the lamp" in second.shown.quotes[0]
    assert texts.READ_TOGETHER in second.text


async def test_a_command_follows_up_on_the_users_latest_question_in_the_channel(chat: Chat) -> None:
    second = await chat.channel(chat.guild)
    for user, where, question, earlier in (
        (chat.ann, chat.guild, LAMP, None),
        (chat.ann, chat.guild, BREAD, LAMP),
        (chat.bob, chat.guild, "Why?", None),
        (chat.ann, second, "Why?", None),
        (chat.ann, chat.ann, "Why?", None),
        (chat.ann, chat.guild, LAMP, BREAD),
    ):
        await chat.ask(question, user, where)
        assert chat.service.latest() == (question, None, earlier)
        await settle()
    await chat.mention(BREAD)
    assert chat.service.latest() == (BREAD, None, LAMP)
    await settle()
    await chat.ask(LAMP, article="Bread without a clock")
    assert chat.service.latest()[2] is None  # a question to one article is no follow-up
    await settle()
    await chat.ask("Why?")
    assert chat.service.latest()[2] == LAMP


async def test_a_public_question_never_follows_up_on_a_private_one(chat: Chat) -> None:
    thread = await chat.thread(chat.guild, chat.ann, "thread")
    for user, where, private, question, earlier in (
        (chat.ann, chat.guild, True, LAMP, None),
        (chat.ann, chat.guild, False, BREAD, None),
        (chat.ann, chat.guild, True, LAMP, BREAD),
        (chat.ann, chat.guild, True, BREAD, LAMP),
        (chat.bob, chat.guild, True, LAMP, None),
        (chat.ann, thread, True, LAMP, None),
    ):
        await chat.ask(question, user, where, private=private)
        assert chat.service.latest() == (question, None, earlier)
        await settle()
    await chat.mention(BREAD, chat.bob, thread)
    assert chat.service.latest() == (BREAD, None, None)


async def test_direct_messages_follow_up_on_the_latest_answer_or_the_one_replied_to(chat: Chat) -> None:
    first = await chat.direct(LAMP)
    await settle()
    for user, to, question, earlier in (
        (chat.ann, None, BREAD, LAMP), (chat.ann, first, "Why?", LAMP), (chat.bob, None, "Why?", None)
    ):  # fmt: skip
        await chat.direct(question, user, to)
        assert chat.service.latest() == (question, None, earlier)
        await settle()


@pytest.mark.parametrize("way", WAYS)
async def test_the_button_follows_up_on_its_own_answer_for_everybody(chat: Chat, way: str) -> None:
    answer = await WAYS[way](chat, LAMP)
    await chat.ask(BREAD)
    follow_up = await chat.follow_up(answer, "And who?", chat.ann if way == "direct" else chat.bob)
    assert chat.service.latest() == ("And who?", None, LAMP)
    assert (follow_up.private, follow_up.every_part[0].quotes) == (False, ["And who?"])
    assert chat.log.pings == []
    await chat.follow_up(follow_up, "Since when?")
    assert (chat.service.latest()[2] or "").startswith("And who?")


async def test_the_modal_has_one_field_for_the_question(chat: Chat) -> None:
    answer = await chat.ask()
    (label,) = (await chat.modal(await chat.press(chat.ann, answer, texts.FOLLOW_UP)))["components"]
    assert (label["component"]["max_length"], label["component"].get("required", True)) == (1000, True)
    blank = await chat.follow_up(answer, " \n ")
    assert (blank.title, blank.private) == (texts.HELP, True)


@pytest.mark.parametrize("by", ["option", "setting"])
async def test_a_follow_up_to_a_private_answer_is_private(chat: Chat, by: str) -> None:
    if by == "setting":
        await chat.configure("private", private="yes")
    answer = await chat.ask(private=True if by == "option" else None)
    follow_up = await chat.follow_up(answer, "And who?")
    assert (answer.private, follow_up.private, chat.posts(chat.guild)) == (True, True, [])


async def _answers(chat: Chat) -> dict[str, Message]:
    """Have a question answered in every form that an answer can have."""
    answers = {
        "command": await chat.ask(LAMP), "mention": await chat.mention(LAMP),
        "direct": await chat.direct(LAMP),
        "menu": await chat.use_menu(texts.ANSWER_THIS, LAMP), "private": await chat.ask(LAMP, private=True),
    }  # fmt: skip
    plain = await chat.channel(chat.guild, "plain")
    await chat.deny(plain, Permission.EMBED_LINKS)
    answers["text"] = await chat.ask(LAMP, where=plain)
    forum = await chat.channel(chat.guild, "questions", Kind.FORUM)
    await chat.configure("answers", to="questions")
    post = await chat.post(forum, chat.ann, LAMP, "It is about the lamp.")
    (answers["forum"],) = await chat.log.until(lambda: chat.posts(post), "an answer")
    return answers


async def test_after_a_restart_the_previous_question_is_read_from_the_messages(fresh: Chat) -> None:
    async with fresh.bot(drain=0.1):
        answers = await _answers(fresh)
    async with fresh.bot():
        for way, answer in answers.items():
            follow_up = await fresh.follow_up(answer, "And who?")
            assert fresh.service.latest() == ("And who?", None, LAMP)
            assert follow_up.private is (way == "private")


async def test_after_a_restart_a_post_is_read_from_its_title_and_first_message(fresh: Chat) -> None:
    fresh.gateway.granted = MESSAGE_CONTENT
    async with fresh.bot(discord_message_content=True):
        forum = await fresh.channel(fresh.guild, "questions", Kind.FORUM)
        post = await fresh.post(forum, fresh.ann, "The lamp", f"{fresh.world.bot.mention} Who kept it?")
        (answer,) = await fresh.log.until(lambda: fresh.posts(post), "an answer")
    async with fresh.bot(discord_message_content=True):
        await fresh.follow_up(answer, "Why?")
    assert fresh.service.latest() == ("Why?", None, "The lamp\nWho kept it?")


async def test_after_a_restart_without_access_to_the_previous_question_a_follow_up_stands_alone(
    fresh: Chat,
) -> None:
    names = ("deleted", "hidden", "history", "refused")
    channels = {name: await fresh.channel(fresh.guild, name) for name in names}
    async with fresh.bot():
        answers = {name: await fresh.mention(LAMP, where=channel) for name, channel in channels.items()}
    questions = {name: answer.reply_to for name, answer in answers.items() if answer.reply_to}
    await fresh.messages.delete(questions.pop("deleted"))
    for question in questions.values():
        question.mentions = []  # so that Discord withholds its text
    await fresh.deny(channels["history"], Permission.READ_HISTORY)
    fresh.faults.answer("GET", f"/messages/{questions['refused'].id}$", status=403)
    async with fresh.bot():
        for answer in answers.values():
            assert (await fresh.follow_up(answer, BREAD)).title == texts.ANSWERED
            assert fresh.service.latest() == (BREAD, None, None)


async def test_the_rate_limit_is_per_user_for_everything_that_asks(fresh: Chat) -> None:
    async with fresh.bot(discord_user_rate=3):
        answer = await fresh.ask(ABSENT)
        for blank in (await fresh.ask("  "), await fresh.mention("")):
            assert blank.title == texts.HELP  # which does not count
        await fresh.mention()
        await fresh.direct()
        refusals = [
            await fresh.ask(), await fresh.mention(), await fresh.direct(),
            await fresh.follow_up(answer, "And who?"), await fresh.click(answer, texts.WHY),
            await fresh.use("verify", text="It was lit."),
        ]  # fmt: skip
        assert [refusal.title for refusal in refusals] == [texts.TOO_FAST] * 6
        assert [refusal.private for refusal in refusals] == [True, False, False, True, True, True]
        assert (await fresh.mention(user=fresh.bob)).title == texts.ANSWERED
    assert len(fresh.service.asked) == 4
