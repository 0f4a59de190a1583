"""People: stored as hashes, shown what is theirs, forgotten to the byte, and kept no longer than promised."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest

from bot.records.store import Feedback, PersonRecords, Records
from tests.bot.records.conftest import (
    ANN,
    BEN,
    DAY,
    ELSEWHERE,
    HERE,
    START,
    Clock,
    ask,
    bytes_of,
    direction,
    query,
    rate,
    tick,
)

SNOWFLAKE = 80351110224678912
"""A user id as Discord's are."""


async def test_user_s_id_is_nowhere_but_its_keyed_hash_is(records: Records, file: Path) -> None:
    await ask(records, "one lamp", user=SNOWFLAKE)
    await rate(records, "one lamp", user=SNOWFLAKE)
    ((key,),) = query(file, "SELECT value FROM keys WHERE name = 'people'")
    assert len(key) == 32
    digest = hmac.digest(key, str(SNOWFLAKE).encode(), "sha256")
    assert query(file, "SELECT person FROM askings UNION ALL SELECT person FROM feedback") == [(digest,)] * 2
    for written in (str(SNOWFLAKE).encode(), SNOWFLAKE.to_bytes(8), SNOWFLAKE.to_bytes(8, "little")):
        assert written not in bytes_of(file)


async def test_each_file_has_its_own_key_and_keeps_it(tmp_path: Path) -> None:
    keys = []
    for name in ("one", "two", "one"):
        records = Records(tmp_path / name)
        await records.open()
        await records.close()
        keys += query(tmp_path / name, "SELECT value FROM keys")
    assert keys[0] == keys[2] != keys[1]


async def test_later_feedback_on_a_message_replaces_the_first_to_the_byte(
    records: Records, file: Path
) -> None:
    for number in range(30):
        await rate(records, "one lamp", reason=f"said in anger {number}", message=number)
    for number in range(30):
        await rate(records, "one lamp", message=number, helpful=False)
    await rate(records, "two lamps", message=0, user=BEN)
    newest, *_, oldest = await records.feedback(HERE)
    assert newest == Feedback("two lamps", True, "", HERE, 1, 0)
    assert oldest == Feedback("one lamp", False, "", HERE, 1, 0)
    await records.close()
    assert b"said in anger" not in bytes_of(file)
    assert b"one lamp" in bytes_of(file)


async def test_forgotten_gap_is_as_if_they_had_never_asked(records: Records, file: Path) -> None:
    await ask(records, "Only Ann wonders?")
    await ask(records, "How is the lamp, says Ann?", channel=2, vector=direction(1))
    await ask(records, "How fares the lamp today, asks Ben?", channel=3, user=BEN, vector=direction(1))
    await ask(records, "How is the lamp, says Ann?", channel=4, vector=direction(1), verdict="related")
    await rate(records, "Only Ann wonders?")
    await rate(records, "Only Ben knows?", user=BEN)
    assert await records.forget(ANN) == 4
    (gap,) = await records.gaps(HERE)
    assert (gap.question, gap.channel) == ("How fares the lamp today, asks Ben?", 3)
    assert (gap.count, gap.people, gap.first, gap.last) == (1, 1, tick(3), tick(3))
    assert gap.verdict == "not_found"
    assert query(file, "SELECT COUNT(*) FROM gaps") == [(1,)]
    assert [row.question for row in await records.feedback(HERE)] == ["Only Ben knows?"]
    assert await records.show(ANN) == PersonRecords((), ())
    assert await records.forget(ANN) == 0


@pytest.mark.parametrize("way", ["forget", "prune", "leave", "drop"])
async def test_forgotten_text_is_in_no_byte_of_the_files(
    records: Records, file: Path, clock: Clock, way: str
) -> None:
    # Enough rows for SQLite to split pages and move rows, which can leave copies of them behind.
    for number in range(40):
        await ask(records, f"asked nowhere else {number} " + "x" * (97 * number % 900), server=ELSEWHERE)
        for helpful in (True, False):
            text = f"said nowhere else {number}"
            await rate(records, text, reason=text, helpful=helpful, server=ELSEWHERE, message=number)
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
        await rate(records, "one lamp", server=server, message=message)
    await ask(records, "one lamp", server=None)
    await records.leave(HERE)
    for server, left in ((HERE, 0), (ELSEWHERE, 1)):
        assert len(await records.gaps(server)) == len(await records.feedback(server)) == left
        assert len(await records.overview(server)) == 2 * left
        assert (await records.settings(server, 5)).private == bool(left)
    assert len((await records.show(ANN)).questions) == 2
    await records.close()
    await records.open()
    assert await records.overview(HERE) == []


async def test_prune_deletes_only_what_is_older_than_the_days(records: Records, clock: Clock) -> None:
    await ask(records, "an old lamp")
    await ask(records, "a lamp asked of twice", user=BEN)
    await rate(records, "old")
    await records.change(HERE, None, private=True)
    clock.now = START + 89 * DAY
    assert await records.prune() == 0
    await ask(records, "A lamp, asked of twice?", channel=3)
    await rate(records, "new", message=51)
    clock.now = START + 90 * DAY + 60
    assert await records.prune() == 3
    (gap,) = await records.gaps(HERE)
    assert (gap.question, gap.count, gap.people) == ("A lamp, asked of twice?", 1, 1)
    assert [row.question for row in await records.feedback(HERE)] == ["new"]
    assert await records.overview(HERE) == [(None, {"private": True})]


async def test_opening_prunes_and_with_0_days_nothing_is_added_and_90_days_are_kept(
    file: Path, clock: Clock
) -> None:
    filled = Records(file, clock=clock)
    await filled.open()
    await ask(filled, "one lamp")
    await filled.change(HERE, 5, private=True)
    await filled.close()
    for days, passed, left in ((2, 1.5, 1), (0, 80, 1), (0, 10, 0)):
        clock.now += passed * DAY
        records = Records(file, days=days, clock=clock)
        await records.open()
        assert len(await records.gaps(HERE)) == left
        assert (await records.settings(HERE, 5)).private
        await records.close()
    await records.open()
    await ask(records, "two lamps")
    await rate(records, "two lamps")
    await records.change(HERE, 5, private=False)
    assert (await records.gaps(HERE), await records.feedback(HERE)) == ([], [])
    assert not (await records.settings(HERE, 5)).private
    await records.close()
