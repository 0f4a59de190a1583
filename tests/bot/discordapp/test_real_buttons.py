"""The buttons under answers from a real index, over the wire, before a restart and after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.answering.answer import Answer
from bot.chat.quote_reference import spans_of
from bot.discordapp.escape import printable
from bot.discordapp.render import quotes_shown
from bot.service.service import Service
from index.encoding.encoder import Encoder
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.stage import answer_to, pressed, title_of
from tests.bot.services import RebuilderHere
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import User
from tests.wire.records import Json
from tests.wire.renderer import render

_QUESTIONS = (
    "When was the lighthouse on Gull Rock lit?",
    "Why does sourdough rise slowly?",
    "How long are the blades of the turbine?",
    "The lamp on Gull Rock",
    "Who painted the ceiling of the chapel?",
    "What did she write in the log?",
)


@asynccontextmanager
async def connected(make: MakeBotSettings, home: Path, encoder: Encoder) -> AsyncIterator[Service]:
    """Serve the folder's index on the loopback Discord."""
    settings = make(articles=home / "articles", index=home / ".footnote/index")
    service = Service(settings, RebuilderHere(settings, encoder))
    try:
        await service.start()
        async with running(settings, service):
            yield service
    finally:
        await service.close()


async def look_at(wire: LoopbackDiscord, user: User, message: Json, answer: Answer) -> None:
    """Press what leads to the answer's quotes, and hold what is shown against them."""
    texts = [*(one.text for one in answer.quotes), *(one.passage for one in answer.further)]
    assert len(spans_of(answer)) == len(texts)
    context = await pressed(wire, user, message, "Show context")
    assert title_of(context) == "In its place"
    _, bold = read_bold(context["embeds"][0]["description"])
    assert bold == [printable(texts[0])]
    shown = len(quotes_shown(answer))
    source = message
    for number, text in list(enumerate(texts, 1))[shown : shown + 4]:
        source = await pressed(wire, user, source, "Next source")
        assert title_of(source) == f"Source {number} of {min(len(texts), shown + 4)}"
        description = source["embeds"][0]["description"]
        assert render(description).text == printable(text)
        assert render(description).constructs == []
    assert "Next source" not in wire.buttons(source)
    if "Why?" in wire.buttons(message):
        why = await pressed(wire, user, message, "Why?")
        assert title_of(why) == "Why this verdict"
        assert len(why["embeds"][0]["description"].splitlines()) > 1


@pytest.mark.parametrize("restart", [False, True])
async def test_places_lead_to_what_was_quoted_word_for_word(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, home: Path, encoder: Encoder, restart: bool
) -> None:
    ann = wire.world.user("ann")
    looked: list[tuple[Json, Answer]] = []
    async with connected(bot_settings, home, encoder) as service:
        for question in _QUESTIONS:
            message = await answer_to(wire, ann, None, question)
            looked.append((message, await service.ask(question)))
            if not restart:
                await look_at(wire, ann, *looked[-1])
    if restart:
        async with connected(bot_settings, home, encoder):
            for message, answer in looked:
                await look_at(wire, ann, message, answer)


async def test_what_a_rebuild_has_changed_is_said_to_have_changed(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, home: Path, encoder: Encoder
) -> None:
    ann = wire.world.user("ann")
    async with connected(bot_settings, home, encoder) as service:
        lamp, bread = [await answer_to(wire, ann, None, question) for question in _QUESTIONS[:2]]
        file = home / "articles/lamp.txt"
        file.write_text(file.read_text(encoding="utf-8").replace("in 1871", "in 1872"), encoding="utf-8")
        await service.rebuild()
        assert title_of(await pressed(wire, ann, lamp, "Show context")) == "This article has changed"
        assert title_of(await pressed(wire, ann, bread, "Show context")) == "In its place"
        (home / "articles/bread.md").unlink()
        await service.rebuild()
        assert title_of(await pressed(wire, ann, bread, "Show context")) == "This article has changed"
