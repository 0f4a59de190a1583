"""Generations that are kept, gone back to, and removed: never the one that serves, nor under who reads it."""

from __future__ import annotations

import json
import shutil
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

from index.build import build_index
from index.encoding.encoder import Encoder
from index.encoding.exports import graph_home
from index.encoding.models import find_model
from index.encoding.opening import open_encoder
from index.errors import BusyError, DamagedIndexError, GateError, MissingError, NoIndexError
from index.search.search import Search
from index.settings import DEFAULT_MODEL
from index.storage import retention
from index.storage.gate import GateReport, Gold, set_aside
from index.storage.generations import State, history, last_good, prune, roll_back
from index.storage.local import open_generation
from index.storage.lock import locked
from index.storage.manifest import (
    DATABASE,
    GATE,
    GENERATION,
    KEPT,
    MANIFEST,
    POINTER,
    REFUSED,
    TEMPORARY,
    TOKENS,
    generation_name,
    read_pointer,
)
from index.storage.retention import (
    generations,
    number_of,
    point_at,
    problems_of,
    remove_leftovers,
    remove_old,
)
from index.storage.verification import verify
from tests.conftest import MakeSettings
from tests.graphs import lend_graph
from tests.index.cloning import clone, publish_clone, write_clone
from tests.index.shelf import put, shelve

LOST = GateReport(Gold(3, 2, ("q1: Who?",)), "1 gold question would be lost", {"lost": [{"id": "q1"}]})


def serving(index: Path) -> str:
    return read_pointer(index).generation


def names(index: Path) -> list[str]:
    return [home.name for home in generations(index)]


