"""The file of /gaps export: whatever was asked can be read back, and runs nothing."""

from __future__ import annotations

import csv
import datetime
import io
import re

from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from bot.discordapp.gaps import as_csv
from bot.records.gaps import Gap
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.gapped import HEADER, exported, gaps_kept
from tests.bot.discordapp.stage import answer_to, inhabited
from tests.wire.loopback import LoopbackDiscord


async def test_the_file_has_what_was_asked_and_runs_nothing_in_a_spreadsheet(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient
) -> None:
    guild, (ann, bob) = await inhabited(wire, "ann", "bob")
    service.reply = sample_answer(verdict=Verdict.RELATED)
    asked = ["¿Qué? שלום 😀", 'a "quoted"; one, two', "=1+1", "two\nlines"]
    for number, question in enumerate(asked):
        await answer_to(wire, ann, guild, question)
        await gaps_kept(bot, guild.id, times=number + 1)
    await answer_to(wire, bob, guild, asked[0])
    await gaps_kept(bot, guild.id, times=5)
    read = await exported(wire, guild)
    assert [row[1] for row in read] == [asked[0], asked[3], "'=1+1", asked[1]]
    assert [row[2:4] for row in read] == [["2", "2"], ["1", "1"], ["1", "1"], ["1", "1"]]
    for row in read:
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", one) for one in row[4:6])
        assert row[6:] == ["related", "0.934", ""]


CELLS = st.text(st.sampled_from("=+-@\t\r\n ＝＋－＠,;\"'a1é\U0001f600\x00")) | st.text()


@given(st.lists(CELLS))
def test_any_question_is_read_back_and_none_begins_as_a_formula(asked: list[str]) -> None:
    made = [_gap(number, question) for number, question in enumerate(asked)]
    header, *read = csv.reader(io.StringIO(as_csv(made).decode("utf-8-sig"), newline=""))
    assert header == HEADER
    assert len(read) == len(asked)
    for row, question in zip(read, asked, strict=True):
        stored = question.encode("utf-8", "replace").decode()
        assert row[1] in {stored, f"'{stored}"}
        assert row[1][:1] not in set("=+-@\t\r\n ＝＋－＠")


def _gap(number: int, question: str) -> Gap:
    now = datetime.datetime.now(datetime.UTC)
    return Gap(number, 1, 2, question, 1, 1, now, now, "related", 0.5, None)
