"""Words to passages: which passages have a stem, and how much each has of it, read from a file.

FTS5 works its BM25 out anew for every question, from every passage that has any of its words: a fifth of a
second at 100,000 passages, two at a million. So the build works it out once. The file holds, stem by stem,

    the impact of the stem on a passage     8 bytes: f (k1 + 1) / (f + k1 (1 - b + b length / mean length))
    the row of the passage                  4 bytes; those of a stem ascend

first all impacts, then all rows; the table `stems` says where those of a stem begin and how many there are.
f counts how often a passage has the stem, its title at half weight. A passage's BM25 for some phrases is the
sum of inverse document frequency times impact, as SQLite's bm25() has it (k1 = 1.2, b = 0.75): Robertson and
Zaragoza, "The Probabilistic Relevance Framework" (2009). FTS5 cuts texts into stems, here and for a question
alike, and is asked for phrases of several words.

What is approximate, and only where a question's words have more than 100,000 places together (a collection
of 3,000 passages has no such question): its commonest words then choose no candidates, and weigh only on the
1,000 that its rarer words choose; and of one that alone has more places, only the first are looked at.
"""

from __future__ import annotations

import itertools
import json
import math
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.storage.checksums import Sums
from index.storage.durable import make_room
from index.storage.held import HeldFile
from index.storage.recent import Recent
from index.storage.rowfile import RowFile

__all__ = ["MOST_PLACES", "TOKENIZER", "Postings", "write_postings"]

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""How FTS5 cuts text into stems."""

_SCHEMA = """
CREATE TABLE stems (stem TEXT PRIMARY KEY, first INTEGER NOT NULL, passages INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE temp.stem_counts USING fts5vocab(main, passage_words, row);
CREATE VIRTUAL TABLE temp.stem_places USING fts5vocab(main, passage_words, instance);
"""
_SCRATCH = f"""
CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='{TOKENIZER}');
CREATE VIRTUAL TABLE stems USING fts5vocab(words, instance);
"""
_K1, _B = 1.2, 0.75
_PLACE_BYTES = 12
_TITLE = 0.5
"""Weight of a word of the title; one of the text weighs 1."""

_LEAST_IDF = 1e-6
"""What bm25() makes of the inverse document frequency of a phrase that most passages have."""

MOST_PLACES = 100_000
"""Places of a question's words that choose candidates: some 4 ms, however large the collection is.

