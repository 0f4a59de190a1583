"""A damaged index: what answers, who is told, and where it shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from index.encoding.encoder import Encoder
from index.errors import DamagedIndexError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, free_port, no_traceback, settle, until
from tests.bot.discordapp.service import LAMP, open_service
from tests.bot.discordapp.test_operations import page
from tests.graphs import copy_index_file
from tests.wire.entities import Message, User

REASON = "/i/tokens.bin is **damaged** @everyone"


async def told(chat: Chat, user: User, count: int = 1) -> Message:
    """Wait until somebody has been told so much in direct messages; return the last of it."""
    await chat.log.until(lambda: len(chat.posts(user)) >= count, f"a direct message to {user.name}", 60)
    return chat.posts(user)[-1]


async def test_the_admins_are_told_once_and_again_when_it_is_over(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    admins = fresh.ann, fresh.world.owner
    fresh.service.report_damage("An earlier reason.", serving="000001-older")  # before anybody listens
    async with fresh.bot(discord_admin_users={fresh.ann.id, 4711}):
        for user in admins:
            assert "An earlier reason." in (await told(fresh, user)).text
        fresh.service.report_damage(REASON, serving="000001-older")
        for user in admins:
            message = await told(fresh, user, 2)
            assert (message.title, REASON in message.shown.text) == (texts.DAMAGED, True)
            assert ("000001-older" in message.shown.text, message.shown.constructs) == (True, [])
        await until(lambda: "4711" in caplog.text)  # who takes no direct messages, and is named
        fresh.service.report_damage(None)
        assert [(await told(fresh, user, 3)).title for user in admins] == [texts.WHOLE_AGAIN] * 2
    fresh.service.report_damage("Found while stopping.")
    await settle()
    assert [len(fresh.posts(user)) for user in (*admins, fresh.bob)] == [3, 3, 0]
    assert (fresh.log.pings, no_traceback(caplog)) == ([], True)


@pytest.mark.parametrize("serving", ["000001-older", ""])
async def test_presence_readiness_status_and_figures_say_so(fresh: Chat, serving: str) -> None:
    port, owner, shown = free_port(), fresh.world.owner, fresh.gateway.presences
    async with fresh.bot(health_port=port):
        fresh.service.report_damage(REASON, serving)
        await fresh.log.until(lambda: shown[-1] != texts.PRESENCE.format(3), "another presence")
        status = await fresh.use("index status", owner, owner)
        assert REASON in " ".join(part.text for part in status.every_part)
        code, text = await page(port, "readyz")
        assert (code, "is damaged" in text) == (200 if serving else 503, True)
        assert "footnote_damaged 1.0" in (await page(port, "metrics"))[1]
        fresh.service.report_damage(None)
        await fresh.log.until(lambda: shown[-1] == texts.PRESENCE.format(3), "the usual presence")
        assert (await page(port, "readyz"))[0] == 200


async def test_who_asks_while_nothing_is_whole_is_told_in_plain_words(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.service.error = DamagedIndexError("/i/tokens.bin is damaged.")
    for message in (await chat.ask(), await chat.mention(), await chat.use("verify", text="It was so.")):
        assert (message.title, "tokens" in message.text) == (texts.DAMAGED, False)
    assert no_traceback(caplog)


async def test_damage_under_a_running_bot_is_answered_around_and_mended_by_a_rebuild(
    fresh: Chat, built_twice: Path, tmp_path: Path, encoder: Encoder
) -> None:
    shutil.copytree(built_twice, tmp_path, dirs_exist_ok=True, copy_function=copy_index_file)
    async with open_service(fresh, tmp_path, encoder) as service, fresh.bot():
        damaged, owner = (await service.status()).generation, fresh.world.owner
        for file in (tmp_path / ".footnote/index" / damaged).rglob("*"):
            if file.is_file() and file.stat().st_size > 100:
                damage(file)
        assert (await fresh.ask(LAMP)).title == texts.ANSWERED
        message = await told(fresh, owner)
        assert (message.title, damaged in message.shown.text) == (texts.DAMAGED, True)
        rebuild = await fresh.slash(owner, "index rebuild", owner)
        assert (await told(fresh, owner, 2)).title == texts.WHOLE_AGAIN
        assert ((await fresh.ended(rebuild)).title, (await fresh.ask(LAMP)).title) == (
            texts.REBUILT,
            texts.ANSWERED,
        )
        assert (await service.status()).generation != damaged


def damage(file: Path) -> None:
    """Change bytes in the middle and near the end of a file that is in use."""
    with file.open("r+b") as opened:
        for place in (file.stat().st_size // 2, file.stat().st_size - 80):
            opened.seek(place)
            opened.write(b"\xff" * 64)
