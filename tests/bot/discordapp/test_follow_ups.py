"""Follow-ups: what a question goes on from, the form that asks one, and nothing that was private."""

from __future__ import annotations

import pytest

from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, settle
from tests.bot.discordapp.service import BREAD, LAMP
from tests.wire.entities import Kind, Message, Permission
from tests.wire.gateway import MESSAGE_CONTENT


async def test_a_follow_up_is_answered_by_the_subject_of_the_question_before(chat: Chat) -> None:
    first = await chat.mention("When was the lamp on Gull Rock replaced?")
    await settle()
    second = await chat.mention("Who kept it for thirty-one years?", to=first)
    assert second.title == texts.ANSWERED
    assert "Ebba Lind kept the lamp" in second.shown.quotes[0]
    assert texts.READ_TOGETHER in second.text


async def test_a_command_goes_on_from_what_the_same_person_asked_last_in_the_channel(chat: Chat) -> None:
    other = await chat.channel(chat.guild)
    for user, where, question, before in (
        (chat.ann, chat.guild, LAMP, None),
        (chat.ann, chat.guild, BREAD, LAMP),
        (chat.bob, chat.guild, "Why?", None),
        (chat.ann, other, "Why?", None),
        (chat.ann, chat.ann, "Why?", None),
        (chat.ann, chat.guild, LAMP, BREAD),
    ):
        await chat.ask(question, user, where)
        assert chat.service.asked_with[-1] == (question, None, before)
        await settle()
    await chat.mention(BREAD)
    assert chat.service.asked_with[-1] == (BREAD, None, LAMP)
    await settle()
    await chat.ask(LAMP, article="Bread without a clock")
    assert chat.service.asked_with[-1][2] is None  # a question of one article goes on from nothing
    await settle()
    await chat.ask("Why?")
    assert chat.service.asked_with[-1][2] == LAMP


async def test_what_was_private_is_no_subject_of_what_all_see(chat: Chat) -> None:
    thread = await chat.thread(chat.guild, chat.ann, "thread")
    for user, where, private, question, before in (
        (chat.ann, chat.guild, True, LAMP, None),
        (chat.ann, chat.guild, False, BREAD, None),
        (chat.ann, chat.guild, True, LAMP, BREAD),
        (chat.ann, chat.guild, True, BREAD, LAMP),
        (chat.bob, chat.guild, True, LAMP, None),
        (chat.ann, thread, True, LAMP, None),
    ):
        await chat.ask(question, user, where, private=private)
        assert chat.service.asked_with[-1] == (question, None, before)
        await settle()
    await chat.mention(BREAD, chat.bob, thread)
    assert chat.service.asked_with[-1] == (BREAD, None, None)


async def test_direct_messages_go_on_from_the_latest_answer_or_the_one_replied_to(chat: Chat) -> None:
    first = await chat.direct(LAMP)
    await settle()
    for user, to, question, before in (
        (chat.ann, None, BREAD, LAMP), (chat.ann, first, "Why?", LAMP), (chat.bob, None, "Why?", None)
    ):  # fmt: skip
        await chat.direct(question, user, to)
        assert chat.service.asked_with[-1] == (question, None, before)
        await settle()


@pytest.mark.parametrize("way", ["command", "mention", "direct"])
async def test_the_form_asks_after_its_own_answer_for_anybody_in_public(chat: Chat, way: str) -> None:
    answer = await {"command": chat.ask, "mention": chat.mention, "direct": chat.direct}[way](LAMP)
    await chat.ask(BREAD)
    shown = await chat.follow_up(answer, "And who?", chat.ann if way == "direct" else chat.bob)
    assert chat.service.asked_with[-1] == ("And who?", None, LAMP)
    assert (shown.private, shown.every_part[0].quotes, chat.log.pings) == (False, ["And who?"], [])
    await chat.follow_up(shown, "Since when?")
    assert (chat.service.asked_with[-1][2] or "").startswith("And who?")


async def test_the_form_has_one_field_with_room_for_a_question(chat: Chat) -> None:
    form = await chat.modal(await chat.press(chat.ann, answer := await chat.ask(), texts.FOLLOW_UP))
    (label,) = form["components"]
    assert (label["component"]["max_length"], label["component"].get("required", True)) == (1000, True)
    blank = await chat.follow_up(answer, " \n ")
    chat.service.error = RuntimeError("boom")
    failed = await chat.follow_up(answer, "And who?")
    assert [(one.title, one.private) for one in (blank, failed)] == [(texts.HELP, True), (texts.FAULT, True)]


