"""Scenes to have a fault in: an index folder before a build, and what may serve after it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from index.build import build_index
from index.encoding.encoder import Encoder
from index.search.search import Search
from index.settings import IndexSettings
from index.storage.generations import prune, roll_back
from index.storage.local import Generation, open_generation
from index.storage.manifest import KEPT, POINTER, TEMPORARY, read_pointer
from tests.faults.placing import place_small_graph
from tests.graphs import copy_index_file
from tests.index.shelf import SHELF, put

__all__ = ["NAMES", "QUESTIONS", "Answers", "Command", "Scene", "act", "answers", "make_scene"]

NAMES = tuple("first changed removed anew resumed unchanged damaged back prune".split())

QUESTIONS = ("When was the lighthouse lit for the first time?", "What does a loaf of rye bread cost?")
"""Of the first, the answer changes with the build; of the second, it does not."""

Answers = tuple[tuple[str, str], ...]
"""The article and the sentence found for each question."""

_RELIT = SHELF["lighthouse.txt"].replace("1874", "1901").replace("31 metres", "33 metres")
_NEWS = "Oars\n\nThe rowing club bought eight oars of ash. They were carved in Oslo by Nils Aune.\n"


Command = tuple[str, str]
"""What is run: a build, going back to a generation by its name, pruning to one, placing a graph."""

_BUILD: Command = ("build", "")


def act(command: Command, settings: IndexSettings, encoder: Encoder) -> str:
    """Do what a command of the index does; return what it says."""
    what, name = command
    if what == "back":
        return roll_back(settings.index, name)
    if what == "place":
        return place_small_graph(settings.index)
    if what == "prune":
        return " ".join(prune(settings.index, 1))
    return build_index(settings, encoder=encoder).summary()


@dataclass(frozen=True, slots=True)
class Scene:
    """What a trial begins with: the folder `before`, which is not there where there is no index yet.

    `after` is the folder as the command leaves it undisturbed. `old` and `new` are what is answered before
    and after; `old` is None where nothing can be opened before.
    """

    name: str
    settings: IndexSettings
    before: Path
    after: Path
    old: Answers | None
    new: Answers
    command: Command = _BUILD

    def begin(self) -> None:
        """Put the index folder in the state that the scene begins with."""
        shutil.rmtree(self.settings.index, ignore_errors=True)
        if self.before.exists():
            shutil.copytree(self.before, self.settings.index, copy_function=copy_index_file)


def answers(generation: Generation, encoder: Encoder) -> Answers:
    """Ask a generation; return the best sentence of the best hit for each question."""
    search = Search(generation, encoder)
    hits = [search(question).hits[0] for question in QUESTIONS]
    return tuple((hit.article.id, hit.best_sentence.text) for hit in hits)


def make_scene(name: str, home: Path, encoder: Encoder) -> Scene:
    """Make a scene in a folder of its own."""
    home.mkdir(parents=True)
    before, after, articles = home / "before", home / "after", put(home / "articles", SHELF)
    old = None
    if name != "first":
        build_index(_settings(home, before), encoder=encoder)
        old = _ask(before, encoder)
    if name in {"changed", "resumed", "damaged", "anew"}:
        put(articles, {"lighthouse.txt": _RELIT, "oars.txt": _NEWS})
    if name in {"changed", "removed"}:
        (articles / "tram.md").unlink()
    command = _BUILD
    if name in {"back", "prune"}:
        command = (name, read_pointer(before).generation)
        put(articles, {"lighthouse.txt": _RELIT})
        build_index(_settings(home, before), encoder=encoder)
        old = _ask(before, encoder)
    settings = _settings(home, home / "index", language="de" if name == "anew" else "en")
    if name == "resumed":
        _leave_behind(settings, before, encoder)
    if name == "damaged":
        _harm(before)
        old = None
    if before.exists():
        shutil.copytree(before, after, copy_function=copy_index_file)
    act(command, settings.model_copy(update={"index": after}), encoder)
    return Scene(name, settings, before, after, old, _ask(after, encoder), command)


def _settings(home: Path, index: Path, **options: object) -> IndexSettings:
    return IndexSettings.load(articles=home / "articles", index=index, **{"language": "en", **options})


def _ask(index: Path, encoder: Encoder) -> Answers:
    generation = open_generation(index)
    try:
        return answers(generation, encoder)
    finally:
        generation.close()


def _leave_behind(settings: IndexSettings, before: Path, encoder: Encoder) -> None:
    """Leave what builds that were cut off leave: vectors, unfinished folders, a pointer never moved."""

    def interrupt(step: object) -> None:
        if getattr(step, "stage", "") == "writing":
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        build_index(settings.model_copy(update={"index": before}), interrupt, encoder)
    assert (before / KEPT).exists()
    serving = before / read_pointer(before).generation
    shutil.copytree(serving, before / f"{TEMPORARY}7")
    (before / f"{TEMPORARY}7" / "manifest.json").write_text("{")
    (before / f"{POINTER}.new").write_bytes(b"000009-")


def _harm(index: Path) -> None:
    """Flip a bit of the generation that serves."""
    path = index / read_pointer(index).generation / "tokens.i8"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
