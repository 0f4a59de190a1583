"""What the benchmarks of load and trouble call wrong, lost or grown; what they measure is never tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.held import Held, growth, table
from benchmarks.library import Library, Question
from bot.answering.answer import Answer, Citation, Quote, Verdict

Change = Callable[[Answer], Answer]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Give a library of two places, of which the first was written twice."""
    library = Library(tmp_path / "articles", 2)
    library.write("Skarvholm")
    return library


ASKED = Question("Skarvholm", "keeper")


def answered(library: Library, version: int) -> Answer:
    """Return the answer to `ASKED` by a version of the library."""
    text = f"The lighthouse on Skarvholm is kept by {library.fact(ASKED, {'Skarvholm': version})}."
    place = Citation(1, "skarvholm", "", "", "", None, 1, 0, 200, "", 1.0)
    return Answer(
        ASKED.text, Verdict.ANSWERED, 0.9, (Quote(text, 1, 1, 0, len(text)),), (place,), "000001", 1.0
    )


def test_an_answer_is_right_by_the_version_that_its_generation_was_built_from(library: Library) -> None:
    for version in (0, 1):
        answer = answered(library, version)
        assert list(library.faults(answer, ASKED, {"Skarvholm": version})) == []
        assert len(list(library.faults(answer, ASKED, {"Skarvholm": 1 - version}))) == 1
        assert list(library.faults(answer, ASKED, {})) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, verdict=Verdict.NOT_FOUND),
        lambda one: replace(one, quotes=(replace(one.quotes[0], text=one.quotes[0].text.upper()),)),
        lambda one: replace(one, quotes=(replace(one.quotes[0], start=1),)),
        lambda one: replace(one, citations=(replace(one.citations[0], article="gullholm"),)),
    ],
    ids=["not found", "other letters", "another place in the text", "another article"],
)
def test_an_answer_that_is_not_to_the_letter_is_wrong(library: Library, change: Change) -> None:
    assert list(library.faults(change(answered(library, 1)), ASKED, library.now))


def test_what_was_removed_is_asked_no_more_and_is_still_known(library: Library) -> None:
    before = answered(library, 1)
    library.remove("Skarvholm")
    assert {one.place for one in library.questions()} == {"Gullholm"}
    assert list(library.faults(before, None, library.now)) == []
    assert library.write("Skarvholm").version == 2


def test_growth_beyond_a_bound_is_told_by_name() -> None:
    before = Held(200.0, 20, 500, 5, 1.0)
    assert list(growth(before, before)) == []
    assert list(growth(before, Held(229.0, 28, 540, 11, 1.3))) == []
    told = "\n".join(growth(before, Held(231.0, 29, 541, 12, 1.31)))
    assert all(name in told for name in Held.__slots__)


def test_what_is_held_is_a_row_a_time() -> None:
    lines = table("rebuilds", {"1": Held(200.0, 20, 500, 5, 1.5), "10": Held(1_200.0, 20, 500, 5, 1.5)})
    assert lines.splitlines()[0] == "| rebuilds | resident mb | descriptors | maps | threads | disk mb |"
    assert lines.splitlines()[-1] == "| 10 | 1,200.0 | 20 | 500 | 5 | 1.5 |"
