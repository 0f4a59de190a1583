"""Two small question sets, written for these tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bot.conftest import built, footnote, home
from tests.graphs import lend_graph

__all__ = ["built", "footnote", "home"]

HOSTILE = "<script>alert('quay')</script>"
"""Text that a page must show and never run."""

FERRY = f"""\
The ferry of Lower Mardle
Author: Inge Brandt

The ferry at Lower Mardle has crossed the Tarn since 1923. It carries eight cars and forty passengers.

Captain Rosa Velde {HOSTILE} steered it for nineteen winters. She kept a brass bell from an older boat.
"""

CHEESE = """\
---
title: A cheese that waits
author: Tomas Rey
---

Ostrel is a hard cheese made from the milk of red goats. It ripens for fourteen months in a salt mine.

The rind is washed with cider twice a week. Nobody may cut a wheel before the first snow falls.
"""

CLOCK = {
    "id": "clock",
    "title": "The town clock of Brunnau",
    "text": "The clock in Brunnau's tower lost a minute a day until 1968.\n\n"
    "A watchmaker called Edda Quist replaced its pendulum with one of invar steel. "
    "The old pendulum hangs in the library.",
}

QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "f1",
        "question": "Since when has the ferry crossed the Tarn?",
        "answers": ["1923"],
        "answerable": True,
        "article": "ferry",
        "paragraph": 0,
    },
    {
        "id": "f2",
        "question": "Who steered the ferry for nineteen winters?",
        "answers": ["Rosa Velde"],
        "answerable": True,
        "article_id": "ferry",
        "paragraph": 1,
    },
    {
        "id": "c1",
        "question": "How long does Ostrel ripen?",
        "answers": ["fourteen months", "14 months"],
        "answerable": True,
        "article": "cheese",
        "paragraph": 0,
    },
    {
        "id": "c2",
        "question": "What is the rind of Ostrel washed with?",
        "answers": ["cider"],
        "answerable": True,
        "article": "cheese",
        "paragraph": 1,
    },
    {
        "id": "k1",
        "question": "Who replaced the pendulum of the clock?",
        "answers": ["Edda Quist"],
        "answerable": True,
        "article": "clock",
        "paragraph": 1,
    },
    {
        "id": "k2",
        "question": "What colour are the hands of the clock in Brunnau?",
        "answers": [],
        "answerable": False,
        "article": "clock",
        "paragraph": 0,
    },
    {
        "id": "f3",
        "question": f"What does the ferry's ticket cost? {HOSTILE}",
        "answers": [],
        "answerable": False,
        "article": "ferry",
        "paragraph": None,
    },
]

BEES = (
    "Bees\n\nThe hives of Aunt Petra stand on a roof in Ghent.\n\nIn 2004 they gave ninety jars of honey.\n"
)
BEE_QUESTIONS: list[dict[str, Any]] = [
    {
        "id": 1,
        "question": "Where do the hives of Petra stand?",
        "answers": ["a roof in Ghent"],
        "answerable": True,
        "paragraph": 0,
    },
    {"id": 2, "question": "What do the bees eat in winter?", "answers": [], "answerable": False},
]


def write_lines(path: Path, rows: list[Any]) -> Path:
    """Write JSON Lines; a row that is text is written as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    """Write a set of three articles, one of each format, with questions of each kind, in a folder."""
    folder = tmp_path / "harbour"
    (folder / "articles").mkdir(parents=True)
    (folder / "articles/ferry.txt").write_text(FERRY, encoding="utf-8")
    (folder / "articles/cheese.md").write_text(CHEESE, encoding="utf-8")
    write_lines(folder / "articles/clock.jsonl", [CLOCK])
    write_lines(folder / "questions.jsonl", QUESTIONS)
    return folder


@pytest.fixture
def bees(tmp_path: Path) -> Path:
    """Write a set of one article: a file of questions beside it."""
    (tmp_path / "bees.txt").write_text(BEES, encoding="utf-8")
    return write_lines(tmp_path / "bees.questions.jsonl", BEE_QUESTIONS)


@pytest.fixture
def exported(graph_folder: Path, tmp_path: Path) -> None:
    """Lend the exported encoder to the index of the test's folder, so that evaluating need not export it."""
    lend_graph(graph_folder, tmp_path / ".footnote/index")
