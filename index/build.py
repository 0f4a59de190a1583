"""Articles to the next generation: reuse what did not change, encode the rest, publish in one step."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.articles.formats import ArticleSource, read_articles
from index.build_report import BuildReport, Changes, Gate, Gold, Progress
from index.build_vectors import ArticleDraft, BuildVectors, draft_article
from index.encoding.encoder import WIDTH, Encoder
from index.encoding.exports import export_home, find_damage, put_export
from index.encoding.models import Model
from index.encoding.reference import build_encoder
from index.errors import (
    DamagedIndexError,
    FootnoteError,
    GateError,
    NoIndexError,
    OutOfMemoryError,
    ShrunkError,
)
from index.files import locked, make_folder, writable
from index.passages.encoder_input import PASSAGES_VERSION
from index.search.abbreviations import find_abbreviations
from index.settings import IndexSettings
from index.storage.generations import clean_up, publish, refuse, remove_leftovers
from index.storage.inspection import find_model_of
from index.storage.local import LocalStore, open_store
from index.storage.manifest import Manifest
from index.storage.store import Store
from index.storage.vector_cache import VectorCache
from index.storage.writer import GenerationWriter
from index.terminal import count_of

__all__ = ["build_index", "passage_settings", "plan_build", "shrinkage"]

_LOG = logging.getLogger(__name__)
_OUT_OF_MEMORY = re.compile(
    r"bad_alloc|(?:fail|can.?t|cannot|could not|unable)\w* (?:to )?allocat", re.IGNORECASE
)
"""How C++'s own allocator, ONNX Runtime, FAISS and torch report that memory ran out."""


def passage_settings(language: str) -> dict[str, Any]:
    """Return what passages and their vectors depend on besides the encoder; kept in the manifest."""
    return {"language": language, "token_width": WIDTH, "version": PASSAGES_VERSION}


def plan_build(settings: IndexSettings) -> Changes:
    """Say what `build_index` would change, without changing anything.

    Raises:
        ArticleError: an article cannot be indexed.
        NoModelError: the encoder's weights are not available.
    """
    source = read_articles(settings.articles)
    with _previous(settings.index) as (previous, problem):
        model = find_model_of(settings)
        return _compare(_hashes(source), source.notes, previous, settings, model, problem)


def build_index(
    settings: IndexSettings,
    progress: Callable[[Progress], None] = lambda progress: None,
    encoder: Encoder | None = None,
    *,
    gate: Gate | None = None,
    force: bool = False,
) -> BuildReport:
    """Build the next generation and publish it; whatever goes wrong, the previous one keeps serving.

    `encoder` saves loading one where the caller has it. What `gate` refuses is not published. With `force`,
    there may be far fewer articles than before.

    Raises:
        ArticleError: an article cannot be indexed.
        BusyError: another build holds the lock.
        GateError: the gate refused the new generation.
        NoModelError: the encoder's weights are not available.
        NotWritableError: the index folder cannot be written.
        OutOfMemoryError: memory ran out.
        ShrunkError: there are far fewer articles than before.
    """
    with _out_of_memory_told():
        source = read_articles(settings.articles)
        model = encoder.model if encoder else find_model_of(settings)
        with writable(settings.index):
            make_folder(settings.index)
            with locked(settings.index), _previous(settings.index) as (previous, problem):
                remove_leftovers(settings.index)
                build = _Build(settings, source, previous, model, encoder, progress, gate)
                return build.run(problem, force=force)


def shrinkage(changes: Changes, settings: IndexSettings) -> str:
    """Say why a build would be refused without `force`, and what to do; "" where it would not."""
    if changes.shrunk <= settings.shrink:
        return ""
    now = changes.before - len(changes.removed) + len(changes.added)
    return (
        f"found {count_of(now, 'article')} at {settings.articles}, but the index at {settings.index} holds "
        f"{changes.before:,}: more would be lost than FOOTNOTE_SHRINK allows ({settings.shrink:g}). Check "
        "that no articles are missing. If this is intended: `footnote index build --force`, `/rebuild force` "
        "in the chat, `/index rebuild force:True` on Discord."
    )


