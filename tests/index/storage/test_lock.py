"""The lock of an index folder: one holder at a time, freed however the holder ends."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import BusyError, NotWritableError
from index.storage.lock import LOCK, locked, writable

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from index.storage.lock import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def locked_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock in another process until the block ends, which kills it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            yield process
        finally:
            process.kill()


def test_busy_error_names_the_holder_and_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    with locked_elsewhere(tmp_path) as process:
        holder = rf"another build is running on {tmp_path}: process {process.pid}, since 20\d\d-.* UTC"
        with pytest.raises(BusyError, match=holder) as caught, locked(tmp_path):
            pass
        assert caught.value.exit_status == 75
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert f"process {process.pid}," in (tmp_path / LOCK).read_text(), "it could not clean up"
        with locked(tmp_path):
            assert (tmp_path / LOCK).read_text().startswith(f"process {os.getpid()}, since 20")
    assert (tmp_path / LOCK).read_bytes() == b""


@given(content=st.binary(max_size=300))
def test_content_of_the_file_locks_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK).write_bytes(content)
    with locked(tmp_path):
        pass


def test_lock_is_freed_by_an_error_and_holds_in_one_process_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fault"), locked(tmp_path):
        raise ValueError("fault")
    with locked(tmp_path), pytest.raises(BusyError, match=f"process {os.getpid()}"), locked(tmp_path):
        pass


def test_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    """Else a child left running by a killed build would hold it."""
    with locked(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with locked(tmp_path):
            pass
    finally:
        child.kill()
        child.communicate()


REFUSALS = [OSError(number, os.strerror(number)) for number in (errno.EACCES, errno.ENOSPC, errno.EIO)]


@pytest.mark.parametrize("error", [*REFUSALS, sqlite3.OperationalError("disk is full")], ids=str)
def test_refusal_of_the_system_is_told_with_folder_reason_and_advice(
    tmp_path: Path, error: Exception
) -> None:
    with pytest.raises(NotWritableError) as caught, writable(tmp_path):
        raise error
    for part in (
        str(tmp_path),
        getattr(error, "strerror", None) or str(error),
        "Free some space or give access",
    ):
        assert part in str(caught.value)
    assert caught.value.exit_status == 69