Of the 10 passages with the highest BM25 of a million, 99% are still found, and 97% of the 50.
"""

_CHOSEN = 1_000
"""Candidates on which the words that chose none are weighed."""

_PHRASE_PLACES = 20_000
"""Places that the rarest word of a phrase may have for FTS5 to weigh the phrase: some 10 ms."""

_BLOCK = 1_000_000
"""Places of stems that are read at once when the file is written: some 50 MB."""

_KEPT_BYTES = 64_000_000
"""Of postings that are kept at hand: at a million passages a common word has 5 MB."""

_POSTING_BYTES = 400
"""What one takes besides its places."""

Forms = Sequence[str]
Rows = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Query = Callable[..., list[tuple[Any, ...]]]


def write_postings(database: sqlite3.Connection, path: Path) -> None:
    """Write the postings of `passage_words` to `path`, and the table `stems` of where they are."""
    database.executescript(_SCHEMA)
    counts = database.execute("SELECT term, doc, cnt FROM temp.stem_counts").fetchall()
    total = sum(passages for _, passages, _ in counts)
    with path.open("wb") as file:
        make_room(file, _PLACE_BYTES * total)
    if total:
        impacts = np.memmap(path, np.float64, "r+", 0, (total,)).view(np.ndarray)
        rows = np.memmap(path, np.int32, "r+", impacts.nbytes, (total,)).view(np.ndarray)
        _write_impacts(rows, impacts, _write_frequencies(database, counts, rows, impacts))
    starts = itertools.accumulate((passages for _, passages, _ in counts), initial=0)
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO stems VALUES (?, ?, ?)",
        ((stem, first, passages) for (stem, passages, _), first in zip(counts, starts, strict=False)),
    )
    database.execute("COMMIT")


def _write_frequencies(
    database: sqlite3.Connection, counts: Sequence[tuple[str, int, int]], rows: Rows, frequencies: Floats
) -> npt.NDArray[np.int64]:
    """Write how often each passage has each stem; return how many words each passage has."""
    # In the order of stems and passages, though SQLite does not promise it: so each stem's are counted again.
    places = database.execute("SELECT doc * 2 + (col = 'title') FROM temp.stem_places")
    ((passages,),) = database.execute("SELECT count(*) FROM passages")
    lengths = np.zeros(passages, dtype=np.int64)
    first = 0
    for block in _blocks(counts):
        size = sum(count for _, _, count in block)
        keys = np.fromiter((key for (key,) in itertools.islice(places, size)), np.int64, size)
        stems = np.repeat(np.arange(len(block)), [count for _, _, count in block])
        docs = keys >> 1
        starts = np.flatnonzero(np.diff(docs, prepend=-1) | np.diff(stems, prepend=-1))
        found = np.bincount(stems[starts], minlength=len(block))
        if not np.array_equal(found, [met for _, met, _ in block]):
            raise sqlite3.DatabaseError("the stems of the database are not in order")
        last = first + len(starts)
        rows[first:last] = docs[starts]
        frequencies[first:last] = np.add.reduceat(np.where(keys & 1, _TITLE, 1.0), starts)
        first = last
        lengths += np.bincount(docs, minlength=passages)
    return lengths


def _blocks(counts: Sequence[tuple[str, int, int]]) -> Iterator[list[tuple[str, int, int]]]:
    """Part stems, in order, into runs that have about `_BLOCK` places."""
    block: list[tuple[str, int, int]] = []
    size = 0
    for one in counts:
        block.append(one)
        size += one[2]
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _write_impacts(rows: Rows, impacts: Floats, lengths: npt.NDArray[np.int64]) -> None:
    """Turn the frequencies in `impacts` into impacts, in place."""
    norms = _K1 * (1 - _B + _B * lengths / lengths.mean())
    for first in range(0, len(rows), _BLOCK):
        part = slice(first, first + _BLOCK)
        often = np.asarray(impacts[part])
        impacts[part] = often * (_K1 + 1) / (often + norms[rows[part]])


@dataclass(frozen=True, slots=True)
class _Posting:
    """The passages that have a phrase, ascending, with its impact on each, and its idf."""

    rows: Rows
    impacts: Floats
    idf: float

    @property
    def weight(self) -> int:
        """The bytes of memory that it takes."""
        return _POSTING_BYTES + self.rows.nbytes + self.impacts.nbytes

    def within(self, run: range) -> _Posting:
        """Return the part of it that is of a run of passages."""
        start, end = np.searchsorted(self.rows, [run.start, run.stop])
        return _Posting(self.rows[start:end], self.impacts[start:end], self.idf)

    def cut(self, count: int) -> _Posting:
        """Return its first places."""
        return _Posting(self.rows[:count], self.impacts[:count], self.idf)

    def has(self, rows: Rows) -> Bools:
        """Tell of each of some passages whether it has the phrase."""
        if not len(self.rows):
            return np.zeros(len(rows), dtype=np.bool_)
        return np.asarray(self.rows[self._places(rows)] == rows)

    def weights(self, rows: Rows) -> Floats:
        """Return what the phrase adds to the BM25 of each of some passages; it has some of its own."""
        places = self._places(rows)
        return np.where(self.rows[places] == rows, self.idf * self.impacts[places], 0.0)

    def _places(self, rows: Rows) -> npt.NDArray[np.int64]:
        return np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)


class Postings:
    """The postings of one generation; safe to use from several threads."""

    def __init__(
        self, file: HeldFile, sums: Sums, passages: int, query: Query, most: int = MOST_PLACES
    ) -> None:
        """Read a file by the checksums of its blocks; `query` runs a statement on the database.

        That has `passages` passages. Of a question's words, the rarest that have at most `most` places
        together choose candidates.

        Raises:
            DamagedIndexError: the file has another size than its checksums are of.
            ValueError: the file is not of this database.
        """
        ends = query("SELECT first + passages FROM stems ORDER BY stem DESC LIMIT 1")
        total = ends[0][0] if ends else 0
        if file.size != _PLACE_BYTES * total:
            raise ValueError(f"{file.path.name} has not the {total} places that the database knows")
        self._impacts = RowFile(file, sums, np.float64, 1, range(total))
        self._rows = RowFile(file, sums, np.int32, 1, range(2 * total, 3 * total))
        self._passages = passages
        self._most = most
        self._query = query
        self._scratch = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._scratch.executescript(_SCRATCH)
        self._lock = threading.Lock()
        self._postings: Recent[str, _Posting] = Recent(self._look_up, lambda one: one.weight, _KEPT_BYTES)

    def counts(self, terms: Sequence[Forms]) -> list[int]:
        """Return how many passages have any of the phrases of each term."""
        found = self._find(itertools.chain(*terms))
        return [self._count([found[phrase] for phrase in term]) for term in terms]

    def _count(self, forms: Sequence[_Posting]) -> int:
        """Count the passages of some phrases, each once; too many to tell apart are taken to be different."""
        sizes = [len(one.rows) for one in forms if len(one.rows)]
        if len(sizes) < 2 or sum(sizes) > self._most:
            return min(sum(sizes), self._passages)
        return len(np.unique(np.concatenate([one.rows for one in forms])))

    def have(self, rows: Sequence[int], terms: Sequence[Forms]) -> Bools:
        """Tell which passages have any of the phrases of each term: shape (rows, terms)."""
        found = self._find(itertools.chain(*terms))
        some = np.asarray(rows, dtype=np.int32)
        met = np.zeros((len(some), len(terms)), dtype=np.bool_)
        for at, term in enumerate(terms):
            met[:, at] = _has_any(some, [found[phrase] for phrase in term])
        return met

    def having_all(self, terms: Sequence[Forms]) -> Iterator[Rows]:
        """Yield the passages that have every term, by any of its phrases, some at a time; some come twice."""
        found = self._find(itertools.chain(*terms))
        forms = sorted(([found[phrase] for phrase in term] for term in terms), key=self._count)
        for one in forms[0]:
            for first in range(0, len(one.rows), _CHOSEN):
                rows = one.rows[first : first + _CHOSEN]
                for others in forms[1:]:
                    rows = rows[_has_any(rows, others)]
                yield rows

    def best(
        self, phrases: Forms, count: int, allowed: Bools | None = None, within: range | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages with the highest BM25 for some phrases (row, score), best first.

        With `allowed`, a truth for each passage, others are not among them; nor are those outside of a run
        of passages, if there is one.
        """
        found = self._find(phrases)
        forms = [found[phrase] for phrase in phrases]
        if within is not None:
            forms = [one.within(within) for one in forms]
        choosing, others = _part(forms, self._most)
        rows, scores = _add_up(choosing)
        if allowed is not None:
            may = allowed[rows]
            rows, scores = rows[may], scores[may]
        if others:
            foremost = _foremost(scores, _CHOSEN)
            rows, scores = rows[foremost], scores[foremost]
            for one in others:
                scores += one.weights(rows)
        kept = _foremost(scores, count)
        ordered = kept[np.lexsort((rows[kept], -scores[kept]))][:count]
        return list(zip(rows[ordered].tolist(), scores[ordered].tolist(), strict=True))

    def _find(self, phrases: Iterable[str]) -> dict[str, _Posting]:
        """Return the posting of each phrase; those looked up lately are at hand."""
        wanted = list(dict.fromkeys(phrases))
        return dict(zip(wanted, self._postings(wanted), strict=True))

    def _look_up(self, phrases: Sequence[str]) -> dict[str, _Posting]:
        cut = self._stems(phrases)
        stems = json.dumps(sorted(set(itertools.chain(*cut))))
        sql = "SELECT stem, first, passages FROM stems WHERE stem IN (SELECT value FROM json_each(?))"
        known = {stem: (first, passages) for stem, first, passages in self._query(sql, stems)}
        found = {}
        for phrase, parts in zip(phrases, cut, strict=True):
            places = [known.get(stem, (0, 0)) for stem in parts]
            rarest = min((passages for _, passages in places), default=0)
            if rarest and len(places) > 1:
                found[phrase] = self._phrase(phrase, rarest)
            else:
                found[phrase] = self._posting(*places[0]) if rarest else self._posting(0, 0)
        return found

    def _posting(self, first: int, passages: int) -> _Posting:
        run = [(first, first + passages)]
        return _Posting(self._rows.runs(run)[:, 0], self._impacts.runs(run)[:, 0], self._idf(passages))

    def _phrase(self, phrase: str, rarest: int) -> _Posting:
        """Ask FTS5 for a phrase; one of common words alone weighs the same wherever it stands."""
        weighed = rarest <= _PHRASE_PLACES
        score = "-bm25(passage_words, 1.0, 0.5)" if weighed else "0"
        found = self._query(
            f"SELECT rowid, {score} FROM passage_words WHERE passage_words MATCH ? ORDER BY rowid LIMIT ?",  # noqa: S608 - our own
            f'"{phrase}"',
            _PHRASE_PLACES,
        )
        rows = np.asarray([row for row, _ in found], dtype=np.int32)
        if weighed:
            return _Posting(rows, np.asarray([score for _, score in found], dtype=np.float64), 1.0)
        return _Posting(rows, np.ones(len(rows)), self._idf(len(rows)))

    def _idf(self, passages: int) -> float:
        return max(math.log((self._passages - passages + 0.5) / (passages + 0.5)), _LEAST_IDF)

    def _stems(self, phrases: Sequence[str]) -> list[list[str]]:
        """Cut phrases into stems, as FTS5 cut the passages."""
        cut: list[list[str]] = [[] for _ in phrases]
        with self._lock:
            self._scratch.execute("BEGIN")
            self._scratch.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", enumerate(phrases))
            for row, stem in self._scratch.execute("SELECT doc, term FROM stems ORDER BY doc, offset"):
                cut[row].append(stem)
            self._scratch.execute("ROLLBACK")
        return cut


