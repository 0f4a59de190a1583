"""Drafts to vectors and rows: what is nowhere yet is encoded, then everything is put together in order.

No vector is held longer than it takes to write it: those of passages that are encoded go to a file at once
(`index.storage.vector_cache`), and come back one passage at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from index.encoding.compression import Basis
from index.encoding.encoder import Encoder, batches
from index.passages.drafts import Draft, PassageVectors, passage_text, read_passages, vectors_of
from index.passages.splitting import Passage
from index.progress import Progress
from index.storage.database import DatabaseWriter
from index.storage.local import Generation
from index.storage.vector_cache import Kept

__all__ = ["Source", "assemble", "encode_missing"]

_LONGEST_RUN = 100
"""Articles that are copied at once."""
_TOKENS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Source:
    """Where the vectors of passages are found by their keys: in the generation before, or kept.

    `encoded` counts those encoded just now, `resumed` those that a build which was cut off had encoded.
    """

    old: Generation | None
    rows: dict[str, int]
    kept: Kept
    encoded: int
    resumed: int

    def vectors(self, key: str) -> PassageVectors:
        """Return the vectors of a passage."""
        row = self.rows.get(key)
        if self.old is None or row is None:
            return self.kept[key]
        (stored,) = self.old.passages([row])
        tokens = self.old.tokens(stored.first_token, stored.first_token + sum(stored.tokens))
        return PassageVectors(self.old.passage_vectors([row])[0], tokens, stored.tokens)


def encode_missing(  # noqa: PLR0913 - what decides a passage's vectors
    drafts: Sequence[Draft],
    old: Generation | None,
    kept: Kept,
    encoder: Encoder,
    basis: Basis,
    language: str,
    progress: Callable[[Progress], None],
) -> Source:
    """Encode each passage that is neither in `old` nor `kept`, once, and keep its vectors.

    Raises:
        OSError: they cannot be written.
    """
    wanted: dict[str, tuple[int, Draft, Passage]] = {}
    for draft in drafts:
        for passage, key, text in read_passages(draft, encoder, language):
            wanted.setdefault(key, (len(text), draft, passage))
    rows = old.rows_of_keys(wanted) if old and wanted else {}
    missing = [key for key in wanted if key not in rows and key not in kept]
    done = 0
    for batch in batches([wanted[key][0] for key in missing]):
        keys = [missing[row] for row in batch]
        read = [passage_text(wanted[key][1].article, wanted[key][2], encoder, language) for key in keys]
        encoded = encoder.encode_passages([text for text, _ in read], basis)
        found = [vectors_of(one, places) for one, (_, places) in zip(encoded, read, strict=True)]
        kept.add(zip(keys, found, strict=True))
        done += len(batch)
        progress(Progress("encoding", done, len(missing)))
    return Source(old, rows, kept, len(missing), len(wanted) - len(rows) - len(missing))


def assemble(  # noqa: PLR0913 - what a generation is made of
    tokens: Path,
    dense: Path,
    drafts: Sequence[Draft],
    source: Source,
    database: DatabaseWriter,
    encoder: Encoder,
    language: str,
    progress: Callable[[Progress], None],
) -> None:
    """Write all rows, in order: to the database, and the vectors of tokens and of passages to two files.

    Raises:
        OSError: a file cannot be written.
        sqlite3.OperationalError: the database cannot be written.
    """
    with tokens.open("wb") as token_file, dense.open("wb") as dense_file:
        for run in _runs(drafts):
            if source.old is not None and run[0].row is not None:
                rows = database.copy([draft.article for draft in run], run[0].row)
                dense_file.write(source.old.passage_vectors(rows.passages).tobytes())
                _copy_tokens(source.old, rows.tokens, token_file)
            else:
                read = list(read_passages(run[0], encoder, language))
                found = [source.vectors(key) for _, key, _ in read]
                passages = [(passage, key) for passage, key, _ in read]
                database.add(run[0].article, passages, [one.counts for one in found])
                for one in found:
                    dense_file.write(one.dense.tobytes())
                    token_file.write(one.tokens.tobytes())
            progress(Progress("writing", database.articles, len(drafts)))
        token_file.flush()
        os.fsync(token_file.fileno())


def _runs(drafts: Sequence[Draft]) -> Iterator[list[Draft]]:
    """Part drafts, in order, into runs whose rows follow one another; one that has no row stands alone."""
    run: list[Draft] = []
    for draft in drafts:
        after = run[-1].row if run else None
        if run and (after is None or draft.row != after + 1 or len(run) == _LONGEST_RUN):
            yield run
            run = []
        run.append(draft)
    if run:
        yield run


def _copy_tokens(old: Generation, rows: range, file: BinaryIO) -> None:
    for first in range(rows.start, rows.stop, _TOKENS_AT_ONCE):
        last = min(first + _TOKENS_AT_ONCE, rows.stop)
        file.write(old.tokens(first, last).data)
