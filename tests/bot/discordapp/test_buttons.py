"""The buttons under an answer: context, further sources, the reasons; after a restart too, and for anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.encoding.encoder import Encoder
from index.errors import BusyError
from tests.bot.discordapp import phrases as say
from tests.bot.discordapp.chat import WAYS, Chat
from tests.bot.discordapp.service import ABSENT, BREAD, LAMP, LAMP_QUOTE, open_service
from tests.wire.world import Message, Permission, User

ALWAYS = [say.CONTEXT, say.NEXT, say.FOLLOW_UP, say.HELPFUL, say.NOT_HELPFUL]


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_has_its_buttons_however_it_was_asked_for(chat: Chat, way: str) -> None:
    assert list((await WAYS[way](chat, LAMP)).buttons) == ALWAYS
    assert list((await WAYS[way](chat, ABSENT)).buttons) == [*ALWAYS, say.WHY]
    await chat.set_to("helpers", role=chat.world.role(chat.guild, "helpers"))
    assert list((await WAYS[way](chat, LAMP)).buttons) == ALWAYS
    helpers = [] if way == "direct" else [say.HELPERS]
    assert list((await WAYS[way](chat, ABSENT)).buttons) == [*ALWAYS, say.WHY, *helpers]


@pytest.mark.parametrize(("language", "label"), [("de", "Warum"), ("es", "Por qué"), ("fr", "Pourquoi")])
async def test_buttons_speak_the_language_that_is_set(chat: Chat, language: str, label: str) -> None:
    await chat.set_to("language", language=language)
    for answer in (await chat.ask(ABSENT), await chat.mention(ABSENT)):
        assert any(label in one for one in answer.buttons)
        assert not {*ALWAYS, say.WHY} & set(answer.buttons)


async def test_the_context_is_the_quote_in_bold_among_the_paragraphs_beside_it(chat: Chat) -> None:
    answer = await chat.ask("Who kept the lamp on Gull Rock for thirty-one years?")
    (quote,) = answer.shown.quotes
    context = await chat.press_on(answer, say.CONTEXT, chat.bob)  # who need not have asked
    before, paragraph, after = context.shown.quotes
    assert (context.title, context.private, context.shown.bold) == (say.IN_PLACE, True, [quote])
    assert before.startswith(LAMP_QUOTE)
    assert quote in paragraph
    assert after.startswith("The lamp was replaced by an electric one in 1954.")
    assert [part.constructs for part in context.every_part] == [[]] * 3


@pytest.mark.parametrize("question", [LAMP, ABSENT])
async def test_sources_are_paged_in_place_to_the_last_beside_the_answer(chat: Chat, question: str) -> None:
    answer = await chat.ask(question)
    shown = answer.embeds, list(answer.buttons)
    first = source = await chat.press_on(answer, say.NEXT)
    other = await chat.press_on(answer, say.NEXT, chat.bob)  # each pages for themselves
    titles, quotes = [source.title], [source.shown.quotes[0]]
    while say.NEXT in source.buttons:
        source = await chat.press_on(source, say.NEXT)
        titles, quotes = [*titles, source.title], [*quotes, source.shown.quotes[0]]
        assert (source is first, source.private, source.shown.constructs) == (True, True, [])
    begun = len(answer.fields) + 1
    numbers = range(begun, begun + len(titles))
    assert titles == [say.SOURCE.format(number, numbers[-1]) for number in numbers]
    assert len(set(quotes)) == len(quotes) <= 4
    assert list(source.buttons) == [say.CONTEXT]
    assert (await chat.press_on(source, say.CONTEXT)).shown.bold == [quotes[-1]]
    assert (other.title, answer.embeds, list(answer.buttons)) == (titles[0], *shown)


async def test_where_embeds_are_not_allowed_context_and_sources_are_text(chat: Chat) -> None:
    await chat.deny(chat.guild, Permission.EMBED_LINKS)
    answer = await chat.ask()
    context, source = [await chat.press_on(answer, label) for label in (say.CONTEXT, say.NEXT)]
    assert [one.embeds for one in (answer, context, source)] == [[], [], []]
    assert LAMP_QUOTE in context.shown.bold
    assert source.title.startswith("Source 2")


async def test_what_a_rebuild_has_changed_is_said_so(fresh: Chat, home: Path, encoder: Encoder) -> None:
    async with open_service(fresh, home, encoder) as service, fresh.bot():
        lamp, bread = await fresh.ask(LAMP), await fresh.ask(BREAD)
        file = home / "articles/lamp.txt"
        file.write_text(file.read_text(encoding="utf-8").replace("in 1871", "in 1872"), encoding="utf-8")
        await service.rebuild()
        titles = [(await fresh.press_on(answer, say.CONTEXT)).title for answer in (lamp, bread)]
    assert titles == [say.CHANGED, say.IN_PLACE]


async def test_the_reasons_ask_the_same_question_again_for_whoever_presses(chat: Chat) -> None:
    absent = await chat.ask(ABSENT, article="Bread without a clock")
    reasons = await chat.press_on(absent, say.WHY, chat.bob)
    assert (reasons.title, reasons.private, len(reasons.text.splitlines()) > 1) == (say.REASONS, True, True)
    first, again = chat.service.asked_with
    assert first == again
    for error, title in ((BusyError("full", seconds=1), say.BUSY), (RuntimeError("boom"), say.FAULT)):
        chat.service.error = error
        apology = await chat.press_on(absent, say.WHY)
        assert (apology.title, apology.private, "boom" in str(apology.embeds)) == (title, True, False)


async def test_the_reasons_are_counted_as_a_question_is(fresh: Chat) -> None:
    async with fresh.bot(discord_user_rate=2):
        absent = await fresh.ask(ABSENT)
        titles = [(await fresh.press_on(absent, say.WHY)).title for _ in range(2)]
    assert titles == [say.REASONS, say.TOO_FAST]


@pytest.mark.parametrize(
    "custom_id", ["fn:gone", "fn:context:short", "fn:next:1:", "fn:why:é", "another bot's", "fn:form:ask"]
)
async def test_a_button_or_form_that_is_not_known_gets_a_private_notice(chat: Chat, custom_id: str) -> None:
    button = {"type": 2, "style": 2, "label": "Old", "custom_id": custom_id}
    body = {"content": "Old.", "components": [{"type": 1, "components": [button]}]}
    old = await chat.press_on(chat.messages.make(chat.guild.channels[0], chat.world.bot, body), "Old")
    used = await chat.press(chat.ann, await chat.ask(), say.FOLLOW_UP)
    (await chat.form(used))["custom_id"] = f"{custom_id}:gone"
    form = await chat.answer(await chat.submit(used, "Why?"))
    assert [(one.title, one.private) for one in (old, form)] == [(say.OLD_BUTTON, True)] * 2


async def press_all(chat: Chat, answer: Message, user: User) -> None:
    """Press every button of a message without an answer, and look at what each shows."""
    expected = {say.CONTEXT: say.IN_PLACE, say.NEXT: "Source 3 of", say.WHY: say.REASONS}
    expected |= {say.HELPFUL: say.THANKS, say.HELPERS: say.PASSED_ON}
    for label, title in expected.items():
        if label in answer.buttons:
            assert (await chat.press_on(answer, label, user)).title.startswith(title)
    assert (await chat.fill(answer, say.NOT_HELPFUL, "No.", user)).title == say.THANKS
    assert (await chat.follow(answer, "And who?", user)).title == say.NOT_FOUND
    assert chat.service.asked_with[-2:] == [(ABSENT, None, None), ("And who?", None, ABSENT)]


async def test_every_button_works_after_a_restart_and_for_anybody(fresh: Chat) -> None:
    foreign, eve = await fresh.server("eve", bot=False)
    async with fresh.bot():
        await fresh.set_to("helpers", channel=fresh.guild.channels[0])
        answers = [
            (await fresh.ask(ABSENT), fresh.bob),
            (await fresh.mention(ABSENT), fresh.bob),
            (await fresh.ask(ABSENT, private=True), fresh.ann),
            (await fresh.direct(ABSENT), fresh.ann),
            (await fresh.ask(ABSENT, eve, foreign, by_user=True), foreign.owner),
        ]
        assert [say.HELPERS in answer.buttons for answer, _ in answers] == [True, True, True, False, False]
        opened = await fresh.press(fresh.bob, answers[0][0], say.FOLLOW_UP)
        await fresh.form(opened)
        source = await fresh.press_on(answers[0][0], say.NEXT)
    async with fresh.bot():
        for answer, user in answers:
            await press_all(fresh, answer, user)
        assert say.NEXT not in source.buttons or (await fresh.press_on(source, say.NEXT)) is source
        assert (await fresh.answer(await fresh.submit(opened, "And who?"))).embeds


async def test_after_a_restart_a_question_that_can_no_longer_be_seen_is_said_to_be_lost(fresh: Chat) -> None:
    async with fresh.bot():
        await fresh.set_to("helpers", channel=fresh.guild.channels[0])
        answer = await fresh.mention(ABSENT)
    assert answer.reply_to is not None
    await fresh.messages.delete(answer.reply_to)
    async with fresh.bot():
        lost = [await fresh.press_on(answer, label) for label in (say.WHY, say.HELPERS)]
        assert [(one.title, one.private) for one in lost] == [(say.LOST, True)] * 2
        assert (await fresh.press_on(answer, say.HELPFUL)).title == say.THANKS  # which is kept all the same
    assert len(fresh.said(fresh.guild)) == 1
