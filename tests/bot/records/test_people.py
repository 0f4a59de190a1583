"""People: hashed, shown what is theirs, forgotten to the byte; and nothing is kept for longer than said."""

from __future__ import annotations

import hmac
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.records import Asked, Feedback, PersonRecords, Records
from tests.bot.records.conftest import (
    ANN,
    BEN,
    CLEO,
    DAY,
    ELSEWHERE,
    HERE,
    START,
    Clock,
    ask,
    bytes_of,
    direction,
    say,
)

SNOWFLAKE = 80351110224678912
"""A user's id as Discord's are."""


def second(count: int) -> datetime:
    return datetime.fromtimestamp(START + 1 + count, UTC)


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    """Read the file beside the records that have it open."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


async def test_user_s_id_is_nowhere_but_its_keyed_hash_is(records: Records, file: Path) -> None:
    await ask(records, "one lamp", user=SNOWFLAKE)
    await say(records, "one lamp", user=SNOWFLAKE)
    ((key,),) = rows(file, "SELECT value FROM keys WHERE name = 'people'")
    assert isinstance(key, bytes)
    assert len(key) == 32
    hashed = hmac.digest(key, str(SNOWFLAKE).encode(), "sha256")
    assert rows(file, "SELECT person FROM askings UNION ALL SELECT person FROM feedback") == [(hashed,)] * 2
    for written in (str(SNOWFLAKE).encode(), SNOWFLAKE.to_bytes(8), SNOWFLAKE.to_bytes(8, "little")):
        assert written not in bytes_of(file)


async def test_each_file_has_a_key_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    keys = []
    for name in ("one", "two", "one"):
        records = Records(tmp_path / name)
        await records.open()
        await records.close()
        keys += rows(tmp_path / name, "SELECT value FROM keys")
    assert keys[0] == keys[2] != keys[1]


async def test_show_has_all_of_one_user_and_nothing_of_another(records: Records) -> None:
    await ask(records, "one lamp", vector=direction(1))
    await ask(records, "one lamp", user=BEN, vector=direction(1))
    await ask(records, "the very same lamp", vector=direction(1))
    await ask(records, "a private lamp", server=None)
    await ask(records, "one lamp", vector=direction(1))
    await say(records, "two lamps", server=ELSEWHERE, reason="all well")
    await say(records, "two lamps", user=CLEO)
    assert await records.show(ANN) == PersonRecords(
        questions=(
            Asked("one lamp", HERE, second(5)),
            Asked("a private lamp", None, second(4)),
            Asked("the very same lamp", HERE, second(3)),
        ),
        feedback=(Feedback(ELSEWHERE, 1, 50, "two lamps", True, "all well", second(6)),),
    )
    assert await records.show(SNOWFLAKE) == PersonRecords((), ())


async def test_forgotten_gap_is_as_if_they_had_never_asked(records: Records, file: Path) -> None:
    await ask(records, "Only Ann wonders?")
    await ask(records, "How is the lamp, says Ann?", channel=2, vector=direction(1))
    await ask(records, "How fares the lamp today, asks Ben?", channel=3, user=BEN, vector=direction(1))
    await ask(records, "How is the lamp, says Ann?", channel=4, vector=direction(1), verdict="related")
    await say(records, "Only Ann wonders?")
    await say(records, "Only Ben knows?", user=BEN)

    assert await records.forget(ANN) == 4
    assert rows(file, "SELECT COUNT(*) FROM gaps") == [(1,)]
    (gap,) = await records.gaps(HERE)
    assert (gap.question, gap.channel, gap.count, gap.people) == (
        "How fares the lamp today, asks Ben?",
        3,
        1,
        1,
    )
    assert (gap.first, gap.last, gap.verdict) == (second(3), second(3), "not_found")
    assert [one.question for one in await records.feedback(HERE)] == ["Only Ben knows?"]
    assert await records.show(ANN) == PersonRecords((), ())
    assert await records.forget(ANN) == 0


@pytest.mark.parametrize("way", ["forget", "prune", "leave", "drop"])
async def test_forgotten_text_is_in_no_byte_of_the_files(
    records: Records, file: Path, clock: Clock, way: str
) -> None:
    # Enough of it for pages to be split and rows to be moved, which can leave copies of them behind.
    for number in range(40):
        await ask(records, f"asked nowhere else {number} " + "x" * (97 * number % 900), server=ELSEWHERE)
        for helpful in (True, False):
            said = f"said nowhere else {number}"
            await say(records, said, reason=said, helpful=helpful, server=ELSEWHERE, message=number)
    clock.now += 91 * DAY
    for number in range(40):
        await ask(records, f"another's lamp {number} " + "y" * (89 * number % 900), user=BEN)
    forgotten = [b"asked nowhere else", b"said nowhere else"]
    assert all(text in bytes_of(file) for text in forgotten)

    if way == "forget":
        assert await records.forget(ANN) == 80
    elif way == "prune":
        assert await records.prune() == 80
    elif way == "leave":
        await records.leave(ELSEWHERE)
    else:
        forgotten.pop()
        for gap in await records.gaps(ELSEWHERE):
            assert await records.drop_gap(ELSEWHERE, gap.id)
    assert not any(text in bytes_of(file) for text in forgotten)
    assert len(await records.gaps(HERE)) == 40
    await records.close()
    assert not any(text in bytes_of(file) for text in forgotten)
    assert b"another's lamp" in bytes_of(file)


async def test_leaving_a_server_forgets_it_and_no_other(records: Records) -> None:
    for server, message in ((HERE, 50), (ELSEWHERE, 51)):
        await records.change(server, None, private=True)
        await records.change(server, 5, language="de")
        await ask(records, "one lamp", server=server)
        await say(records, "one lamp", server=server, message=message)
    await ask(records, "one lamp", server=None)
    await records.leave(HERE)
    for server, left in ((HERE, 0), (ELSEWHERE, 1)):
        assert len(await records.gaps(server)) == len(await records.feedback(server)) == left
        assert len(await records.overview(server)) == 2 * left
        assert (await records.settings(server, 5)).private == bool(left)
    assert [asked.server for asked in (await records.show(ANN)).questions] == [None, ELSEWHERE]
    await records.close()
    await records.open()
    assert await records.overview(HERE) == []


async def test_prune_deletes_what_is_older_than_the_days_alone(records: Records, clock: Clock) -> None:
    await ask(records, "an old lamp")
    await ask(records, "a lamp asked of twice", user=BEN)
    await say(records, "old")
    await records.change(HERE, None, private=True)
    clock.now = START + 89 * DAY
    assert await records.prune() == 0
    await ask(records, "A lamp, asked of twice?", channel=3)
    await say(records, "new", message=51)
    clock.now = START + 90 * DAY + 60
    assert await records.prune() == 3
    (gap,) = await records.gaps(HERE)
    assert (gap.question, gap.count, gap.people) == ("A lamp, asked of twice?", 1, 1)
    assert [one.question for one in await records.feedback(HERE)] == ["new"]
    assert await records.overview(HERE) == [(None, {"private": True})]


@pytest.mark.parametrize("recording", [True, False])
async def test_opening_prunes(file: Path, clock: Clock, recording: bool) -> None:
    filled = Records(file, clock=clock)
    await filled.open()
    await ask(filled, "one lamp")
    await filled.close()
    clock.now += 1.5 * DAY
    for days, left in ((2, 1), (1, 0)):
        records = Records(file, recording=recording, days=days, clock=clock)
        await records.open()
        assert len(await records.gaps(HERE)) == left
        await records.close()
