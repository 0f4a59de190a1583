"""Answering and rebuilding import nothing that only making a graph needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bot.conftest import WAIT, environment

ROOT = Path(__file__).parents[2]
HEAVY = "torch transformers sentence_transformers huggingface_hub onnx onnxscript sklearn scipy".split()
RUN = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from bot import cli
try:
    cli.main(sys.argv[1:])
except SystemExit as ended:
    heavy = [name for name in {HEAVY!r} if name in sys.modules]
    print("status", ended.code, "heavy", *heavy, file=sys.stderr)
"""


def heard(*arguments: str, feed: str = "") -> tuple[str, str]:
    """Run a command line in a process of its own; return what it printed, and the last line of its errors."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env=environment(),
        input=feed,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    return done.stdout, done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "feed"),
    [
        (["ask", "--json", "Who kept the lamp on Gull Rock?"], ""),
        (["chat"], "Who kept the lamp on Gull Rock?\n"),
        (["index", "build"], ""),
    ],
)
def test_neither_answering_nor_an_idle_build_imports_torch(
    home: Path, arguments: list[str], feed: str
) -> None:
    out, last = heard(*arguments, feed=feed)
    assert last == "status 0 heavy"
    assert ("Ebba Lind" in out) == (arguments != ["index", "build"])


def test_build_with_a_changed_article_imports_no_torch(home: Path) -> None:
    Path("articles/new.txt").write_text("The kiln was lit by Ada Quay.\n", encoding="utf-8")
    out, last = heard("index", "build")
    assert "1 article encoded, 3 reused" in out
    assert last == "status 0 heavy"
