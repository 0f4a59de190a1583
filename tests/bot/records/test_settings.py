"""Settings: the nearest value holds, bad values change nothing, and the file and memory agree."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.records import AnswersTo, ChannelSettings, Records
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


async def test_nothing_set_means_the_defaults(records: Records) -> None:
    assert await records.settings(HERE, CHANNEL, THREAD) == DEFAULTS
    assert await records.settings(None) == DEFAULTS
    assert await records.overview(HERE) == []
    assert ChannelSettings(AnswersTo.MENTIONS, False, "auto", None, None, False) == DEFAULTS


async def test_nearest_value_holds_one_by_one(records: Records) -> None:
    await records.change(HERE, None, answers=AnswersTo.NEVER, language="de", helper_role=1, tell_gaps=True)
    await records.change(HERE, CHANNEL, answers="questions", private=True)
    await records.change(HERE, THREAD, private=False, helper_role=2)

    assert await records.settings(HERE) == ChannelSettings(AnswersTo.NEVER, False, "de", 1, None, True)
    assert await records.settings(HERE, 999) == await records.settings(HERE)
    assert await records.settings(HERE, CHANNEL) == ChannelSettings(
        AnswersTo.QUESTIONS, True, "de", 1, None, True
    )
    assert await records.settings(HERE, THREAD, CHANNEL) == ChannelSettings(
        AnswersTo.QUESTIONS, False, "de", 2, None, True
    )
    assert await records.settings(HERE, 999, CHANNEL) == await records.settings(HERE, CHANNEL)


async def test_other_servers_and_direct_messages_have_their_own(records: Records) -> None:
    await records.change(HERE, None, private=True)
    await records.change(HERE, CHANNEL, language="de")
    assert await records.settings(ELSEWHERE, CHANNEL) == DEFAULTS
    assert await records.settings(None, CHANNEL, HERE) == DEFAULTS
    assert await records.overview(ELSEWHERE) == []


async def test_none_is_as_inherited_and_an_empty_row_goes(records: Records) -> None:
    await records.change(HERE, None, private=True)
    await records.change(HERE, CHANNEL, private=False, language="de")
    await records.change(HERE, CHANNEL, private=None)
    assert (await records.settings(HERE, CHANNEL)).private
    assert await records.overview(HERE) == [(None, {"private": True}), (CHANNEL, {"language": "de"})]
    await records.change(HERE, CHANNEL, language=None)
    assert await records.overview(HERE) == [(None, {"private": True})]
    await records.change(HERE, 77)
    await records.change(HERE, 78, language=None)
    assert await records.overview(HERE) == [(None, {"private": True})]


async def test_overview_has_the_server_first_and_typed_values(records: Records) -> None:
    await records.change(HERE, 9, helper_channel=3)
    await records.change(HERE, 5, answers="never")
    await records.change(HERE, None, tell_gaps=False)
    rows = await records.overview(HERE)
    assert rows == [
        (None, {"tell_gaps": False}),
        (5, {"answers": AnswersTo.NEVER}),
        (9, {"helper_channel": 3}),
    ]
    assert rows[0][1]["tell_gaps"] is False
    assert isinstance(rows[1][1]["answers"], AnswersTo)
    rows[0][1]["tell_gaps"] = True
    assert not (await records.settings(HERE)).tell_gaps, "what is handed out is a copy"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("answers", "sometimes"),
        ("answers", True),
        ("private", 1),
        ("private", "yes"),
        ("language", "German; DROP TABLE settings"),
        ("language", ""),
        ("language", "en\n"),
        ("language", 3),
        ("helper_role", 0),
        ("helper_role", -4),
        ("helper_role", 2**63),
        ("helper_role", True),
        ("helper_channel", "12"),
        ("tell_gaps", 0),
    ],
)
async def test_bad_name_or_value_changes_nothing(records: Records, name: str, value: object) -> None:
    await records.change(HERE, None, private=True)
    with pytest.raises(ValueError, match=name):
        await records.change(HERE, None, **{"helper_role": 4, "language": "de", name: value})
    assert await records.overview(HERE) == [(None, {"private": True})]


async def test_telling_of_gaps_is_the_whole_server_s_alone(records: Records) -> None:
    with pytest.raises(ValueError, match="whole server"):
        await records.change(HERE, CHANNEL, tell_gaps=True)
    assert await records.overview(HERE) == []


async def test_settings_work_without_recording(file: Path) -> None:
    for _ in range(2):
        records = Records(file, recording=False)
        await records.open()
        await records.change(HERE, CHANNEL, private=True)
        assert (await records.settings(HERE, CHANNEL)).private
        await records.close()


async def test_changes_at_once_are_all_kept(records: Records, file: Path) -> None:
    await asyncio.gather(*(records.change(HERE, channel, helper_role=channel) for channel in range(1, 60)))
    await asyncio.gather(
        *(records.change(HERE, 1, **{name: 77}) for name in ("helper_role", "helper_channel"))
    )
    expected = [(1, {"helper_role": 77, "helper_channel": 77})]
    expected += [(channel, {"helper_role": channel}) for channel in range(2, 60)]
    assert await records.overview(HERE) == expected
    await records.close()
    await records.open()
    assert await records.overview(HERE) == expected, file


async def test_change_whose_caller_gave_up_leaves_file_and_memory_agreeing(records: Records) -> None:
    changes = [asyncio.create_task(records.change(HERE, n, helper_role=n)) for n in range(1, 40)]
    await asyncio.sleep(0)
    for change in changes:
        change.cancel()
    await asyncio.gather(*changes, return_exceptions=True)
    await records.feedback(HERE)  # whatever was begun is done by now
    in_memory = await records.overview(HERE)
    await records.close()
    await records.open()
    assert await records.overview(HERE) == in_memory


@given(
    st.lists(
        st.tuples(st.sampled_from([None, CHANNEL, THREAD]), st.sampled_from([*VALUES]), st.data()), max_size=8
    )
)
def test_any_changes_come_back_as_a_plain_table_has_them(changes: list[tuple[int | None, str, Any]]) -> None:
    async def check(file: Path) -> None:
        records, table = Records(file), dict[tuple[int | None, str], object]()
        await records.open()
        for place, name, data in changes:
            table[place, name] = data.draw(st.none() | VALUES[name])
            await records.change(HERE, place, **{name: table[place, name]})
        for reopened in (False, True):
            found = await records.settings(HERE, THREAD, CHANNEL)
            for name in VALUES:
                set_ones = (table.get((place, name)) for place in (THREAD, CHANNEL, None))
                wanted = next((one for one in set_ones if one is not None), getattr(DEFAULTS, name))
                assert getattr(found, name) == wanted, (name, reopened)
            await records.close()
            await records.open()
        await records.close()

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder, "records.sqlite")))
