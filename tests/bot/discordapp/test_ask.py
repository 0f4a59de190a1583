"""/ask, and the entry "Answer this" of a message's menu."""

from __future__ import annotations

import re

import pytest

from index.errors import BusyError
from tests.bot.discordapp.asking import ask, mention, set_to
from tests.bot.discordapp.phrases import (
    ANSWER_THIS,
    ANSWERED,
    BUSY,
    FAULT,
    HELP,
    IN_LANGUAGE,
    IN_LINE,
    NO_ARTICLE,
    NOT_FOUND,
    OTHER_COMMAND,
    RELATED,
    SECONDS_TO_WAIT,
)
from tests.bot.discordapp.service import ABSENT, BREAD, BREAD_QUOTE, LAMP, LAMP_QUOTE, ControlledService
from tests.wire.driver import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_answer_is_the_quote_to_the_letter_with_its_citation(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    answer = await ask(wire, ann, guild, BREAD)
    assert (answer.title, answer.private) == (ANSWERED, False)
    assert answer.shown.quotes == [BREAD_QUOTE]
    (citation,) = answer.every_part[2:]
    ((title, address),) = citation.links
    assert (title, address.partition("#")[0]) == ("Bread without a clock", "https://oven.example/clock")
    assert address.partition("#")[2].startswith(":~:text=Sourdough%20rises")
    assert "Jon Vass, The Oven Letter" in citation.text
    assert "paragraph 1" in citation.text
    assert [part.constructs for part in answer.every_part] == [[], [], []]


async def test_the_question_stands_above_its_answer_as_mere_text(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    question = f"@everyone <@{ann.id}> **when** was the lamp on Gull Rock lit? https://a.example"
    asked, *rest = (await ask(wire, ann, guild, question)).every_part
    assert asked.quotes == [question]
    assert [part.constructs for part in (asked, *rest)] == [[]] * (1 + len(rest))
    assert wire.log.pings == []


@pytest.mark.parametrize(
    ("verdict", "title"), [("answered", ANSWERED), ("related", RELATED), ("not_found", NOT_FOUND)]
)
async def test_each_verdict_is_told_apart(
    wire: Wire, service: ControlledService, verdict: str, title: str
) -> None:
    guild, ann = await wire.server("ann")
    service.verdict = verdict
    answer = await ask(wire, ann, guild)
    assert answer.title == title
    assert any(LAMP_QUOTE in quote for quote in answer.shown.quotes)


async def test_where_the_articles_do_not_say_near_passages_are_shown_as_no_answer(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    answer = await ask(wire, ann, guild, ABSENT)
    assert answer.title == NOT_FOUND
    assert len(answer.shown.quotes) == len(answer.fields) == 2
    assert answer.text.count("not given as an answer") == 2


async def test_it_is_acknowledged_at_once_however_long_the_answer_takes(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann = await wire.server("ann")
    service.open.clear()
    used = await wire.slash(ann, "ask", guild, question=LAMP)
    await wire.log.until(lambda: used.acknowledged_after, "an acknowledgement")
    assert (used.acknowledged_after or 9) < 1
    assert used.thinking
    service.open.set()
    assert (await wire.answer(used)).title == ANSWERED


@pytest.mark.parametrize("given", [None, True, False])
@pytest.mark.parametrize("setting", [None, "yes", "no"])
async def test_it_is_private_where_that_is_asked_for_or_else_set(
    wire: Wire, given: bool | None, setting: str | None
) -> None:
    guild, ann = await wire.server("ann")
    thread = await wire.thread(guild, ann, "a thread has the settings of its channel")
    if setting:
        await set_to(wire, guild, "private", private=setting, channel=guild.channels[0])
    for where in (guild, thread):
        answer = await ask(wire, ann, where, private=given)
        assert answer.private is (setting == "yes" if given is None else given)
    assert wire.said(guild) == []


@pytest.mark.parametrize("locale", ["en-GB", "de", "es-419", "fr", "pt-BR"])
async def test_the_bot_speaks_the_language_of_the_asker_and_quotes_that_of_the_article(
    wire: Wire, locale: str
) -> None:
    guild, ann = await wire.server("ann")
    ann.locale = locale
    answer = await ask(wire, ann, guild)
    assert answer.title == IN_LANGUAGE.get(locale[:2], ANSWERED)
    assert answer.shown.quotes == [LAMP_QUOTE]


@pytest.mark.parametrize("question", ["   ", "\u2003\t"])
async def test_a_blank_question_gets_help_privately(
    wire: Wire, service: ControlledService, question: str
) -> None:
    guild, ann = await wire.server("ann")
    answer = await ask(wire, ann, guild, question)
    assert (answer.title, answer.private, service.asked) == (HELP, True, [])


@pytest.mark.parametrize(
    ("error", "title"), [(BusyError("full", seconds=5.2), BUSY), (RuntimeError("boom"), FAULT)]
)
async def test_what_fails_ends_in_a_private_apology_without_the_fault_itself(
    wire: Wire, service: ControlledService, error: Exception, title: str
) -> None:
    guild, ann = await wire.server("ann")
    service.error = error
    used = await wire.slash(ann, "ask", guild, question=LAMP)
    apology = await wire.answer(used)
    assert (apology.title, apology.private) == (title, True)
    assert used.original is None or used.original.deleted  # nobody else sees anything
    assert "boom" not in str(apology.embeds)
    assert title == FAULT or re.findall(SECONDS_TO_WAIT, apology.text) == ["6"]


async def test_the_position_in_the_queue_is_told_and_the_answer_takes_its_place(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann = await wire.server("ann")
    service.position = (5, 4.0)
    service.open.clear()
    used, asked = (
        await wire.slash(ann, "ask", guild, question=LAMP),
        await wire.say(ann, guild, f"{wire.world.bot.mention} {LAMP}"),
    )
    by_command, by_mention = await wire.answer(used), await wire.reply(asked)
    assert (by_command.title, by_mention.title) == (IN_LINE, IN_LINE)
    service.open.set()
    for message in (by_command, by_mention):
        await wire.log.until(lambda message=message: message.title == ANSWERED, "the answer")
    assert (used.followups, len(wire.said(guild))) == ([], 1)


async def test_a_short_wait_is_not_told(wire: Wire, service: ControlledService) -> None:
    guild, ann = await wire.server("ann")
    service.position = (1, 0.9)
    assert (await mention(wire, ann, guild)).edits == 0


async def test_an_article_is_suggested_by_title_and_asked_alone(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann = await wire.server("ann")
    every = await wire.suggested(ann, "ask", guild, "article", "")
    assert len(every) == 3
    (found,) = await wire.suggested(ann, "ask", guild, "article", "without a CLOCK")
    assert found["name"] == "Bread without a clock"
    for chosen in (found["value"], " bread WITHOUT a clock "):
        answer = await ask(wire, ann, guild, LAMP, article=chosen)
        assert (answer.title == ANSWERED, "Bread without a clock" in answer.text) == (False, True)
    assert len({article for _, article, _ in service.asked_with}) == 1
    refused = await ask(wire, ann, guild, article="no such article")
    assert (refused.title, refused.private, len(service.asked)) == (NO_ARTICLE, True, 2)


async def test_answer_this_answers_anybodys_message_without_the_intent(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    await ask(wire, ann, guild)
    said = await wire.say(bob, guild, f"{BREAD} @everyone", webhook=True)
    answer = await wire.answer(await wire.menu(ann, ANSWER_THIS, said))
    assert (answer.title, answer.private) == (ANSWERED, False)
    assert service.asked_with[-1] == (f"{BREAD} @everyone", None, None)  # it leans on nothing
    assert wire.log.pings == []


@pytest.mark.parametrize(("text", "asked"), [("", []), (" <@{}>\n", []), (f"<@{{}}> {LAMP}", [LAMP])])
async def test_answer_this_leaves_the_bots_mention_out(
    wire: Wire, service: ControlledService, text: str, asked: list[str]
) -> None:
    guild, ann = await wire.server("ann")
    said = await wire.say(ann, guild, text.format(wire.world.bot.id), webhook=True)
    answer = await wire.answer(await wire.menu(ann, ANSWER_THIS, said))
    assert (service.asked, answer.title == HELP) == (asked, not asked)


async def test_a_command_that_is_not_known_any_more_is_answered(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    command = wire.commands.find("ask")
    command["name"] = "query"
    used = await wire.slash(ann, "query", guild, question=LAMP)
    command["name"] = "ask"
    assert (await wire.answer(used)).title == OTHER_COMMAND


@pytest.mark.parametrize("place", ["server", "group"])
async def test_people_who_installed_the_bot_for_themselves_use_it_where_it_is_no_member(
    wire: Wire, place: str
) -> None:
    guild, ann = await wire.server("ann", bot=False)
    where = guild.channels[0] if place == "server" else wire.world.between(ann, wire.world.user("bob"))
    answer = await ask(wire, ann, where, by_user=True)
    assert (answer.title, answer.private) == (ANSWERED, False)
    said = await wire.say(guild.owner, where, BREAD)
    assert (await wire.answer(await wire.menu(ann, ANSWER_THIS, said, by_user=True))).title == ANSWERED

