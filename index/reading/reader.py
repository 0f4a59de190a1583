"""Reader: the protocol, and what it says of a search's hits.

A reader reads a question and the sentences of its hits together. docs/architecture.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from index.search.hits import Found
    from index.storage.store import Store

__all__ = ["Reader", "Reading", "read_first", "with_reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of the hits that it read, which are the first of those found.

    `reader` is the reader's name. `sentences` has, for each of these hits and each of its sentences, the
    probability that the sentence answers; `none` is the probability that none does; together they make 1.
    `answer` is the span of the answer's words in the text (or heading) of the article of the likeliest
    sentence, if it is known.
    """

    reader: str
    sentences: Sequence[Sequence[float]]
    none: float
    answer: tuple[int, int] | None = None


def with_reading(found: Found, reading: Reading) -> Found:
    """Return what a search found with what a reader says of it: the hits with the likeliest answers first.

    A hit with more of the question's identifiers still precedes one with fewer.
    """
    read = []
    for hit, answers in zip(found.hits, reading.sentences, strict=False):
        pairs = zip(hit.sentences, answers, strict=True)
        read.append(replace(hit, sentences=tuple(replace(one, answer=answer) for one, answer in pairs)))
    read.sort(key=lambda hit: (-hit.best_sentence.match.held, -(hit.best_sentence.answer or 0.0)))
    return replace(found, hits=(*read, *found.hits[len(read) :]), reading=reading)


def read_first(found: Found, readers: Sequence[Reader], store: Store) -> Found:
    """Return what a search found, as the first of the readers that can read now has read it."""
    for reader in readers if found.hits else ():
        if reading := reader.read(found, store):
            return with_reading(found, reading)
    return found


class Reader(Protocol):
    """Reads questions against hits; safe to use from several threads."""

    @property
    def name(self) -> str:
        """What the reader is called in the fit of its confidence, and to people."""

    def read(self, found: Found, store: Store) -> Reading | None:
        """Return what the reader says of hits that a search of `store` found; there is at least one.

        None where it cannot read now, so that another reader or search alone answers. It raises
        DamagedIndexError where the store turns out damaged, and nothing else.
        """
