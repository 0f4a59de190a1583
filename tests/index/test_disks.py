"""Real disks that are full or read-only, a graph that is put in its place, and a clock that was set back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.encoding.encoder import Encoder
from index.encoding.exports import MODELS, verify_models, whole_graph
from index.storage.durable import make_room
from index.storage.local import open_generation
from index.storage.verification import verify
from tests.conftest import MakeSettings
from tests.faults.failpoints import Fault
from tests.faults.invariants import try_out
from tests.faults.placing import place_small_graph
from tests.faults.runner import Runner, running
from tests.faults.scenes import Scene, answers, make_scene

STEP = 96 * 1024
"""Bytes by which a disk grows from build to build."""


@pytest.fixture(scope="module")
def runner(graph_folder: Path) -> Iterator[Runner]:
    with running(graph_folder) as process:
        yield process


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Scene:
    return make_scene("changed", tmp_path_factory.mktemp("scene") / "changed", encoder)


class Disk:
    """A disk in memory, of any size, that holds an index folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def mount(self, *options: str) -> bool:
        """Mount it, or mount it anew; return whether that is allowed here."""
        arguments = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(self.place)]
        return not subprocess.run(arguments, check=False, capture_output=True).returncode

    def used(self) -> int:
        status = os.statvfs(self.place)
        return (status.f_blocks - status.f_bfree) * status.f_frsize


@pytest.fixture
def disk(changed: Scene) -> Iterator[Disk]:
    """Give a disk with the index of the scene on it, before the build; skipped where none may be mounted."""
    place = changed.settings.index
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    disk = Disk(place)
    if shutil.which("mount") is None or not disk.mount("size=64m"):
        pytest.skip("no disk may be mounted here")
    try:
        shutil.copytree(changed.before, place, dirs_exist_ok=True)
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_is_said_whatever_file_it_cannot_hold_and_room_is_all_that_is_needed(
    disk: Disk, changed: Scene, encoder: Encoder, runner: Runner
) -> None:
    """The disk grows by little and little, until the build fits: so each of its files once did not."""
    opened = open_generation(disk.place)
    used = disk.used()
    refused = 0
    for size in range(used, used + 64 * STEP, STEP):
        assert disk.mount(f"remount,size={size}")
        ended = runner.run(changed.settings)
        if ended.status == 0:
            break
        refused += 1
        assert ended.status == 69, ended.message
        assert "cannot be written" in ended.message
        assert "Make room" in ended.message
        assert answers(opened, encoder) == changed.old
        assert [line for line in verify(disk.place) if "cut off" not in line] == []
        assert not list(disk.place.glob(".building-*")), "it makes what room it can"
    assert refused > 3
    assert disk.mount("remount,size=64m")
    assert try_out(changed, encoder, ended, opened).problems == []
    opened.close()


def test_map_has_its_room_before_it_is_written(disk: Disk) -> None:
    """Where a map is written and the disk is full, the system ends the process."""
    with (disk.place / "map").open("wb") as file, pytest.raises(OSError, match="No space left on device"):
        make_room(file, 128 << 20)


def test_read_only_disk_is_said_and_the_index_on_it_serves(
    disk: Disk, changed: Scene, encoder: Encoder, runner: Runner
) -> None:
    assert disk.mount("remount,ro")
    ended = runner.run(changed.settings)
    assert ended.status == 69, ended.message
    assert "cannot be written: Read-only file system. Make room or give access to it" in ended.message
    generation = open_generation(disk.place)
    assert answers(generation, encoder) == changed.old
    assert disk.mount("remount,rw")
    assert try_out(changed, encoder, ended, generation).problems == []
    generation.close()


def test_clock_that_was_set_back_and_files_of_the_future_change_nothing(
    changed: Scene, encoder: Encoder, runner: Runner
) -> None:
    changed.begin()
    future = 4_000_000_000
    for path in changed.settings.index.rglob("*"):
        os.utime(path, (future, future))
    before = open_generation(changed.settings.index)
    ended = runner.run(changed.settings, clock=86_400.0)
    after = open_generation(changed.settings.index)
    assert after.manifest.built.startswith("1970-01-02")
    assert before.name < after.name
    assert try_out(changed, encoder, ended, before).problems == []
    before.close()
    after.close()


@pytest.mark.parametrize("placed", [False, True])
def test_graph_whose_placing_is_cut_off_anywhere_is_whole_or_not_there(
    runner: Runner, graph_folder: Path, make_settings: MakeSettings, placed: bool
) -> None:
    """Also where one of the same model stands there already."""
    (real,) = (graph_folder / MODELS).iterdir()
    settings, place = make_settings(), ("place", str(real))
    home = settings.index / MODELS / real.name
    operations = runner.run(settings, place).operations
    assert {one.name for one in operations} >= {"write", "fsync", "rename", "mkdir"}
    for at in range(len(operations)):
        for kind, after in (("kill", False), ("cut", True)):
            shutil.rmtree(settings.index)
            if placed:
                place_small_graph(settings.index, real)
            assert runner.run(settings, place, Fault(kind, at + 1, after, seed=at)).killed
            assert list(verify_models(settings.index, {})) == []
            place_small_graph(settings.index, real)
            assert whole_graph(home).name
            assert [path.name for path in settings.index.iterdir()] == [MODELS]
