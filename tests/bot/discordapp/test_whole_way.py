"""The whole way through a conversation, with nothing stood in for: what follows an answer; gaps answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.discordapp.client import FootnoteClient
from bot.service.service import Service
from index.build import build_index
from index.encoding.encoder import Encoder
from index.settings import IndexSettings
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.gapped import gaps_answered, gaps_kept
from tests.bot.discordapp.stage import answer_to, inhabited, mentioned, pressed, title_of
from tests.bot.services import RebuilderHere
from tests.graphs import lend_graph
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Guild, User
from tests.wire.records import Json
from tests.wire.renderer import render

LIGHT = """\
---
title: The light at Skerry Point
author: Mara Holt
publisher: The Coast
url: https://coast.example/skerry
---

Ships had been lost on the reef for as long as anybody could remember.

The lighthouse at Skerry Point was lit for the first time in 1874. It stands 31 metres tall.

The lighthouse at Skerry Point was built by Ebba Lind, an engineer from the mainland.
"""

MUSEUM = """\
The museum of bread

The museum of bread in Wexholm was founded in 1991. It is closed on Mondays.

The museum of bread is led by Jon Vass, who baked for forty years.
"""

LIT = "The lighthouse at Skerry Point was lit for the first time in 1874."
BUILT = "The lighthouse at Skerry Point was built by Ebba Lind, an engineer from the mainland."
KEEPER = "Mona Falk was its last keeper, and left when the lamp was made automatic in 1988."


@pytest.fixture
def folder(tmp_path: Path, encoder: Encoder, graph_folder: Path) -> Path:
    """Write two articles and index them."""
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "light.md").write_text(LIGHT, encoding="utf-8")
    (articles / "museum.txt").write_text(MUSEUM, encoding="utf-8")
    lend_graph(graph_folder, tmp_path / "index")
    build_index(IndexSettings.load(articles=articles, index=tmp_path / "index"), encoder=encoder)
    return articles


@pytest.fixture
async def whole(
    folder: Path, bot_settings: MakeBotSettings, encoder: Encoder
) -> AsyncIterator[FootnoteClient]:
    """Connect the bot, with the real service on them."""
    settings = bot_settings(articles=folder, index=folder.parent / "index")
    service = Service(settings, RebuilderHere(settings, encoder))
    try:
        await service.start()
        async with running(service.settings, service) as client:
            yield client
    finally:
        await service.close()


@pytest.fixture
async def people(wire: LoopbackDiscord, whole: FootnoteClient) -> tuple[Guild, User]:
    """Make a server with a member; the application's owner is one too."""
    assert whole.is_ready()
    guild, (ann,) = await inhabited(wire, "ann")
    wire.world.join(guild, wire.world.owner)
    return guild, ann


def quoted(message: Json) -> str:
    """Return the quote that an answer shows, as it is read."""
    description, _ = read_bold(message["embeds"][0]["description"])
    return render(description).quotes[0]


