"""/ask, over the wire."""

from __future__ import annotations

import asyncio

import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from index.errors import BusyError
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.fake_service import QUOTE, FakeService, sample_answer
from tests.bot.discordapp.stage import answer_to, inhabited, title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.renderer import render

pytestmark = pytest.mark.usefixtures("bot")


async def test_ask_shows_the_quote_its_citation_and_how_sure_it_is(wire: LoopbackDiscord) -> None:
    guild = wire.world.guild()
    await wire.gateway.announce(guild)
    used = await wire.slash("ask", guild.owner, guild, question="When did it open?")
    (embed,) = (await wire.response_to(used))["embeds"]
    shown = render(embed["description"])
    assert embed["title"] == "The articles say"
    assert shown.quotes == [QUOTE]
    assert shown.constructs == []
    citation = render(embed["fields"][0]["value"])
    assert citation.links == [("Councils and skills", "https://example.org/councils")]
    assert citation.text == "Councils and skills\nA. Writer, The Paper\nparagraph 4"
    assert embed["footer"]["text"] == "How sure: 93%"


async def test_the_words_that_answer_stand_in_bold_in_the_quote(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.reply = sample_answer(highlight=(QUOTE.index("2019"), QUOTE.index("2019") + 4))
    used = await wire.slash("ask", wire.world.user("ann"), question="When did it open?")
    (embed,) = (await wire.response_to(used))["embeds"]
    description, bold = read_bold(embed["description"])
    assert bold == ["2019"]
    assert render(description).quotes == [QUOTE]
    assert render(description).constructs == []


async def test_ask_is_acknowledged_before_the_answer_is_there(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.open.clear()
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await wire.log.until(lambda: used.acknowledged_after is not None, "an acknowledgement")
    assert used.loading
    assert used.acknowledged_after is not None
    assert used.acknowledged_after < 1
    service.open.set()
    assert (await wire.response_to(used))["embeds"]


async def test_ask_works_in_direct_messages(wire: LoopbackDiscord, service: FakeService) -> None:
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    await wire.response_to(used)
    assert service.asked == ["Why?"]
    assert not used.ephemeral


async def test_hostile_article_text_neither_formats_nor_pings_nor_links(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    hostile = (
        "# @everyone <@1> **b** ||s|| https://evil.example <t:0> :cat: `c` [x](https://y.example) <:a:1>"
    )
    service.reply = sample_answer(
        texts=(hostile,), title="@here _t_ [https://z.example](x)", url="javascript:x"
    )
    used = await wire.slash("ask", wire.world.user("ann"), question="@everyone **why**?")
    message = await wire.response_to(used)
    (embed,) = message["embeds"]
    shown, cited = render(embed["description"]), render(embed["fields"][0]["value"])
    assert shown.quotes == [hostile]
    assert shown.constructs == cited.constructs == []
    assert cited.links == []
    assert render(message["content"]).quotes == ["@everyone **why**?"]
    assert render(message["content"]).constructs == []
    assert wire.log.pings == []


@pytest.mark.parametrize(
    ("verdict", "title", "says"),
    [
        (Verdict.RELATED, "Close, but maybe not an answer", "They may not answer the question."),
        (Verdict.NOT_FOUND, "The articles do not seem to say", "No passage answers this question."),
    ],
)
async def test_ask_says_plainly_when_it_has_no_answer(
    wire: LoopbackDiscord, service: FakeService, verdict: Verdict, title: str, says: str
) -> None:
    service.reply = sample_answer(verdict=verdict)
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    (embed,) = (await wire.response_to(used))["embeds"]
    assert embed["title"] == title
    assert says in embed["description"]
    assert render(embed["description"]).quotes == [f"Before. {QUOTE}"]
    assert "Near, but not given as an answer:" in embed["description"]


@pytest.mark.parametrize("given", [None, True, False])
@pytest.mark.parametrize("setting", [None, True, False])
async def test_the_answer_is_private_where_that_is_asked_for_or_else_set(
    wire: LoopbackDiscord, bot: FootnoteClient, given: bool | None, setting: bool | None
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    await bot.surface.records.change(guild.id, guild.channels[0].id, private=setting)
    used = await wire.slash("ask", ann, guild, question="Why?", private=given)
    await wire.response_to(used)
    assert used.ephemeral is bool(setting if given is None else given)


async def test_a_thread_is_as_private_as_its_channel(wire: LoopbackDiscord, bot: FootnoteClient) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    await bot.surface.records.change(guild.id, guild.channels[0].id, private=True)
    used = await wire.slash("ask", ann, await wire.thread(guild, ann, "thread"), question="Why?")
    await wire.response_to(used)
    assert used.ephemeral


@pytest.mark.parametrize(
    ("setting", "locale", "title"),
    [
        (None, "en-GB", "The articles say"),
        (None, "es-419", "Los artículos dicen"),
        ("es", "de", "Los artículos dicen"),
        ("en", "de", "The articles say"),
    ],
)
async def test_the_bot_speaks_the_askers_language_or_the_one_that_is_set(
    wire: LoopbackDiscord, bot: FootnoteClient, setting: str | None, locale: str, title: str
) -> None:
    guild = wire.world.guild()
    ann = wire.world.join(guild, wire.world.user("ann", locale=locale))
    await wire.gateway.announce(guild)
    await bot.surface.records.change(guild.id, None, language=setting)
    message = await answer_to(wire, ann, guild)
    assert title_of(message) == title
    assert render(message["embeds"][0]["description"]).quotes == [QUOTE]  # articles are never translated


async def test_blank_question_gets_help_and_is_not_asked(wire: LoopbackDiscord, service: FakeService) -> None:
    used = await wire.slash("ask", wire.world.user("ann"), question="   ")
    assert (await wire.response_to(used))["embeds"][0]["title"] == "Ask a question"
    assert used.ephemeral
    assert service.asked == []


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (BusyError("64 are waiting"), "Too many questions are waiting"),
        (RuntimeError("boom"), "Something went wrong"),
    ],
)
async def test_failed_question_ends_in_a_private_apology(
    wire: LoopbackDiscord, service: FakeService, error: Exception, title: str
) -> None:
    service.error = error
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    message = await wire.response_to(used)
    assert message["embeds"][0]["title"] == title
    assert message["flags"] == 64
    assert used.original is None
    assert "boom" not in str(message)


async def test_apology_arrives_even_where_the_deferred_message_cannot_be_deleted(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.error = RuntimeError("boom")
    wire.fault("DELETE", r"/messages/@original$", status=403)
    used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
    assert (await wire.response_to(used))["embeds"][0]["title"] == "Something went wrong"


async def test_command_that_is_not_known_any_more_is_answered(wire: LoopbackDiscord) -> None:
    wire.interactions.commands[0]["name"] = "query"
    used = await wire.slash("query", wire.world.user("ann"), question="Why?")
    assert (await wire.response_to(used))["embeds"][0]["title"] == "This command has changed"


async def test_many_questions_at_once_are_all_answered(wire: LoopbackDiscord, bot: FootnoteClient) -> None:
    people = [wire.world.user(f"user {number}") for number in range(30)]
    used = [await wire.slash("ask", one, question=f"Question of {one.name}?") for one in people]
    await asyncio.gather(*(wire.response_to(one, 10) for one in used))
    assert not bot.work.stopping
