"""One machine's share of a build's encoding, for `footnote index publish` to collect."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.build import build_index, passage_settings
from index.build_report import BuildReport, Gate, Progress
from index.build_vectors import BuildVectors, draft_article
from index.encoding.reference import build_encoder
from index.errors import DamagedIndexError, NoIndexError, SettingsError
from index.settings import IndexSettings
from index.sources.collection import read_collection
from index.storage.engine import engine_of
from index.storage.inspection import find_model_of
from index.storage.store import Store
from index.terminal import count_of

if TYPE_CHECKING:
    from index.storage.milvus.shards import SharedVectors

__all__ = ["ShardReport", "encode_shard", "publish_shards"]


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What a machine did: of the new passages of its share, it `encoded` these; others had been before."""

    number: int
    of: int
    encoded: int
    before: int
    seconds: float

    def summary(self) -> str:
        """Return a sentence for people."""
        encoded = f"{count_of(self.encoded, 'passage')} encoded, {self.before:,} had been before"
        return f"Share {self.number} of {self.of}: {encoded}; {self.seconds:.1f} s."


def encode_shard(
    settings: IndexSettings,
    number: int,
    of: int,
    progress: Callable[[Progress], None],
) -> ShardReport:
    """Encode share `number`, from 1, `of` so many of the passages that are neither served nor encoded yet.

    Nothing is published, and no lock is needed.

    Raises:
        ArticleError: an article cannot be indexed.
        BusyError: Milvus does not answer.
        NoModelError: the encoder's weights are not available.
        SettingsError: no store is set, or other machines encode with another encoder.
    """
    begun = time.monotonic()
    shared = _shared_vectors(settings)
    source, model = read_collection(settings), find_model_of(settings)
    serving = _serving(settings, model.fingerprint)
    encoder = build_encoder(settings.index, model)
    basis = serving.basis if serving else encoder.basis
    vectors = BuildVectors(serving, shared(settings, model, basis), encoder, basis)
    known = {row.content_hash for row in serving.catalogue()} if serving else set()
    new = [article for article in source.articles if article.content_hash not in known]
    drafts = []
    for done, article in enumerate(new, 1):
        draft = draft_article(article, encoder, settings.language)
        own = (one for one in draft.passages if int.from_bytes(one[1]) % of == number - 1)
        drafts.append(replace(draft, passages=tuple(own)))
        progress(Progress("reading", done, len(new)))
    vectors.encode_missing(drafts, settings.language, progress)
    return ShardReport(number, of, vectors.encoded, vectors.resumed, time.monotonic() - begun)


def publish_shards(
    settings: IndexSettings,
    progress: Callable[[Progress], None],
    *,
    gate: Gate | None,
    force: bool,
    strict: bool,
) -> BuildReport:
    """Build with the vectors of all shares, publish, and drop those vectors; see `build_index`.

    With `force`, vectors of another encoder are dropped, not refused.

    Raises:
        SettingsError: no store is set, or the shares were made with another encoder.
    """
    shared = _shared_vectors(settings)
    collect = functools.partial(shared, settings, force=force)
    report = build_index(settings, progress, gate=gate, force=force, strict=strict, collect=collect)
    shared.drop(settings)
    return report


def _shared_vectors(settings: IndexSettings) -> type[SharedVectors]:
    if not settings.store:
        raise SettingsError("the machines that share a build meet in Milvus: set FOOTNOTE_STORE.")
    engine_of(settings)  # says what to do where pymilvus is missing
    from index.storage.milvus.shards import SharedVectors

    return SharedVectors


def _serving(settings: IndexSettings, fingerprint: str) -> Store | None:
    """Open the serving generation, if a build would reuse its vectors."""
    try:
        store = engine_of(settings).open()
    except (NoIndexError, DamagedIndexError):
        return None
    info, writing = store.info, passage_settings(settings.language)
    same = (info.encoder_fingerprint, info.passage_settings) == (fingerprint, writing)
    return store if same else None
