"""/ask, and the entry "Answer this" of a message's menu."""

from __future__ import annotations

import re

import pytest

from index.errors import BusyError
from tests.bot.discordapp import phrases as say
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.service import ABSENT, BREAD, BREAD_QUOTE, LAMP, LAMP_QUOTE


async def test_an_answer_is_the_quote_to_the_letter_with_its_citation(chat: Chat) -> None:
    answer = await chat.ask(BREAD)
    assert (answer.title, answer.private, answer.shown.quotes) == (say.ANSWERED, False, [BREAD_QUOTE])
    (citation,) = answer.every_part[2:]
    ((title, address),) = citation.links
    assert title == "Bread without a clock"
    assert address.startswith("https://oven.example/clock#:~:text=Sourdough%20rises")
    assert "Jon Vass, The Oven Letter" in citation.text
    assert "paragraph 1" in citation.text
    assert [part.constructs for part in answer.every_part] == [[], [], []]


async def test_the_question_stands_above_its_answer_as_mere_text(chat: Chat) -> None:
    question = f"@everyone <@{chat.ann.id}> **when** was the lamp on Gull Rock lit? https://a.example"
    answer = await chat.ask(question)
    assert answer.every_part[0].quotes == [question]
    assert not any(part.constructs for part in answer.every_part)
    assert chat.log.pings == []


@pytest.mark.parametrize(
    ("verdict", "title"), [("answered", say.ANSWERED), ("related", say.RELATED), ("not_found", say.NOT_FOUND)]
)
async def test_each_verdict_is_told_apart(chat: Chat, verdict: str, title: str) -> None:
    chat.service.verdict = verdict
    answer = await chat.ask()
    assert answer.title == title
    assert any(LAMP_QUOTE in quote for quote in answer.shown.quotes)


async def test_where_the_articles_do_not_say_near_passages_are_shown_as_no_answer(chat: Chat) -> None:
    answer = await chat.ask(ABSENT)
    assert (answer.title, len(answer.shown.quotes), len(answer.fields)) == (say.NOT_FOUND, 2, 2)
    assert answer.text.count(say.NO_ANSWER) == 2


async def test_it_is_acknowledged_at_once_however_long_the_answer_takes(chat: Chat) -> None:
    chat.service.open.clear()
    used = await chat.slash(chat.ann, "ask", chat.guild, question=LAMP)
    await chat.log.until(lambda: used.acknowledged_after, "an acknowledgement")
    assert (used.acknowledged_after or 9) < 1
    assert used.thinking
    chat.service.open.set()
    assert (await chat.answer(used)).title == say.ANSWERED


@pytest.mark.parametrize("given", [None, True, False])
@pytest.mark.parametrize("setting", [None, "yes", "no"])
async def test_it_is_private_where_that_is_asked_for_or_else_set(
    chat: Chat, given: bool | None, setting: str | None
) -> None:
    if setting:
        await chat.set_to("private", private=setting, channel=chat.guild.channels[0])
    thread = await chat.thread(chat.guild, chat.ann, "a thread has the settings of its channel")
    for where in (chat.guild, thread):
        private = (await chat.ask(where=where, private=given)).private
        assert private is (setting == "yes" if given is None else given)
    assert chat.said(chat.guild) == []


@pytest.mark.parametrize("locale", ["en-GB", "de", "es-419", "fr", "pt-BR"])
async def test_the_bot_speaks_the_language_of_the_asker_and_quotes_that_of_the_article(
    chat: Chat, locale: str
) -> None:
    chat.ann.locale = locale
    answer = await chat.ask()
    assert answer.title == say.IN_LANGUAGE.get(locale[:2], say.ANSWERED)
    assert answer.shown.quotes == [LAMP_QUOTE]


async def test_a_blank_question_gets_help_privately(chat: Chat) -> None:
    answer = await chat.ask("\u2003\t ")
    assert (answer.title, answer.private, chat.service.asked) == (say.HELP, True, [])


