"""Feedback: one of each user and message, counted, and each server has its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bot.records import Feedback, Records
from tests.bot.records.conftest import ANN, BEN, ELSEWHERE, HERE, START, bytes_of, say


def second(count: int) -> datetime:
    return datetime.fromtimestamp(START + 1 + count, UTC)


async def test_second_one_of_a_user_and_message_replaces_the_first(records: Records) -> None:
    await say(records, "Who mends the lamp?", helpful=True, reason="well quoted")
    await say(records, "Who mends the lamp?", helpful=False)
    assert await records.feedback(HERE) == [
        Feedback(HERE, 1, 50, "Who mends the lamp?", helpful=False, reason="", when=second(2))
    ]
    assert await records.feedback_counts(HERE) == (0, 1)


async def test_what_was_replaced_is_in_no_byte_of_the_file(records: Records, file: Path) -> None:
    for number in range(30):
        await say(records, "Who mends the lamp?", reason=f"said in anger {number}", message=number)
    for number in range(30):
        await say(records, "Who mends the lamp?", message=number)
    await records.close()
    assert b"said in anger" not in bytes_of(file)
    assert b"mends the lamp" in bytes_of(file)


async def test_others_and_other_messages_are_counted_beside_it_newest_first(records: Records) -> None:
    await say(records, "one", helpful=True)
    await say(records, "two", helpful=False, user=BEN, reason="wrong lamp")
    await say(records, "three", helpful=True, message=51)
    assert await records.feedback_counts(HERE) == (2, 1)
    assert [(one.question, one.reason) for one in await records.feedback(HERE)] == [
        ("three", ""), ("two", "wrong lamp"), ("one", ""),
    ]  # fmt: skip
    assert [one.question for one in await records.feedback(HERE, 1)] == ["three"]
    await say(records, "one", helpful=False)
    assert [one.question for one in await records.feedback(HERE)] == ["one", "three", "two"]


async def test_servers_and_direct_messages_never_see_each_other_s(records: Records) -> None:
    await say(records, "here")
    await say(records, "elsewhere", server=ELSEWHERE, message=51, helpful=False)
    await say(records, "direct", server=None, message=52)
    for server, question in ((HERE, "here"), (ELSEWHERE, "elsewhere"), (None, "direct")):
        assert [(one.question, one.server) for one in await records.feedback(server)] == [(question, server)]
    assert await records.feedback_counts(ELSEWHERE) == (0, 1)
    assert await records.feedback_counts(None) == (1, 0)
    assert await records.feedback_counts(300) == (0, 0)


async def test_without_recording_nothing_is_written(file: Path) -> None:
    records = Records(file, recording=False)
    await records.open()
    await say(records, "one", user=ANN)
    assert await records.feedback(HERE) == []
    await records.close()
