"""What is on the disk when the call returns, and what libraries say of a disk in their own words."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from index.dense import write_dense
from index.durable import discard, disk_error, make_folder, replace_file


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_faiss_says_of_a_disk_is_told_as_the_system_says_it(tmp_path: Path) -> None:
    vectors = np.ones((100, 8), dtype=np.float32)
    with files_no_larger_than(1000), pytest.raises(OSError, match="File too large") as caught:
        write_dense(tmp_path, vectors)
    assert caught.value.errno == errno.EFBIG
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_other_errors_are_not_taken_for_the_disk_s(tmp_path: Path) -> None:
    assert disk_error(RuntimeError("the operator Gelu is not known"), tmp_path) is None


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
