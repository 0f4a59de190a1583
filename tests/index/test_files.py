"""The lock of an index folder: one holder at a time, freed however the holder ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import BusyError
from index.files import LOCK, locked

HOLD = """
import subprocess, sys
from pathlib import Path
from index.files import locked
with locked(Path(sys.argv[1])):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    print(child.pid, flush=True)
    sys.stdin.read()
"""


def test_busy_error_names_the_holder_and_its_death_frees_the_lock(tmp_path: Path) -> None:
    """Also where a child process that it started goes on."""
    command, root = [sys.executable, "-c", HOLD, str(tmp_path)], Path(__file__).parents[3]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        holder = rf"another build is running on {tmp_path}: process {process.pid}, since 20\d\d-.* UTC"
        with pytest.raises(BusyError, match=holder) as caught, locked(tmp_path):
            pass
        assert caught.value.exit_status == 75
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert f"process {process.pid}," in (tmp_path / LOCK).read_text(), "it could not clean up"
        with locked(tmp_path):
            assert (tmp_path / LOCK).read_text().startswith(f"process {os.getpid()}, since 20")
        os.kill(child, signal.SIGKILL)
    assert (tmp_path / LOCK).read_bytes() == b""


@given(content=st.binary(max_size=300))
def test_content_of_the_file_locks_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK).write_bytes(content)
    with pytest.raises(BusyError, match=f"process {os.getpid()}"), locked(tmp_path), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
