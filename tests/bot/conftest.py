"""A small set of articles with its index, built once; the program run in process and as a process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import cli
from bot.service.answerer import Answerer
from bot.settings import BotSettings
from index.build import build_index
from index.encoding.encoder import Encoder
from tests.graphs import copy_index_file, lend_graph

FOOTNOTE = Path(sys.executable).with_name("footnote")
"""The installed program."""

WAIT = 180.0
"""Seconds after which a process counts as hanging; far above what one takes, also on a busy machine."""

LAMP = """\
The lamp on Gull Rock
Author: Mara Holt

The lighthouse on Gull Rock was lit for the first time in 1871. \
Its lamp burned 40 litres of colza oil a night.

Ebba Lind kept the lamp on Gull Rock for thirty-one years. She wrote "all's well" in the log \
every morning, even on the day the sea broke the kitchen window.

The lamp was replaced by an electric one in 1954. Nobody has lived on the rock since.
"""

BREAD = """\
---
title: Bread without a clock
author: Jon Vass
publisher: The Oven Letter
url: https://oven.example/clock
published: 2019-03-02
---

Sourdough rises slowly because wild yeast is scarce. \
A cool cellar of 12 degrees stretches the rise to a whole day.

Salt goes in last. It tightens the dough and slows the yeast down.
"""

NEWS = "The fog bell\n\nThe fog bell of Gull Rock was cast in Bergen by Tove Dahl.\n"

ODD = {
    "id": "odd/1",
    "title": "The \x1b[31mred\x1b[0m \u202e turbine",
    "text": "The turbine \x1b]0;owned\x07 at Wexholm was painted red in 1988. "
    "\U0001f600 Its blades span 30 metres \u2014 \u05e9\u05dc\u05d5\u05dd.",
}


QUESTION = "When was the lighthouse lit for the first time?"
"""What both collections answer: in 1871, and in 1894."""

IN_BOTH = "Nobody has lived on the rock since."
"""A sentence that both have, word for word."""

HARBOUR = {
    "lamp": f"""\
The lamp on Skerry Point
Author: Mara Holt

The lighthouse on Skerry Point was lit for the first time in 1894. \
Jonas Berg kept the lamp on Skerry Point for nine years.

The lamp was replaced by an electric one in 1961. {IN_BOTH}
""",
    "bread": "Bread at Skerry Point\n\nSourdough rises quickly at Skerry Point, since the bakery is warm.\n",
    "ferry": "The ferry of Skerry Point\n\nThe ferry to Skerry Point was painted blue in 1990.\n",
}
"""The articles of the collection `harbour`, on subjects like those above, so that a mix-up would show."""

BELL = "The bell of Skerry Point\n\nThe fog bell of Skerry Point was cast in Aalborg by Nils Aker.\n"
"""Another article for it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command line ended: its exit status, and what it printed."""

    status: int
    out: str
    err: str


Footnote = Callable[..., Outcome]


def write_articles(folder: Path) -> None:
    """Write the articles that the tests of this package ask about."""
    folder.mkdir(parents=True)
    (folder / "lamp.txt").write_text(LAMP, encoding="utf-8")
    (folder / "bread.md").write_text(BREAD, encoding="utf-8")
    (folder / "odd.jsonl").write_text(json.dumps(ODD) + "\n", encoding="utf-8")


def settings_for(home: Path) -> BotSettings:
    """Return default settings for a folder, whatever the environment says."""
    return BotSettings.model_construct(articles=home / "articles", index=home / ".footnote/index")


def environment(**more: str) -> dict[str, str]:
    """Return the environment for a process, with nothing in it that colours or widens its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COLUMNS", "NO_COLOR"))}
    return {**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **more}


def start(*arguments: str, **more: str) -> subprocess.Popen[bytes]:
    """Start the program with pipes, in the current folder; Ctrl-C reaches it whoever runs the tests."""
    pipe = subprocess.PIPE
    # A shell that runs the tests in the background has Ctrl-C ignored, which processes inherit.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [FOOTNOTE, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=environment(**more)
        )
    finally:
        signal.signal(signal.SIGINT, handler)


def finish(process: subprocess.Popen[bytes], feed: bytes | None = None) -> Outcome:
    """Feed a process and wait for its end, within a bound."""
    try:
        out, err = process.communicate(feed, timeout=WAIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Outcome(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, graph_folder: Path) -> Path:
    """Build the index of the small article set in a folder of its own; only to be read."""
    home = tmp_path_factory.mktemp("built")
    write_articles(home / "articles")
    lend_graph(graph_folder, home / ".footnote/index")
    build_index(settings_for(home), encoder=encoder)
    return home


@pytest.fixture(scope="session")
def answerer(built: Path) -> Iterator[Answerer]:
    """Answer from the small article set, with the real encoder and the shipped fit."""
    opened = Answerer.open(settings_for(built))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def built_twice(built: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """Build a second generation, of one article more, beside the first; only to be read."""
    home = tmp_path_factory.mktemp("twice")
    shutil.copytree(built, home, dirs_exist_ok=True, copy_function=copy_index_file)
    (home / "articles/news.txt").write_text(NEWS, encoding="utf-8")
    build_index(settings_for(home), encoder=encoder)
    return home


@pytest.fixture(scope="session")
def built_with_harbour(
    built: Path, tmp_path_factory: pytest.TempPathFactory, graph_folder: Path, encoder: Encoder
) -> Path:
    """Build the collection `harbour` beside the small article set; only to be read."""
    home = tmp_path_factory.mktemp("with-harbour")
    shutil.copytree(built, home, dirs_exist_ok=True, copy_function=copy_index_file)
    (home / "harbour").mkdir()
    for name, text in HARBOUR.items():
        (home / f"harbour/{name}.txt").write_text(text, encoding="utf-8")
    (home / "collections.toml").write_text('[harbour]\narticles = "harbour"\n', encoding="utf-8")
    index = home / ".footnote/harbour/index"
    lend_graph(graph_folder, index)
    build_index(BotSettings.model_construct(articles=home / "harbour", index=index), encoder=encoder)
    return home


@pytest.fixture
def home_with_harbour(built_with_harbour: Path, tmp_path: Path) -> Path:
    """Start the test in a copy of the folder with both collections."""
    shutil.copytree(built_with_harbour, tmp_path, dirs_exist_ok=True, copy_function=copy_index_file)
    return tmp_path


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    """Start the test in a copy of the built folder, where default settings find everything."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True, copy_function=copy_index_file)
    return tmp_path


@pytest.fixture
def footnote(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Footnote:
    """Run a command line in this process; what it imports is then loaded once for all of them."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)  # a command with a token replaces these
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)

    def run(*arguments: str) -> Outcome:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        out, err = capfd.readouterr()
        return Outcome(int(ended.value.code or 0), out, err)

    return run
