"""/ask and /verify, and "Answer this" and "Check this quote" in the context menu of a message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import BusyError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.service import ABSENT, BREAD, BREAD_QUOTE, LAMP, LAMP_QUOTE, open_service
from tests.graphs import lend_graph
from tests.wire.entities import Permission

MANUAL = r"""# Sign-in manual

## Codes @everyone

### \*In\* the office

The recovery codes are kept in the **blue** [safe](https://safe.example) or [drawer](drawer.md).

## Charges

| Service | **Price** |
|---|---|
"""
CHARGES = [f"| A *large* badge, number {number} of 30, sent @here | {number} euros |" for number in range(30)]


async def test_an_answer_is_the_exact_quote_with_its_citation(chat: Chat) -> None:
    answer = await chat.ask(BREAD)
    assert (answer.title, answer.private, answer.shown.quotes) == (texts.ANSWERED, False, [BREAD_QUOTE])
    (citation,) = answer.every_part[2:]
    ((title, address),) = citation.links
    assert title == "Bread without a clock"
    assert address.startswith("https://oven.example/clock#:~:text=Sourdough%20rises")
    assert "Jon Vass, The Oven Letter" in citation.text
    assert "paragraph 1" in citation.text
    assert [part.constructs for part in answer.every_part] == [[], [], []]


async def test_what_an_article_marks_is_shown_as_such_and_its_headings_and_headers_are_plain_text(
    fresh: Chat, tmp_path: Path, encoder: Encoder, graph_folder: Path
) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles/manual.md").write_text(MANUAL + "\n".join(CHARGES), encoding="utf-8")
    settings = fresh.settings(articles=tmp_path / "articles", index=tmp_path / ".footnote/index")
    lend_graph(graph_folder, settings.index)
    build_index(settings, encoder=encoder)
    async with open_service(fresh, tmp_path, encoder), fresh.bot():
        answer = await fresh.ask("Where are the recovery codes kept?")
        context = await fresh.click(answer, texts.CONTEXT)
        fresh.service.verdict = "answered"
        charges = (await fresh.ask("What are the charges?")).shown
    quote = "The recovery codes are kept in the blue safe or drawer."
    assert (answer.shown.quotes, answer.shown.bold) == ([quote], ["blue"])
    assert answer.shown.links == context.shown.links == [("safe", "https://safe.example")]
    assert context.shown.bold == [quote]
    assert (charges.subtext, charges.emphasised[0], charges.constructs) == (["Service | Price"], "large", [])
    shown = charges.quotes[0].count("\n") + 1
    assert f"and {30 - shown} more items\n" in charges.text
    for message in (answer, context):
        (*_, cited) = message.every_part
        assert "Sign-in manual › Codes @everyone › *In* the office" in cited.text
        assert cited.constructs == []


async def test_two_questions_in_one_are_answered_below_each_other(chat: Chat) -> None:
    first, second = LAMP.rstrip("?"), "why does sourdough rise slowly?"
    answer = await chat.ask(f"{first} and {second}")
    assert (answer.title, answer.shown.quotes) == (texts.ANSWERED, [LAMP_QUOTE, BREAD_QUOTE])
    assert answer.text.index(first) < answer.text.index("Citation 1") < answer.text.index(second)
    half = await chat.ask(f"{first} and who painted the ceiling of the chapel?")
    assert (half.title, half.shown.quotes[0]) == (texts.RELATED, LAMP_QUOTE)
    assert half.text.index(LAMP_QUOTE) < half.text.index("who painted") < half.text.index(texts.NO_ANSWER)


async def test_what_cannot_be_asked_is_said_beside_the_closest_passages(chat: Chat) -> None:
    assert "`/index articles`" in (await chat.ask("Summarise the lamp on Gull Rock")).text
    foreign = await chat.ask("Wer hat die Lampe auf dem Gull Rock und wann?")
    assert "Diese Artikel sind auf Englisch. Bitte auf Englisch fragen." in foreign.text


async def test_the_question_is_repeated_as_plain_text(chat: Chat) -> None:
    question = f"@everyone <@{chat.ann.id}> **when** was the lamp on Gull Rock lit? https://a.example"
    answer = await chat.ask(question)
    assert answer.every_part[0].quotes == [question]
    assert not any(part.constructs for part in answer.every_part)
    assert chat.log.pings == []


async def test_without_an_answer_the_closest_passages_are_labelled_as_no_answer(chat: Chat) -> None:
    answer = await chat.ask(ABSENT)
    assert (answer.title, len(answer.shown.quotes), len(answer.fields)) == (texts.NOT_FOUND, 2, 2)
    assert answer.text.count(texts.NO_ANSWER) == 2


async def test_a_question_is_acknowledged_at_once_however_long_the_answer_takes(chat: Chat) -> None:
    chat.service.open.clear()
    use = await chat.slash(chat.ann, "ask", chat.guild, question=LAMP)
    await chat.log.until(lambda: use.acknowledged_after, "an acknowledgement")
    assert (use.acknowledged_after or 9) < 1
    assert use.thinking
    chat.service.open.set()
    assert (await chat.answer(use)).title == texts.ANSWERED


@pytest.mark.parametrize("option", [None, True, False])
@pytest.mark.parametrize("setting", [None, "yes", "no"])
async def test_an_answer_is_private_by_option_or_else_by_setting(
    chat: Chat, option: bool | None, setting: str | None
) -> None:
    if setting:
        await chat.configure("private", private=setting, channel=chat.guild.channels[0])
    thread = await chat.thread(chat.guild, chat.ann, "a thread has the settings of its channel")
    for where in (chat.guild, thread):
        for response in (
            await chat.ask(where=where, private=option),
            await chat.use("verify", where=where, text=LAMP, private=option),
        ):
            assert response.private is (setting == "yes" if option is None else option)
    assert chat.posts(chat.guild) == []


@pytest.mark.parametrize("locale", ["en-GB", "de", "es-419", "fr", "pt-BR"])
async def test_the_bot_uses_the_language_of_the_user_and_quotes_the_article_as_it_is(
    chat: Chat, locale: str
) -> None:
    chat.ann.locale = locale
    answer = await chat.ask()
    assert answer.title == texts.IN_LANGUAGE.get(locale[:2], texts.ANSWERED)
    assert answer.shown.quotes == [LAMP_QUOTE]


async def test_a_blank_question_gets_help_in_private(chat: Chat) -> None:
    answer = await chat.ask("\u2003\t ")
    assert (answer.title, answer.private, chat.service.asked) == (texts.HELP, True, [])


@pytest.mark.parametrize(
    ("error", "title"), [(BusyError("full", seconds=5.2), texts.BUSY), (RuntimeError("boom"), texts.FAULT)]
)
async def test_a_failure_is_reported_in_private_without_details(
    chat: Chat, error: Exception, title: str
) -> None:
    chat.service.error = error
    use = await chat.slash(chat.ann, "ask", chat.guild, question=LAMP)
    notice = await chat.answer(use)
    assert (notice.title, notice.private, "boom" in str(notice.embeds)) == (title, True, False)
    assert use.original is None or use.original.deleted  # nobody else sees anything
    assert title == texts.FAULT or re.findall(texts.SECONDS_TO_WAIT, notice.text) == ["6"]
    verified, reply = await chat.use("verify", text=LAMP), await chat.mention()
    assert (verified.title, verified.private, reply.title) == (title, True, title)
    assert "boom" not in str(verified.embeds) + str(reply.embeds)


async def test_the_position_in_the_queue_is_shown_until_the_answer_replaces_it(chat: Chat) -> None:
    chat.service.position = (5, 4.0)
    chat.service.open.clear()
    use = await chat.slash(chat.ann, "ask", chat.guild, question=LAMP)
    question = await chat.say(chat.ann, chat.guild, f"{chat.world.bot.mention} {LAMP}")
    messages = [await chat.answer(use), await chat.reply(question)]
    assert [message.title for message in messages] == [texts.IN_LINE] * 2
    chat.service.open.set()
    await chat.log.until(lambda: {message.title for message in messages} == {texts.ANSWERED}, "the answers")
    assert (use.followups, len(chat.posts(chat.guild))) == ([], 1)
    chat.service.position = (1, 0.9)  # too short to mention
    assert (await chat.mention()).edits == 0


async def test_an_article_is_completed_by_title_and_asked_alone(chat: Chat) -> None:
    assert len(await chat.complete(chat.ann, "ask", chat.guild, "article", "")) == 3
    (choice,) = await chat.complete(chat.ann, "ask", chat.guild, "article", "without a CLOCK")
    assert choice["name"] == "Bread without a clock"
    for value in (choice["value"], " bread WITHOUT a clock "):
        answer = await chat.ask(LAMP, article=value)
        assert (answer.title == texts.ANSWERED, "Bread without a clock" in answer.text) == (False, True)
    assert len({article for _, article, _ in chat.service.asked_with}) == 1
    unknown = await chat.ask(article="no such article")
    assert (unknown.title, unknown.private, len(chat.service.asked)) == (texts.NO_ARTICLE, True, 2)


async def test_answer_this_answers_any_message_and_is_not_a_follow_up(chat: Chat) -> None:
    await chat.ask()
    answer = await chat.use_menu(texts.ANSWER_THIS, f"{BREAD} @everyone")
    assert (answer.title, answer.private) == (texts.ANSWERED, False)
    assert chat.service.latest() == (f"{BREAD} @everyone", None, None)
    assert chat.log.pings == []


@pytest.mark.parametrize(("text", "asked"), [("", []), (" <@{}>\n", []), (f"<@{{}}> {LAMP}", [LAMP])])
async def test_answer_this_ignores_a_mention_of_the_bot(chat: Chat, text: str, asked: list[str]) -> None:
    answer = await chat.use_menu(texts.ANSWER_THIS, text.format(chat.world.bot.id))
    assert (chat.service.asked, answer.title == texts.HELP) == (asked, not asked)


async def test_an_unknown_command_gets_a_notice(chat: Chat) -> None:
    command = chat.commands.find("ask")
    command["name"] = "query"
    use = await chat.slash(chat.ann, "query", chat.guild, question=LAMP)
    command["name"] = "ask"
    assert (await chat.answer(use)).title == texts.COMMAND_CHANGED


@pytest.mark.parametrize("place", ["server", "group"])
async def test_users_who_installed_the_bot_use_it_where_it_is_not_a_member(chat: Chat, place: str) -> None:
    guild, ann = await chat.server("ann", bot=False)
    where = guild.channels[0] if place == "server" else chat.world.direct(ann, chat.bob)
    answer = await chat.ask(user=ann, where=where, by_user=True)
    assert (answer.title, answer.private) == (texts.ANSWERED, False)
    use = await chat.menu(ann, texts.ANSWER_THIS, await chat.say(guild.owner, where, BREAD), by_user=True)
    assert (await chat.answer(use)).title == texts.ANSWERED


# Verified quotes

EXACT = "A cool cellar of 12 degrees stretches the rise to a whole day."
ALTERED = "It tightens the dough and slows the east down."


async def test_each_sentence_is_exact_altered_or_absent_and_cited(chat: Chat) -> None:
    response = await chat.use("verify", text=f"{EXACT} {ALTERED} Nobody ever wrote this down, not anywhere.")
    exact, altered, absent, *_ = response.text.split("\n\n")
    assert (response.title, response.shown.quotes[0]) == (texts.CHECKED, EXACT)
    assert [texts.EXACT in exact, texts.ALTERED in altered, texts.ABSENT in absent] == [True] * 3
    for title, address in response.shown.links:
        assert (title, address.partition("#")[0]) == ("Bread without a clock", "https://oven.example/clock")


async def test_differences_are_marked(chat: Chat) -> None:
    shown = (await chat.use("verify", text=ALTERED)).shown
    assert (shown.bold[0], shown.quotes[0].endswith("down.")) == ("yeast", True)
    shown = (await chat.use("verify", text=LAMP_QUOTE.replace("1871", "1872"))).shown
    assert ("1872" in shown.struck, "1871" in shown.bold, shown.constructs) == (True, True, [])
    await chat.deny(chat.guild, Permission.EMBED_LINKS)
    response = await chat.use("verify", text=ALTERED)
    assert (response.embeds, "yeast" in response.shown.bold) == ([], True)


async def test_the_menu_verifies_any_message_with_its_embeds_in_private(chat: Chat) -> None:
    message = await chat.say(chat.bob, chat.guild, EXACT, webhook=True)
    message.embeds = [{"type": "rich", "description": LAMP_QUOTE}, {"type": "rich", "title": "No text"}]
    response = await chat.use_menu(texts.CHECK_THIS, message)
    assert (response.private, {EXACT, LAMP_QUOTE} <= set(response.shown.quotes)) == (True, True)
    own = await chat.use_menu(texts.CHECK_THIS, await chat.ask(LAMP))  # the bot's answers are exact
    assert (own.shown.quotes, texts.EXACT in own.text) == ([LAMP_QUOTE], True)
