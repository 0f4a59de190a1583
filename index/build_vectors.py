"""A build's passages and their vectors: reused from the previous generation or a cache, else encoded.

No vector stays in memory longer than it takes to write it: what is encoded goes to the cache at once, and
comes back article by article.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.articles.article import Article
from index.build_report import Progress
from index.encoding.encoder import Basis, Encoder, TextVectors
from index.passages.encoder_input import EncoderInput, encoder_input, title_prefix
from index.passages.splitting import Passage, split_article
from index.storage.store import Store, StoredPassage
from index.storage.vector_cache import PassageVectors, VectorCache

if TYPE_CHECKING:
    from index.storage.milvus.shards import SharedVectors

__all__ = ["ArticleDraft", "BuildVectors", "draft_article"]

_BATCH_CHARACTERS = 64_000  # encoded between two writes to the cache: some seconds of work


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """An article on its way into a generation: with its passages and their keys, or its previous row.

    `previous_row` is that of an article with the same content in the previous generation, whose passages are
    reused; None for an article that is new or has changed.
    """

    article: Article
    passages: tuple[tuple[Passage, bytes], ...] = ()
    previous_row: int | None = None


def draft_article(article: Article, encoder: Encoder, language: str) -> ArticleDraft:
    """Split an article so that each passage fits the encoder's window together with its title."""
    (title_tokens,) = encoder.count_tokens([title_prefix(article, encoder.window, described=True)])
    room = encoder.window - title_tokens
    passages = split_article(article, encoder.count_tokens, room, language)
    keyed = ((one, encoder_input(article, one, encoder.window, language).key) for one in passages)
    return ArticleDraft(article, tuple(keyed))


class BuildVectors:
    """Where the vectors of a build's passages come from.

    `encoded` counts the passages that this build encoded, `resumed` those that an interrupted one had, or
    that other machines encoded.
    """

    def __init__(
        self,
        previous: Store | None,
        cache: VectorCache | SharedVectors,
        encoder: Encoder,
        basis: Basis,
        shared: SharedVectors | None = None,
    ) -> None:
        """Take the previous generation, made with the same encoder, basis and settings, if there is one.

        What is encoded goes to `cache`, which first gets what `shared` has.
        """
        self._shared = shared
        self._previous = previous
        self._cache = cache
        self._encoder = encoder
        self._basis = basis
        self._previous_rows: dict[bytes, int] = {}
        self.encoded = self.resumed = 0

    def encode_missing(
        self, drafts: Sequence[ArticleDraft], language: str, progress: Callable[[Progress], None]
    ) -> None:
        """Encode every passage whose vectors are neither in the previous generation nor in a cache.

        Raises:
            BusyError: the shared vectors cannot be reached.
            sqlite3.Error: the cache cannot be written.
        """
        passages = {key: (draft.article, one) for draft in drafts for one, key in draft.passages}
        if self._previous is not None:
            self._previous_rows = self._previous.rows_of_keys(list(passages))
        new = [key for key in passages if key not in self._previous_rows]
        cached = self._cache.present(new)
        if self._shared is not None:
            for batch in self._shared.read([key for key in new if key not in cached]):
                self._cache.add(batch)
                cached.update(key for key, _ in batch)
        missing = [key for key in new if key not in cached]
        self.resumed, self.encoded = len(cached), len(missing)
        done = 0
        for keys in _batches({key: passages[key][1].end - passages[key][1].start for key in missing}):
            inputs = [encoder_input(*passages[key], self._encoder.window, language) for key in keys]
            encoded = self._encoder.encode_passages([each.text for each in inputs], self._basis)
            self._cache.add(zip(keys, map(_sentence_vectors, encoded, inputs), strict=True))
            done += len(keys)
            progress(Progress("encoding", done, len(missing)))

    def passages_of(self, draft: ArticleDraft) -> Iterator[tuple[Passage, bytes, PassageVectors]]:
        """Yield the passages of an article with key and vectors, in order."""
        if draft.previous_row is not None and self._previous is not None:
            for stored in self._previous.passages_of(draft.previous_row):
                yield stored.passage, stored.key, _stored_vectors(self._previous, stored)
        for passage, key in draft.passages:
            row = self._previous_rows.get(key)
            if row is None or self._previous is None:
                yield passage, key, self._cache[key]
            else:
                (stored,) = self._previous.passages([row])
                yield passage, key, _stored_vectors(self._previous, stored)


def _batches(lengths: dict[bytes, int]) -> list[list[bytes]]:
    """Return keys in batches of bounded size, the longest passages first.

    So memory that is too small shows at once, and the time left is estimated too high, not too low.
    """
    batches: list[list[bytes]] = []
    size = _BATCH_CHARACTERS
    for key in sorted(lengths, key=lambda key: -lengths[key]):
        if size >= _BATCH_CHARACTERS:
            batches.append([])
            size = 0
        batches[-1].append(key)
        size += lengths[key]
    return batches


def _stored_vectors(store: Store, stored: StoredPassage) -> PassageVectors:
    dense = store.passage_vectors([stored.row])[0]
    return PassageVectors(dense, store.token_vectors([stored]), stored.token_counts)


def _sentence_vectors(encoded: TextVectors, source: EncoderInput) -> PassageVectors:
    """Keep of a passage's token vectors those of tokens that begin within a sentence."""
    edges = np.searchsorted(encoded.spans[:, 0], source.sentences)
    tokens = [encoded.tokens[start:end] for start, end in edges]
    return PassageVectors(encoded.dense, np.concatenate(tokens), tuple(map(len, tokens)))
