"""Gaps: merged and counted, ordered, marked, dropped; and each server has its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.records import Gap, Records
from tests.bot.records.conftest import ANN, BEN, CLEO, ELSEWHERE, HERE, START, Clock, ask, direction


def second(count: int) -> datetime:
    """Return the moment of the clock's so many-th reading after records were opened."""
    return datetime.fromtimestamp(START + 1 + count, UTC)


async def questions(records: Records, server: int | None = HERE) -> list[str]:
    return [gap.question for gap in await records.gaps(server)]


async def test_gap_has_all_that_was_told_of_it(records: Records) -> None:
    await ask(records, "Who mends the lamp?", channel=4, verdict="related", confidence=0.5)
    assert await records.gaps(HERE) == [
        Gap(1, HERE, 4, "Who mends the lamp?", 1, 1, second(1), second(1), "related", 0.5, None)
    ]


async def test_same_words_are_one_gap_told_in_the_first_wording(records: Records) -> None:
    await ask(records, "Who mends the lamp?", channel=4, verdict="related", confidence=0.5)
    await ask(records, "who mends the lamp", channel=5, user=BEN)
    await ask(records, "WHO MENDS THE LAMP!!", channel=6, confidence=0.125)
    assert await records.gaps(HERE) == [
        Gap(1, HERE, 6, "Who mends the lamp?", 3, 2, second(1), second(3), "not_found", 0.125, None)
    ]


async def test_same_vectors_are_one_gap_but_not_where_one_word_is_another(records: Records) -> None:
    await ask(records, "Who mends the lamp?", vector=direction(1))
    await ask(records, "By whom is the lamp repaired?", vector=1000 * direction(1) + direction(2))
    await ask(records, "Who lights the lamp?", vector=direction(1))
    await ask(records, "When does the ferry leave?", vector=direction(3))
    found = [(gap.question, gap.count) for gap in await records.gaps(HERE)]
    assert found == [
        ("When does the ferry leave?", 1),
        ("Who lights the lamp?", 1),
        ("Who mends the lamp?", 2),
    ]


async def test_gap_is_compared_by_its_first_wording_so_that_it_does_not_drift(records: Records) -> None:
    """Each is like the one before it, but the last is not like the first."""
    steps = [direction(1), 2.2 * direction(1) + direction(2), 0.8 * direction(1) + direction(2)]
    for question, vector in zip(["a first one", "one which is second", "and a third"], steps, strict=True):
        await ask(records, question, vector=vector)
    assert [(gap.question, gap.count) for gap in await records.gaps(HERE)] == [
        ("and a third", 1), ("a first one", 2),
    ]  # fmt: skip


async def test_newest_asked_comes_first_and_a_limit_keeps_those(records: Records) -> None:
    for question in ["one lamp", "two lamps", "three lamps", "one lamp"]:
        await ask(records, question)
    assert await questions(records) == ["one lamp", "three lamps", "two lamps"]
    assert [gap.question for gap in await records.gaps(HERE, limit=2)] == ["one lamp", "three lamps"]


async def test_clock_set_back_leaves_first_before_last(records: Records, clock: Clock) -> None:
    await ask(records, "one lamp")
    clock.now -= 1000
    await ask(records, "one lamp")
    (gap,) = await records.gaps(HERE)
    assert gap.last - gap.first == timedelta(seconds=999)


async def test_servers_and_direct_messages_never_see_each_other_s(records: Records) -> None:
    for server in (HERE, ELSEWHERE, None):
        await ask(records, "one lamp", server=server, vector=direction(1))
        await ask(records, f"only {server}", server=server)
    for server in (HERE, ELSEWHERE, None):
        gaps = await records.gaps(server)
        assert [(gap.question, gap.count, gap.server) for gap in gaps] == [
            (f"only {server}", 1, server), ("one lamp", 1, server),
        ]  # fmt: skip
    assert len(await records.every_open_gap()) == 6
    assert await records.gaps(300) == []


