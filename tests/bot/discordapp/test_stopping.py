"""Starting and stopping: answers under way are finished, the rest are told, and nothing is left running."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from bot.errors import DamagedRecordsError, RecordsError
from index.errors import FootnoteError, MissingError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat, PromptClient, no_traceback, settle, until
from tests.bot.discordapp.service import ABSENT, LAMP


def left_running() -> int:
    """Count the tasks of the bot's that run, beside this one and those of clients that other tests share."""
    gc.collect()
    return sum(
        "bot/" in str(one.get_coro()) for one in asyncio.all_tasks() if one is not asyncio.current_task()
    )


async def test_answers_under_way_are_finished_and_what_comes_meanwhile_is_turned_away(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    before, owner = left_running(), fresh.world.owner
    async with fresh.bot(drain=3) as bot:
        fresh.service.open.clear()
        first = await fresh.slash(fresh.ann, "ask", fresh.guild, question=LAMP)
        await until(lambda: fresh.service.asked)
        bot.stop.set()
        await settle()
        late = [
            await fresh.ask(),
            await fresh.direct(),
            await fresh.use("verify", text="It was lit."),
            await fresh.configure("answers", to="never"),
            *[await fresh.use(f"index {one}", owner, owner) for one in ("status", "rebuild", "history")],
        ]
        assert [one.title for one in late] == [texts.STOPPING] * 7
        fresh.service.swap()  # which begins nothing now
        fresh.service.open.set()
        await asyncio.wait_for(asyncio.shield(bot.serving), 5)
    assert (await fresh.answer(first)).title == texts.ANSWERED
    assert (fresh.service.asked, fresh.service.rebuilds, len(fresh.gateway.presences)) == ([LAMP], 0, 1)
    assert (left_running(), no_traceback(caplog)) == (before, True)


async def test_what_cannot_be_finished_in_time_is_told_so(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    async with fresh.bot(drain=0.1) as bot:
        absent = await fresh.ask(ABSENT)
        fresh.service.open.clear()
        fresh.service.rebuild_open.clear()
        used = [
            await fresh.slash(fresh.ann, "ask", fresh.guild, question=LAMP),
            await fresh.slash(fresh.ann, "verify", fresh.guild, text="It was lit."),
            await fresh.press(fresh.ann, absent, texts.WHY),
        ]
        said = await fresh.say(fresh.ann, fresh.guild, f"{fresh.world.bot.mention} {LAMP}")
        rebuild = await fresh.slash(fresh.world.owner, "index rebuild", fresh.world.owner)
        await until(lambda: len(fresh.service.asked) == 4 and fresh.service.rebuilds)
        bot.stop.set()
        await asyncio.wait_for(asyncio.shield(bot.serving), 8)
        assert [(await fresh.answer(one)).title for one in used] == [texts.STOPPING] * 3
        assert [(await fresh.reply(said)).title, (await fresh.ended(rebuild)).title] == [
            texts.STOPPING,
            texts.GIVEN_UP,
        ]
    assert no_traceback(caplog)


async def test_stopping_before_the_connection_stands_ends_at_once(fresh: Chat) -> None:
    fresh.faults.pause(30)
    stop = asyncio.Event()
    starting = asyncio.create_task(PromptClient(fresh.settings(), fresh.service).serve(stop))
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.wait_for(starting, 1.9)


@pytest.mark.parametrize(
    ("kind", "status", "says"),
    [
        (DamagedRecordsError, 65, "records.sqlite"),
        (RecordsError, 69, "records.sqlite"),
        (MissingError, 69, r"Port \d+ of 127.0.0.1 is taken"),
    ],
)
async def test_a_start_that_fails_says_why_and_leaves_nothing_running(
    fresh: Chat, tmp_path: Path, kind: type[FootnoteError], status: int, says: str
) -> None:
    file, before = tmp_path / "records.sqlite", left_running()
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as taken:
        options = (
            {"health_port": taken.sockets[0].getsockname()[1]} if kind is MissingError else {"records": file}
        )
        if kind is DamagedRecordsError:
            file.write_bytes(b"no database" * 100)
        elif kind is RecordsError:
            file.mkdir()
        with pytest.raises(kind, match=says) as caught:
            await asyncio.wait_for(
                PromptClient(fresh.settings(**options), fresh.service).serve(asyncio.Event()), 10
            )
    assert (caught.value.exit_status, fresh.gateway.connections, left_running()) == (status, 0, before)
