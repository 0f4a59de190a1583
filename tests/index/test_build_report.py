"""A build as JSON Lines: what is written is read back as it was, and anything else is refused."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index import errors
from index.build_report import (
    BuildEvent,
    BuildReport,
    Changes,
    Gold,
    Progress,
    line_of,
    print_progress,
    read_line,
)
from index.errors import ArticleError, FootnoteError

_EVENTS = st.from_type(Progress) | st.from_type(Changes) | st.builds(BuildReport, seconds=st.floats(0, 1e9))


@given(event=_EVENTS)
@example(
    event=BuildReport("g", Changes((), (), (), 0), 1, 1, 1, 0, 0.0, gold=Gold(2, 1, ("q: \u2028",), "n"))
)
@example(event=Progress("half \ud800 \u2028 a line\n", 0, 1))
def test_line_is_read_as_the_event_it_was_written_from(event: BuildEvent) -> None:
    line = line_of(event)
    assert line.isascii()
    assert line.splitlines() == [line]
    assert read_line(line.encode()) == event
    assert hash(read_line(line.encode())) == hash(event), "tuples stay tuples"


@pytest.mark.parametrize("name", errors.__all__)
@given(message=st.text(), problems=st.lists(st.text()))
def test_error_is_read_with_its_class_and_message(name: str, message: str, problems: list[str]) -> None:
    """One that is defined elsewhere is read as its nearest base here."""
    kind = getattr(errors, name)
    for own in (kind, type("OtherError", (kind,), {})):
        error = own(problems) if kind is ArticleError else own(message)
        read = read_line(line_of(error).encode())
        assert (type(read), str(read)) == (kind, str(error))
        assert getattr(read, "problems", ()) == getattr(error, "problems", ())


@given(
    line=st.binary() | st.sampled_from([b"[" * 100_000, b'{"error": {"class": "os", "message": ""}}', b"{}"])
)
def test_any_other_bytes_are_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="no build event"):
        read_line(line)


def test_each_stage_is_printed_when_it_begins_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    progress = print_progress()
    steps = [Progress(stage, done, 5_000) for stage in ("reading", "encoding") for done in range(1, 5_001)]
    for step in steps:
        progress(step)
    printed = [read_line(line.encode()) for line in capsys.readouterr().out.splitlines()]
    assert printed == [step for step in steps if step in printed]
    assert {steps[0], steps[4_999], steps[5_000], steps[-1]} <= set(printed)
    assert len(printed) < 1_000


def test_build_goes_on_when_nobody_reads_its_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="ascii") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        print_progress()(Progress("encoding", 0, 1))
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)


def test_every_error_has_the_exit_status_that_its_tree_draws() -> None:
    tree = (errors.__doc__ or "").splitlines()
    for name in errors.__all__:
        kind: type[FootnoteError] = getattr(errors, name)
        (line,) = (line for line in tree if f" {name} " in f" {line} ")
        drawn = [int(word) for word in line.split() if word.isdigit()]
        inherited = kind.exit_status == getattr(kind.__mro__[1], "exit_status", 70)
        assert drawn == ([] if inherited else [kind.exit_status])
        assert kind.exit_status in {2, 65, 69, 70, 75}
