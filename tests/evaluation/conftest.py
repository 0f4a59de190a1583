"""Two small question sets, written for these tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bot.conftest import built, footnote, home, write_articles

__all__ = ["built", "footnote", "home"]

HOSTILE = "<script>alert('quay')</script>"
"""Text that a page must show and never run."""

BEES = "Bees\n\nThe hives of Aunt Petra stand on a roof in Ghent.\n\nIn 2004 they gave ninety jars.\n"


def question(identity: object, text: str, *answers: str, **place: object) -> dict[str, Any]:
    """Return a line of a question file; a question without answers is unanswerable."""
    return {"id": identity, "question": text, "answers": answers, "answerable": bool(answers), **place}


QUESTIONS = [
    question("l1", "When was the lighthouse on Gull Rock lit?", "1871", article="lamp", paragraph=0),
    question("l2", "Who kept the lamp on Gull Rock?", "Ebba Lind", article_id="lamp", paragraph=1),
    question("b1", "Why does sourdough rise slowly?", "wild yeast", article="bread", paragraph=0),
    question("b2", "What tightens the dough?", "Salt goes in last", article="bread", paragraph=1),
    question("o1", "When was the turbine at Wexholm painted red?", "1988", article="odd/1", paragraph=0),
    question("o2", "Who designed the turbine at Wexholm?", article="odd/1", paragraph=0),
    question("b3", f"How slowly does sourdough rise? {HOSTILE}", article="bread", paragraph=None),
]

BEE_QUESTIONS = [
    question(1, "Where do the hives of Petra stand?", "a roof in Ghent", paragraph=0),
    question(2, "What do the bees eat in winter?"),
]


def write_lines(path: Path, rows: list[Any]) -> Path:
    """Write JSON Lines; a row that is text is written as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def rock(tmp_path: Path) -> Path:
    """Write a set of three articles, one of each format, with questions of each kind, in a folder."""
    write_articles(tmp_path / "rock/articles")
    write_lines(tmp_path / "rock/questions.jsonl", QUESTIONS)
    return tmp_path / "rock"


@pytest.fixture
def bees(tmp_path: Path) -> Path:
    """Write a set of one article: a file of questions beside it."""
    (tmp_path / "bees.txt").write_text(BEES, encoding="utf-8")
    return write_lines(tmp_path / "bees.questions.jsonl", BEE_QUESTIONS)