@pytest.mark.parametrize(
    ("error", "title"), [(BusyError("full", seconds=5.2), say.BUSY), (RuntimeError("boom"), say.FAULT)]
)
async def test_what_fails_ends_in_a_private_apology(chat: Chat, error: Exception, title: str) -> None:
    chat.service.error = error
    used = await chat.slash(chat.ann, "ask", chat.guild, question=LAMP)
    apology = await chat.answer(used)
    assert (apology.title, apology.private, "boom" in str(apology.embeds)) == (title, True, False)
    assert used.original is None or used.original.deleted  # nobody else sees anything
    assert title == say.FAULT or re.findall(say.SECONDS_TO_WAIT, apology.text) == ["6"]
    by_mention = await chat.mention()
    assert (by_mention.title, "boom" in str(by_mention.embeds)) == (title, False)


async def test_the_position_in_the_queue_is_told_and_the_answer_takes_its_place(chat: Chat) -> None:
    chat.service.position = (5, 4.0)
    chat.service.open.clear()
    used = await chat.slash(chat.ann, "ask", chat.guild, question=LAMP)
    asked = await chat.say(chat.ann, chat.guild, f"{chat.world.bot.mention} {LAMP}")
    by_command, by_mention = await chat.answer(used), await chat.reply(asked)
    assert (by_command.title, by_mention.title) == (say.IN_LINE, say.IN_LINE)
    chat.service.open.set()
    both = (by_command, by_mention)
    await chat.log.until(lambda: all(one.title == say.ANSWERED for one in both), "the answers")
    assert (used.followups, len(chat.said(chat.guild))) == ([], 1)
    chat.service.position = (1, 0.9)  # which is too short to tell
    assert (await chat.mention()).edits == 0


async def test_an_article_is_suggested_by_title_and_asked_alone(chat: Chat) -> None:
    assert len(await chat.suggested(chat.ann, "ask", chat.guild, "article", "")) == 3
    (found,) = await chat.suggested(chat.ann, "ask", chat.guild, "article", "without a CLOCK")
    assert found["name"] == "Bread without a clock"
    for chosen in (found["value"], " bread WITHOUT a clock "):
        answer = await chat.ask(LAMP, article=chosen)
        assert (answer.title == say.ANSWERED, "Bread without a clock" in answer.text) == (False, True)
    assert len({article for _, article, _ in chat.service.asked_with}) == 1
    refused = await chat.ask(article="no such article")
    assert (refused.title, refused.private, len(chat.service.asked)) == (say.NO_ARTICLE, True, 2)


async def test_answer_this_answers_anybodys_message_and_goes_on_from_nothing(chat: Chat) -> None:
    await chat.ask()
    answer = await chat.menu_of(say.ANSWER_THIS, f"{BREAD} @everyone")
    assert (answer.title, answer.private) == (say.ANSWERED, False)
    assert chat.service.asked_with[-1] == (f"{BREAD} @everyone", None, None)
    assert chat.log.pings == []


@pytest.mark.parametrize(("text", "asked"), [("", []), (" <@{}>\n", []), (f"<@{{}}> {LAMP}", [LAMP])])
async def test_answer_this_leaves_the_bots_mention_out(chat: Chat, text: str, asked: list[str]) -> None:
    answer = await chat.menu_of(say.ANSWER_THIS, text.format(chat.world.bot.id))
    assert (chat.service.asked, answer.title == say.HELP) == (asked, not asked)


async def test_a_command_that_is_not_known_any_more_is_answered(chat: Chat) -> None:
    command = chat.commands.find("ask")
    command["name"] = "query"
    used = await chat.slash(chat.ann, "query", chat.guild, question=LAMP)
    command["name"] = "ask"
    assert (await chat.answer(used)).title == say.OTHER_COMMAND


@pytest.mark.parametrize("place", ["server", "group"])
async def test_who_installed_the_bot_for_themselves_uses_it_where_it_is_no_member(
    chat: Chat, place: str
) -> None:
    guild, ann = await chat.server("ann", bot=False)
    where = guild.channels[0] if place == "server" else chat.world.between(ann, chat.bob)
    answer = await chat.ask(user=ann, where=where, by_user=True)
    assert (answer.title, answer.private) == (say.ANSWERED, False)
    said = await chat.say(guild.owner, where, BREAD)
    assert (
        await chat.answer(await chat.menu(ann, say.ANSWER_THIS, said, by_user=True))
    ).title == say.ANSWERED
