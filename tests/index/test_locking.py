"""The lock: one holder at a time, freed by whatever ends the holder, and never held by what a file says."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import BusyError, NotWritableError
from index.storage.lock import locked, writable
from index.storage.manifest import LOCK

ROOT = Path(__file__).parents[2]

HOLD = """
import sys
from pathlib import Path
from index.storage.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock in another process until the block ends, which kills it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_who_is_kept_out_is_told_who_holds_the_lock_and_since_when(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as process:
        with pytest.raises(BusyError, match=rf"process {process.pid}, since 20\d\d-.* UTC") as raised:
            locked(tmp_path).__enter__()
        assert str(tmp_path) in str(raised.value)
        assert raised.value.exit_status == 75


def test_lock_of_a_process_that_was_killed_is_stale_though_its_file_still_names_it(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert f"process {process.pid}," in (tmp_path / LOCK).read_text(encoding="utf-8")
        with locked(tmp_path):
            said = (tmp_path / LOCK).read_text(encoding="utf-8")
        assert said.startswith(f"process {os.getpid()}, since 20")
    assert (tmp_path / LOCK).read_bytes() == b""


@given(text=st.binary(max_size=300))
def test_whatever_the_file_says_is_no_lock(tmp_path: Path, text: bytes) -> None:
    """A pid that another process has by now, bytes that are no text: nobody holds it, so it is free."""
    (tmp_path / LOCK).write_bytes(text)
    with locked(tmp_path):
        pass


def test_lock_is_free_after_an_error_and_held_against_this_process_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fault"), locked(tmp_path):
        raise ValueError("fault")
    with locked(tmp_path), pytest.raises(BusyError, match=f"process {os.getpid()}"):
        locked(tmp_path).__enter__()
    with locked(tmp_path):
        pass


def test_lock_is_not_inherited_by_a_process_that_the_holder_starts(tmp_path: Path) -> None:
    """Else what a build started, and left running when it was killed, would hold the lock for it."""
    with locked(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with locked(tmp_path):
            pass
    finally:
        child.kill()
        child.communicate()


def test_what_the_system_refuses_is_told_with_the_folder_and_the_reason(tmp_path: Path) -> None:
    for number in (errno.EACCES, errno.ENOSPC, errno.EIO, errno.EROFS):
        with pytest.raises(NotWritableError) as raised, writable(tmp_path):
            raise OSError(number, os.strerror(number))
        assert str(tmp_path) in str(raised.value)
        assert os.strerror(number) in str(raised.value)
        assert raised.value.exit_status == 69