def _has_any(rows: Rows, forms: Iterable[_Posting]) -> Bools:
    met = np.zeros(len(rows), dtype=np.bool_)
    for one in forms:
        met |= one.has(rows)
    return met


def _part(forms: Sequence[_Posting], most: int) -> tuple[list[_Posting], list[_Posting]]:
    """Part phrases into the rarer ones, which choose candidates, and the others; both in order."""
    room = most
    choosing: set[int] = set()
    for at in sorted(range(len(forms)), key=lambda at: len(forms[at].rows)):
        room -= len(forms[at].rows)
        if room < 0 and choosing:
            break
        choosing.add(at)
    others = [one for at, one in enumerate(forms) if at not in choosing]
    return [forms[at].cut(most) for at in sorted(choosing)], others


def _add_up(forms: Sequence[_Posting]) -> tuple[Rows, Floats]:
    """Return the passages that have any of some phrases, ascending, and the sum of the phrases' weights."""
    rows = np.concatenate([np.empty(0, dtype=np.int32), *(one.rows for one in forms)])
    weights = np.concatenate([np.empty(0), *(one.idf * one.impacts for one in forms)])
    if not len(rows):
        return rows, weights
    # A stable sort merges what ascends already, and keeps the order in which bm25() adds the phrases up.
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    begins = np.diff(rows, prepend=-1) != 0
    sums = np.bincount(np.cumsum(begins) - 1, weights[order])
    return rows[begins], np.asarray(sums, dtype=np.float64)


def _foremost(scores: Floats, count: int) -> npt.NDArray[np.int64]:
    """Return where the `count` highest scores are, and those equal to the last of them; in order."""
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.flatnonzero(scores >= np.partition(scores, -count)[-count])
