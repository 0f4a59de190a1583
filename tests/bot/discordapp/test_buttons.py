"""The buttons of an answer: context, further sources, reasons; for everybody, and after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.encoding.encoder import Encoder
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import WAYS, Chat
from tests.bot.discordapp.service import ABSENT, BREAD, LAMP, LAMP_QUOTE, open_service
from tests.wire.entities import Message, User

ALWAYS = [texts.CONTEXT, texts.NEXT, texts.FOLLOW_UP, texts.HELPFUL, texts.NOT_HELPFUL]


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_has_the_same_buttons_however_it_was_asked(chat: Chat, way: str) -> None:
    assert list((await WAYS[way](chat, LAMP)).buttons) == ALWAYS
    assert list((await WAYS[way](chat, ABSENT)).buttons) == [*ALWAYS, texts.WHY]
    await chat.configure("helpers", role=chat.world.role(chat.guild, "helpers"))
    assert list((await WAYS[way](chat, LAMP)).buttons) == ALWAYS
    helpers = [] if way == "direct" else [texts.HELPERS]
    assert list((await WAYS[way](chat, ABSENT)).buttons) == [*ALWAYS, texts.WHY, *helpers]


@pytest.mark.parametrize("language", texts.WHY_IN)
async def test_buttons_are_in_the_language_that_is_set(chat: Chat, language: str) -> None:
    await chat.configure("language", language=language)
    for answer in (await chat.ask(ABSENT), await chat.mention(ABSENT)):
        assert any(texts.WHY_IN[language] in label for label in answer.buttons)
        assert not {*ALWAYS, texts.WHY} & set(answer.buttons)


async def test_the_context_shows_the_quote_in_bold_between_its_neighbours(chat: Chat) -> None:
    answer = await chat.ask("Who kept the lamp on Gull Rock for thirty-one years?")
    (quote,) = answer.shown.quotes
    context = await chat.click(answer, texts.CONTEXT, chat.bob)
    before, paragraph, after = context.shown.quotes
    assert (context.title, context.private, context.shown.bold) == (texts.IN_CONTEXT, True, [quote])
    assert before.startswith(LAMP_QUOTE)
    assert quote in paragraph
    assert after.startswith("The lamp was replaced by an electric one in 1954.")
    assert [part.constructs for part in context.every_part] == [[]] * 3


@pytest.mark.parametrize("question", [LAMP, ABSENT])
async def test_further_sources_are_paged_through_in_one_private_message(chat: Chat, question: str) -> None:
    answer = await chat.ask(question)
    shown = answer.embeds, list(answer.buttons)
    first = source = await chat.click(answer, texts.NEXT)
    other = await chat.click(answer, texts.NEXT, chat.bob)  # everybody pages for themselves
    titles, quotes = [source.title], [source.shown.quotes[0]]
    while texts.NEXT in source.buttons:
        source = await chat.click(source, texts.NEXT)
        titles, quotes = [*titles, source.title], [*quotes, source.shown.quotes[0]]
        assert (source is first, source.private, source.shown.constructs) == (True, True, [])
    start = len(answer.fields) + 1
    numbers = range(start, start + len(titles))
    assert titles == [texts.SOURCE.format(number, numbers[-1]) for number in numbers]
    assert len(set(quotes)) == len(quotes) <= 4
    assert list(source.buttons) == [texts.CONTEXT]
    assert (await chat.click(source, texts.CONTEXT)).shown.bold == [quotes[-1]]
    assert (other.title, answer.embeds, list(answer.buttons)) == (titles[0], *shown)


async def test_the_context_of_a_changed_article_is_not_shown(
    fresh: Chat, home: Path, encoder: Encoder
) -> None:
    async with open_service(fresh, home, encoder) as service, fresh.bot():
        lamp, bread = await fresh.ask(LAMP), await fresh.ask(BREAD)
        file = home / "articles/lamp.txt"
        file.write_text(file.read_text(encoding="utf-8").replace("in 1871", "in 1872"), encoding="utf-8")
        await service.rebuild()
        titles = [(await fresh.click(answer, texts.CONTEXT)).title for answer in (lamp, bread)]
    assert titles == [texts.CHANGED, texts.IN_CONTEXT]


async def test_the_reasons_are_found_by_asking_the_same_question_again(chat: Chat) -> None:
    answer = await chat.ask(ABSENT, article="Bread without a clock")
    reasons = await chat.click(answer, texts.WHY, chat.bob)
    assert (reasons.title, reasons.private, "\n" in reasons.text) == (texts.REASONS, True, True)
    first, again = chat.service.asked_with
    assert first == again


@pytest.mark.parametrize(
    "custom_id", ["fn:gone", "fn:context:short", "fn:next:1:", "fn:why:é", "another bot's", "fn:form:ask"]
)
async def test_an_unknown_button_or_modal_gets_a_private_notice(chat: Chat, custom_id: str) -> None:
    button = {"type": 2, "style": 2, "label": "Old", "custom_id": custom_id}
    body = {"content": "Old.", "components": [{"type": 1, "components": [button]}]}
    old = await chat.click(chat.messages.make(chat.guild.channels[0], chat.world.bot, body), "Old")
    use = await chat.press(chat.ann, await chat.ask(), texts.FOLLOW_UP)
    (await chat.modal(use))["custom_id"] = f"{custom_id}:retired"
    modal = await chat.answer(await chat.submit(use, "Why?"))
    assert [(notice.title, notice.private) for notice in (old, modal)] == [(texts.OLD_BUTTON, True)] * 2


async def _click_every_button(chat: Chat, answer: Message, user: User) -> None:
    expected = {texts.CONTEXT: texts.IN_CONTEXT, texts.NEXT: "Source ", texts.WHY: texts.REASONS}
    expected |= {texts.HELPFUL: texts.THANKS, texts.HELPERS: texts.PASSED_ON}
    for label, title in expected.items():
        if label in answer.buttons:
            assert (await chat.click(answer, label, user)).title.startswith(title)
    assert (await chat.fill_in(answer, texts.NOT_HELPFUL, "No.", user)).title == texts.THANKS
    assert (await chat.follow_up(answer, "And who?", user)).title == texts.NOT_FOUND
    assert chat.service.asked_with[-2:] == [(ABSENT, None, None), ("And who?", None, ABSENT)]


async def test_every_button_works_after_a_restart_and_for_everybody(fresh: Chat) -> None:
    elsewhere, eve = await fresh.server("eve", bot=False)
    async with fresh.bot():
        await fresh.configure("helpers", channel=fresh.guild.channels[0])
        answers = [
            (await fresh.ask(ABSENT), fresh.bob),
            (await fresh.mention(ABSENT), fresh.bob),
            (await fresh.ask(ABSENT, private=True), fresh.ann),
            (await fresh.direct(ABSENT), fresh.ann),
            (await fresh.ask(ABSENT, eve, elsewhere, by_user=True), elsewhere.owner),
        ]
        assert [texts.HELPERS in answer.buttons for answer, _ in answers] == [True, True, True, False, False]
        modal = await fresh.press(fresh.bob, answers[0][0], texts.FOLLOW_UP)
        await fresh.modal(modal)
        source = await fresh.click(answers[0][0], texts.NEXT)
    async with fresh.bot():
        for answer, user in answers:
            await _click_every_button(fresh, answer, user)
        assert texts.NEXT not in source.buttons or (await fresh.click(source, texts.NEXT)) is source
        assert (await fresh.answer(await fresh.submit(modal, "And who?"))).embeds


async def test_after_a_restart_a_deleted_question_is_reported_as_lost(fresh: Chat) -> None:
    async with fresh.bot():
        await fresh.configure("helpers", channel=fresh.guild.channels[0])
        answer = await fresh.mention(ABSENT)
    assert answer.reply_to is not None
    await fresh.messages.delete(answer.reply_to)
    async with fresh.bot():
        notices = [await fresh.click(answer, label) for label in (texts.WHY, texts.HELPERS)]
        assert [(notice.title, notice.private) for notice in notices] == [(texts.LOST, True)] * 2
        assert (await fresh.click(answer, texts.HELPFUL)).title == texts.THANKS
    assert len(fresh.posts(fresh.guild)) == 1
