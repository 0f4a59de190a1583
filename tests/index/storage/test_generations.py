"""Generations: published in one step, rolled back to, pruned; never without a whole one that serves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from index.encoding.exports import ENCODERS
from index.errors import BusyError, DamagedIndexError, GateError, MissingError, NoIndexError, NotWritableError
from index.files import locked
from index.storage.database import DATABASE
from index.storage.generations import clean_up, last_good, prune, publish, refuse, remove_leftovers, roll_back
from index.storage.inspection import State, generation_homes, generation_number, history, verify
from index.storage.local import TOKENS
from index.storage.manifest import GATE_REPORT, MANIFEST, POINTER, REFUSED, TEMPORARY, point_at, read_pointer
from index.storage.vector_cache import CACHE
from tests.index.shelf import contents, serving_home
from tests.index.storage.copies import add_copy, flip, write_copy

Command = Callable[[Path], object]
LOST = "1 gold question would be lost.", {"lost": [{"id": "q1"}]}


def names(index: Path) -> list[str]:
    """Return the generations' names, newest first."""
    return [home.name for home in generation_homes(index)]


def refused_copy(index: Path) -> str:
    """Have a new generation refused; return the name of its folder."""
    refuse(index, *write_copy(index), *LOST)
    return next(path.name for path in index.glob(f"{REFUSED}*"))


@pytest.fixture
def index(shelf_index: Path, empty: Path) -> Path:
    """Give an index of three whole generations, of which the last one serves."""
    for _ in range(3):
        add_copy(empty, serving_home(shelf_index))
    return empty


def test_publishing_gives_the_next_number_and_switches_in_one_step(index: Path) -> None:
    before = names(index)
    home, manifest = write_copy(index)
    assert read_pointer(index) == before[0], "nothing changes until it is published"
    (index / f"{POINTER}.new").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        publish(index, home, manifest)
    assert (read_pointer(index), names(index)) == (before[0], before)
    (index / f"{POINTER}.new").rmdir()
    name = publish(index, *write_copy(index))
    assert (read_pointer(index), names(index), generation_number(name)) == (name, [name, *before], 4)
    assert verify(index) == []


def test_history_tells_what_serves_what_was_refused_and_what_is_damaged(index: Path) -> None:
    newest, middle, oldest = names(index)
    refused = refused_copy(index)
    flip(index / oldest / MANIFEST)
    summaries = history(index)
    assert [(one.generation, one.state, one.lost) for one in summaries] == [
        (refused, State.REFUSED, 1),
        (newest, State.SERVING, 0),
        (middle, State.KEPT, 0),
        (oldest, State.DAMAGED, 0),
    ]
    assert summaries[0].line().endswith("refused (1 gold question lost)")
    assert summaries[1].line().startswith(f"* {newest}  2026-01-01 00:00 UTC  11 articles, ")
    assert summaries[3].line() == f"  {oldest}  damaged"
    for report in (b"", b"[]", b'{"lost": 3}', b"[" * 100_000, b"\xff"):
        (index / refused / GATE_REPORT).write_bytes(report)
        assert history(index)[0].lost == 0


@pytest.mark.parametrize("command", [history, roll_back, lambda folder: prune(folder, 3), last_good, verify])
def test_without_an_index_every_command_says_how_to_build_one(empty: Path, command: Command) -> None:
    for folder in (empty, empty / "none"):
        with pytest.raises(NoIndexError, match="footnote index build"):
            command(folder)


@pytest.mark.parametrize("command", [roll_back, lambda folder: prune(folder, 1)])
def test_commands_that_write_need_the_lock_and_access(index: Path, command: Command) -> None:
    before = contents(index)
    with locked(index), pytest.raises(BusyError, match="another build is running"):
        command(index)
    (index / "lock").unlink()
    (index / "lock").mkdir()
    with pytest.raises(NotWritableError, match=r"cannot be written.*unchanged"):
        command(index)
    assert contents(index) == before