@pytest.mark.parametrize("by", ["option", "setting"])
async def test_a_follow_up_to_what_one_person_saw_is_seen_by_that_person_alone(chat: Chat, by: str) -> None:
    if by == "setting":
        await chat.configure("private", private="yes")
    answer = await chat.ask(private=True if by == "option" else None)
    shown = await chat.follow_up(answer, "And who?")
    assert (answer.private, shown.private, chat.posts(chat.guild)) == (True, True, [])


async def answered_in_every_way(chat: Chat) -> dict[str, Message]:
    """Have a question answered in all the ways that an answer can be posted."""
    found = {
        "command": await chat.ask(LAMP), "mention": await chat.mention(LAMP), "direct": await chat.direct(LAMP),
        "menu": await chat.use_menu(texts.ANSWER_THIS, LAMP), "private": await chat.ask(LAMP, private=True),
    }  # fmt: skip
    plain = await chat.channel(chat.guild, "plain")
    await chat.deny(plain, Permission.EMBED_LINKS)
    found["text"] = await chat.ask(LAMP, where=plain)
    forum = await chat.channel(chat.guild, "questions", Kind.FORUM)
    await chat.configure("answers", to="questions")
    post = await chat.post(forum, chat.ann, LAMP, "It is about the lamp.")
    (found["forum"],) = await chat.log.until(lambda: chat.posts(post), "an answer")
    return found


async def test_after_a_restart_the_question_is_read_from_the_messages(fresh: Chat) -> None:
    async with fresh.bot(drain=0.1):
        answers = await answered_in_every_way(fresh)
    async with fresh.bot():
        for way, answer in answers.items():
            shown = await fresh.follow_up(answer, "And who?")
            assert (fresh.service.asked_with[-1], shown.private) == (
                ("And who?", None, LAMP),
                way == "private",
            )


async def test_after_a_restart_a_post_is_read_from_its_title_and_its_first_message(fresh: Chat) -> None:
    fresh.gateway.granted = MESSAGE_CONTENT
    async with fresh.bot(discord_message_content=True):
        forum = await fresh.channel(fresh.guild, "questions", Kind.FORUM)
        post = await fresh.post(forum, fresh.ann, "The lamp", f"{fresh.world.bot.mention} Who kept it?")
        (answer,) = await fresh.log.until(lambda: fresh.posts(post), "an answer")
    async with fresh.bot(discord_message_content=True):
        await fresh.follow_up(answer, "Why?")
    assert fresh.service.asked_with[-1] == ("Why?", None, "The lamp\nWho kept it?")


async def test_after_a_restart_a_question_that_cannot_be_read_is_gone_on_from_alone(fresh: Chat) -> None:
    ways = {
        name: await fresh.channel(fresh.guild, name) for name in ("deleted", "hidden", "history", "refused")
    }
    async with fresh.bot():
        answers = {name: await fresh.mention(LAMP, where=channel) for name, channel in ways.items()}
    asked = {name: answer.reply_to for name, answer in answers.items() if answer.reply_to}
    await fresh.messages.delete(asked.pop("deleted"))
    for message in asked.values():
        message.mentions = []  # so that Discord shows no text of it
    await fresh.deny(ways["history"], Permission.READ_HISTORY)
    fresh.faults.answer("GET", f"/messages/{asked['refused'].id}$", status=403)
    async with fresh.bot():
        for answer in answers.values():
            assert (await fresh.follow_up(answer, BREAD)).title == texts.ANSWERED
            assert fresh.service.asked_with[-1] == (BREAD, None, None)


async def test_who_asks_too_much_is_told_when_to_try_again_and_nobody_else(fresh: Chat) -> None:
    async with fresh.bot(discord_user_rate=3):
        answer = await fresh.ask()
        for blank in (await fresh.ask("  "), await fresh.mention("")):
            assert blank.title == texts.HELP  # which costs nothing
        await fresh.mention()
        await fresh.direct()
        refused = [
            await fresh.ask(), await fresh.mention(), await fresh.direct(), await fresh.follow_up(answer, "And who?"),
            await fresh.use("verify", text="It was lit."),
        ]  # fmt: skip
        assert [one.title for one in refused] == [texts.TOO_FAST] * 5
        assert [one.private for one in refused] == [True, False, False, True, True]
        assert (await fresh.mention(user=fresh.bob)).title == texts.ANSWERED
    assert len(fresh.service.asked) == 4
