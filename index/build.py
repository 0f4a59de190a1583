"""Articles to the next generation: reuse what did not change, encode the rest, publish in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from index.articles.reading import Article, ArticleSource, read_articles
from index.encoding.encoder import Encoder
from index.encoding.models import Model
from index.encoding.opening import build_encoder, find_model_of, verify
from index.errors import DamagedIndexError, NoIndexError, ShrunkError
from index.memory import enough_memory
from index.passages.drafts import Draft, passage_settings, split
from index.printing import count_of
from index.progress import Progress
from index.settings import IndexSettings
from index.storage.durable import make_folder
from index.storage.gate import Gate, Gold
from index.storage.local import Generation, open_generation
from index.storage.lock import locked, writable
from index.storage.manifest import KEPT
from index.storage.retention import remove_leftovers, remove_old
from index.storage.writer import write_generation

__all__ = ["BuildReport", "Changes", "build_index", "plan_build", "shrinkage"]

_UNUSABLE = "the index before cannot be used"


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
    def before(self) -> int:
        """How many articles there were."""
        return self.unchanged + len(self.changed) + len(self.removed)

    @property
    def shrunk(self) -> float:
        """The share by which there are fewer articles than before; 0 where there are not."""
        fewer = len(self.removed) - len(self.added)
        return max(fewer, 0) / self.before if self.before else 0.0

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
    gold: Gold | None = None
    """What the gate found, where there is one."""

    def summary(self) -> str:
        """Return one sentence on it for people."""
        articles = count_of(self.articles, "article")
        if not self.changes.any:
            return f"Nothing has changed: generation {self.generation} holds {articles}."
        resumed = self.passages_resumed
        before = f"; resumed: {count_of(resumed, 'passage')} had been encoded before" if resumed else ""
        return (
            f"Generation {self.generation}: {articles} in {count_of(self.passages, 'passage')}; "
            f"{count_of(self.encoded, 'article')} encoded, {self.reused:,} reused, "
            f"{len(self.changes.removed):,} removed{before}; {self.seconds:.1f} s."
            + (f" {self.gold.summary()}" if self.gold else "")
        )


def plan_build(settings: IndexSettings) -> Changes:
    """Say what `build_index` would change, without changing anything.

    Raises:
        ArticleError: an article cannot be indexed.
        NoModelError: the encoder's weights cannot be had.
    """
    source = read_articles(settings.articles, settings.article_bytes)
    with _previous(settings.index) as (previous, damage):
        model = find_model_of(settings.index, settings.model, settings.model_sha256)
        return _compare(_hashes(source), source.notes, previous, settings, model, damage)


def build_index(
    settings: IndexSettings,
    progress: Callable[[Progress], None] = lambda progress: None,
    encoder: Encoder | None = None,
    *,
    gate: Gate | None = None,
    force: bool = False,
) -> BuildReport:
    """Build the next generation and publish it; whatever goes wrong, the one before goes on serving.

    `encoder` saves loading one where the caller has it. What `gate` refuses is not published. With `force`,
    there may be far fewer articles than before.

    Raises:
        ArticleError: an article cannot be indexed.
        BusyError: another build holds the lock.
        GateError: the gate refused the new generation.
        NoModelError: the encoder's weights cannot be had.
        NotWritableError: the index folder cannot be written.
        OutOfMemoryError: memory ran out.
        ShrunkError: there are far fewer articles than before.
    """
    with enough_memory():
        return _build_next(settings, progress, encoder, gate, force=force)


def _build_next(
    settings: IndexSettings,
    progress: Callable[[Progress], None],
    encoder: Encoder | None,
    gate: Gate | None,
    *,
    force: bool,
) -> BuildReport:
    source = read_articles(settings.articles, settings.article_bytes)
    hashes = _hashes(source)
    model = encoder.model if encoder else find_model_of(settings.index, settings.model, settings.model_sha256)
    with writable(settings.index):
        make_folder(settings.index)
        with locked(settings.index), _previous(settings.index) as (previous, damage):
            remove_leftovers(settings.index)
            changes = _compare(hashes, source.notes, previous, settings, model, damage)
            if previous and not changes.any:
                remove_old(settings.index, previous.name, settings.keep)
                (settings.index / KEPT).unlink(missing_ok=True)
                return _unchanged(previous, changes)
            if not force and (fault := shrinkage(changes, settings)):
                raise ShrunkError(fault)
            if encoder is None:
                progress(Progress("loading the encoder", 0, 1))
                encoder = build_encoder(settings.index, model, [article.text for article in source.articles])
                progress(Progress("loading the encoder", 1, 1))
            if previous and previous.manifest.producer != encoder.producer and not changes.everything:
                changes = replace(changes, everything="vectors are now computed in another way")
            try:
                return _build(settings, source, hashes, changes, previous, encoder, progress, gate)
            except DamagedIndexError as error:
                if previous is None or changes.everything:
                    raise
                # It was whole when it was opened, and is no longer.
                changes = replace(changes, everything=f"{_UNUSABLE}: {error}")
                return _build(settings, source, hashes, changes, None, encoder, progress, gate)


def shrinkage(changes: Changes, settings: IndexSettings) -> str:
    """Say why a build would be refused without `force`, and what to do; "" where it would not."""
    if changes.shrunk <= settings.shrink:
        return ""
    now = changes.before - len(changes.removed) + len(changes.added)
    return (
        f"{count_of(now, 'article')} at {settings.articles}, and the index at {settings.index} holds "
        f"{changes.before:,}: that is fewer by more than FOOTNOTE_SHRINK allows ({settings.shrink:g}). Look "
        "whether the articles are all there. If so many are meant to go: `footnote index build --force`, "
        "`/rebuild force` in the chat, `/index rebuild force:True` on Discord."
    )


def _unchanged(previous: Generation, changes: Changes) -> BuildReport:
    held = previous.manifest
    return BuildReport(previous.name, changes, held.articles, held.passages, held.articles, 0, 0.0)


def _build(  # noqa: PLR0913 - one step of `build_index`, which has gathered all of these
    settings: IndexSettings,
    source: ArticleSource,
    hashes: dict[str, str],
    changes: Changes,
    previous: Generation | None,
    encoder: Encoder,
    progress: Callable[[Progress], None],
    gate: Gate | None,
) -> BuildReport:
    begun = time.monotonic()
    old = None if changes.everything else previous
    drafts = _draft(source.articles, hashes, old, encoder, settings.language, progress)
    basis = old.basis if old else encoder.basis
    written = write_generation(
        settings.index,
        drafts,
        encoder,
        basis,
        settings.language,
        progress,
        old,
        keep=settings.keep,
        before=previous.name if previous else "",
        gate=(lambda new: gate(new, previous, progress)) if gate else None,
    )
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
        gold=written.gold,
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
        yield None, f"{_UNUSABLE}: {error}"
        return
    try:
        yield generation, ""
    finally:
        generation.close()


def _open_whole(folder: Path) -> Generation:
    """Open the generation that serves, once it and its encoder's graph are found whole."""
    generation = open_generation(folder, check_mb=None)
    try:
        manifest = generation.manifest
        for line in verify(folder, manifest.encoder_fingerprint, manifest.producer):
            raise DamagedIndexError(line)
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
