"""Whatever happens to a file of an index, it is named with what to do, and nothing is answered from it."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import DamagedIndexError, FootnoteError, NoIndexError
from index.storage.database import DATABASE
from index.storage.generations import last_good, roll_back
from index.storage.inspection import history, index_status, verify
from index.storage.local import BASIS, TOKENS, LocalStore, open_generation, open_store
from index.storage.manifest import FORMAT, MANIFEST, POINTER
from index.storage.vectors import VECTORS
from tests.index.shelf import serving_home
from tests.index.storage.copies import add_copy, flip, forge, forge_bytes

HARMS = ("flip", "cut", "append", "swap", "pickle", "missing", "link", "pipe", "folder")


@pytest.fixture
def index(shelf_index: Path, empty: Path) -> Path:
    """Give an index of two whole generations."""
    add_copy(empty, serving_home(shelf_index))
    add_copy(empty)
    return empty


def damage(path: Path, harm: str, place: float, bit: int) -> None:
    """Damage a file as a disk, a hand or an attacker does."""
    whole = path.read_bytes()
    at = int(place * len(whole))
    contents = {
        "flip": whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :],
        "cut": whole[:at],
        "append": whole + bytes([bit]) * (1 + at),
        "swap": whole[::-1] + b" ",
        "pickle": pickle.dumps({"a": 1}),
    }
    path.rename(aside := path.with_name("aside"))
    if harm in contents:
        path.write_bytes(contents[harm])
    elif harm == "link":
        path.symlink_to(aside)
    elif harm == "pipe":
        os.mkfifo(path)
    elif harm == "folder":
        path.mkdir()


@settings(max_examples=80)
@given(
    which=st.floats(0, 1, exclude_max=True),
    harm=st.sampled_from(HARMS),
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def test_damage_to_any_file_is_named(index: Path, which: float, harm: str, place: float, bit: int) -> None:
    """At opening, by `status` and by `verify`; the other generation can still be opened."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(index, Path(folder, "index")))
        home = serving_home(copy)
        files = sorted((path for path in home.rglob("*") if path.is_file()), key=lambda path: path.suffix)
        path = files[int(which * len(files))]
        damage(path, harm, place, bit)
        for read in (open_store, index_status, lambda folder: open_generation(folder, home.name)):
            with pytest.raises(DamagedIndexError, match=rf"{path} .*footnote index build"):
                read(copy)
        assert any(line.startswith(f"{path} ") for line in verify(copy))
        with closing(last_good(copy)) as store:
            assert store.info.generation != home.name


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_no_file_stays_open_after_closing_or_a_refusal(index: Path) -> None:
    def count() -> int:
        return sum(path.resolve().is_relative_to(index) for path in Path("/proc/self/fd").iterdir())

    with closing(open_store(index)):
        assert count()
    for name in (MANIFEST, DATABASE, VECTORS, TOKENS, BASIS):
        flip(serving_home(index) / name)
        with pytest.raises(DamagedIndexError):
            open_store(index)
        flip(serving_home(index) / name)
    assert count() == 0


# Forged: names and checksums are right, and the content is not what a build writes

HOSTILE = ["DROP TABLE passages;", "UPDATE passages SET id = id + 100000 WHERE is_heading;"]


@pytest.mark.parametrize("statements", HOSTILE)
def test_hostile_database_is_refused(index: Path, statements: str) -> None:
    with closing(sqlite3.connect(serving_home(index) / DATABASE, isolation_level=None)) as database:
        database.executescript(statements)
    forged = forge(index)
    with pytest.raises(DamagedIndexError, match=f"{forged} cannot be opened"):
        open_store(index)


NUMBERS = [None, True, -1, 0, 1, 10**12, 10**30, 1.5, float("nan"), float("inf")]
ODD: list[Any] = [*NUMBERS, "", "../x", "\x1b[31m", "2026-01-01", [], {}, [[]], {"a": {}}]
COMMANDS: list[Callable[[Path], object]] = [
    *(open_store, index_status, verify, last_good, roll_back),
    lambda folder: [summary.line() for summary in history(folder)],
]


@settings(max_examples=50)
@given(data=st.data(), value=st.sampled_from(ODD) | st.integers() | st.text(max_size=5))
def test_any_value_in_a_manifest_is_harmless(index: Path, data: st.DataObject, value: Any) -> None:
    """No command fails otherwise than with advice."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(index, Path(folder, "index")))
        names = sorted(json.loads((serving_home(copy) / MANIFEST).read_bytes()))
        forge(copy, **{data.draw(st.sampled_from(names)): value})
        for command in COMMANDS:
            with suppress(FootnoteError):
                result = command(copy)
                if isinstance(result, LocalStore):
                    result.info.lines()
                    result.close()


NAMES = ["../x", "/etc/passwd", "words/../x", "..", ".", "", "words/", "\x00", "ｆ", "A", "basis.f32\n"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        *(({"files": {name: {"xxh3": "0" * 32, "size": 1}}}, "written by another version") for name in NAMES),
        ({"dimension": 0}, "written by another version"),
        ({"token_width": 0}, "written by another version"),
        ({"articles": None}, "written by another version"),
        ({"format": FORMAT - 1}, f"has format {FORMAT - 1}; this version of Footnote reads {FORMAT}"),
    ],
)
def test_impossible_manifest_is_refused_by_name(index: Path, fields: dict[str, Any], told: str) -> None:
    forged = forge(index, **fields)
    with pytest.raises(DamagedIndexError, match=f"{forged / MANIFEST} .*{told}.*footnote index build"):
        open_store(index)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"null", b"{", b"[" * 100_000, b"1" * 5_000])
def test_what_is_no_manifest_is_refused(index: Path, data: bytes) -> None:
    forged = forge_bytes(index, data)
    with pytest.raises(DamagedIndexError, match=f"{forged / MANIFEST} .*footnote index build"):
        open_store(index)


def test_word_index_of_another_generation_is_refused(index: Path) -> None:
    forge(index, passages=1_000)
    with pytest.raises(DamagedIndexError, match="passages instead of 1000"):
        open_store(index)


def test_generation_that_is_a_link_is_refused(index: Path, tmp_path: Path) -> None:
    home = serving_home(index)
    home.rename(tmp_path / home.name)
    home.symlink_to(tmp_path / home.name)
    for read in (open_store, index_status):
        with pytest.raises(DamagedIndexError, match=f"{home} is a link"):
            read(index)
    assert any(f"{home} is a link" in line for line in verify(index))


POINTERS = [b"", b"nonsense", b"\xff" * 100, b"{name}", b"../x\n", b"{name}\n\n"]


@pytest.mark.parametrize("content", POINTERS)
def test_pointer_that_no_build_wrote_is_refused(index: Path, content: bytes) -> None:
    name = (index / POINTER).read_bytes().strip()
    (index / POINTER).write_bytes(content.replace(b"{name}", name))
    for read in (open_store, index_status):
        with pytest.raises(DamagedIndexError, match=f"{index / POINTER} is damaged"):
            read(index)
    assert any(f"{index / POINTER} is damaged" in line for line in verify(index))


@pytest.mark.parametrize("name", ["../outside", "/", ".", "", POINTER, "000001-0123456789abcdef/.."])
def test_name_that_leads_out_of_the_folder_is_no_generation(index: Path, name: str) -> None:
    with pytest.raises(NoIndexError, match=r"no generation .*footnote index history"):
        open_generation(index, name)
