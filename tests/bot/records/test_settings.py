"""Per-server settings: the nearest value applies, bad values change nothing, and file and memory agree."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.records.settings import AnswersTo, ChannelSettings
from bot.records.store import Records
from tests.bot.records.conftest import ELSEWHERE, HERE

CHANNEL, THREAD = 5, 6
DEFAULTS = ChannelSettings()
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "answers": st.sampled_from(AnswersTo),
    "private": st.booleans(),
    "language": st.sampled_from(["auto", "de", "pt-BR", "zh-Hant-TW"]),
    "helper_role": st.integers(1, 2**63 - 1),
    "helper_channel": st.integers(1, 2**63 - 1),
}


async def test_overview_has_typed_values_the_server_first_and_no_empty_rows(records: Records) -> None:
    await records.change(HERE, 9, helper_channel=3)
    await records.change(HERE, CHANNEL, answers="never", private=True)
    await records.change(HERE, None, tell_gaps=False)
    await records.change(HERE, CHANNEL, private=None)
    await records.change(HERE, 77, language=None)
    await records.change(HERE, 78)
    rows = await records.overview(HERE)
    assert rows == [
        (None, {"tell_gaps": False}),
        (CHANNEL, {"answers": AnswersTo.NEVER}),
        (9, {"helper_channel": 3}),
    ]
    assert rows[0][1]["tell_gaps"] is False
    assert isinstance(rows[1][1]["answers"], AnswersTo)
    assert await records.overview(ELSEWHERE) == []


@pytest.mark.parametrize(
    ("name", "value"), [("colour", "red"), ("answers", "sometimes"), ("helper_role", "x")]
)
async def test_bad_name_or_value_changes_nothing(records: Records, name: str, value: object) -> None:
    await records.change(HERE, None, private=True)
    with pytest.raises((LookupError, ValueError), match=f"{name}|{value}"):
        await records.change(HERE, None, **{"language": "de", name: value})
    assert await records.overview(HERE) == [(None, {"private": True})]


@pytest.mark.parametrize("cancelled", [False, True])
async def test_file_and_memory_agree_after_concurrent_and_cancelled_changes(
    records: Records, cancelled: bool
) -> None:
    changes = [asyncio.create_task(records.change(HERE, n, helper_role=n)) for n in range(1, 40)]
    await asyncio.sleep(0)
    for change in changes if cancelled else ():
        change.cancel()
    await asyncio.gather(*changes, return_exceptions=True)
    await records.feedback(HERE)  # whatever was started has finished by now
    in_memory = await records.overview(HERE)
    assert cancelled or len(in_memory) == 39
    await records.close()
    await records.open()
    assert await records.overview(HERE) == in_memory


@given(
    st.lists(
        st.tuples(st.sampled_from([None, CHANNEL, THREAD]), st.sampled_from([*VALUES]), st.data()), max_size=8
    )
)
def test_any_changes_come_back_as_from_a_plain_table(changes: list[tuple[int | None, str, Any]]) -> None:
    async def check(file: Path) -> None:
        records, table = Records(file), dict[tuple[int | None, str], object]()
        await records.open()
        for place, name, data in changes:
            table[place, name] = data.draw(st.none() | VALUES[name])
            await records.change(HERE, place, **{name: table[place, name]})
        for _ in range(2):
            settings = await records.settings(HERE, THREAD, CHANNEL)
            for name in VALUES:
                values = (table.get((place, name)) for place in (THREAD, CHANNEL, None))
                nearest = next((value for value in values if value is not None), getattr(DEFAULTS, name))
                assert getattr(settings, name) == nearest, name
            for server in (ELSEWHERE, None):
                assert await records.settings(server, THREAD, CHANNEL) == DEFAULTS
            await records.close()
            await records.open()
        await records.close()

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder, "records.sqlite")))
