"""In a burst, acknowledgements go before answers; but nobody waits for those of others without end."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat import acknowledgements as acknowledging
from bot.chat.acknowledgements import Acknowledging
from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import title_of
from tests.wire.loopback import LoopbackDiscord


async def test_a_question_is_acknowledged_at_once_and_asked_when_the_others_are_acknowledged_too(
    wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledging, "_LONGEST", 3600.0)
    with bot.surface.acknowledging.one():
        used = await wire.slash("ask", wire.world.user("ann"), question="Why?")
        await wire.log.until(lambda: used.acknowledged_after is not None, "the acknowledgement")
        for _ in range(30):  # which is long enough for an answer
            await asyncio.sleep(0.01)
            assert service.asked == []
    await wire.log.until(lambda: used.edits, "the answer")
    assert title_of(await wire.response_to(used)) == "The articles say"


async def test_an_acknowledgement_that_does_not_end_holds_up_the_others_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acknowledging, "_LONGEST", 0.01)
    gate = Acknowledging()
    with gate.one():
        await gate.others()


async def test_the_last_of_several_lets_the_others_go() -> None:
    gate = Acknowledging()
    with gate.one():
        with gate.one():
            waiting = asyncio.create_task(gate.others())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_one_that_fails_is_no_longer_on_its_way() -> None:
    gate = Acknowledging()
    with pytest.raises(OSError, match="gone"), gate.one():
        raise OSError("gone")
    await gate.others()
    assert gate._none.is_set()
