"""Articles to the next generation: reuse what did not change, encode the rest, publish in one step."""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.articles.formats import ArticleSource
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
from index.reading.registry import prepare_reader_of
from index.search.abbreviations import find_abbreviations
from index.settings import IndexSettings
from index.sources.archive import Archive
from index.sources.collection import read_collection
from index.storage.engine import engine_of
from index.storage.generations import clean_up, publish, refuse, remove_leftovers
from index.storage.inspection import find_model_of
from index.storage.local import LocalStore, open_store
from index.storage.manifest import Manifest
from index.storage.store import Store
from index.storage.vector_cache import VectorCache
from index.storage.writer import GenerationWriter
from index.terminal import count_of

if TYPE_CHECKING:
    from index.storage.milvus.shards import SharedVectors

__all__ = ["build_index", "passage_settings", "plan_build", "shrinkage"]

_LOG = logging.getLogger(__name__)
# How C++'s own allocator, ONNX Runtime, FAISS and torch report that memory ran out.
_OUT_OF_MEMORY = re.compile(
    r"bad_alloc|(?:fail|can.?t|cannot|could not|unable)\w* (?:to )?allocat", re.IGNORECASE
)


def passage_settings(language: str) -> dict[str, Any]:
    """Return what passages and their vectors depend on besides the encoder; kept in the manifest."""
    return {"language": language, "token_width": WIDTH, "version": PASSAGES_VERSION}


def plan_build(settings: IndexSettings, *, strict: bool = False) -> Changes:
    """Say what `build_index` would change, without changing anything.

    Raises:
        ArticleError: an article cannot be indexed.
        NoModelError: the encoder's weights are not available.
    """
    source = read_collection(settings, strict=strict)
    with _previous(settings.index) as (previous, problem):
        source = _with_previous(source, previous)
        return _Build(settings, source, find_model_of(settings), previous, problem).compare()


def build_index(  # noqa: PLR0913 - what a build may be told
    settings: IndexSettings,
    progress: Callable[[Progress], None] = lambda progress: None,
    encoder: Encoder | None = None,
    *,
    gate: Gate | None = None,
    force: bool = False,
    strict: bool = False,
    archive: Archive | None = None,
    collect: Callable[..., SharedVectors] | None = None,
) -> BuildReport:
    """Build the next generation and publish it; whatever goes wrong, the previous one keeps serving.

    `encoder` saves loading one where the caller has it. What `gate` refuses is not published. With `force`,
    there may be far fewer articles than before. With `strict`, an article that cannot be indexed fails the
    build; otherwise it is passed over, and what the previous generation has of it stays. `archive` is an open
    archive with what a refresh fetched; without it, the last that was published is read. `collect` finds what
    other machines encoded, by model and basis.

    Raises:
        ArticleError: an article cannot be indexed.
        BusyError: another build holds the lock, or Milvus does not answer; the next build copies there.
        GateError: the gate refused the new generation.
        NoModelError: the weights of the encoder, or of a reader from elsewhere, are not available.
        NotWritableError: the index folder cannot be written.
        OutOfMemoryError: memory ran out.
        ShrunkError: there are far fewer articles than before.
    """
    with _out_of_memory_told():
        source = read_collection(settings, strict=strict, archive=archive)
        model = encoder.model if encoder else find_model_of(settings)
        with writable(settings.index):
            make_folder(settings.index)
            with locked(settings.index), _previous(settings.index) as (previous, problem):
                remove_leftovers(settings.index)
                prepare_reader_of(settings)
                source = _with_previous(source, previous)
                build = _Build(settings, source, model, previous, problem, progress, gate, collect)
                report = build.run(encoder, force=force)
                copying = functools.partial(Progress, "copying to the store")
                engine_of(settings).publish(settings.keep, lambda *done: progress(copying(*done)))
                return report


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


