"""Files that are on the disk when the call returns, so that a power cut finds them whole."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["sync", "write_file"]


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Write a file and have it on the disk.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def sync(path: Path) -> None:
    """Have the operating system write a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
