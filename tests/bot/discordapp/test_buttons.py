"""The buttons under an answer: context, further sources, the reasons; after a restart too, and for anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.encoding.encoder import Encoder
from index.errors import BusyError
from tests.bot.discordapp.asking import WAYS, ask, follow, mention, notice, press, set_to
from tests.bot.discordapp.conftest import running, settings_for
from tests.bot.discordapp.phrases import (
    BUSY,
    CHANGED,
    CONTEXT,
    FAULT,
    FOLLOW_UP,
    HELPERS,
    HELPFUL,
    IN_PLACE,
    LOST,
    NEXT,
    NOT_HELPFUL,
    OLD_BUTTON,
    PASSED_ON,
    REASONS,
    SOURCE,
    THANKS,
    TOO_FAST,
    WHY,
)
from tests.bot.discordapp.service import ABSENT, BREAD, LAMP, LAMP_QUOTE, ControlledService
from tests.bot.services import RebuilderHere
from tests.wire.driver import Wire
from tests.wire.world import Message, Permission, User

pytestmark = pytest.mark.asyncio(loop_scope="session")

VOTES = [HELPFUL, NOT_HELPFUL]


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_has_its_buttons_however_it_was_asked_for(wire: Wire, way: str) -> None:
    guild, ann = await wire.server("ann")
    await set_to(wire, guild, "helpers", channel=guild.channels[0])
    answered, absent = await WAYS[way](wire, ann, guild, LAMP), await WAYS[way](wire, ann, guild, ABSENT)
    assert list(answered.buttons) == [CONTEXT, NEXT, FOLLOW_UP, *VOTES]
    helpers = [] if way == "direct" else [HELPERS]
    assert list(absent.buttons) == [CONTEXT, NEXT, FOLLOW_UP, *VOTES, WHY, *helpers]


async def test_helpers_are_offered_only_where_settings_name_them(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    assert HELPERS not in (await ask(wire, ann, guild, ABSENT)).buttons
    await set_to(wire, guild, "helpers", role=wire.world.role(guild, "helpers"))
    assert HELPERS in (await ask(wire, ann, guild, ABSENT)).buttons


@pytest.mark.parametrize(("language", "label"), [("de", "Warum"), ("es", "Por qué"), ("fr", "Pourquoi")])
async def test_buttons_speak_the_language_that_is_set(wire: Wire, language: str, label: str) -> None:
    guild, ann = await wire.server("ann")
    await set_to(wire, guild, "language", language=language)
    english = {CONTEXT, NEXT, FOLLOW_UP, *VOTES, WHY}
    for answer in (await ask(wire, ann, guild, ABSENT), await mention(wire, ann, guild, ABSENT)):
        assert any(label in one for one in answer.buttons)
        assert not english & set(answer.buttons)


# Context and sources


async def test_the_context_is_the_quote_in_bold_between_the_paragraphs_beside_it_for_whoever_presses(
    wire: Wire,
) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    answer = await ask(wire, ann, guild, "Who kept the lamp on Gull Rock for thirty-one years?")
    quote = answer.shown.quotes[0]
    context = await press(wire, bob, answer, CONTEXT)
    assert (context.title, context.private) == (IN_PLACE, True)
    before, paragraph, after = context.shown.quotes
    assert before.startswith(LAMP_QUOTE)
    assert context.shown.bold == [quote]
    assert quote in paragraph
    assert after.startswith("The lamp was replaced by an electric one in 1954.")
    assert [part.constructs for part in context.every_part] == [[]] * 3
    assert answer.edits == 1  # the answer stays as it is


@pytest.mark.parametrize("question", [LAMP, ABSENT])
async def test_sources_are_paged_in_place_to_the_last_beside_an_answer_that_stays(
    wire: Wire, question: str
) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    answer = await ask(wire, ann, guild, question)
    shown = answer.embeds, list(answer.buttons)
    first = source = await press(wire, ann, answer, NEXT)
    other = await press(wire, bob, answer, NEXT)  # each pages for themselves
    titles, quotes = [source.title], [source.shown.quotes[0]]
    while NEXT in source.buttons:
        source = await press(wire, ann, source, NEXT)
        titles, quotes = [*titles, source.title], [*quotes, source.shown.quotes[0]]
        assert (source is first, source.private, source.shown.constructs) == (True, True, [])
    begun = len(answer.fields) + 1
    last = begun + len(titles) - 1
    assert titles == [SOURCE.format(number, last) for number in range(begun, last + 1)]
    assert len(set(quotes)) == len(quotes) <= 4
    assert list(source.buttons) == [CONTEXT]
    assert (await press(wire, ann, source, CONTEXT)).shown.bold == [quotes[-1]]
    assert other.title == titles[0]
    assert (answer.embeds, list(answer.buttons)) == shown


async def test_where_embeds_are_not_allowed_context_and_sources_are_text(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    await wire.deny(guild, Permission.EMBED_LINKS)
    answer = await ask(wire, ann, guild)
    context, source = await press(wire, ann, answer, CONTEXT), await press(wire, ann, answer, NEXT)
    assert [one.embeds for one in (answer, context, source)] == [[], [], []]
    assert LAMP_QUOTE in context.shown.bold
    assert source.title.startswith("Source 2")


async def test_what_a_rebuild_has_changed_is_said_to_have_changed(
    own_wire: Wire, home: Path, encoder: Encoder
) -> None:
    settings = settings_for(own_wire, articles=home / "articles", index=home / ".footnote/index")
    service = ControlledService(settings, RebuilderHere(settings, encoder))
    await service.start()
    async with running(own_wire, service):
        guild, ann = await own_wire.server("ann")
        lamp, bread = await ask(own_wire, ann, guild, LAMP), await ask(own_wire, ann, guild, BREAD)
        file = home / "articles/lamp.txt"
        file.write_text(file.read_text(encoding="utf-8").replace("in 1871", "in 1872"), encoding="utf-8")
        await service.rebuild()
        titles = [(await press(own_wire, ann, one, CONTEXT)).title for one in (lamp, bread)]
        source = await press(own_wire, ann, lamp, NEXT)
    await service.close()
    assert titles == [CHANGED, IN_PLACE]
    assert source.title == CHANGED or source.title.startswith("Source 2")


# The reasons


async def test_the_reasons_are_told_to_whoever_presses_and_ask_the_same_question_again(
    wire: Wire, service: ControlledService
) -> None:
    guild, ann, bob = await wire.server("ann", "bob")
    await ask(wire, ann, guild, LAMP)
    absent = await ask(wire, ann, guild, ABSENT, article="Bread without a clock")
    reasons = await press(wire, bob, absent, WHY)
    assert (reasons.title, reasons.private) == (REASONS, True)
    assert len(reasons.text.splitlines()) > 1
    assert service.asked_with[-2] == service.asked_with[-1]
    assert service.asked_with[-1][0] == ABSENT


@pytest.mark.parametrize(
    ("error", "title"), [(BusyError("full", seconds=1), BUSY), (RuntimeError("boom"), FAULT)]
)
async def test_a_button_that_asks_again_in_vain_says_so_privately(
    wire: Wire, service: ControlledService, error: Exception, title: str
) -> None:
    guild, ann = await wire.server("ann")
    absent = await ask(wire, ann, guild, ABSENT)
    service.error = error
    apology = await press(wire, ann, absent, WHY)
    assert (apology.title, apology.private, "boom" in str(apology.embeds)) == (title, True, False)


async def test_the_reasons_are_counted_as_a_question_is(own_wire: Wire, service: ControlledService) -> None:
    async with running(own_wire, service, discord_user_rate=2):
        guild, ann = await own_wire.server("ann")
        absent = await ask(own_wire, ann, guild, ABSENT)
        assert [(await press(own_wire, ann, absent, WHY)).title for _ in range(2)] == [REASONS, TOO_FAST]


# Old buttons, and restarts


@pytest.mark.parametrize(
    "custom_id", ["fn:gone", "fn:context:short", "fn:next:1:", "fn:why:é", "another bot's", "fn:form:ask"]
)
async def test_a_button_that_is_not_known_gets_a_private_notice(
    wire: Wire, service: ControlledService, custom_id: str
) -> None:
    guild, ann = await wire.server("ann")
    button = {"type": 2, "style": 2, "label": "Old", "custom_id": custom_id}
    body = {"content": "Old.", "components": [{"type": 1, "components": [button]}]}
    old = wire.messages.make(guild.channels[0], wire.world.bot, body)
    told = await press(wire, ann, old, "Old")
    assert (told.title, told.private, service.asked) == (OLD_BUTTON, True, [])


async def test_a_form_that_is_not_known_gets_a_private_notice(wire: Wire) -> None:
    guild, ann = await wire.server("ann")
    used = await wire.press(ann, await ask(wire, ann, guild), FOLLOW_UP)
    (await wire.form(used))["custom_id"] = "fn:form:gone"
    told = await wire.answer(await wire.submit(used, "Why?"))
    assert (told.title, told.private) == (OLD_BUTTON, True)


async def press_all(wire: Wire, user: User, answer: Message) -> list[str]:
    """Press every button of an answer that has no answer; return the titles of what each shows."""
    shown = [await press(wire, user, answer, label) for label in (CONTEXT, NEXT, WHY, HELPFUL)]
    shown.append(await follow(wire, user, answer, "And who?"))
    shown.append(await wire.answer(await wire.submit(await wire.press(user, answer, NOT_HELPFUL), "No.")))
    if HELPERS in answer.buttons:
        shown.append(await notice(wire, user, answer, HELPERS))
    return [one.title for one in shown]


async def test_every_button_works_after_a_restart_and_for_anybody(
    own_wire: Wire, service: ControlledService
) -> None:
    async with running(own_wire, service):
        guild, ann, bob = await own_wire.server("ann", "bob")
        await set_to(own_wire, guild, "helpers", channel=guild.channels[0])
        answers: list[tuple[Message, User]] = [
            (await ask(own_wire, ann, guild, ABSENT), bob),
            (await mention(own_wire, ann, guild, ABSENT), bob),
            (await ask(own_wire, ann, guild, ABSENT, private=True), ann),
            (await mention(own_wire, ann, ann, ABSENT), ann),
        ]
        opened = await own_wire.press(bob, answers[0][0], FOLLOW_UP)
        await own_wire.form(opened)
        source = await press(own_wire, ann, await ask(own_wire, ann, guild, ABSENT), NEXT)
    service.asked_with.clear()
    async with running(own_wire, service):
        for answer, user in answers:
            context, following, why, good, _, bad, *passed = await press_all(own_wire, user, answer)
            assert (context, why, good, bad) == (IN_PLACE, REASONS, THANKS, THANKS)
            assert following.startswith("Source 3 of")
            assert passed in ([], [PASSED_ON])
            assert service.asked_with[-2:] == [(ABSENT, None, None), ("And who?", None, ABSENT)]
        if NEXT in source.buttons:
            assert (await press(own_wire, ann, source, NEXT)) is source
        assert (await own_wire.answer(await own_wire.submit(opened, "And who?"))).embeds


@pytest.mark.parametrize("label", [WHY, HELPERS])
async def test_after_a_restart_a_question_that_can_no_longer_be_seen_is_said_to_be_lost(
    own_wire: Wire, service: ControlledService, label: str
) -> None:
    async with running(own_wire, service):
        guild, ann = await own_wire.server("ann")
        await set_to(own_wire, guild, "helpers", channel=guild.channels[0])
        asked = await own_wire.say(ann, guild, f"{own_wire.world.bot.mention} {ABSENT}")
        answer = await own_wire.reply(asked)
    await own_wire.messages.delete(asked)
    async with running(own_wire, service):
        lost = await (notice if label == HELPERS else press)(own_wire, ann, answer, label)
    assert (lost.title, lost.private, len(own_wire.said(guild))) == (LOST, True, 1)


async def test_buttons_work_where_only_the_asker_installed_the_bot(wire: Wire) -> None:
    guild, ann, bob = await wire.server("ann", "bob", bot=False)
    answer = await ask(wire, ann, guild, ABSENT, by_user=True)
    assert HELPERS not in answer.buttons
    titles = await press_all(wire, bob, answer)
    assert (titles[0], titles[2:4]) == (IN_PLACE, [REASONS, THANKS])


