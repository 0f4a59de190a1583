"""Scenes: an index folder, a command to disturb, and what may be answered before and after it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.faults.commands import INDEX, Result, run
from tests.faults.injection import Fault
from tests.graphs import copy_index_file
from tests.index.shelf import SHELF, put

__all__ = ["SCENES", "Answers", "Scene", "ask", "make_scene", "other_names", "show"]

Answers = tuple[tuple[str, str], ...]
"""The verdict and the first quote for each question."""

_BUILD = ("index", "build")
SCENES = {
    **dict.fromkeys(("first", "changed", "removed", "resumed"), _BUILD),
    "anew": (*_BUILD, "--language", "de"),
    "rollback": ("index", "rollback", "1"),
    "prune": ("index", "prune", "--keep", "1"),
}
"""The command of each scene; "resumed" follows a killed build, "anew" encodes every article again."""

_CHANGES = {
    "lighthouse.txt": SHELF["lighthouse.txt"].replace("1874", "1901").replace("31 metres", "33 metres"),
    "oars.txt": "Oars\n\nThe rowing club bought eight oars of ash. They were carved in Oslo by Nils Aune.\n",
}
_QUESTIONS = (
    "When was the lighthouse lit for the first time?",
    "How many stops does the new stretch of line nine have?",
    "What does a loaf of rye bread cost?",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A command in a folder, and what it does undisturbed.

    `before` is the index folder that a trial begins with, missing for a first build. `old` and `new` are the
    answers before and after; None where nothing serves. `calm` is the undisturbed run, `shown` is what `index
    show` prints after it, and `others` are the names beside the generations then.
    """

    name: str
    home: Path
    before: Path
    old: Answers | None
    new: Answers | None
    calm: Result
    shown: str
    others: frozenset[str]


def make_scene(name: str, home: Path) -> Scene:
    """Make a scene in a folder of its own."""
    put(home / "articles", SHELF)
    _must(run(home, _BUILD))
    if name == "first":
        shutil.rmtree(home / INDEX)  # it was built all the same, so that the encoder is exported by now
    elif name == "removed":
        (home / "articles" / "tram.md").unlink()
    elif name != "anew":
        put(home / "articles", _CHANGES)
    if name in {"rollback", "prune"}:
        _must(run(home, _BUILD))
    before = home.with_name(f"{name}-before")
    copy_index(home / INDEX, before)
    if name == "resumed":
        operations = len(_must(run(home, _BUILD)).operations)
        copy_index(before, home / INDEX)
        run(home, _BUILD, Fault("kill", operations * 2 // 3))
        copy_index(home / INDEX, before)
    old = ask(home)
    calm = _must(run(home, SCENES[name]))
    return Scene(name, home, before, old, ask(home), calm, show(home), other_names(home))


def ask(home: Path) -> Answers | None:
    """Ask the questions; None where nothing serves."""
    file = home / "questions.jsonl"
    file.write_text("".join(json.dumps({"question": text}) + "\n" for text in _QUESTIONS), "utf-8")
    result = run(home, ("ask", "--json", "--questions", file.name))
    answers = map(json.loads, result.out.splitlines())
    return None if result.status else tuple((one["verdict"], one["quotes"][0]["text"]) for one in answers)


def show(home: Path) -> str:
    """Return every article and passage of the index, as `footnote index show` prints them."""
    return run(home, ("index", "show", "--passages", "--json")).out


def other_names(home: Path) -> frozenset[str]:
    """Return what is in the index folder besides generations, whose names begin with a digit."""
    return frozenset(path.name for path in (home / INDEX).iterdir() if not path.name[0].isdigit())


def copy_index(source: Path, target: Path) -> None:
    """Replace an index folder by a copy of another; remove it where that one is missing."""
    shutil.rmtree(target, ignore_errors=True)
    if source.exists():
        shutil.copytree(source, target, copy_function=copy_index_file, dirs_exist_ok=True)


def _must(result: Result) -> Result:
    assert result.status == 0, result.err
    return result
