"""Asking open questions again where that is not smooth: busy, failing, stopping, a swap more, a deletion."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.discordapp import gaps
from bot.discordapp.client import FootnoteClient
from bot.service.job_queue import Waiting
from index.errors import BusyError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.gapped import gaps_answered, gaps_kept, made_gap, soon
from tests.bot.discordapp.stage import answer_to, inhabited
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Guild, User
from tests.wire.renderer import render


class Troubled(FakeService):
    """Fails at some questions: always, or (with a BusyError) so many times."""

    def __init__(self, errors: dict[str, Exception], times: int = 10**9) -> None:
        super().__init__()
        self.errors, self.left = errors, times

    async def ask(
        self,
        question: str,
        *,
        article: str | None = None,
        earlier: Earlier | None = None,
        waiting: Callable[[Waiting], None] | None = None,
    ) -> Answer:
        answer = await super().ask(question, article=article, earlier=earlier, waiting=waiting)
        if question in self.errors and self.left > 0:
            self.left -= 1
            raise self.errors[question]
        return answer


async def opened(bot: FootnoteClient, guild: Guild) -> list[str]:
    return [gap.question for gap in await bot.surface.records.gaps(guild.id)]


@pytest.fixture
async def place(wire: LoopbackDiscord, bot: FootnoteClient) -> tuple[Guild, User]:
    """Make a server with a member, in which channels are told."""
    guild, (ann,) = await inhabited(wire, "ann")
    await bot.surface.records.change(guild.id, None, tell_gaps=True)
    return guild, ann


async def test_a_question_that_cannot_be_asked_keeps_no_other_from_being_asked(
    bot_settings: MakeBotSettings, wire: LoopbackDiscord, caplog: pytest.LogCaptureFixture
) -> None:
    service = Troubled({"Broken?": RuntimeError("boom")})
    async with running(bot_settings(), service) as bot:
        guild, (ann,) = await inhabited(wire, "ann")
        for question in ("When?", "Broken?", "Where?"):
            await made_gap(bot, guild, ann, question)
        service.swap("g-2")
        await gaps_answered(bot, guild.id, 2)
        assert await opened(bot, guild) == ["Broken?"]
    assert "could not be asked again" in caplog.text
    assert "Broken?" not in caplog.text


@pytest.mark.parametrize("says", [None, 0.02])
async def test_a_busy_service_delays_and_loses_none(
    bot_settings: MakeBotSettings,
    wire: LoopbackDiscord,
    monkeypatch: pytest.MonkeyPatch,
    says: float | None,
) -> None:
    monkeypatch.setattr(gaps, "_BUSY_PAUSE", 60 if says else 0.02)
    questions = ("When?", "Where?", "Who?")
    service = Troubled(dict.fromkeys(questions, BusyError("full", seconds=says)), times=5)
    async with running(bot_settings(), service) as bot:
        guild, (ann,) = await inhabited(wire, "ann")
        for question in questions:
            await made_gap(bot, guild, ann, question)
        service.swap("g-2")
        assert len(await gaps_answered(bot, guild.id, 3)) == 3
    assert service.asked == ["Who?"] * 6 + ["Where?", "When?"]


async def test_a_service_that_is_busy_for_ever_is_not_asked_for_ever(
    bot_settings: MakeBotSettings,
    wire: LoopbackDiscord,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(gaps, "_PAUSES", 3)
    service = Troubled({"When?": BusyError("full", seconds=0.01)})
    async with running(bot_settings(), service) as bot:
        guild, (ann,) = await inhabited(wire, "ann")
        for question in ("Where?", "When?"):
            await made_gap(bot, guild, ann, question)
        service.swap("g-2")
        await soon(bot, lambda: "too busy to ask" in caplog.text)
        assert service.asked == ["When?"] * 4
        assert await opened(bot, guild) == ["When?", "Where?"]
        service.errors = {}
        service.swap("g-3")
        await gaps_answered(bot, guild.id, 2)
    assert "A job in the background failed" not in caplog.text


@pytest.mark.parametrize("at", ["a pause", "a question"])
async def test_stopping_gives_it_up_and_the_questions_stay_open(
    bot_settings: MakeBotSettings,
    wire: LoopbackDiscord,
    caplog: pytest.LogCaptureFixture,
    at: str,
) -> None:
    service = Troubled({"When?": BusyError("full", seconds=600)} if at == "a pause" else {})
    async with running(bot_settings(), service) as bot:
        guild, (ann,) = await inhabited(wire, "ann")
        await made_gap(bot, guild, ann, "When?")
        if at == "a question":
            service.open.clear()
        service.swap("g-2")
        await soon(bot, lambda: service.asked)
    async with running(bot_settings(), FakeService()) as bot:
        assert await opened(bot, guild) == ["When?"]
    assert "A job in the background failed" not in caplog.text
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_two_swaps_in_quick_succession_tell_once_and_name_the_last(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient, place: tuple[Guild, User]
) -> None:
    guild, ann = place
    for question in ("Where?", "When?"):
        await made_gap(bot, guild, ann, question)
    service.open.clear()
    service.swap("g-2")
    await soon(bot, lambda: service.asked)
    service.swap("g-3")
    await soon(bot, lambda: len(service.asked) >= 2)
    service.open.set()
    answered = await gaps_answered(bot, guild.id, 2)
    assert {gap.answered_by for gap in answered} == {"g-3"}
    await wire.log.until(lambda: len(wire.said(guild)) >= 2, "a word on each")
    await answer_to(wire, ann, guild, "And now?")
    assert [render(one["content"]).quotes for one in wire.said(guild)] == [["When?"], ["Where?"]]
    assert service.asked == ["When?", "When?", "Where?", "And now?"]


async def test_a_swap_during_a_pause_ends_what_the_swap_before_began(
    bot_settings: MakeBotSettings, wire: LoopbackDiscord
) -> None:
    service = Troubled({"When?": BusyError("full", seconds=0.01)})
    async with running(bot_settings(), service) as bot:
        guild, (ann,) = await inhabited(wire, "ann")
        for question in ("Where?", "When?"):
            await made_gap(bot, guild, ann, question)
        service.generation = "g-2"
        asking = asyncio.create_task(gaps.ask_gaps_again(bot.surface, bot, "g-2"))
        await soon(bot, lambda: len(service.asked) >= 3)
        service.generation = "g-3"
        assert await asyncio.wait_for(asking, 3) == 0
        assert set(service.asked) == {"When?"}
        assert await opened(bot, guild) == ["When?", "Where?"]


@pytest.mark.parametrize("way", ["forgotten", "forgotten by one of two", "dropped", "left"])
async def test_a_question_that_is_deleted_while_it_is_asked_is_told_to_nobody(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient, place: tuple[Guild, User], way: str
) -> None:
    guild, ann = place
    other = wire.world.join(guild, wire.world.user("other"))
    await made_gap(bot, guild, other, "Where?")
    number = await made_gap(bot, guild, ann, "When?")
    if way.endswith("two"):
        service.replies["WHEN"] = sample_answer("WHEN", Verdict.NOT_FOUND)
        await answer_to(wire, other, guild, "WHEN")
        await gaps_kept(bot, guild.id, times=3)
    service.open.clear()
    service.swap("g-2")
    await soon(bot, lambda: "When?" in service.asked)
    if way.startswith("forgotten"):
        await wire.response_to(await wire.slash("privacy forget", ann, guild))
    elif way == "dropped":
        await wire.response_to(await wire.slash("gaps drop", guild.owner, guild, number=number))
    service.open.set()
    expected = [["When?"], ["Where?"]] if way == "left" else [["Where?"]]
    await wire.log.until(lambda: len(wire.said(guild)) >= len(expected), "a word on the other")
    assert [render(one["content"]).quotes for one in wire.said(guild)] == expected
    assert await opened(bot, guild) == (["WHEN"] if way.endswith("two") else [])
