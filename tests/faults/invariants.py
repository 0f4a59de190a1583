"""What must hold after any fault: an old or a new index, whole, and a next build that needs no help."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.encoding.encoder import Encoder
from index.encoding.exports import ENCODERS
from index.errors import DamagedIndexError, FootnoteError, NoIndexError
from index.storage.local import Generation, open_generation
from index.storage.manifest import GENERATION, LOCK, POINTER, read_manifest, read_pointer
from index.storage.verification import verify
from tests.faults.runner import Ended
from tests.faults.scenes import Answers, Scene, act, answers
from tests.index.databases import assert_same
from tests.index.shelf import generations

__all__ = ["Trial", "reading", "try_out"]

_REFUSED, _UNREADABLE = 69, 65
_CUT_OFF = "left by a build that was cut off"


@dataclasses.dataclass(slots=True)
class Trial:
    """What one fault led to: whether the "old" or the "new" generation served then, and what was wrong."""

    served: str = ""
    problems: list[str] = dataclasses.field(default_factory=list)


@contextmanager
def reading(scene: Scene, encoder: Encoder, wanted: bool) -> Iterator[list[str]]:
    """Open the index over and over meanwhile, where wanted, as new processes would; give what was wrong."""
    problems: list[str] = []
    done = threading.Event()
    if not wanted:
        done.set()

    def read() -> None:
        while not done.is_set():
            try:
                served = _served(scene, encoder)
            except FootnoteError as error:
                served = f"a reader was told: {error}"
            if served not in {"", "old", "new"}:
                problems.append(served)
            done.wait(0.02)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield problems
    finally:
        done.set()
        thread.join()


def try_out(scene: Scene, encoder: Encoder, ended: Ended, opened: Generation | None) -> Trial:
    """Look at what a run has left; then build once more, undisturbed, and look at what that leaves.

    `opened` is the generation that served before, opened before the run.
    """
    trial = Trial()
    _look(trial, "after the fault", lambda: _after_fault(trial, scene, encoder, ended))
    if opened:
        _look(trial, "the reader from before", lambda: _same(scene.old, answers(opened, encoder)))
    _look(trial, "the next one", lambda: _next(scene, encoder))
    if opened:
        _look(trial, "the reader from before, then", lambda: _same(scene.old, answers(opened, encoder)))
    return trial


def _look(trial: Trial, when: str, look: object) -> None:
    try:
        assert callable(look)
        trial.problems.extend(f"{when}: {problem}" for problem in look())
    except (FootnoteError, AssertionError, OSError, ValueError, RuntimeError) as error:
        trial.problems.append(f"{when}: {type(error).__name__}: {error}")


def _after_fault(trial: Trial, scene: Scene, encoder: Encoder, ended: Ended) -> Iterator[str]:
    trial.served = _served(scene, encoder)
    if trial.served not in {"", "old", "new"}:
        yield trial.served
    if trial.served == "" and scene.old:
        yield "nothing serves"
    if ended.status == 0 and trial.served != ("old" if _unchanged(scene) else "new"):
        yield "the build said that it was done"
    unread = ended.status == _UNREADABLE and " cannot be read" in ended.message
    if ended.status > 0 and ended.status != _REFUSED and not unread:
        yield f"status {ended.status}: {ended.message}"
    if ended.status == _REFUSED and not (
        "cannot be written: " in ended.message and "Make room or give" in ended.message
    ):
        yield f"without reason or advice: {ended.message}"
    if scene.old and scene.settings.index.exists():
        yield from (line for line in verify(scene.settings.index) if _CUT_OFF not in line)


def _served(scene: Scene, encoder: Encoder) -> str:
    """Return which generation is served: "old", "new", "" for none yet; or what is wrong with it."""
    try:
        generation = open_generation(scene.settings.index)
    except (NoIndexError, DamagedIndexError):
        if scene.old is None:  # there was none before, or a damaged one
            return ""
        raise
    try:
        found = answers(generation, encoder)
        same = generation.manifest.files == _files(scene.after)
        new = found == scene.new and (same or generation.manifest.articles == _articles(scene.after))
        if scene.before.exists() and generation.manifest.files == _files(scene.before):
            return "old" if found == scene.old else f"the old one answers {found}"
        return "new" if new else f"{generation.name} answers {found}"
    finally:
        generation.close()


def _next(scene: Scene, encoder: Encoder) -> Iterator[str]:
    index = scene.settings.index
    act(scene.command, scene.settings, encoder)
    yield from verify(index)
    for path in index.iterdir():
        if path.name not in {POINTER, LOCK, ENCODERS} and not GENERATION.fullmatch(path.name):
            yield f"{path.name} is left"
    if (index / LOCK).stat().st_size:
        yield "the lock still has a holder's name"
    if scene.command[0] == "prune" and len(generations(index)) > 1:
        yield "older generations are left"
    generation = open_generation(index)
    yield from _same(scene.new, answers(generation, encoder))
    generation.close()
    if _files(index) != _files(scene.after):
        # Passages encoded in other batches differ by rounding, as where some had been kept.
        assert_same(index, scene.after)


def _same(wanted: Answers | None, found: Answers) -> Iterator[str]:
    if found != wanted:
        yield f"answers {found}"


def _unchanged(scene: Scene) -> bool:
    return scene.before.exists() and _files(scene.before) == _files(scene.after)


def _files(index: Path) -> dict[str, str]:
    return read_manifest(index, read_pointer(index)).files


def _articles(index: Path) -> int:
    return read_manifest(index, read_pointer(index)).articles
