"""/verify, and the entry "Check this quote" of a message's menu."""

from __future__ import annotations

import pytest

from index.errors import BusyError
from tests.bot.discordapp.asking import ask, set_to
from tests.bot.discordapp.phrases import ABSENT, ALTERED, BUSY, CHECK_THIS, CHECKED, EXACT, FAULT
from tests.bot.discordapp.service import LAMP, LAMP_QUOTE, ControlledService
from tests.wire.driver import Wire
from tests.wire.world import Message, Permission

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHER = "Salt goes in first."
WRONG = "It tightens the dough and slows the east down."
RIGHT = "A cool cellar of 12 degrees stretches the rise to a whole day."


async def verified(wire: Wire, text: str) -> Message:
    """Check a text in direct messages."""
    ann = wire.world.user("ann")
    return await wire.answer(await wire.slash(ann, "verify", ann, text=text))


async def test_each_sentence_is_told_by_whether_it_stands_in_an_article_to_the_letter(wire: Wire) -> None:
    shown = await verified(wire, f"{RIGHT} {WRONG} Nobody ever wrote this down, not anywhere.")
    assert shown.title == CHECKED
    exact, altered, absent, *_ = shown.text.split("\n\n")
    assert EXACT in exact
    assert ALTERED in altered
    assert ABSENT in absent
    assert shown.shown.quotes[0] == RIGHT
    for title, address in shown.shown.links:
        assert (title, address.partition("#")[0]) == ("Bread without a clock", "https://oven.example/clock")


async def test_what_differs_stands_between_marks(wire: Wire) -> None:
    shown = (await verified(wire, WRONG)).shown
    assert "".join(shown.bold[:1]) == "y"
    assert "slows the yeast down." in shown.quotes[0]
    shown = (await verified(wire, LAMP_QUOTE.replace("1871", "1872"))).shown
    assert ("1872" in shown.struck, "1871" in shown.bold, shown.constructs) == (True, True, [])


async def test_text_without_words_is_said_to_be_nothing_to_check(wire: Wire) -> None:
    shown = await verified(wire, "?!")
    assert (shown.title, EXACT in shown.text, ABSENT in shown.text) == (CHECKED, False, False)


@pytest.mark.parametrize(("given", "setting"), [(None, None), (None, "yes"), (True, None), (False, "yes")])
async def test_it_is_private_where_that_is_asked_for_or_else_set(
    wire: Wire, given: bool | None, setting: str | None
) -> None:
    guild, ann = await wire.server("ann")
    if setting:
        await set_to(wire, guild, "private", private=setting)
    shown = await wire.answer(await wire.slash(ann, "verify", guild, text=RIGHT, private=given))
    assert shown.private is bool(setting if given is None else given)


async def test_the_menu_checks_anybodys_message_and_its_embeds_for_whoever_asked_alone(wire: Wire) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    said = await wire.say(bob, guild, RIGHT, webhook=True)
    said.embeds = [{"type": "rich", "description": LAMP_QUOTE}, {"type": "rich", "title": "No text"}]
    shown = await wire.answer(await wire.menu(ann, CHECK_THIS, said))
    assert (shown.private, {RIGHT, LAMP_QUOTE} <= set(shown.shown.quotes)) == (True, True)


async def test_what_the_bot_answers_stands_in_its_articles_to_the_letter(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    answer = await ask(wire, ann, guild, LAMP)
    shown = await wire.answer(await wire.menu(ann, CHECK_THIS, answer))
    assert shown.shown.quotes == [LAMP_QUOTE]
    assert EXACT in shown.text


async def test_where_embeds_are_not_allowed_the_verdict_is_text(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    await wire.deny(guild, Permission.EMBED_LINKS)
    shown = await wire.answer(await wire.slash(ann, "verify", guild, text=WRONG))
    assert (shown.embeds, "y" in shown.shown.bold) == ([], True)


@pytest.mark.parametrize(
    ("error", "title"), [(BusyError("full", seconds=1), BUSY), (RuntimeError("boom"), FAULT)]
)
async def test_a_check_that_fails_ends_in_a_private_apology(
    wire: Wire, service: ControlledService, error: Exception, title: str
) -> None:
    service.error = error
    apology = await verified(wire, RIGHT)
    assert (apology.title, apology.private) == (title, True)
