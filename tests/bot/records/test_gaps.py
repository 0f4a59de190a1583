"""Gaps: the same questions are merged and counted, and each server sees only its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.records.gaps import SAME_COSINE, Gap, find_same, fold_question, pack_vector
from bot.records.store import Records
from index.encoding.encoder import Encoder
from tests.bot.records.conftest import ANN, BEN, CLEO, ELSEWHERE, HERE, ask, direction, rate, tick


async def questions(records: Records, server: int | None = HERE) -> list[str]:
    return [gap.question for gap in await records.gaps(server)]


async def test_same_words_are_one_gap_with_the_first_wording_and_the_last_verdict(records: Records) -> None:
    await ask(records, "Who mends the lamp?", channel=4, verdict="related", confidence=0.5)
    await ask(records, "who mends the lamp", channel=5, user=BEN)
    await ask(records, "WHO MENDS THE LAMP!!", channel=6, confidence=0.125)
    assert await records.gaps(HERE) == [
        Gap(1, HERE, 6, "Who mends the lamp?", 3, 2, tick(1), tick(3), "not_found", 0.125, None)
    ]


async def test_gap_is_compared_by_its_first_wording_so_it_cannot_drift(records: Records) -> None:
    """Each question is like the one before it, but the last is unlike the first."""
    vectors = [direction(1), 2.2 * direction(1) + direction(2), 0.8 * direction(1) + direction(2)]
    for question, vector in zip(["a first one", "one which is second", "and a third"], vectors, strict=True):
        await ask(records, question, vector=vector)
    gaps = [(gap.question, gap.count) for gap in await records.gaps(HERE)]
    assert gaps == [("and a third", 1), ("a first one", 2)]


async def test_servers_and_direct_messages_never_see_each_other_s(records: Records) -> None:
    for number, server in enumerate((HERE, ELSEWHERE, None)):
        await ask(records, "one lamp", server=server, vector=direction(1))
        await ask(records, f"only {server}", server=server)
        await rate(records, f"rated {server}", server=server, message=number)
    for server in (HERE, ELSEWHERE, None):
        gaps = await records.gaps(server)
        assert [(gap.question, gap.count, gap.server) for gap in gaps] == [
            (f"only {server}", 1, server),
            ("one lamp", 1, server),
        ]
        assert [(row.question, row.server) for row in await records.feedback(server)] == [
            (f"rated {server}", server)
        ]
    assert len(await records.every_open_gap()) == 6
    assert await records.gaps(300) == []


async def test_only_its_own_server_can_drop_a_gap_and_its_id_is_not_reused(records: Records) -> None:
    await ask(records, "one lamp")
    await ask(records, "a private lamp", server=None)
    (here,), (direct,) = await records.gaps(HERE), await records.gaps(None)
    for server, gap in ((ELSEWHERE, here.id), (None, here.id), (HERE, direct.id), (HERE, 999)):
        assert not await records.drop_gap(server, gap)
    assert len(await records.every_open_gap()) == 2
    assert await records.drop_gap(None, direct.id)
    assert not await records.drop_gap(None, direct.id)
    await ask(records, "another private lamp", server=None)
    assert (await records.gaps(None))[0].id > direct.id


async def test_answered_gap_is_listed_apart_and_asked_again_is_a_new_one(records: Records) -> None:
    await ask(records, "one lamp", vector=direction(1))
    await ask(records, "two lamps")
    await records.mark_answered(1, "0002-abc")
    await records.mark_answered(999, "0002-abc")
    assert [gap.id for gap in await records.every_open_gap()] == [2]
    assert [(gap.id, gap.answered_by) for gap in await records.gaps(HERE, answered=True)] == [(1, "0002-abc")]
    await ask(records, "one lamp", vector=direction(1))
    assert [(gap.id, gap.count) for gap in await records.gaps(HERE)] == [(3, 1), (2, 1)]


async def test_many_at_once_are_all_counted(records: Records) -> None:
    asked = [(f"question {number % 7}", user) for number in range(70) for user in (ANN, BEN, CLEO)]
    await asyncio.gather(*(ask(records, question, user=user) for question, user in asked))
    gaps = {gap.question: (gap.count, gap.people) for gap in await records.gaps(HERE)}
    assert gaps == {f"question {number}": (30, 3) for number in range(7)}


async def test_cancelled_question_is_whole_or_absent(records: Records) -> None:
    for number in range(20):
        task = asyncio.create_task(ask(records, f"lamp {number}", vector=direction(number)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert all((gap.count, gap.people) == (1, 1) for gap in await records.gaps(HERE))
    await ask(records, "still at work")
    assert (await records.gaps(HERE))[0].question == "still at work"


@given(st.lists(st.text() | st.sampled_from(["\0", "'); DROP --", "a\r\n" * 9000]), max_size=6))
@settings(max_examples=20)
def test_any_text_comes_back_to_the_letter(texts: list[str]) -> None:
    async def check(file: Path) -> None:
        records = Records(file)
        await records.open()
        for server, text in enumerate(texts, 1):
            await ask(records, text, server=server)
            await rate(records, text, server=server, message=server, reason=text)
        await records.close()
        await records.open()
        for server, text in enumerate(texts, 1):
            assert await questions(records, server) == [text]
            (row,) = await records.feedback(server)
            assert (row.question, row.reason) == (text, text)
        await records.close()

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder, "records.sqlite")))


# ---- which questions are the same

EAST = pack_vector([1.0, 0.0, 0.0, 0.0])


def at_cosine(cosine: float) -> bytes:
    return pack_vector([cosine, np.sqrt(1 - cosine**2), 0.0, 0.0])


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("who keeps the lamp", "  WHO keeps\tthe  lamp ?!", True),
        ("who keeps the lamp", "«Ｗho **keeps** the lamp…»", True),
        ("C++?", "C?", False),
        ("2.1", "21", False),
        ("résumé", "resume", False),
        ("???", "!!!", False),
    ],
)
def test_case_spaces_and_punctuation_do_not_count(first: str, second: str, equal: bool) -> None:
    assert (fold_question(first) == fold_question(second)) is equal


@pytest.mark.parametrize(
    ("question", "vector", "gaps", "same"),
    [
        ("who keeps a lamp lit", at_cosine(SAME_COSINE + 0.005), [(1, "some other words", EAST)], 1),
        ("who keeps a lamp lit", at_cosine(SAME_COSINE - 0.005), [(1, "some other words", EAST)], None),
        ("a b c", EAST, [(1, "d e f", at_cosine(0.95)), (2, "g h i", at_cosine(0.99))], 2),
        ("g h i", EAST, [(2, "a b c", EAST), (3, "g h i", at_cosine(-0.5))], 3),
        ("who keeps the lamp", EAST, [(1, "who built the lamp", EAST), (2, "who keeps it", EAST)], 2),
        ("谁修灯", EAST, [(3, "谁修理灯", EAST)], 3),
        ("who keeps the lamp", EAST, [(1, "of another encoder", pack_vector([1.0, 0.0]))], None),
        ("who keeps the lamp", EAST, [], None),
    ],
)
def test_same_question_is_found(
    question: str, vector: bytes, gaps: list[tuple[int, str, bytes]], same: int | None
) -> None:
    assert find_same(question, vector, gaps) == same


def test_most_rewordings_are_merged_and_few_different_questions(encoder: Encoder) -> None:
    def packed(question: str) -> bytes:
        return pack_vector(encoder.encode_question(question, encoder.basis).dense)

    merged = {"same": 0, "different": 0}
    for line in Path(__file__).with_name("question_pairs.tsv").read_text(encoding="utf-8").splitlines():
        kind, first, second = line.split("\t")
        gap = (1, fold_question(second), packed(second))
        merged[kind] += find_same(fold_question(first), packed(first), [gap]) is not None
    # 42 of 62 and 6 of 66 when SAME_COSINE was chosen; another machine may turn a borderline pair.
    assert merged["same"] >= 40
    assert merged["different"] <= 7