class _Build:
    """One build under the lock, with what it works on."""

    def __init__(  # noqa: PLR0913 - what a build is made of
        self,
        settings: IndexSettings,
        source: ArticleSource,
        previous: LocalStore | None,
        model: Model,
        encoder: Encoder | None,
        progress: Callable[[Progress], None],
        gate: Gate | None,
    ) -> None:
        self._settings = settings
        self._source = source
        self._previous = previous
        self._model = model
        self._encoder = encoder
        self._progress = progress
        self._gate = gate
        self._begun = time.monotonic()

    def run(self, problem: str, *, force: bool) -> BuildReport:
        """Compare, and build where something changed; `problem` says why the previous index is unusable."""
        settings, previous = self._settings, self._previous
        hashes = _hashes(self._source)
        changes = _compare(hashes, self._source.notes, previous, settings, self._model, problem)
        home = export_home(settings.index, self._model.fingerprint)
        if previous and not changes.any and find_damage(home) is None:
            return self._unchanged(previous, changes)
        if not force and (refusal := shrinkage(changes, settings)):
            raise ShrunkError(refusal)
        encoder = self._encoder or self._load_encoder()
        put_export(settings.index, encoder.model.fingerprint, encoder.home)
        if previous and not changes.any:
            return self._unchanged(previous, changes)
        reusable = None if changes.everything else previous
        try:
            return self._write(changes, hashes, reusable, encoder)
        except DamagedIndexError as error:
            if reusable is None:
                raise
            # The previous generation was whole when it was opened, and no longer is.
            changes = replace(changes, everything=f"the previous index cannot be used: {error}")
            return self._write(changes, hashes, None, encoder)

    def _unchanged(self, previous: LocalStore, changes: Changes) -> BuildReport:
        VectorCache.remove(self._settings.index)
        info = previous.info
        return BuildReport(info.generation, changes, info.articles, info.passages, info.articles, 0, 0.0)

    def _load_encoder(self) -> Encoder:
        self._progress(Progress("loading the encoder", 0, 1))
        encoder = build_encoder(self._settings.index, self._model)
        self._progress(Progress("loading the encoder", 1, 1))
        return encoder

    def _write(
        self, changes: Changes, hashes: dict[str, str], reusable: Store | None, encoder: Encoder
    ) -> BuildReport:
        settings = self._settings
        drafts = self._drafts(hashes, reusable, encoder)
        basis = reusable.basis if reusable else encoder.basis
        serving = self._previous.info.generation if self._previous else ""
        with VectorCache(settings.index, encoder.model.fingerprint, basis) as cache:
            vectors = BuildVectors(reusable, cache, encoder, basis)
            vectors.encode_missing(drafts, settings.language, self._progress)
            writing = passage_settings(settings.language)
            with GenerationWriter(settings.index, encoder, basis, writing) as writer:
                for number, draft in enumerate(drafts, 1):
                    abbreviations = find_abbreviations(draft.article.text)
                    passages = list(vectors.passages_of(draft))
                    writer.add(draft.article, draft.content_hash, abbreviations, passages)
                    self._progress(Progress("writing", number, len(drafts)))
                manifest = writer.finish(serving)
                name, gold = self._publish(writer.home, manifest)
        try:
            clean_up(settings.index, name, settings.keep, serving)
        except OSError as error:
            _LOG.warning("%s serves, but what it replaces could not be removed yet: %s", name, error)
        reused = sum(draft.previous_row is not None for draft in drafts)
        return BuildReport(
            generation=name,
            changes=changes,
            articles=manifest.articles,
            passages=manifest.passages,
            reused=reused,
            encoded=manifest.articles - reused,
            seconds=time.monotonic() - self._begun,
            passages_encoded=vectors.encoded,
            passages_resumed=vectors.resumed,
            gold=gold,
        )

    def _drafts(self, hashes: dict[str, str], reusable: Store | None, encoder: Encoder) -> list[ArticleDraft]:
        """Find each article's row in the previous generation, or split it into passages."""
        rows = {one.content_hash: one.row for one in reusable.catalogue()} if reusable else {}
        drafts: list[ArticleDraft] = []
        for number, article in enumerate(self._source.articles, 1):
            content_hash = hashes[article.id]
            row = rows.get(content_hash)
            if row is None:
                drafts.append(draft_article(article, content_hash, encoder, self._settings.language))
            else:
                drafts.append(ArticleDraft(article, content_hash, previous_row=row))
            self._progress(Progress("reading", number, len(self._source.articles)))
        return drafts

    def _publish(self, home: Path, manifest: Manifest) -> tuple[str, Gold | None]:
        """Have the gate judge the new generation, and publish it."""
        gold = None
        if self._gate is not None:
            try:
                new = LocalStore(home, manifest)
                try:
                    report = self._gate(new, self._previous, self._progress)
                finally:
                    new.close()
            except DamagedIndexError as error:
                raise GateError(
                    f"the gold questions could not be asked, so nothing was published: {error}"
                ) from error
            if report.refusal:
                raise refuse(self._settings.index, home, manifest, report.refusal, report.details)
            gold = report.gold
        return publish(self._settings.index, home, manifest), gold


def _hashes(source: ArticleSource) -> dict[str, str]:
    """Return the content hash of each article, by its id."""
    return {article.id: article.content_hash for article in source.articles}


@contextmanager
def _previous(folder: Path) -> Iterator[tuple[LocalStore | None, str]]:
    """Open the serving generation; None, with the reason, where it cannot be built upon."""
    try:
        store = open_store(folder)
        store.check()
    except NoIndexError:
        yield None, ""
        return
    except DamagedIndexError as error:
        yield None, f"the previous index cannot be used: {error}"
        return
    try:
        yield store, ""
    finally:
        store.close()


def _compare(  # noqa: PLR0913 - all that a build depends on
    now: dict[str, str],
    notes: tuple[str, ...],
    previous: Store | None,
    settings: IndexSettings,
    model: Model,
    problem: str,
) -> Changes:
    before = {one.id: one.content_hash for one in previous.catalogue()} if previous else {}
    everything = problem
    if previous and previous.info.encoder_fingerprint != model.fingerprint:
        everything = f"the encoder is now {model.name}"
    elif previous and previous.info.passage_settings != passage_settings(settings.language):
        everything = "passages are now split differently"
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
def _out_of_memory_told() -> Iterator[None]:
    """Report every library's way to run out of memory as OutOfMemoryError."""
    try:
        yield
    except FootnoteError:
        raise
    except Exception as error:
        if not (isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error))):
            raise
        raise OutOfMemoryError(
            "memory ran out; the previous index keeps serving. Free memory, or build on a bigger machine "
            "and copy the index folder."
        ) from error
