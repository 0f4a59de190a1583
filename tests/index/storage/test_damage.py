"""Whatever happens to a file of an index, it is named with what to do, and nothing is answered from it."""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from index.errors import DamagedIndexError
from index.storage.database import DATABASE
from index.storage.generations import last_good
from index.storage.inspection import index_status, verify
from index.storage.local import BASIS, TOKENS, LocalStore, open_generation, open_store
from index.storage.manifest import MANIFEST, read_manifest
from index.storage.vectors import VECTORS
from tests.index.shelf import serving_home
from tests.index.storage.copies import add_copy, flip, forge

FIXED = (MANIFEST, DATABASE, VECTORS, TOKENS, BASIS)
HARMS = ("flip", "cut", "append", "swap", "pickle", "missing", "link", "pipe", "folder")


@pytest.fixture(scope="module")
def index(shelf_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an index of two generations, the older of another collection; damage is undone by each test."""
    folder = tmp_path_factory.mktemp("damage") / "index"
    folder.mkdir()
    add_copy(folder, serving_home(shelf_index))
    add_copy(folder)
    assert verify(folder) == []
    return folder


def files_of(home: Path) -> list[str]:
    """Return the names of a generation's files, those of the word index too, in a lasting order."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return sorted((path.relative_to(home).as_posix() for path in files), key=lambda name: (name[-5:], name))


@contextmanager
def damaged(path: Path, harm: str, place: float, bit: int) -> Iterator[None]:
    """Damage a file for as long as the block lasts, as a disk, a hand or an attacker does."""
    whole, aside = path.read_bytes(), path.with_name("aside")
    at = int(place * len(whole))
    contents = {
        "flip": lambda: whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :],
        "cut": lambda: whole[:at],
        "append": lambda: whole + bytes([bit]) * (1 + at % 20_000),
        "swap": lambda: whole[::-1] if whole[::-1] != whole else whole[:-1],
        "pickle": lambda: pickle.dumps({"a": 1}),
    }
    path.rename(aside)
    try:
        if harm in contents:
            path.write_bytes(contents[harm]())
        elif harm != "missing":
            {"link": path.symlink_to, "pipe": os.mkfifo, "folder": lambda _: path.mkdir()}[harm](
                aside if harm == "link" else path
            )
        yield
    finally:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        path.unlink(missing_ok=True)
        aside.rename(path)


@settings(max_examples=150)
@given(
    which=st.floats(0, 1, exclude_max=True),
    harm=st.sampled_from(HARMS),
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def test_damage_to_any_file_is_refused_by_its_name(
    index: Path, which: float, harm: str, place: float, bit: int
) -> None:
    """At opening, by `status` and by `verify`; the other generation can still be opened."""
    home = serving_home(index)
    names = files_of(home)
    path = home / names[int(which * len(names))]
    assume(path.stat().st_size)
    with damaged(path, harm, place, bit):
        for read in (open_store, index_status, lambda folder: open_generation(folder, home.name)):
            with pytest.raises(DamagedIndexError, match=rf"{path} .*footnote index build") as caught:
                read(index)
            assert caught.value.exit_status == 65
        assert any(line.startswith(f"{path} ") for line in verify(index))
        with closing(last_good(index)) as store:
            assert store.info.generation != home.name
    with closing(open_store(index)):
        pass


@pytest.mark.parametrize("name", FIXED)
def test_each_kind_of_file_is_named_when_it_is_missing(index: Path, name: str) -> None:
    with damaged(serving_home(index) / name, "missing", 0, 0), pytest.raises(DamagedIndexError, match=name):
        open_store(index)


def test_large_files_are_compared_in_the_background_before_anything_is_trusted(own_index: Path) -> None:
    """Opening does not wait for them; `check` does."""
    home = serving_home(own_index)
    manifest = read_manifest(home)
    size = manifest.files[TOKENS].size
    with closing(LocalStore(home, manifest, background_bytes=size)) as store:
        store.check()
    flip(home / TOKENS)
    with closing(LocalStore(home, manifest, background_bytes=size)) as store:
        for _ in range(2):
            with pytest.raises(DamagedIndexError, match=rf"{home / TOKENS} is damaged"):
                store.check()
    with pytest.raises(DamagedIndexError, match=TOKENS):
        LocalStore(home, manifest, background_bytes=size + 1)


def test_generation_whose_files_are_removed_stays_readable(own_index: Path) -> None:
    with closing(open_store(own_index)) as store:
        rows = range(store.info.passages)
        before = store.passages(rows), store.articles([0, 5]), store.best_in_words(["tower"], 9)
        tokens = store.token_vectors(before[0]).tobytes()
        shutil.rmtree(own_index)
        assert (store.passages(rows), store.articles([0, 5]), store.best_in_words(["tower"], 9)) == before
        assert store.token_vectors(before[0]).tobytes() == tokens
        store.check()


def test_rows_cut_off_under_an_open_store_are_damage(own_index: Path) -> None:
    """A map would end the process here."""
    with closing(open_store(own_index)) as store:
        path = serving_home(own_index) / TOKENS
        os.truncate(path, 64)
        with pytest.raises(DamagedIndexError, match=rf"{path} is damaged \(it ends before byte"):
            store.token_vectors(store.passages(range(store.info.passages)))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_no_file_stays_open_after_closing_or_a_refusal(index: Path) -> None:
    def count() -> int:
        return sum(path.resolve().is_relative_to(index) for path in Path("/proc/self/fd").iterdir())

    with closing(open_store(index)):
        assert count()
    home = serving_home(index)
    for name in FIXED:
        with damaged(home / name, "cut", 0.5, 0), pytest.raises(DamagedIndexError):
            open_store(index)
    assert count() == 0


@pytest.mark.parametrize(
    "statements",
    [
        "ALTER TABLE articles RENAME TO kept; CREATE VIEW articles AS SELECT * FROM kept;",
        "CREATE TRIGGER more AFTER INSERT ON articles BEGIN SELECT load_extension('evil'); END;",
        "DROP TABLE passages;",
        "UPDATE passages SET id = id + 100000 WHERE is_heading;",
    ],
)
def test_hostile_database_is_refused_though_its_checksum_is_right(own_index: Path, statements: str) -> None:
    with closing(sqlite3.connect(serving_home(own_index) / DATABASE, isolation_level=None)) as database:
        database.executescript(statements)
    forged = forge(own_index)
    with pytest.raises(DamagedIndexError, match=f"{forged} cannot be opened"):
        open_store(own_index)


def test_page_that_a_disk_returns_otherwise_is_damage(own_index: Path) -> None:
    """Also where it happens after opening: SQLite's own checks name the file."""
    home = serving_home(own_index)
    with closing(open_store(own_index)) as store:
        with (home / DATABASE).open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))
        with pytest.raises(DamagedIndexError, match=rf"{home / DATABASE} is damaged"):
            store.articles(range(store.info.articles))


def test_word_index_of_another_generation_is_refused(own_index: Path, shelf_index: Path) -> None:
    """Its checksums are right, and its rows would be wrong."""
    with closing(open_store(shelf_index)) as store:
        passages = store.info.passages
    forge(own_index, passages=passages + 1)
    with pytest.raises(DamagedIndexError, match=f"{passages}"):
        open_store(own_index)
