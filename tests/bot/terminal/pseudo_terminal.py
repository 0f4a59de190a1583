"""A person at a terminal: a pseudo-terminal with the program in it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bot.conftest import FOOTNOTE, WAIT, environment

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[ -/]*[0-~])")
_PROMPT = ">\x08"
_WHERE_IS_THE_CURSOR = b"\x1b[6n"


class Terminal:
    """What is on the terminal, and somebody who types."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.raw = ""
        self._descriptor = descriptor
        self._seen = 0

    @property
    def plain(self) -> str:
        """Everything that was printed, without what steers the terminal."""
        return _ESCAPES.sub("", self.raw).replace("\r", "")

    def type(self, keys: str) -> None:
        """Type keys at the next prompt; a line ends with a carriage return."""
        self.wait_for(_PROMPT)
        os.write(self._descriptor, keys.encode())

    def wait_for(self, text: str) -> str:
        """Wait until `text` is printed after what was waited for last; return what stands between."""
        end = time.monotonic() + WAIT
        while text not in (shown := self.plain[self._seen :]):
            assert time.monotonic() < end, f"{text!r} never came; there is {self.plain!r}"
            self._read()
        shown = shown[: shown.index(text) + len(text)]
        self._seen += len(shown)
        return shown

    def wait_for_end(self) -> int:
        """Wait for the program to leave; return its exit status."""
        end = time.monotonic() + WAIT
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it never left; there is {self.plain!r}"
            self._read()
        self._read()
        return self.process.returncode

    def _read(self) -> None:
        if not select.select([self._descriptor], [], [], 0.1)[0]:
            return
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # the other end is closed: the program has left
            return
        if _WHERE_IS_THE_CURSOR in data:
            os.write(self._descriptor, b"\x1b[50;1R")
        self.raw += data.decode("utf-8", "replace")


@contextmanager
def terminal(*arguments: str, **more: str) -> Iterator[Terminal]:
    """Start the program in a terminal of 200 columns, in the current folder."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    process = subprocess.Popen(
        [FOOTNOTE, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**more),
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait(WAIT)
        os.close(ours)
