"""A build as JSON Lines: what is written is read as it was, and anything else is refused."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index import errors
from index.build import BuildReport, Changes
from index.build_events import Told, line_of, print_progress, read_line
from index.errors import ArticleError, FootnoteError
from index.progress import Progress
from index.search.calibration import FitError
from index.storage.gate import Gold

_REPORTS = st.builds(BuildReport, seconds=st.floats(0, 1e9))
_TOLD = st.from_type(Progress) | st.from_type(Changes) | _REPORTS


@given(told=_TOLD)
@example(told=BuildReport("g", Changes((), (), (), 0), 1, 1, 1, 0, 0.0, gold=Gold(2, 1, ("q: \u2028",), "n")))
@example(told=Progress("half \ud800 \u2028 a line\n", 0, 1))
def test_a_line_is_read_as_what_it_was_written_from(told: Told) -> None:
    line = line_of(told)
    assert line.isascii()
    assert line.splitlines() == [line]
    read = read_line(line.encode())
    assert read == told
    assert hash(read) == hash(told)  # there is no list in it, however JSON has it


@pytest.mark.parametrize("name", errors.__all__)
@given(message=st.text(), problems=st.lists(st.text()))
def test_an_error_is_read_with_its_class_and_message(name: str, message: str, problems: list[str]) -> None:
    kind = getattr(errors, name)
    error = ArticleError(problems) if kind is ArticleError else kind(message)
    read = read_line(line_of(error).encode())
    assert (type(read), str(read)) == (kind, str(error))
    if isinstance(read, ArticleError):
        assert read.problems == tuple(problems)


def test_an_error_of_another_module_is_told_as_the_nearest_known_one() -> None:
    read = read_line(line_of(FitError("no fit: make one")).encode())
    assert (type(read), str(read)) == (FootnoteError, "no fit: make one")


@given(line=st.binary())
def test_any_other_bytes_are_no_line_of_a_build(line: bytes) -> None:
    with pytest.raises(ValueError, match="no line of a build"):
        read_line(line)


def test_each_stage_is_told_when_it_begins_and_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    progress = print_progress()
    steps = [Progress(stage, done, 5_000) for stage in ("reading", "encoding") for done in range(1, 5_001)]
    for step in steps:
        progress(step)
    told = [read_line(line.encode()) for line in capsys.readouterr().out.splitlines()]
    assert [one for one in steps if one in told] == told
    assert {steps[0], steps[4_999], steps[5_000], steps[-1]} <= set(told)
    assert len(told) < 1_000


def test_a_build_goes_on_when_nobody_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="ascii") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        print_progress()(Progress("encoding", 0, 1))
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)