def test_refused_generation_is_kept_aside_with_its_report_and_never_serves(index: Path) -> None:
    serving, first, second = read_pointer(index), refused_copy(index), refused_copy(index)
    assert not (index / first).exists(), "only the last one is kept"
    assert b"q1" in (index / second / GATE_REPORT).read_bytes()
    for name in (second, str(generation_number(second))):
        with pytest.raises(GateError, match=rf"refused.*{GATE_REPORT} says why.*build again"):
            roll_back(index, name)
    assert (read_pointer(index), verify(index)) == (serving, [])


def test_rolling_back_goes_to_the_whole_one_that_served_before(index: Path) -> None:
    newest, middle, oldest = names(index)
    assert roll_back(index) == middle == read_pointer(index)
    after = add_copy(index)
    assert roll_back(index) == middle, "not to the newest, which was rolled back from"
    flip(index / oldest / DATABASE)
    with pytest.raises(MissingError, match=rf"no whole generation .* older than {middle}.*FOOTNOTE_KEEP"):
        roll_back(index)
    assert names(index) == [after, newest, middle, oldest]


@pytest.mark.parametrize("form", ["{name}", "{number}", "{number:06d}"])
def test_generation_is_named_by_its_name_or_number(index: Path, form: str) -> None:
    name = names(index)[2]
    assert roll_back(index, form.format(name=name, number=1)) == name == read_pointer(index)
    shutil.copytree(index / name, index / f"{name[:-1]}{'0' if name[-1] != '0' else '1'}")
    with pytest.raises(MissingError, match="2 generations have the number '1'"):
        roll_back(index, "1")


UNKNOWN = ["9", "9" * 5000, "000009-0123456789abcdef", "../x", "", " 1", "²", "-1", "٣", POINTER]


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_generation_is_refused_with_what_to_do(index: Path, name: str) -> None:
    with pytest.raises(MissingError, match="footnote index history"):
        roll_back(index, name)
    assert read_pointer(index) == names(index)[0]


@pytest.mark.parametrize("content", [b"nonsense", b""])
def test_rolling_back_repairs_a_damaged_or_missing_pointer(index: Path, content: bytes) -> None:
    (index / POINTER).write_bytes(content)
    assert {one.state for one in history(index)} == {State.KEPT}
    assert roll_back(index) == names(index)[0] == read_pointer(index)
    (index / POINTER).unlink()
    assert roll_back(index, "1") == names(index)[2] == read_pointer(index)


def test_last_good_is_what_serves_then_what_served_before_then_the_rest(index: Path) -> None:
    newest, middle, oldest = names(index)
    roll_back(index, middle)
    found: list[str] = []
    for _ in range(3):
        with closing(last_good(index, but=found)) as store:
            found.append(store.info.generation)
    assert found == [middle, oldest, newest]
    with pytest.raises(NoIndexError, match="no other generation"):
        last_good(index, found)
    for name, good in ((middle, oldest), (oldest, newest)):
        flip(index / name / DATABASE)
        with closing(last_good(index)) as store:
            assert store.info.generation == good
    flip(index / newest / DATABASE)
    with pytest.raises(DamagedIndexError, match=DATABASE):
        last_good(index)


def test_nothing_is_removed_while_what_serves_is_damaged(index: Path) -> None:
    flip(serving_home(index) / TOKENS)
    before = contents(index)
    with pytest.raises(DamagedIndexError, match=rf"{TOKENS}.*\n.*Nothing was removed"):
        prune(index, 1)
    assert contents(index) == before


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_previous_generation_stays_first_and_one_that_cannot_be_read_now_stays_too(index: Path) -> None:
    """A disk that fails for a while must not cost the only generation to roll back to."""
    newest, middle, oldest = names(index)
    assert clean_up(index, newest, keep=2, previous=oldest) == [middle]
    (index / oldest / TOKENS).unlink()
    (index / oldest / TOKENS).symlink_to("/proc/self/mem")
    assert clean_up(index, newest, keep=2) == []
    assert names(index) == [newest, oldest]


