"""The face of the records: it stands alone, below every surface."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_records_come_without_what_stands_above_or_is_slow() -> None:
    code = (
        "import sys, bot.records\n"
        "heavy = {'discord', 'torch', 'faiss', 'pydantic', 'bot.service', 'bot.answering.answer'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "\n"
