"""The whole way, with nothing stood in for: articles, encoder, index, service, client, loopback Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.discordapp.escape import unblockquote
from bot.service.service import Service
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.conftest import LIT, MakeBotSettings, running
from tests.bot.services import BOUND
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json
from tests.wire.renderer import render

_KEEPER = "Mona Falk was its last keeper, and left when the lamp was made automatic in 1988."


@pytest.fixture
async def service(articles: Path, bot_settings: MakeBotSettings) -> AsyncIterator[Service]:
    """Start the real service on it."""
    started = Service(bot_settings(articles=articles, index=articles.parent / "index"))
    try:
        await started.start()
        yield started
    finally:
        await started.close()


async def rebuilt(wire: LoopbackDiscord, *who: Any) -> Json:
    """Have the index rebuilt by command; return the embed that says what came of it."""
    used = await wire.slash("index rebuild", *who)

    def outcome() -> Json | None:
        embeds: list[Json] = used.edits[-1]["embeds"] if used.edits else []
        return embeds[0] if embeds and embeds[0]["title"] != "Rebuilding the index" else None

    found = await wire.log.until(outcome, "the outcome", BOUND)
    assert found is not None
    return found


async def test_a_rebuild_from_chat_makes_a_new_sentence_quotable(
    wire: LoopbackDiscord, articles: Path, service: Service
) -> None:
    owner = wire.world.owner
    guild = wire.world.guild(owner=owner)
    question = "When was the lamp made automatic?"
    async with running(service.settings, service):
        await wire.gateway.announce(guild)
        before = await wire.response_to(await wire.slash("ask", owner, guild, question=question))
        assert before["embeds"][0]["title"] != "The articles say"

        articles.write_text(articles.read_text(encoding="utf-8") + f"\n{_KEEPER}\n", encoding="utf-8")
        await rebuilt(wire, owner, guild)

        after = await wire.response_to(await wire.slash("ask", owner, guild, question=question))
        (embed,) = after["embeds"]
        assert embed["title"] == "The articles say"
        description, bold = read_bold(embed["description"])
        assert render(description).quotes[0] == _KEEPER
        assert bold == ["1988"]


async def test_a_refused_rebuild_says_why_and_the_old_answers_stay(
    wire: LoopbackDiscord, articles: Path, service: Service
) -> None:
    owner = wire.world.owner
    async with running(service.settings, service):
        articles.write_bytes(b"A title\n\nnot \xff UTF-8\n")
        refused = await rebuilt(wire, owner)
        assert "line 3: not UTF-8" in render(refused["description"]).text
        answered = await wire.response_to(
            await wire.slash("ask", owner, question="When was the lighthouse first lit?")
        )
        description, _ = read_bold(answered["embeds"][0]["description"])
        assert render(description).quotes[0] == LIT


async def test_the_words_that_answer_are_bold_and_the_quote_is_the_articles_own(
    wire: LoopbackDiscord, articles: Path, service: Service
) -> None:
    text = articles.read_text(encoding="utf-8")
    async with running(service.settings, service):
        used = await wire.slash("ask", wire.world.owner, question="When was the lighthouse first lit?")
        (embed,) = (await wire.response_to(used))["embeds"]
    description, bold = read_bold(embed["description"])
    assert embed["title"] == "The articles say"
    assert bold == ["1874"]
    assert render(description).quotes == [LIT]
    assert render(description).constructs == []
    block = next(part for part in embed["description"].split("\n\n") if part.startswith("> "))
    assert unblockquote(block.partition("\nCitation ")[0]) in text


async def test_without_highlight_nothing_is_bold(
    wire: LoopbackDiscord, articles: Path, bot_settings: MakeBotSettings
) -> None:
    settings = bot_settings(articles=articles, index=articles.parent / "index", without="highlight")
    service = Service(settings)
    await service.start()
    async with running(settings, service):
        used = await wire.slash("ask", wire.world.owner, question="When was the lighthouse first lit?")
        (embed,) = (await wire.response_to(used))["embeds"]
    assert render(embed["description"]).quotes == [LIT]
    assert render(embed["description"]).constructs == []
