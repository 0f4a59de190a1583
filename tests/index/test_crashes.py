"""A build that is killed, starved or refused by the disk: nothing is lost, and the next needs no help.

`python -m benchmarks.crashes` tries the same faults at every file operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.encoding.encoder import Encoder
from index.storage.manifest import KEPT, LOCK
from tests.faults.cases import Case, failpoints, random_times, run_case
from tests.faults.runner import Ended, Runner, running
from tests.faults.scenes import Scene, make_scene

KILLS = 20
"""Spread over the file operations of two builds, before and after them, and over its time."""

SCENES = ("first", "changed")


@pytest.fixture(scope="module")
def runner(graph_folder: Path) -> Iterator[Runner]:
    with running(graph_folder) as process:
        yield process


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> dict[str, Scene]:
    home = tmp_path_factory.mktemp("scenes")
    return {name: make_scene(name, home / name, encoder) for name in SCENES}


@pytest.fixture(scope="module")
def calm(runner: Runner, scenes: dict[str, Scene]) -> dict[str, Ended]:
    """Build without a fault; the operations are those that faults are had at."""
    ended = {}
    for name, scene in scenes.items():
        scene.begin()
        ended[name] = runner.run(scene.settings, scene.command)
        assert ended[name].status == 0, ended[name].message
    return ended


def spread(cases: list[Case], count: int, offset: int = 0) -> list[Case]:
    """Choose some cases, as far from one another as can be."""
    return [cases[(at * len(cases) + offset) // count] for at in range(count)]


def failed(
    runner: Runner, scene: Scene, encoder: Encoder, cases: list[Case], calm: Ended, *, watched: bool = False
) -> list[str]:
    """Try cases; return a line on each thing that did not hold."""
    problems: list[str] = []
    for case in cases:
        trial = run_case(runner, scene, encoder, case, calm.seconds, watched=watched)
        problems.extend(f"{case}: {problem}" for problem in trial.problems)
    return problems


@pytest.mark.parametrize("name", SCENES)
def test_build_killed_anywhere_loses_nothing_and_the_next_one_cleans_up(
    name: str, runner: Runner, scenes: dict[str, Scene], calm: dict[str, Ended], encoder: Encoder
) -> None:
    """While another process opens the index over and over."""
    points = list(failpoints(name, calm[name].operations, ["kill"], 0))
    assert len({case.operation.name for case in points}) > 10, "every kind of operation is seen"
    late = [
        case for case in points if case.operation.place.startswith(("writer.py", "retention.py", "durable"))
    ]
    cases = [*spread(points, 4, 17), *spread(late, 4), *random_times(name, 2, 0)]
    assert 2 * len(cases) == KILLS
    assert failed(runner, scenes[name], encoder, cases, calm[name], watched=True) == []


def test_power_cut_finds_the_old_index_or_the_new_one(
    runner: Runner, scenes: dict[str, Scene], calm: dict[str, Ended], encoder: Encoder
) -> None:
    """Whatever was not synced may be gone, in any combination."""
    points = list(failpoints("changed", calm["changed"].operations, ["cut"], 0))
    moving = [case for case in points if case.operation.name in {"rename", "replace"}]
    assert moving
    assert failed(runner, scenes["changed"], encoder, [*moving, points[-1]], calm["changed"]) == []


@pytest.mark.parametrize("name", SCENES)
def test_all_is_on_the_disk_before_the_pointer_moves(name: str, calm: dict[str, Ended]) -> None:
    """But for the lock, and the vectors kept on the way, which have checksums of their own."""
    before = {one.removesuffix(" (name)") for one in calm[name].lost_when_replaced}
    assert before - {LOCK, KEPT} == {"CURRENT.new"}, "its name is what moves; its content is synced"
    assert "CURRENT.new" not in calm[name].lost_when_replaced
    assert {one.removesuffix(" (name)") for one in calm[name].lost} <= {LOCK, KEPT}


@pytest.mark.parametrize("kind", ["eio", "enospc", "full"])
def test_disk_that_fails_is_an_error_with_advice_and_the_old_index_serves(
    kind: str, runner: Runner, scenes: dict[str, Scene], calm: dict[str, Ended], encoder: Encoder
) -> None:
    """Whoever writes, Python, SQLite, FAISS or NumPy; also where only the pointer is still to be written."""
    points = list(failpoints("changed", calm["changed"].operations, [kind], 0))
    wanted = ["kept.py", "database.py", "assembly.py", "dense.py", "postings.py", "writer.py", "durable.py"]
    cases = []
    for place in wanted:
        there = [case for case in points if case.operation.place.startswith(place)]
        cases.append(there[len(there) // 2] if place != "durable.py" else there[-1])
    assert failed(runner, scenes["changed"], encoder, cases, calm["changed"]) == []
