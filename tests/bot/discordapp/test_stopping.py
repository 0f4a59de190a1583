"""Starting and stopping: answers under way are finished, late users get a notice, nothing is left running."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from bot.errors import DamagedRecordsError, RecordsError
from index.errors import FootnoteError, MissingError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, PromptClient, no_traceback, settle, until
from tests.bot.discordapp.service import ABSENT, LAMP


def _running() -> int:
    """Return how many tasks of the bot are running, including those of clients that other tests share."""
    gc.collect()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    return sum("bot/" in str(task.get_coro()) for task in tasks)


async def test_answers_under_way_are_finished_and_new_questions_refused(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    before, owner = _running(), fresh.world.owner
    async with fresh.bot(drain=3) as bot:
        fresh.service.open.clear()
        first = await fresh.slash(fresh.ann, "ask", fresh.guild, question=LAMP)
        await until(lambda: fresh.service.asked)
        bot.stop.set()
        await settle()
        refusals = [
            await fresh.ask(),
            await fresh.direct(),
            await fresh.use("verify", text="It was lit."),
            await fresh.configure("answers", to="never"),
            *[await fresh.use(f"index {command}", owner, owner) for command in ("status", "rebuild")],
        ]
        assert [refusal.title for refusal in refusals] == [texts.STOPPING] * 6
        fresh.service.swap()  # starts nothing now
        fresh.service.open.set()
        await asyncio.wait_for(asyncio.shield(bot.serving), 5)
    assert (await fresh.answer(first)).title == texts.ANSWERED
    assert (fresh.service.asked, fresh.service.rebuilds, len(fresh.gateway.presences)) == ([LAMP], 0, 1)
    assert (_running(), no_traceback(caplog)) == (before, True)


async def test_what_cannot_be_finished_in_time_ends_in_a_notice(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    async with fresh.bot(drain=0.1) as bot:
        absent = await fresh.ask(ABSENT)
        fresh.service.open.clear()
        fresh.service.rebuild_open.clear()
        uses = [
            await fresh.slash(fresh.ann, "ask", fresh.guild, question=LAMP),
            await fresh.slash(fresh.ann, "verify", fresh.guild, text="It was lit."),
            await fresh.press(fresh.ann, absent, texts.WHY),
        ]
        mention = await fresh.say(fresh.ann, fresh.guild, f"{fresh.world.bot.mention} {LAMP}")
        rebuild = await fresh.slash(fresh.world.owner, "index rebuild", fresh.world.owner)
        await until(lambda: len(fresh.service.asked) == 4 and fresh.service.rebuilds)
        bot.stop.set()
        await asyncio.wait_for(asyncio.shield(bot.serving), 8)
        notices = [await fresh.reply(mention), *[await fresh.answer(use) for use in uses]]
        assert [notice.title for notice in notices] == [texts.STOPPING] * 4
        assert (await fresh.ended(rebuild)).title == texts.GIVEN_UP
    assert no_traceback(caplog)


async def test_stopping_before_the_bot_is_connected_ends_at_once(fresh: Chat) -> None:
    fresh.faults.pause(30)
    stop = asyncio.Event()
    serving = asyncio.create_task(PromptClient(fresh.settings(), {"": fresh.service}).serve(stop))
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.wait_for(serving, 1.9)


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        (DamagedRecordsError, 65, "records.sqlite"),
        (RecordsError, 69, "records.sqlite"),
        (MissingError, 69, r"Port \d+ of 127.0.0.1 is taken"),
    ],
)
async def test_a_failed_start_says_why_and_leaves_nothing_running(
    fresh: Chat, tmp_path: Path, kind: type[FootnoteError], status: int, message: str
) -> None:
    file, before = tmp_path / "records.sqlite", _running()
    if kind is DamagedRecordsError:
        file.write_bytes(b"no database" * 100)
    elif kind is RecordsError:
        file.mkdir()
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as taken:
        options: dict[str, Any] = {"records": file}
        if kind is MissingError:
            options = {"health_port": taken.sockets[0].getsockname()[1]}
        client = PromptClient(fresh.settings(**options), {"": fresh.service})
        with pytest.raises(kind, match=message) as error:
            await asyncio.wait_for(client.serve(asyncio.Event()), 10)
    assert (error.value.exit_status, fresh.gateway.connections, _running()) == (status, 0, before)
