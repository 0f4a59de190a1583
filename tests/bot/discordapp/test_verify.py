"""/verify, and the entry "Check this quote" of a message's menu."""

from __future__ import annotations

import pytest

from index.errors import BusyError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.service import LAMP, LAMP_QUOTE
from tests.wire.entities import Permission

RIGHT = "A cool cellar of 12 degrees stretches the rise to a whole day."
WRONG = "It tightens the dough and slows the east down."


async def test_each_sentence_is_told_by_whether_it_stands_in_an_article_to_the_letter(chat: Chat) -> None:
    shown = await chat.use("verify", text=f"{RIGHT} {WRONG} Nobody ever wrote this down, not anywhere.")
    exact, altered, absent, *_ = shown.text.split("\n\n")
    assert (shown.title, shown.shown.quotes[0]) == (texts.CHECKED, RIGHT)
    assert [texts.EXACT in exact, texts.ALTERED in altered, texts.ABSENT in absent] == [True] * 3
    for title, address in shown.shown.links:
        assert (title, address.partition("#")[0]) == ("Bread without a clock", "https://oven.example/clock")


async def test_what_differs_stands_between_marks(chat: Chat) -> None:
    shown = (await chat.use("verify", text=WRONG)).shown
    assert (shown.bold[0], "slows the yeast down." in shown.quotes[0]) == ("y", True)
    shown = (await chat.use("verify", text=LAMP_QUOTE.replace("1871", "1872"))).shown
    assert ("1872" in shown.struck, "1871" in shown.bold, shown.constructs) == (True, True, [])
    await chat.deny(chat.guild, Permission.EMBED_LINKS)
    as_text = await chat.use("verify", text=WRONG)
    assert (as_text.embeds, "y" in as_text.shown.bold) == ([], True)


async def test_text_without_words_is_said_to_be_nothing_to_check(chat: Chat) -> None:
    shown = await chat.use("verify", text="?!")
    assert (shown.title, texts.EXACT in shown.text, texts.ABSENT in shown.text) == (
        texts.CHECKED,
        False,
        False,
    )


@pytest.mark.parametrize(("given", "setting"), [(None, None), (None, "yes"), (True, None), (False, "yes")])
async def test_it_is_private_where_that_is_asked_for_or_else_set(
    chat: Chat, given: bool | None, setting: str | None
) -> None:
    if setting:
        await chat.configure("private", private=setting)
    private = (await chat.use("verify", text=RIGHT, private=given)).private
    assert private is bool(setting if given is None else given)


async def test_the_menu_checks_anybodys_message_and_its_embeds_for_whoever_asked_alone(chat: Chat) -> None:
    said = await chat.say(chat.bob, chat.guild, RIGHT, webhook=True)
    said.embeds = [{"type": "rich", "description": LAMP_QUOTE}, {"type": "rich", "title": "No text"}]
    shown = await chat.use_menu(texts.CHECK_THIS, said)
    assert (shown.private, {RIGHT, LAMP_QUOTE} <= set(shown.shown.quotes)) == (True, True)
    own = await chat.use_menu(texts.CHECK_THIS, await chat.ask(LAMP))  # what the bot answers is to the letter
    assert (own.shown.quotes, texts.EXACT in own.text) == ([LAMP_QUOTE], True)


@pytest.mark.parametrize(
    ("error", "title"), [(BusyError("full", seconds=1), texts.BUSY), (RuntimeError("boom"), texts.FAULT)]
)
async def test_a_check_that_fails_ends_in_a_private_apology(chat: Chat, error: Exception, title: str) -> None:
    chat.service.error = error
    apology = await chat.use("verify", text=RIGHT)
    assert (apology.title, apology.private) == (title, True)