@dataclass(frozen=True, slots=True)
class _Build:
    """One build, with what it works on; `problem` says why the previous generation is unusable, if it is."""

    settings: IndexSettings
    source: ArticleSource
    model: Model
    previous: LocalStore | None
    problem: str
    progress: Callable[[Progress], None] = lambda progress: None
    gate: Gate | None = None
    collect: Callable[..., SharedVectors] | None = None
    begun: float = field(default_factory=time.monotonic)

    def compare(self) -> Changes:
        """Compare the articles, the encoder and the settings with those of the previous generation."""
        previous, everything = self.previous, self.problem
        if previous and previous.info.encoder_fingerprint != self.model.fingerprint:
            everything = f"the encoder is now {self.model.name}"
        elif previous and previous.info.passage_settings != passage_settings(self.settings.language):
            everything = "passages are now split differently"
        now = {article.id: (article.content_hash, article.file) for article in self.source.articles}
        rows = previous.catalogue() if previous else ()
        before = {row.id: (row.content_hash, row.file) for row in rows}
        same = {name for name in now.keys() & before.keys() if now[name] == before[name]}
        return Changes(
            added=tuple(name for name in now if name not in before),
            changed=tuple(name for name in now if name in before and name not in same),
            removed=tuple(name for name in before if name not in now),
            unchanged=len(same),
            everything=everything,
            notes=self.source.notes,
        )

    def run(self, encoder: Encoder | None, *, force: bool) -> BuildReport:
        """Compare, and build where something changed."""
        settings, previous, changes = self.settings, self.previous, self.compare()
        home = export_home(settings.index, self.model.fingerprint)
        if previous and not changes.any and find_damage(home) is None:
            return self._unchanged(previous, changes)
        if not force and (refusal := self._failing_files() or shrinkage(changes, settings)):
            raise ShrunkError(refusal)
        encoder = encoder or self._load_encoder()
        put_export(settings.index, encoder.model.fingerprint, encoder.home)
        if previous and not changes.any:
            return self._unchanged(previous, changes)
        reusable = None if changes.everything else previous
        try:
            return self._write(changes, reusable, encoder)
        except DamagedIndexError as error:
            if reusable is None:
                raise
            # The previous generation was whole when it was opened, and no longer is.
            changes = replace(changes, everything=f"the previous index cannot be used: {error}")
            return self._write(changes, None, encoder)

    def _failing_files(self) -> str:
        """Say why a build is refused of whose articles so many cannot be indexed; "" if it is not."""
        failed, read = len(self.source.problems), len(self.source.articles)
        if failed <= self.settings.shrink * (failed + read):
            return ""
        head = (
            f"{count_of(failed, 'article')} of {failed + read:,} cannot be indexed: more than FOOTNOTE_SHRINK"
            f" allows ({self.settings.shrink:g}). Correct them, or go on with `footnote index build --force`."
        )
        return "\n  ".join([head, *self.source.problems[:20]])

    def _unchanged(self, previous: Store, changes: Changes) -> BuildReport:
        VectorCache.remove(self.settings.index)
        info = previous.info
        return BuildReport(info.generation, changes, info.articles, info.passages, info.articles, 0, 0.0)

    def _load_encoder(self) -> Encoder:
        self.progress(Progress("loading the encoder", 0, 1))
        encoder = build_encoder(self.settings.index, self.model)
        self.progress(Progress("loading the encoder", 1, 1))
        return encoder

    def _write(self, changes: Changes, reusable: Store | None, encoder: Encoder) -> BuildReport:
        settings = self.settings
        drafts = list(self._drafts(reusable, encoder))
        basis = reusable.basis if reusable else encoder.basis
        serving = self.previous.info.generation if self.previous else ""
        with VectorCache(settings.index, encoder.model.fingerprint, basis) as cache:
            shared = self.collect(encoder.model, basis) if self.collect else None
            vectors = BuildVectors(reusable, cache, encoder, basis, shared)
            vectors.encode_missing(drafts, settings.language, self.progress)
            writing = passage_settings(settings.language)
            with GenerationWriter(settings.index, encoder, basis, writing) as writer:
                for number, draft in enumerate(drafts, 1):
                    abbreviations = find_abbreviations(draft.article.text)
                    writer.add(draft.article, abbreviations, list(vectors.passages_of(draft)))
                    self.progress(Progress("writing", number, len(drafts)))
                manifest = writer.finish(serving)
                gold = self._ask_gate(writer.home, manifest)
                name = publish(settings.index, writer.home, manifest)
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
            seconds=time.monotonic() - self.begun,
            passages_encoded=vectors.encoded,
            passages_resumed=vectors.resumed,
            gold=gold,
        )

    def _drafts(self, reusable: Store | None, encoder: Encoder) -> Iterator[ArticleDraft]:
        """Find each article's row in the previous generation, or split it into passages."""
        rows = {row.content_hash: row.row for row in reusable.catalogue()} if reusable else {}
        for number, article in enumerate(self.source.articles, 1):
            row = rows.get(article.content_hash)
            if row is None:
                yield draft_article(article, encoder, self.settings.language)
            else:
                yield ArticleDraft(article, previous_row=row)
            self.progress(Progress("reading", number, len(self.source.articles)))

    def _ask_gate(self, home: Path, manifest: Manifest) -> Gold | None:
        if self.gate is None:
            return None
        try:
            with closing(LocalStore(home, manifest)) as new:
                report = self.gate(new, self.previous, self.progress)
        except DamagedIndexError as error:
            raise GateError(
                f"the gold questions could not be asked, so nothing was published: {error}"
            ) from error
        if report.refusal:
            raise refuse(self.settings.index, home, manifest, report.refusal, report.details)
        return report.gold


def _with_previous(source: ArticleSource, previous: Store | None) -> ArticleSource:
    """Add what the previous generation has of the files that cannot be indexed now."""
    known = {article.id for article in source.articles}
    folders = tuple(name for name in source.refused if name.endswith("/"))
    rows = [
        summary.row
        for summary in (previous.catalogue() if previous else ())
        if summary.id not in known
        and ({summary.id, summary.file} & source.refused or summary.file.startswith(folders))
    ]
    kept = previous.articles(rows) if previous else []
    notes = [f"{problem}; passed over" for problem in source.problems]
    notes += [f"{article.id}: the previous version stays" for article in kept]
    return replace(source, articles=(*source.articles, *kept), notes=(*source.notes, *notes))


@contextmanager
def _previous(folder: Path) -> Iterator[tuple[LocalStore | None, str]]:
    """Open the serving generation; None, with the reason, where it cannot be built upon."""
    try:
        store = open_store(folder)
        store.check()
    except NoIndexError:
        yield None, ""
    except DamagedIndexError as error:
        yield None, f"the previous index cannot be used: {error}"
    else:
        with closing(store):
            yield store, ""


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