def test_leftovers_go_and_what_is_not_ours_stays_and_is_named(index: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (index / f"{TEMPORARY}link").symlink_to(tmp_path / "elsewhere")
    (index / f"{TEMPORARY}file").write_text("x")
    (index / f"{POINTER}.new").write_text("x")
    assert len(verify(index)) == 3
    remove_leftovers(index)
    assert verify(index) == []
    assert (tmp_path / "elsewhere").exists()
    strays = [index / names(index)[1] / ".DS_Store", index / "notes.txt"]
    for stray in strays:
        stray.write_text("mine")
    assert verify(index) == [f"{stray}: not a file of the index." for stray in strays]
    assert roll_back(index) == names(index)[1]


class _Operations(RuleBasedStateMachine):
    """Builds, interrupted and refused ones, rollback, pruning and damage, in any order."""

    source: Path

    @initialize()
    def begin(self) -> None:
        self.index = self.source.parent / "machine"
        self.index.mkdir()
        self.whole, self.damaged = {add_copy(self.index, self.source)}, set[str]()

    def teardown(self) -> None:
        shutil.rmtree(self.index)

    @property
    def others(self) -> list[str]:
        return [name for name in names(self.index) if name != read_pointer(self.index)]

    def forget(self, removed: list[str]) -> None:
        self.whole -= set(removed)
        self.damaged -= set(removed)

    @rule(keep=st.integers(1, 4))
    def build(self, keep: int) -> None:
        before = read_pointer(self.index)
        remove_leftovers(self.index)
        name = add_copy(self.index, self.source)
        self.whole.add(name)
        self.forget(clean_up(self.index, name, keep, before))
        assert len(names(self.index)) <= keep
        assert keep == 1 or before in self.whole

    @rule(is_named=st.booleans())
    def interrupt_a_build(self, is_named: bool) -> None:
        before = read_pointer(self.index)
        if is_named:
            self.whole.add(add_copy(self.index, self.source))
            point_at(self.index, before)
        else:
            write_copy(self.index, self.source)

    @rule()
    def refuse_a_build(self) -> None:
        (self.index / f"{POINTER}.new").write_bytes(b"half")
        (self.index / CACHE).write_bytes(b"vectors")
        refuse(self.index, *write_copy(self.index, self.source), *LOST)
        assert len(list(self.index.glob(f"{REFUSED}*"))) == 1

    @precondition(lambda self: self.others)
    @rule(data=st.data())
    def roll_back_to_one(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.others))
        if name in self.damaged:
            with pytest.raises(DamagedIndexError, match=f"{name}/{TOKENS}"):
                roll_back(self.index, name)
        else:
            assert roll_back(self.index, name) == name == read_pointer(self.index)

    @precondition(lambda self: self.whole.intersection(self.others))
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.whole.intersection(self.others))))
        flip(self.index / name / TOKENS)
        self.whole.remove(name)
        self.damaged.add(name)

    @rule(keep=st.integers(1, 4))
    def prune(self, keep: int) -> None:
        serving, whole = read_pointer(self.index), set(self.whole)
        self.forget(prune(self.index, keep))
        assert self.whole == {serving, *sorted(whole - {serving}, reverse=True)[: keep - 1]}
        assert {path.name for path in self.index.iterdir()} == {*self.whole, POINTER, "lock", ENCODERS}

    @invariant()
    def what_serves_is_whole(self) -> None:
        assert set(names(self.index)) == self.whole | self.damaged
        with closing(last_good(self.index)) as store:
            assert store.info.generation == read_pointer(self.index)
            assert store.info.generation in self.whole


def test_any_operations_leave_a_whole_one_serving(shelf_index: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(serving_home(shelf_index), tmp_path / serving_home(shelf_index).name))
    machine = type("Operations", (_Operations,), {"source": source})
    run_state_machine_as_test(machine, settings=hypothesis_settings(max_examples=10, stateful_step_count=12))
