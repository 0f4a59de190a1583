"""What is on the disk when the call returns, and what libraries say of a disk in their own words."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from index.storage.durable import discard, make_folder, need_room, replace_file
from index.storage.manifest import DENSE
from index.storage.vectors import write_dense


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("rows", [100, 10_000])
def test_file_of_faiss_that_has_no_room_is_an_error(tmp_path: Path, rows: int) -> None:
    """Also where less is missing than FAISS keeps back until it closes a file."""
    vectors = np.ones((rows, 8), dtype=np.float32)
    with files_no_larger_than(vectors.nbytes), pytest.raises(OSError, match="File too large"):
        write_dense(tmp_path, vectors)
    write_dense(tmp_path, vectors)
    assert (tmp_path / DENSE).stat().st_size > vectors.nbytes


def test_room_that_is_not_there_is_found_out_and_nothing_is_left(tmp_path: Path) -> None:
    """Where a library that exports a graph does not say what kept it from writing a file."""
    with files_no_larger_than(1000), pytest.raises(OSError, match="File too large"):
        need_room(tmp_path, 1001)
    need_room(tmp_path, 1001)
    assert list(tmp_path.iterdir()) == []


def test_file_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "name").write_bytes(b"old")
    with files_no_larger_than(2), pytest.raises(OSError, match="File too large"):
        replace_file(tmp_path / "name", tmp_path / "name.new", b"newer")
    assert [path.name for path in tmp_path.iterdir()] == ["name"]
    assert (tmp_path / "name").read_bytes() == b"old"
    replace_file(tmp_path / "name", tmp_path / "name.new", b"newer")
    assert (tmp_path / "name").read_bytes() == b"newer"


def test_folders_are_made_and_may_be_there_already(tmp_path: Path) -> None:
    make_folder(tmp_path / "a/b/c")
    make_folder(tmp_path / "a/b/c")
    assert (tmp_path / "a/b/c").is_dir()


def test_folder_that_is_removed_is_gone_under_both_names(tmp_path: Path) -> None:
    make_folder(tmp_path / "home/within")
    discard(tmp_path / "home", tmp_path / "aside")
    assert list(tmp_path.iterdir()) == []