async def test_only_its_own_server_drops_a_gap(records: Records) -> None:
    await ask(records, "one lamp")
    await ask(records, "a private lamp", server=None)
    here, direct = (await records.gaps(HERE))[0].id, (await records.gaps(None))[0].id
    assert not await records.drop_gap(ELSEWHERE, here)
    assert not await records.drop_gap(None, here)
    assert not await records.drop_gap(HERE, direct)
    assert not await records.drop_gap(HERE, 999)
    assert len(await records.every_open_gap()) == 2
    assert await records.drop_gap(HERE, here)
    assert not await records.drop_gap(HERE, here)
    assert await questions(records) == []
    assert await records.drop_gap(None, direct)
    assert (await records.show(ANN)).questions == (), "the askings go with it"


async def test_number_of_a_dropped_gap_is_never_another_s(records: Records) -> None:
    await ask(records, "one lamp")
    await ask(records, "two lamps")
    newest, _ = await records.gaps(HERE)
    await records.drop_gap(HERE, newest.id)
    await ask(records, "three lamps")
    assert (await records.gaps(HERE))[0].id > newest.id


async def test_answered_gap_is_listed_apart_and_asked_again_is_a_new_one(records: Records) -> None:
    await ask(records, "one lamp", vector=direction(1))
    await ask(records, "two lamps")
    await records.mark_answered(1, "0002-abc")
    await records.mark_answered(999, "0002-abc")
    assert await questions(records) == ["two lamps"]
    assert [gap.id for gap in await records.every_open_gap()] == [2]
    assert [(gap.id, gap.answered_by) for gap in await records.gaps(HERE, answered=True)] == [(1, "0002-abc")]
    assert await records.gaps(ELSEWHERE, answered=True) == []

    await ask(records, "one lamp", vector=direction(1))
    assert [(gap.id, gap.count) for gap in await records.gaps(HERE)] == [(3, 1), (2, 1)]
    assert [gap.count for gap in await records.gaps(HERE, answered=True)] == [1]


async def test_many_at_once_are_counted_to_the_last(records: Records) -> None:
    asked = [(f"question {number % 7}", user) for number in range(140) for user in (ANN, BEN, CLEO)]
    await asyncio.gather(*(ask(records, question, user=user) for question, user in asked))
    gaps = await records.gaps(HERE)
    assert sorted((gap.question, gap.count, gap.people) for gap in gaps) == [
        (f"question {number}", 60, 3) for number in range(7)
    ]


async def test_without_recording_nothing_is_written_and_what_is_there_is_read(file: Path) -> None:
    before = Records(file)
    await before.open()
    await ask(before, "one lamp")
    await before.close()
    records = Records(file, recording=False)
    await records.open()
    await ask(records, "two lamps")
    await ask(records, "one lamp")
    await ask(records, "not even a vector", vector=[])
    assert [(gap.question, gap.count) for gap in await records.gaps(HERE)] == [("one lamp", 1)]
    assert await records.forget(ANN) == 1
    assert await records.gaps(HERE) == []
    await records.close()


async def test_vector_that_is_none_is_refused(records: Records) -> None:
    with pytest.raises(ValueError, match="finite"):
        await ask(records, "one lamp", vector=[float("nan")] * 384)
    assert await records.gaps(HERE) == []


@given(
    st.lists(
        st.text() | st.sampled_from(["\0", "a\0b", "'); DROP TABLE gaps; --", "lamp\r\n" * 9000]), max_size=6
    )
)
def test_any_text_comes_back_to_the_letter(texts: list[str]) -> None:
    async def check(file: Path) -> None:
        records = Records(file)
        await records.open()
        for number, text in enumerate(texts):
            await ask(records, text, server=number + 1)
            await records.add_feedback(
                server=number + 1,
                channel=1,
                message=number,
                user=ANN,
                question=text,
                helpful=False,
                reason=text,
            )
        await records.close()
        await records.open()
        for number, text in enumerate(texts):
            assert await questions(records, number + 1) == [text]
            (given,) = await records.feedback(number + 1)
            assert (given.question, given.reason) == (text, text)
        await records.close()

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder, "records.sqlite")))


async def test_half_of_a_surrogate_pair_is_replaced(records: Records) -> None:
    await ask(records, "one \ud83d lamp")
    assert await questions(records) == ["one ? lamp"]
