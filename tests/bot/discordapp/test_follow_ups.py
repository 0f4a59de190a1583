"""Follow-ups: what a question is read together with, the form that asks one, and nothing that was private."""

from __future__ import annotations

import pytest

from tests.bot.discordapp.asking import ask, follow, mention, set_to, settle
from tests.bot.discordapp.conftest import running
from tests.bot.discordapp.phrases import ANSWER_THIS, ANSWERED, FAULT, FOLLOW_UP, HELP, TOO_FAST
from tests.bot.discordapp.service import BREAD, LAMP, ControlledService
from tests.wire.driver import Wire
from tests.wire.gateway import MESSAGE_CONTENT
from tests.wire.world import Kind, Permission

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_follow_up_is_answered_by_the_subject_of_the_question_before(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    question = "Who kept it for thirty-one years?"
    first = await mention(wire, ann, guild, "When was the lamp on Gull Rock replaced?")
    await settle()
    second = await mention(wire, ann, guild, question, first)
    assert second.title == ANSWERED
    assert "Ebba Lind kept the lamp" in second.shown.quotes[0]
    assert "Read together with: " in second.text


async def test_a_command_goes_on_from_what_the_same_person_asked_last_in_the_same_channel(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    other = await wire.channel(guild)
    for user, where, question, before in (
        (ann, guild, LAMP, None),
        (ann, guild, BREAD, LAMP),
        (bob, guild, "Why?", None),
        (ann, other, "Why?", None),
        (ann, ann, "Why?", None),
        (ann, guild, LAMP, BREAD),
    ):
        await ask(wire, user, where, question)
        assert service.asked_with[-1] == (question, None, before)
        await settle()
    await mention(wire, ann, guild, BREAD)
    assert service.asked_with[-1] == (BREAD, None, LAMP)


async def test_a_question_of_one_article_goes_on_from_nothing(wire: Wire, service: ControlledService) -> None:
    guild, ann = await wire.server("ann")
    await ask(wire, ann, guild, LAMP)
    await settle()
    await ask(wire, ann, guild, BREAD, article="Bread without a clock")
    assert service.asked_with[-1][2] is None
    await settle()
    await ask(wire, ann, guild, "Why?")
    assert service.asked_with[-1][2] == BREAD


async def test_what_was_private_is_no_subject_of_what_all_see(wire: Wire, service: ControlledService) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    thread = await wire.thread(guild, ann, "thread")
    for user, where, private, question, before in (
        (ann, guild, True, LAMP, None),
        (ann, guild, False, BREAD, None),
        (ann, guild, True, LAMP, BREAD),
        (ann, guild, True, BREAD, LAMP),
        (bob, guild, True, LAMP, None),
        (ann, thread, True, LAMP, None),
    ):
        await ask(wire, user, where, question, private=private)
        assert service.asked_with[-1] == (question, None, before)
        await settle()
    await mention(wire, bob, thread, BREAD)
    assert service.asked_with[-1] == (BREAD, None, None)


async def test_direct_messages_go_on_from_the_latest_answer_or_from_the_one_replied_to(
    wire: Wire, service: ControlledService
) -> None:
    ann, bob = wire.world.user("ann"), wire.world.user("bob")
    first = await wire.reply(await wire.say(ann, ann, LAMP))
    await settle()
    for user, to, question, before in (
        (ann, None, BREAD, LAMP),
        (ann, first, "Why?", LAMP),
        (bob, None, "Why?", None),
    ):
        await wire.reply(await wire.say(user, user, question, to))
        assert service.asked_with[-1] == (question, None, before)
        await settle()


@pytest.mark.parametrize("way", ["command", "mention", "direct"])
async def test_the_form_asks_after_its_own_answer_for_anybody_and_is_answered_in_public(
    wire: Wire, service: ControlledService, way: str
) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    where = ann if way == "direct" else guild
    answer = await (ask if way == "command" else mention)(wire, ann, where, LAMP)
    await ask(wire, ann, where, BREAD)
    used = await wire.submit(await wire.press(ann if way == "direct" else bob, answer, FOLLOW_UP), "And who?")
    shown = await wire.answer(used)
    assert service.asked_with[-1] == ("And who?", None, LAMP)
    assert (shown.private, shown.every_part[0].quotes) == (False, ["And who?"])
    assert set(shown.buttons) >= {FOLLOW_UP}
    assert wire.log.pings == []
    await follow(wire, ann, shown, "Since when?")
    assert (service.asked_with[-1][2] or "").startswith("And who?")


async def test_the_form_has_one_field_with_room_for_a_question(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    form = await wire.form(await wire.press(ann, await ask(wire, ann, guild), FOLLOW_UP))
    (label,) = form["components"]
    assert label["component"]["max_length"] == 1000
    assert label["component"].get("required", True)


@pytest.mark.parametrize("by", ["option", "setting"])
async def test_a_follow_up_to_what_one_person_saw_is_seen_by_that_person_alone(wire: Wire, by: str) -> None:
    guild, ann = await wire.server("ann")
    if by == "setting":
        await set_to(wire, guild, "private", private="yes")
    answer = await ask(wire, ann, guild, private=True if by == "option" else None)
    shown = await follow(wire, ann, answer, "And who?")
    assert answer.private
    assert shown.private
    assert wire.said(guild) == []


async def test_a_blank_follow_up_gets_help_and_a_failing_one_an_apology(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann = await wire.server("ann")
    answer = await ask(wire, ann, guild)
    blank = await follow(wire, ann, answer, " \n ")
    service.error = RuntimeError("boom")
    failed = await follow(wire, ann, answer, "And who?")
    assert [(one.title, one.private) for one in (blank, failed)] == [(HELP, True), (FAULT, True)]


@pytest.mark.parametrize("way", ["command", "mention", "text", "menu", "forum", "direct", "private"])
async def test_after_a_restart_the_question_is_read_from_the_messages(
    own_wire: Wire, service: ControlledService, way: str
) -> None:
    async with running(own_wire, service):
        guild, ann = await own_wire.server("ann")
        where = ann if way == "direct" else guild
        if way == "text":
            await own_wire.deny(guild, Permission.EMBED_LINKS)
        if way == "menu":
            said = await own_wire.say(ann, guild, LAMP)
            answer = await own_wire.answer(await own_wire.menu(ann, ANSWER_THIS, said))
        elif way == "forum":
            forum = await own_wire.channel(guild, "questions", Kind.FORUM)
            await set_to(own_wire, guild, "answers", to="questions")
            post = await own_wire.post(forum, ann, LAMP, "It is about the lamp.")
            (answer,) = await own_wire.log.until(lambda: own_wire.said(post), "an answer")
        elif way in {"mention", "direct"}:
            answer = await mention(own_wire, ann, where, LAMP)
        else:
            answer = await ask(own_wire, ann, guild, LAMP, private=way == "private")
    async with running(own_wire, service):
        shown = await follow(own_wire, ann, answer, "And who?")
    assert service.asked_with[-1] == ("And who?", None, LAMP)
    assert shown.private is (way == "private")


async def test_after_a_restart_a_post_is_read_from_its_title_and_its_first_message(
    own_wire: Wire, service: ControlledService
) -> None:
    own_wire.gateway.granted = MESSAGE_CONTENT
    async with running(own_wire, service, discord_message_content=True):
        guild, ann = await own_wire.server("ann")
        forum = await own_wire.channel(guild, "questions", Kind.FORUM)
        post = await own_wire.post(forum, ann, "The lamp", f"{own_wire.world.bot.mention} Who kept it?")
        (answer,) = await own_wire.log.until(lambda: own_wire.said(post), "an answer")
    async with running(own_wire, service, discord_message_content=True):
        await follow(own_wire, ann, answer, "Why?")
    assert service.asked_with[-1] == ("Why?", None, "The lamp\nWho kept it?")


@pytest.mark.parametrize("lost", ["deleted", "hidden", "history", "refused"])
async def test_after_a_restart_a_follow_up_whose_question_cannot_be_read_is_asked_alone(
    own_wire: Wire, service: ControlledService, lost: str
) -> None:
    async with running(own_wire, service):
        guild, ann = await own_wire.server("ann")
        asked = await own_wire.say(ann, guild, f"{own_wire.world.bot.mention} {LAMP}")
        answer = await own_wire.reply(asked)
    async with running(own_wire, service):
        if lost == "deleted":
            await own_wire.messages.delete(asked)
        else:
            asked.mentions = []  # so that Discord shows no text of it
        if lost == "history":
            await own_wire.deny(guild, Permission.READ_HISTORY)
        elif lost == "refused":
            own_wire.faults.answer("GET", f"/messages/{asked.id}$", status=403)
        assert (await follow(own_wire, ann, answer, BREAD)).title == ANSWERED
    assert service.asked_with[-1] == (BREAD, None, None)


async def test_who_asks_too_much_is_told_when_to_try_again_in_every_way_and_nobody_else(
    own_wire: Wire, service: ControlledService
) -> None:
    async with running(own_wire, service, discord_user_rate=3):
        guild, ann, bob = await own_wire.server("ann", "bob")
        answer = await ask(own_wire, ann, guild)
        await mention(own_wire, ann, guild)
        for blank in (await ask(own_wire, ann, guild, "  "), await mention(own_wire, ann, guild, "")):
            assert blank.title == HELP  # which costs nothing
        await own_wire.reply(await own_wire.say(ann, ann, LAMP))
        refused = [
            await ask(own_wire, ann, guild),
            await mention(own_wire, ann, guild),
            await own_wire.reply(await own_wire.say(ann, ann, LAMP)),
            await follow(own_wire, ann, answer, "And who?"),
            await own_wire.answer(await own_wire.slash(ann, "verify", guild, text="It was lit.")),
        ]
        assert [one.title for one in refused] == [TOO_FAST] * 5
        assert [one.private for one in refused] == [True, False, False, True, True]
        assert (await mention(own_wire, bob, guild)).title == ANSWERED
    assert len(service.asked) == 4
