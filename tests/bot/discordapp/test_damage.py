"""A damaged index: what answers, who is told, and where it shows."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from index.encoding.encoder import Encoder
from index.errors import DamagedIndexError
from tests.bot.discordapp.asking import ask, mention, no_traceback, settle, until
from tests.bot.discordapp.conftest import free_port, running, settings_for
from tests.bot.discordapp.phrases import ANSWERED, ANSWERING_FROM, DAMAGED, WHOLE_AGAIN
from tests.bot.discordapp.service import LAMP, ControlledService
from tests.bot.services import RebuilderHere
from tests.wire.driver import Wire
from tests.wire.world import Message, User

pytestmark = pytest.mark.asyncio(loop_scope="session")

REASON = "/i/tokens.bin is **damaged** @everyone"


async def told(wire: Wire, user: User, count: int = 1, within: float = 5) -> list[Message]:
    """Wait until somebody has been told something in direct messages."""
    await wire.log.until(lambda: len(wire.said(user)) >= count, f"a direct message to {user.name}", within)
    return wire.said(user)


async def test_the_admins_are_told_once_and_again_when_it_is_over(
    own_wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    ann, bob, owner = own_wire.world.user("ann"), own_wire.world.user("bob"), own_wire.world.owner
    async with running(own_wire, service, discord_admin_users={ann.id, 4711}):
        service.find(REASON, serving="000001-older")
        for user in (ann, owner):
            (first,) = await told(own_wire, user)
            assert first.title == DAMAGED
            assert REASON in first.shown.text
            assert "000001-older" in first.shown.text
            assert first.shown.constructs == []
        await until(lambda: "4711" in caplog.text)  # who takes no direct messages, and is named
        service.find(None)
        for user in (ann, owner):
            _, second = await told(own_wire, user, 2)
            assert second.title == WHOLE_AGAIN
        assert (await ask(own_wire, bob, bob)).title == ANSWERED
    assert (own_wire.said(bob), own_wire.log.pings, no_traceback(caplog)) == ([], [], True)


async def test_damage_from_before_the_start_is_told_and_what_is_found_while_stopping_is_not(
    own_wire: Wire, service: ControlledService
) -> None:
    service.find(REASON, serving="000001-older")
    async with running(own_wire, service):
        await told(own_wire, own_wire.world.owner)
    service.find("Another reason.", serving="000001-older")
    await settle()
    assert len(own_wire.said(own_wire.world.owner)) == 1


@pytest.mark.parametrize("serving", ["000001-older", ""])
async def test_presence_readiness_status_and_figures_say_so(
    own_wire: Wire, service: ControlledService, serving: str
) -> None:
    port, owner = free_port(), own_wire.world.owner
    async with running(own_wire, service, health_port=port), aiohttp.ClientSession() as session:

        async def get(page: str) -> tuple[int, str]:
            async with session.get(f"http://127.0.0.1:{port}/{page}") as answer:
                return answer.status, await answer.text()

        shown, plain = own_wire.gateway.presences, ANSWERING_FROM.format(3)
        service.find(REASON, serving)
        await own_wire.log.until(lambda: shown[-1] != plain, "another presence")
        status = await own_wire.answer(await own_wire.slash(owner, "index status", owner))
        assert REASON in str([part.text for part in status.every_part])
        code, text = await get("readyz")
        assert (code, "is damaged" in text) == (200 if serving else 503, True)
        assert "footnote_damaged 1.0" in (await get("metrics"))[1]
        service.find(None)
        await own_wire.log.until(lambda: shown[-1] == plain, "the usual presence")
        assert (await get("readyz"))[0] == 200
        assert "footnote_damaged 0.0" in (await get("metrics"))[1]


async def test_who_asks_while_nothing_is_whole_is_told_in_plain_words(
    wire: Wire, service: ControlledService, caplog: pytest.LogCaptureFixture
) -> None:
    guild, ann = await wire.server("ann")
    service.error = DamagedIndexError("/i/tokens.bin is damaged.")
    for message in (
        await ask(wire, ann, guild),
        await mention(wire, ann, guild),
        await wire.answer(await wire.slash(ann, "verify", guild, text="So it was said.")),
    ):
        assert (message.title, "tokens" in message.text) == (DAMAGED, False)
    assert no_traceback(caplog)


async def test_damage_under_a_running_bot_is_answered_around_and_mended_by_a_rebuild(
    own_wire: Wire, built_twice: Path, tmp_path: Path, encoder: Encoder
) -> None:
    copy_of(built_twice, tmp_path)
    settings = settings_for(own_wire, articles=tmp_path / "articles", index=tmp_path / ".footnote/index")
    service = ControlledService(settings, RebuilderHere(settings, encoder))
    await service.start()
    owner = own_wire.world.owner
    async with running(own_wire, service):
        first = (await service.status()).generation
        for file in (settings.index / first).rglob("*"):
            if file.is_file() and file.stat().st_size > 100:
                damage(file)
        assert (await ask(own_wire, owner, owner, LAMP)).title == ANSWERED
        (message,) = await told(own_wire, owner)
        assert (message.title, first in message.shown.text) == (DAMAGED, True)
        rebuild = await own_wire.slash(owner, "index rebuild", owner)
        _, message = await told(own_wire, owner, 2, within=60)
        assert message.title == WHOLE_AGAIN
        assert (await service.status()).generation != first
        await own_wire.log.until(lambda: "done" in str(rebuild.edits[-1:]), "the end of the rebuild", 60)
        assert (await ask(own_wire, owner, owner, LAMP)).title == ANSWERED
    await asyncio.wait_for(service.close(), 10)


def copy_of(home: Path, target: Path) -> None:
    """Copy a folder of articles with its index."""
    import shutil

    from tests.graphs import copy_index_file

    shutil.copytree(home, target, dirs_exist_ok=True, copy_function=copy_index_file)


def damage(file: Path) -> None:
    """Change bytes in the middle and at the end of a file that is in use."""
    assert sqlite3.sqlite_version
    with file.open("r+b") as opened:
        for part in (2, 3):
            opened.seek(file.stat().st_size * (part - 1) // part)
            opened.write(b"\xff" * 64)
