"""Commands that are killed, starved or refused by the disk: nothing is lost, and the next one needs no help.

A sample; `python -m benchmarks.crashes` tries every file operation.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.faults.commands import INDEX, run
from tests.faults.scenes import SCENES, Scene, ask, copy_index, make_scene
from tests.faults.trials import Case, at_operations, try_case

MakeScene = Callable[[str], Scene]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> MakeScene:
    """Make scenes, each once."""
    home = tmp_path_factory.mktemp("scenes")
    return functools.cache(lambda name: make_scene(name, home / name))


def problems(cases: list[Case]) -> list[str]:
    return [problem for case in cases for problem in try_case(case)[1]]


@pytest.mark.parametrize(("name", "every"), [("first", 50), ("changed", 40), ("rollback", 5), ("prune", 8)])
def test_command_killed_anywhere_loses_nothing_and_can_be_run_again(
    scene: MakeScene, name: str, every: int
) -> None:
    halfway = Case(scene(name), None, 0.5)
    assert problems([*at_operations(scene(name), ["kill"], every), halfway]) == []


def test_killed_build_resumes_where_it_was(scene: MakeScene) -> None:
    assert re.search(r"resumed: \d+ passages? had been encoded before", scene("resumed").calm.out)


def test_power_cut_leaves_the_old_index_or_the_new_one(scene: MakeScene) -> None:
    cases = at_operations(scene("changed"), ["power"])
    publishing = [case for case in cases if ", replace" in str(case)]
    assert problems([cases[0], cases[60], *publishing]) == []


@pytest.mark.parametrize("name", ["first", "changed", "resumed"])
def test_all_of_a_generation_is_synced_before_it_is_published(scene: MakeScene, name: str) -> None:
    unsynced = scene(name).calm.unsynced
    assert any(path.startswith("CURRENT") for path in unsynced), "a name can't be synced before it is given"
    assert [path for path in unsynced if path[0].isdigit() or path == "CURRENT.new"] == []


@pytest.mark.parametrize("kind", ["eio", "enospc", "full"])
def test_disk_error_is_reported_with_advice_and_the_old_index_serves(scene: MakeScene, kind: str) -> None:
    cases = at_operations(scene("changed"), [kind])
    folders = [case for case in cases if ", mkdir" in str(case)]  # a library writes into the last of them
    assert problems([cases[0], cases[60], folders[0]]) == []


@pytest.fixture
def remount(scene: MakeScene) -> Iterator[Callable[[str], object]]:
    """Have the index of "changed" on a disk in memory, which is mounted again with what options are given."""
    place = scene("changed").home / INDEX
    mount = [shutil.which("mount") or "false", "-t", "tmpfs", "tmpfs", str(place), "-o"]
    if subprocess.run([*mount, "size=512m"], check=False, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        copy_index(scene("changed").before, place)
        yield lambda options: subprocess.run([*mount, f"remount,{options}"], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_full_disk_is_reported_whatever_file_it_cannot_hold_and_room_is_all_that_is_needed(
    scene: MakeScene, remount: Callable[[str], object]
) -> None:
    """The disk grows by 96 KB at a time until the build fits, so each of its files once did not."""
    home = scene("changed").home
    status = os.statvfs(home / INDEX)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    for refused in range(20):
        remount(f"size={used + refused * 96 * 1024}")
        result = run(home, SCENES["changed"])
        if result.status == 0:
            break
        assert result.status == 69, result.err
        assert "cannot be written" in result.err
        assert ask(home) == scene("changed").old
    assert refused > 3
    assert ask(home) == scene("changed").new


def test_read_only_disk_is_reported_and_the_index_on_it_serves(
    scene: MakeScene, remount: Callable[[str], object]
) -> None:
    remount("ro")
    result = run(scene("changed").home, SCENES["changed"])
    assert result.status == 69
    assert "cannot be written: Read-only file system" in result.err
    assert ask(scene("changed").home) == scene("changed").old
