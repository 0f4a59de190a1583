"""Records in the test's own folder, with a clock that the test sets, and short ways to fill them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bot.records import Records

START = 1_700_000_000.0
"""When the clock of the tests starts, in Unix seconds."""
DAY = 86_400.0
HERE, ELSEWHERE = 100, 200
"""Two servers."""
ANN, BEN, CLEO = 7, 8, 9
"""Three users."""


@dataclass
class Clock:
    """A clock that goes a second further each time it is read, and as far as a test moves it."""

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
    """Name a file that is not there yet, in a folder that is not there yet."""
    return tmp_path / "state/records.sqlite"


@pytest.fixture
async def records(file: Path, clock: Clock) -> AsyncIterator[Records]:
    """Open new records; they are kept for 90 days."""
    opened = Records(file, clock=clock)
    await opened.open()
    yield opened
    await opened.close()


def direction(number: int) -> npt.NDArray[np.float32]:
    """Return a vector that is like no other direction's; of the encoder's length."""
    return np.eye(1, 384, number, dtype=np.float32)


async def ask(records: Records, question: str, **differs: Any) -> None:
    """Add a gap of Ann's in a channel here, whose vector is like no other question's."""
    # A vector that the text decides: the same text has the same, another one's is all but at a right angle.
    vector = np.random.default_rng(list(question.encode("utf-8", "replace"))).normal(size=384)
    given = {"server": HERE, "channel": 1, "user": ANN, "verdict": "not_found", "confidence": 0.25}
    await records.add_gap(**{**given, "question": question, "vector": vector, **differs})


async def say(records: Records, question: str, **differs: Any) -> None:
    """Add feedback of Ann's on a message here."""
    given = {"server": HERE, "channel": 1, "message": 50, "user": ANN, "helpful": True}
    await records.add_feedback(**{**given, "question": question, **differs})


def bytes_of(file: Path) -> bytes:
    """Return the bytes of the file and of all that SQLite has beside it."""
    return b"".join(beside.read_bytes() for beside in sorted(file.parent.glob(f"{file.name}*")))
