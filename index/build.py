"""Articles to the next generation: reuse what did not change, encode the rest, publish in one step."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import portalocker

from index.articles import Article, ArticleSource, read_articles
from index.drafts import Draft, passage_settings, split
from index.encoder import Encoder
from index.encoders import build_encoder, find_model_of
from index.errors import BusyError, DamagedIndexError, NoIndexError, NotWritableError
from index.generation import Generation, open_generation
from index.graphs import check_graph
from index.manifest import KEPT, LOCK
from index.models import Model
from index.progress import Progress
from index.settings import IndexSettings
from index.writer import remove_leftovers, remove_old, write_generation

__all__ = ["BuildReport", "Changes", "build_index", "plan_build"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a build would change: the ids of articles added, changed and removed, and what was skipped."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    everything: str = ""
    """Why all articles are encoded anew, where they are."""
    notes: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.removed or self.everything)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. Where nothing had changed, `generation` is the one that already served.

    `reused` and `encoded` count articles. Of the latter, `passages_encoded` were encoded and the others were
    as before; `passages_resumed` had been encoded by a build that was cut off.
    """

    generation: str
    changes: Changes
    articles: int
    passages: int
    reused: int
    encoded: int
    seconds: float
    passages_encoded: int = 0
    passages_resumed: int = 0

    def summary(self) -> str:
        """Return one sentence on it for people."""
        if not self.changes.any:
            return (
                f"Nothing has changed: generation {self.generation} holds {_count(self.articles, 'article')}."
            )
        resumed = self.passages_resumed
        before = f"; resumed: {_count(resumed, 'passage')} had been encoded before" if resumed else ""
        return (
            f"Generation {self.generation}: {_count(self.articles, 'article')} in "
            f"{_count(self.passages, 'passage')}; {_count(self.encoded, 'article')} encoded, {self.reused:,} "
            f"reused, {len(self.changes.removed):,} removed{before}; {self.seconds:.1f} s."
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def plan_build(settings: IndexSettings) -> Changes:
    """Say what `build_index` would change, without changing anything.

    Raises:
        ArticleError: an article cannot be indexed.
        NoModelError: the encoder's weights cannot be had.
    """
    source = read_articles(settings.articles, settings.article_bytes)
    with _previous(settings.index) as (previous, damage):
        model = find_model_of(settings.index, settings.model)
        return _compare(_hashes(source), source.notes, previous, settings, model, damage)


def build_index(
    settings: IndexSettings,
    progress: Callable[[Progress], None] = lambda progress: None,
    encoder: Encoder | None = None,
) -> BuildReport:
    """Build the next generation and publish it; whatever goes wrong, the one before goes on serving.

    `encoder` saves loading one where the caller has it.

    Raises:
        ArticleError: an article cannot be indexed.
        BusyError: another build holds the lock.
        NoModelError: the encoder's weights cannot be had.
        NotWritableError: the index folder cannot be written.
    """
    source = read_articles(settings.articles, settings.article_bytes)
    hashes = _hashes(source)
    model = encoder.model if encoder else find_model_of(settings.index, settings.model)
    try:
        settings.index.mkdir(parents=True, exist_ok=True)
        with _locked(settings.index), _previous(settings.index) as (previous, damage):
            remove_leftovers(settings.index)
            changes = _compare(hashes, source.notes, previous, settings, model, damage)
            if previous and not changes.any:
                remove_old(settings.index, previous.name)
                (settings.index / KEPT).unlink(missing_ok=True)
                return _unchanged(previous, changes)
            if encoder is None:
                progress(Progress("loading the encoder", 0, 1))
                encoder = build_encoder(settings.index, model, source.articles, settings.encode_with)
                progress(Progress("loading the encoder", 1, 1))
            if previous and previous.manifest.producer != encoder.producer and not changes.everything:
                changes = replace(changes, everything="vectors are now computed in another way")
            old = None if changes.everything else previous
            return _build(settings, source, hashes, changes, old, encoder, progress)
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NotWritableError(
            f"the index at {settings.index} cannot be written: {reason}. Make room or give access to it; "
            "what was there before is unchanged."
        ) from error


def _unchanged(previous: Generation, changes: Changes) -> BuildReport:
    held = previous.manifest
    return BuildReport(previous.name, changes, held.articles, held.passages, held.articles, 0, 0.0)


def _build(  # noqa: PLR0913 - one step of `build_index`, which has gathered all of these
    settings: IndexSettings,
    source: ArticleSource,
    hashes: dict[str, str],
    changes: Changes,
    old: Generation | None,
    encoder: Encoder,
    progress: Callable[[Progress], None],
) -> BuildReport:
    begun = time.monotonic()
    drafts = _draft(source.articles, hashes, old, encoder, settings.language, progress)
    basis = old.basis if old else encoder.basis
    written = write_generation(settings.index, drafts, encoder, basis, settings.language, progress, old)
    reused = sum(draft.row is not None for draft in drafts)
    return BuildReport(
        generation=written.name,
        changes=changes,
        articles=written.manifest.articles,
        passages=written.manifest.passages,
        reused=reused,
        encoded=written.manifest.articles - reused,
        seconds=time.monotonic() - begun,
        passages_encoded=written.encoded,
        passages_resumed=written.resumed,
    )


def _hashes(source: ArticleSource) -> dict[str, str]:
    """Return the content hash of each article, by its id."""
    return {article.id: article.content_hash for article in source.articles}


def _draft(  # noqa: PLR0913 - one step of `_build`
    articles: tuple[Article, ...],
    hashes: dict[str, str],
    old: Generation | None,
    encoder: Encoder,
    language: str,
    progress: Callable[[Progress], None],
) -> list[Draft]:
    """Split each article into passages, or find its row in the generation before."""
    rows = {digest: row for row, _, digest in old.article_rows()} if old else {}
    drafts: list[Draft] = []
    for number, article in enumerate(articles, 1):
        row = rows.get(hashes[article.id])
        passages = split(article, encoder, language) if row is None else ()
        drafts.append(Draft(article, passages, row))
        progress(Progress("reading", number, len(articles)))
    return drafts


@contextmanager
def _previous(folder: Path) -> Iterator[tuple[Generation | None, str]]:
    """Open the generation that serves; None, with the reason, where it cannot be built upon."""
    try:
        generation = _open_whole(folder)
    except NoIndexError:
        yield None, ""
        return
    except DamagedIndexError as error:
        yield None, f"the index before cannot be used: {error}"
        return
    try:
        yield generation, ""
    finally:
        generation.close()


def _open_whole(folder: Path) -> Generation:
    """Open the generation that serves, once it and its encoder's graph are found whole."""
    generation = open_generation(folder)
    try:
        check_graph(folder, generation.manifest)
    except DamagedIndexError:
        generation.close()
        raise
    return generation


def _compare(  # noqa: PLR0913 - all that a build depends on
    now: dict[str, str],
    notes: tuple[str, ...],
    previous: Generation | None,
    settings: IndexSettings,
    model: Model,
    damage: str,
) -> Changes:
    before = {name: digest for _, name, digest in previous.article_rows()} if previous else {}
    everything = damage
    if previous and previous.manifest.encoder_fingerprint != model.fingerprint:
        everything = f"the encoder is now {model.name}"
    elif previous and previous.manifest.passage_settings != passage_settings(settings.language):
        everything = "how passages are made has changed"
    same = {name for name in now.keys() & before.keys() if now[name] == before[name]}
    return Changes(
        added=tuple(name for name in now if name not in before),
        changed=tuple(name for name in now if name in before and name not in same),
        removed=tuple(name for name in before if name not in now),
        unchanged=len(same),
        everything=everything,
        notes=notes,
    )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the index folder's lock; the operating system frees it when the process ends, however it ends."""
    path = folder / LOCK
    with path.open("a+", encoding="utf-8") as file:
        try:
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.exceptions.LockException as error:
            file.seek(0)
            holder = file.read(200).strip() or "another process"
            raise BusyError(
                f"another build is at work on {folder}: {holder}. Try again when it is done."
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
