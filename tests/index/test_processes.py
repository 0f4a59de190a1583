"""Builds beside other builds: in real processes, against a real lock."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import BusyError
from index.settings import IndexSettings
from tests.conftest import MakeSettings
from tests.index.shelf import SHELF, put

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
