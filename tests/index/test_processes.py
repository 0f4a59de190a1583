"""Builds beside other builds, and builds killed at any moment: in real processes, against a real lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index import Encoder, IndexSettings, build_index, open_generation, verify
from index.errors import BusyError
from tests.conftest import MakeSettings
from tests.index.shelf import SHELF, put, shelve

ROOT = Path(__file__).parents[2]


@contextmanager
def other_build(settings: IndexSettings) -> Iterator[subprocess.Popen[str]]:
    """Run a build in another process, which stops at its first step, holding the lock."""
    code = (
        "import sys; from index import IndexSettings, build_index\n"
        f"settings = IndexSettings.load(articles={str(settings.articles)!r}, index={str(settings.index)!r})\n"
        "build_index(settings, lambda step: (print('begun', flush=True), sys.stdin.read(1)))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


def test_second_build_is_told_who_holds_the_lock(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    put(settings.articles, SHELF)
    with other_build(settings) as process, pytest.raises(BusyError, match=rf"process {process.pid}, since 2"):
        build_index(settings, encoder=encoder)
    # It was killed, so the lock is free again.
    assert build_index(settings, encoder=encoder).articles == 5
    assert b"process" not in (settings.index / "lock").read_bytes()


KILLER = """
import os, signal, sys
from pathlib import Path
from index import IndexSettings, build_index
from index.encoders import choose_encoder

settings = IndexSettings.load(articles=sys.argv[1], index=sys.argv[2])
encoder = choose_encoder(Path(sys.argv[3]), settings.model, threads=1)
steps = {"write_generation", "_publish", "_write_dense", "remove_leftovers", "write_file", "sync", "add"}
files = ("writer.py", "durable.py", "kept.py")
seen, deadly = 0, 0

def watch(frame, event, value):
    global seen
    if frame.f_code.co_name not in steps or not frame.f_code.co_filename.endswith(files):
        return None
    if event == "line":
        seen += 1
        if seen == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
    return watch

for line in sys.stdin:
    deadly = int(line)
    if not (child := os.fork()):
        sys.settrace(watch)
        build_index(settings, encoder=encoder)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextmanager
def killer(settings: IndexSettings, graph_folder: Path) -> Iterator[Callable[[int], int]]:
    """Give a function that builds in a process which is killed before its nth line of writing."""
    told = [str(settings.articles), str(settings.index), str(graph_folder)]
    arguments = [sys.executable, "-c", KILLER, *told]
    with subprocess.Popen(
        arguments,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def build(step: int) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{step}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        try:
            yield build
        finally:
            process.kill()


def test_build_killed_at_any_step_leaves_a_whole_index_and_the_next_build_cleans_up(
    make_settings: MakeSettings, encoder: Encoder, graph_folder: Path
) -> None:
    """Killed for real, before every line that writes, syncs, renames or removes, one after the other."""
    settings = make_settings()
    old = shelve(settings, encoder).generation
    (settings.articles / "tram.md").unlink()
    found: list[str] = []
    with killer(settings, graph_folder) as build:
        for step in range(1, 200):
            status = build(step)
            generation = open_generation(settings.index)
            assert len(generation.article_rows()) == (5 if generation.name == old else 4)
            found.append(generation.name)
            generation.close()
            if status == 0:
                break
            assert status == -signal.SIGKILL
    assert len(found) > 40, "the steps of a build were watched"
    assert found[0] == old != found[-1]
    assert build_index(settings, encoder=encoder).articles == 4
    assert verify(settings.index) == []
    assert not list(settings.index.glob(".building-*"))
