"""Records in the test's own folder, with a clock that the test sets, and short ways to fill them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bot.records.store import Records

START = 1_700_000_000.0
"""When the clock of the tests starts, in Unix seconds."""
DAY = 86_400.0
HERE, ELSEWHERE = 100, 200
"""Two servers."""
ANN, BEN, CLEO = 7, 8, 9
"""Three users."""


@dataclass
class Clock:
    """A clock that advances by a second each time it is read, and as far as a test moves it."""

    now: float = START

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Make a clock."""
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file that does not exist yet, in a folder that does not exist yet."""
    return tmp_path / "state/records.sqlite"


@pytest.fixture
async def records(file: Path, clock: Clock) -> AsyncIterator[Records]:
    """Open new records; they are kept for 90 days."""
    opened = Records(file, clock=clock)
    await opened.open()
    yield opened
    await opened.close()


def tick(count: int) -> datetime:
    """Return the time of the clock's reading `count` after the records were opened."""
    return datetime.fromtimestamp(START + 1 + count, UTC)


def direction(number: int) -> npt.NDArray[np.float32]:
    """Return a vector orthogonal to every other direction, of the encoder's length."""
    return np.eye(1, 384, number, dtype=np.float32)


async def ask(records: Records, question: str, **differs: Any) -> None:
    """Add a gap asked by Ann in a channel here, with a vector unlike any other question's."""
    # Determined by the text: equal texts have equal vectors, others are nearly orthogonal.
    vector = np.random.default_rng(list(question.encode("utf-8", "replace"))).normal(size=384)
    row = {"server": HERE, "channel": 1, "user": ANN, "verdict": "not_found", "confidence": 0.25}
    await records.add_gap(**{**row, "question": question, "vector": vector, **differs})


async def rate(records: Records, question: str, **differs: Any) -> None:
    """Add Ann's feedback on a message here."""
    row = {"server": HERE, "channel": 1, "message": 50, "user": ANN, "helpful": True}
    await records.add_feedback(**{**row, "question": question, **differs})


def bytes_of(file: Path) -> bytes:
    """Return the bytes of the file and of everything that SQLite keeps beside it."""
    return b"".join(beside.read_bytes() for beside in sorted(file.parent.glob(f"{file.name}*")))


def query(file: Path, statement: str) -> list[tuple[Any, ...]]:
    """Query the file on a connection of our own."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def write_version_1(file: Path) -> None:
    """Write a file of the first schema version, creating its folder if missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(Path(__file__).with_name("version1.sql").read_text(encoding="utf-8"))