def flip(path: Path) -> None:
    """Flip one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def refuse(index: Path) -> str:
    """Have a new generation refused; return the name of its folder."""
    home, name = write_clone(index, index / serving(index))
    set_aside(index, home, name, LOST)
    return f"{REFUSED}{name}"


@pytest.fixture
def index(own_index: Path) -> Path:
    """Give an index of three whole generations, of which the last one serves."""
    publish_clone(own_index)
    publish_clone(own_index)
    return own_index


def test_history_lists_what_is_there_with_what_serves_and_what_was_refused(index: Path) -> None:
    newest, middle, oldest = names(index)
    refused = refuse(index)
    flip(index / oldest / MANIFEST)
    lines = history(index)
    assert [(one.generation, one.state) for one in lines] == [
        (refused, State.REFUSED),
        (newest, State.SERVING),
        (middle, State.KEPT),
        (oldest, State.DAMAGED),
    ]
    assert [one.lost for one in lines] == [1, 0, 0, 0]
    assert (lines[1].articles, lines[1].encoder) == (5, "all-MiniLM-L6-v2")
    assert lines[1].bytes == sum(file.stat().st_size for file in (index / newest).iterdir())
    assert lines[1].line().startswith(f"* {newest}  2026-01-01 00:03 UTC  5 articles, ")
    assert "refused (1 gold question lost)" in lines[0].line()
    assert lines[3].line() == f"  {oldest}  damaged"


def test_report_of_a_refused_one_that_cannot_be_read_is_no_error_of_history(index: Path) -> None:
    refused = refuse(index)
    for content in (b"", b"[]", b'{"lost": 3}', b"[" * 100_000, b"\xff"):
        (index / refused / GATE).write_bytes(content)
        assert history(index)[0].lost == 0


@pytest.mark.parametrize("command", [history, roll_back, lambda folder: prune(folder, 3), last_good])
def test_where_there_is_no_index_that_is_said(tmp_path: Path, command: object) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "none", tmp_path / "empty"):
        with pytest.raises(NoIndexError, match="footnote index build"):
            command(folder)  # type: ignore[operator]


def test_going_back_is_to_the_newest_whole_one_that_is_older(index: Path) -> None:
    newest, middle, oldest = names(index)
    assert roll_back(index) == middle == serving(index)
    assert roll_back(index) == oldest == serving(index)
    with pytest.raises(MissingError, match=rf"older than {oldest}.*FOOTNOTE_KEEP"):
        roll_back(index)
    assert roll_back(index, newest) == newest == serving(index)
    flip(index / middle / DATABASE)
    assert roll_back(index) == oldest
    assert names(index) == [newest, middle, oldest]


@pytest.mark.parametrize("form", ["{name}", "{number}", "{number:06d}"])
def test_generation_is_named_by_its_name_or_number(index: Path, form: str) -> None:
    name = names(index)[2]
    assert roll_back(index, form.format(name=name, number=number_of(name))) == name == serving(index)


@pytest.mark.parametrize(
    "name", ["9", "9" * 5000, "000009-0123456789abcdef", "../x", "", " 1", "²", "-1", "٣", POINTER]
)
def test_unknown_generation_is_refused_with_what_to_do(index: Path, name: str) -> None:
    before = (index / POINTER).read_bytes()
    with pytest.raises(MissingError, match="footnote index history"):
        roll_back(index, name)
    assert (index / POINTER).read_bytes() == before


def test_number_that_two_generations_have_names_neither(index: Path) -> None:
    name = names(index)[2]
    shutil.copytree(index / name, index / f"{name[:-1]}{'0' if name[-1] != '0' else '1'}")
    with pytest.raises(MissingError, match="2 generations have the number '1'"):
        roll_back(index, "1")


@pytest.mark.parametrize("file", [DATABASE, TOKENS, MANIFEST])
def test_damaged_generation_is_refused_by_file_and_nothing_changes(index: Path, file: str) -> None:
    before, oldest = (index / POINTER).read_bytes(), names(index)[2]
    flip(index / oldest / file)
    with pytest.raises(DamagedIndexError, match=f"{oldest}/{file}"):
        roll_back(index, oldest)
    assert (index / POINTER).read_bytes() == before


def test_generation_whose_graph_is_gone_is_not_gone_back_to(index: Path, encoder: Encoder) -> None:
    manifest = json.loads((index / names(index)[2] / MANIFEST).read_bytes())
    home = write_clone(index, index / serving(index))[0]
    (home / MANIFEST).write_text(json.dumps({**manifest, "graph": "0" * 64}), encoding="utf-8")
    name = generation_name(9, (home / MANIFEST).read_bytes())
    home.rename(index / name)
    with pytest.raises(DamagedIndexError, match=r"graph\.json"):
        roll_back(index, "9")


def test_refused_generation_never_serves(index: Path) -> None:
    refused = refuse(index)
    for name in (refused, str(number_of(refused))):
        with pytest.raises(GateError, match=r"refused-.*gate\.json says why.*build again"):
            roll_back(index, name)
    assert verify(index) == []


def test_going_back_mends_a_pointer_that_is_damaged_or_gone(index: Path) -> None:
    newest = serving(index)
    (index / POINTER).write_bytes(b"nonsense")
    assert {one.state for one in history(index)} == {State.KEPT}
    assert roll_back(index) == newest == serving(index)
    (index / POINTER).unlink()
    assert roll_back(index, "1") == names(index)[2] == serving(index)


def test_a_build_keeps_out_going_back_and_pruning(index: Path) -> None:
    with locked(index):
        for command in (lambda: roll_back(index), lambda: prune(index, 1)):
            with pytest.raises(BusyError, match="another build is at work"):
                command()
    assert len(names(index)) == 3


def test_pruning_leaves_what_serves_and_the_newest_others(index: Path) -> None:
    newest, middle, oldest = names(index)
    roll_back(index, oldest)
    refused = refuse(index)
    (index / f"{TEMPORARY}77").mkdir()
    (index / f"{POINTER}.new").write_bytes(b"half")
    (index / KEPT).write_bytes(b"vectors")
    assert set(prune(index, 2)) == {middle, refused}
    assert names(index) == [newest, oldest]
    assert prune(index, 1) == [newest]
    assert names(index) == [oldest]
    assert sorted(path.name for path in index.iterdir()) == [oldest, POINTER, "lock"]
    assert verify(index) == []


def test_nothing_is_removed_while_it_is_in_doubt_whether_what_serves_is_whole(index: Path) -> None:
    flip(index / serving(index) / TOKENS)
    before = names(index)
    with pytest.raises(DamagedIndexError, match=rf"{TOKENS}.*\n.*Nothing was removed"):
        prune(index, 1)
    assert names(index) == before


def test_damaged_one_takes_no_place_among_those_kept(index: Path) -> None:
    newest, middle, oldest = names(index)
    flip(index / middle / DATABASE)
    assert prune(index, 2) == [middle]
    assert names(index) == [newest, oldest]


def test_last_good_is_what_serves_then_what_is_older_then_what_is_newer(index: Path) -> None:
    newest, middle, oldest = names(index)
    roll_back(index, middle)
    found, but = [], set[str]()
    for _ in range(3):
        with closing(last_good(index, but)) as generation:
            found.append(generation.name)
        but.add(found[-1])
    assert found == [middle, oldest, newest]
    with pytest.raises(NoIndexError, match="no other generation"):
        last_good(index, but)
    flip(index / middle / DATABASE)
    with closing(last_good(index)) as generation:
        assert generation.name == oldest
    for name in (oldest, newest):
        flip(index / name / DATABASE)
    with pytest.raises(DamagedIndexError, match=DATABASE):
        last_good(index)


def test_build_after_going_back_takes_a_new_number_and_keeps_the_one_that_served(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    made = [shelve(settings, encoder).generation]
    for number in range(2):
        put(settings.articles, {"kiln.txt": f"The kiln was lit {number} times."})
        made.append(build_index(settings, encoder=encoder).generation)
    roll_back(settings.index, made[0])
    made.append(build_index(settings, encoder=encoder).generation)
    assert [number_of(name) for name in made] == [1, 2, 3, 4]
    assert names(settings.index) == [made[3], made[2], made[0]]
    assert serving(settings.index) == made[3]
    # Not to the one that was gone back from, though its number is higher.
    assert roll_back(settings.index) == made[0]
    point_at(settings.index, made[3], (settings.index / made[3] / MANIFEST).read_bytes())
    with closing(last_good(settings.index, {made[3]})) as found:
        assert found.name == made[0]


def test_stray_file_in_a_generation_costs_it_nothing(own_index: Path) -> None:
    first = serving(own_index)
    now = publish_clone(own_index)
    (own_index / first / ".DS_Store").write_bytes(b"\0")
    assert remove_old(own_index, now, 2) == []
    assert any(".DS_Store" in line for line in verify(own_index))
    assert roll_back(own_index) == first


def test_generation_that_cannot_be_read_now_stays(own_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = serving(own_index)
    now = publish_clone(own_index)
    flip(own_index / first / TOKENS)
    monkeypatch.setattr(retention, "_can_be_read", lambda home: False)
    assert remove_old(own_index, now, 2) == []
    monkeypatch.undo()
    assert remove_old(own_index, now, 2) == [first]


def test_leftovers_that_are_no_folders_go_too(own_index: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept.txt").write_text("It is somebody else's.")
    (own_index / f"{TEMPORARY}link").symlink_to(elsewhere)
    (own_index / f"{TEMPORARY}file").write_text("x")
    remove_leftovers(own_index)
    assert verify(own_index) == []
    assert (elsewhere / "kept.txt").exists()


def test_reader_keeps_answering_when_all_of_its_files_and_its_encoder_are_removed(
    make_settings: MakeSettings, encoder: Encoder, graph_folder: Path
) -> None:
    """By a build with another encoder, by going back and by pruning: rows, database pages and graph stay."""
    settings = make_settings()
    lend_graph(graph_folder, settings.index)
    put(
        settings.articles,
        {f"a{number}.txt": f"Boat {number} sank in {1900 + number}. " * 9 for number in range(12)},
    )
    first = shelve(settings, encoder).generation
    with closing(open_generation(settings.index)) as reader:
        search = Search(reader, open_encoder(settings.index, reader.manifest, DEFAULT_MODEL, threads=1))
        old = publish_clone(settings.index)
        publish_clone(settings.index)
        assert set(prune(settings.index, 1)) == {first, old}
        shutil.rmtree(graph_home(settings.index, find_model(DEFAULT_MODEL).fingerprint))
        assert search("How tall is the lighthouse?").hits[0].article.id == "lighthouse"
        for number in (0, 6, 11):
            found = search(f"When did boat {number} sink?").hits[0]
            assert str(1900 + number) in found.text
        assert len([reader.article(row) for row, _, _ in reader.article_rows()]) == 17
        reader.check()
        assert not reader.touched()


class Keeping(RuleBasedStateMachine):
    """Builds, builds that are cut off or refused, going back, pruning and damage, in any order."""

    source: Path

    def __init__(self) -> None:
        super().__init__()
        self.index = Path(self.source.parent, "machine")
        self.whole: set[str] = set()
        self.damaged: set[str] = set()

    @initialize()
    def begin(self) -> None:
        shutil.rmtree(self.index, ignore_errors=True)
        self.index.mkdir()
        self.whole.add(publish_clone(self.index, self.source))

    def teardown(self) -> None:
        shutil.rmtree(self.index, ignore_errors=True)

    @property
    def serving(self) -> str:
        return serving(self.index)

    @property
    def others(self) -> list[str]:
        return [name for name in names(self.index) if name != self.serving]

    @rule(keep=st.integers(1, 4))
    def build(self, keep: int) -> None:
        remove_leftovers(self.index)
        before = self.serving
        name = publish_clone(self.index, self.source)
        gone = remove_old(self.index, name, keep, before)
        self.whole = (self.whole | {name}) - set(gone)
        self.damaged -= set(gone)
        assert number_of(name) > max(map(number_of, self.whole - {name}), default=0)
        assert keep == 1 or before in self.whole
        assert len(names(self.index)) <= keep

    @rule(named=st.booleans())
    def cut_off(self, named: bool) -> None:
        if named:
            self.whole.add(clone(self.index, self.source))
        else:
            write_clone(self.index, self.source)

    @rule()
    def refused(self) -> None:
        home, name = write_clone(self.index, self.source)
        set_aside(self.index, home, name, LOST)
        assert len(list(self.index.glob(f"{REFUSED}*"))) == 1

    @rule()
    def back(self) -> None:
        older = [one for one in self.whole if number_of(one) < number_of(self.serving)]
        if older:
            assert roll_back(self.index) == max(older)
        else:
            with pytest.raises(MissingError):
                roll_back(self.index)

    @precondition(lambda self: self.others)
    @rule(data=st.data())
    def back_to(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.others))
        if name in self.damaged:
            with pytest.raises(DamagedIndexError):
                roll_back(self.index, name)
        else:
            assert roll_back(self.index, name) == name == self.serving

    @precondition(lambda self: self.others)
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.others))
        if name in self.whole:
            flip(self.index / name / TOKENS)
            self.whole.remove(name)
            self.damaged.add(name)

    @rule(keep=st.integers(1, 4))
    def pruned(self, keep: int) -> None:
        before, whole = self.serving, set(self.whole)
        gone = set(prune(self.index, keep))
        assert self.serving == before
        self.whole -= gone
        self.damaged -= gone
        # As many as there may be, the newest of them, and nothing else is left.
        others = sorted(whole - {before}, reverse=True)[: keep - 1]
        assert self.whole == {before, *others}
        assert {path.name for path in self.index.iterdir()} == {*self.whole, POINTER, "lock"}

    @invariant()
    def what_serves_is_whole(self) -> None:
        if not self.whole:
            return
        assert self.serving in self.whole
        assert not any(problems_of(self.index, self.serving))
        assert set(names(self.index)) == self.whole | self.damaged
        with closing(last_good(self.index)) as generation:
            assert generation.name == self.serving
        assert all(GENERATION.fullmatch(name) for name in self.whole)


def test_any_sequence_of_these_leaves_a_whole_generation_that_serves(
    shelf_index: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source" / serving(shelf_index)
    shutil.copytree(shelf_index / serving(shelf_index), source)
    manifest = json.loads((source / MANIFEST).read_bytes())
    (source / MANIFEST).write_text(json.dumps({**manifest, "graph": ""}), encoding="utf-8")
    machine = type("Machine", (Keeping,), {"source": source})
    run_state_machine_as_test(machine, settings=hypothesis_settings(max_examples=12, stateful_step_count=12))
