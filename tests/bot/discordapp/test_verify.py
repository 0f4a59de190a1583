"""/verify, and "Check this quote" in the context menu of a message."""

from __future__ import annotations

import pytest

from index.errors import BusyError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat
from tests.bot.discordapp.service import LAMP, LAMP_QUOTE
from tests.wire.entities import Permission

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


async def test_text_without_words_has_nothing_to_verify(chat: Chat) -> None:
    response = await chat.use("verify", text="?!")
    assert response.title == texts.CHECKED
    assert not any(verdict in response.text for verdict in (texts.EXACT, texts.ABSENT))


@pytest.mark.parametrize(("option", "setting"), [(None, None), (None, "yes"), (True, None), (False, "yes")])
async def test_the_response_is_private_by_option_or_else_by_setting(
    chat: Chat, option: bool | None, setting: str | None
) -> None:
    if setting:
        await chat.configure("private", private=setting)
    private = (await chat.use("verify", text=EXACT, private=option)).private
    assert private is bool(setting if option is None else option)


async def test_the_menu_verifies_any_message_with_its_embeds_in_private(chat: Chat) -> None:
    message = await chat.say(chat.bob, chat.guild, EXACT, webhook=True)
    message.embeds = [{"type": "rich", "description": LAMP_QUOTE}, {"type": "rich", "title": "No text"}]
    response = await chat.use_menu(texts.CHECK_THIS, message)
    assert (response.private, {EXACT, LAMP_QUOTE} <= set(response.shown.quotes)) == (True, True)
    own = await chat.use_menu(texts.CHECK_THIS, await chat.ask(LAMP))  # the bot's answers are exact
    assert (own.shown.quotes, texts.EXACT in own.text) == ([LAMP_QUOTE], True)


@pytest.mark.parametrize(
    ("error", "title"), [(BusyError("full", seconds=1), texts.BUSY), (RuntimeError("boom"), texts.FAULT)]
)
async def test_a_failure_is_reported_in_private(chat: Chat, error: Exception, title: str) -> None:
    chat.service.error = error
    notice = await chat.use("verify", text=EXACT)
    assert (notice.title, notice.private) == (title, True)
