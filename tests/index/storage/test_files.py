"""Files that survive a power cut: written whole or not at all, and never through a link."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.errors import DamagedIndexError
from index.storage.files import (
    check_file,
    checksum,
    make_folder,
    open_regular,
    remove_folder,
    replace_file,
    write_file,
)

__all__ = ["files_no_larger_than"]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Refuse to write files beyond a size for as long as the block lasts, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_file_is_replaced_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "name"
    replace_file(path, b"old")
    with files_no_larger_than(2), pytest.raises(OSError, match="File too large"):
        replace_file(path, b"newer")
    assert path.read_bytes() == b"old"
    replace_file(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_once_and_removed_from_under_their_name(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a/b")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    remove_folder(tmp_path / "link", tmp_path / "aside")
    assert (tmp_path / "a/b").is_dir(), "what the link led to stays"
    remove_folder(tmp_path / "a", tmp_path / "aside")
    assert list(tmp_path.iterdir()) == []


def test_checksum_tells_size_and_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"lamp")
    found = checksum(path)
    check_file(path, found)
    for content, told in (
        (b"lamps", "5 bytes instead of 4"),
        (b"lump", "its checksum differs"),
        (b"", "0 bytes"),
    ):
        path.write_bytes(content)
        with pytest.raises(DamagedIndexError, match=f"{path} is damaged .*{told}.*index build"):
            check_file(path, found)


@pytest.mark.parametrize(
    ("kind", "told"),
    [("link", "is a link"), ("pipe", "not a regular file"), ("folder", ""), ("missing", "No such")],
)
def test_only_regular_files_are_opened_and_nothing_blocks(tmp_path: Path, kind: str, told: str) -> None:
    path = tmp_path / "file"
    write_file(tmp_path / "target", b"x")
    {
        "link": lambda: path.symlink_to(tmp_path / "target"),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "missing": lambda: None,
    }[kind]()
    with pytest.raises(DamagedIndexError, match=f"{path} .*{told}"):
        open_regular(path)