async def test_an_answer_links_to_its_sentence_and_its_buttons_lead_to_it_and_on(
    wire: LoopbackDiscord, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    answer = await answer_to(wire, ann, guild, "When was the lighthouse at Skerry Point first lit?")
    assert quoted(answer) == LIT
    ((title, link),) = render(answer["embeds"][0]["fields"][0]["value"]).links
    assert title == "The light at Skerry Point"
    address, fragment = link.split("#:~:text=")
    assert address == "https://coast.example/skerry"
    assert fragment.startswith("The%20lighthouse%20at%20Skerry%20Point")
    context = await pressed(wire, ann, answer, "Show context")
    text, bold = read_bold(context["embeds"][0]["description"])
    assert bold == [LIT]
    shown = "\n".join(render(text).quotes)
    assert f"{LIT} It stands 31 metres tall." in shown
    assert "Ships had been lost" in shown
    assert BUILT in shown
    source = await pressed(wire, ann, answer, "Next source")
    assert title_of(source).startswith("Source 2 of ")
    assert quoted(source) != LIT


async def test_a_reply_that_asks_on_is_found_by_the_subject_of_the_question_before(
    wire: LoopbackDiscord, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    question = "and who built it?"
    alone = await mentioned(wire, ann, guild, question)
    assert "Read together with" not in alone["embeds"][0]["description"]
    first = await mentioned(wire, ann, guild, "When was the lighthouse at Skerry Point first lit?")
    assert quoted(first) == LIT
    second = await wire.reply_to(await wire.say(guild, ann, f"{wire.world.bot.mention} {question}", first))
    assert title_of(second) == "The articles say"
    assert quoted(second) == BUILT
    assert "Read together with: " in second["embeds"][0]["description"]
    museum = await mentioned(wire, ann, guild, "When was the museum of bread founded?")
    third = await wire.reply_to(
        await wire.say(guild, ann, f"{wire.world.bot.mention} and who leads it?", museum)
    )
    assert "Jon Vass" in quoted(third)


async def test_a_quote_is_verified_to_the_letter(wire: LoopbackDiscord, people: tuple[Guild, User]) -> None:
    guild, ann = people
    used = await wire.slash("verify", ann, guild, text=f"“{LIT}”")
    exact = (await wire.response_to(used))["embeds"][0]["description"]
    assert "**To the letter**" in exact
    assert "https://coast.example/skerry" in exact
    used = await wire.slash("verify", ann, guild, text=f"“{LIT.replace('1874', '1875')}”")
    changed = (await wire.response_to(used))["embeds"][0]["description"]
    assert "**Changed**" in changed
    assert "~~" in changed
    used = await wire.slash("verify", ann, guild, text="“Nobody ever wrote that down, not anywhere.”")
    assert "**Not in the articles**" in (await wire.response_to(used))["embeds"][0]["description"]


async def test_a_rebuild_from_chat_answers_an_open_question_and_its_channel_is_told(
    wire: LoopbackDiscord, whole: FootnoteClient, folder: Path, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    question = "Who was the last keeper of the lighthouse?"
    used = await wire.slash("settings gaps", guild.owner, guild, tell=True)
    await wire.response_to(used)
    assert title_of(await answer_to(wire, ann, guild, question)) != "The articles say"
    assert title_of(await answer_to(wire, ann, guild, "Who won the race in 1903?")) != "The articles say"
    await gaps_kept(whole, guild.id, times=2)
    (folder / "light.md").write_text(f"{LIGHT}\n{KEEPER}\n", encoding="utf-8")
    rebuild = await wire.slash("index rebuild", wire.world.owner, guild)
    (told,) = await wire.log.until(lambda: wire.said(guild), "a word on the question", 15)
    assert told["content"].startswith("This question, asked here before, now has an answer:\n")
    assert render(told["content"]).quotes == [question]
    assert quoted(told) == KEEPER
    (gap,) = await gaps_answered(whole, guild.id)
    assert gap.question == question
    assert gap.answered_by == (await whole.surface.service.status()).generation
    used = await wire.slash("gaps list", guild.owner, guild)
    listed = (await wire.response_to(used))["embeds"][0]["description"]
    assert "Who won the race" in listed
    assert "last keeper" not in listed
    assert wire.log.pings == []
    await wire.log.until(lambda: "done" in str(rebuild.edits[-1:]), "the rebuild's outcome")


async def test_a_follow_up_without_an_answer_makes_sense_when_it_is_asked_again(
    wire: LoopbackDiscord, whole: FootnoteClient, folder: Path, people: tuple[Guild, User]
) -> None:
    guild, ann = people
    first = await mentioned(wire, ann, guild, "When was the lighthouse at Skerry Point first lit?")
    asked = await wire.say(guild, ann, f"{wire.world.bot.mention} and who was its last keeper?", first)
    assert title_of(await wire.reply_to(asked)) != "The articles say"
    (gap,) = await gaps_kept(whole, guild.id)
    assert "Skerry Point" in gap.question
    (folder / "light.md").write_text(f"{LIGHT}\n{KEEPER}\n", encoding="utf-8")
    await whole.surface.service.rebuild()
    assert [one.id for one in await gaps_answered(whole, guild.id)] == [gap.id]
