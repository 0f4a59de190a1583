"""One generation of the index on disk: where it is, whether it is whole, and how it is read.

    <index folder>/CURRENT              names the generation that serves, with its manifest's SHA-256
    <index folder>/<generation>/        manifest.json, passages.sqlite, postings.bin, dense.faiss,
                                        dense.f32 (of large collections), tokens.i8, basis.f32, and
                                        of .bin, .f32 and .i8 the checksums of their blocks (.sums)
    <index folder>/encoders/            the encoder's export (`index.encoding.opening`)
    <index folder>/lock                 held by the one build that may write
    <index folder>/kept.vectors         what a build that was cut off had encoded

A generation's name ends in the first characters of its manifest's SHA-256, and the manifest has the checksums
of each file: so every byte that is read is covered. At opening each file is read whole and compared; files of
rows are left out where they are large, but their blocks are compared each time they are read. Writing is in
`index.storage.writer`.

`tokens.i8` holds the packed token vectors of all sentences, in order, a row each; `basis.f32` the basis that
they are packed in. Both are plain numbers, row by row, without a header. `vectors` and `lexical`
say what is in the other files.
"""

from __future__ import annotations

import itertools
import json
import operator
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.articles.reading import Article
from index.encoding.compression import Basis, PackedTokens, Vectors
from index.errors import DamagedIndexError, NoIndexError
from index.passages.splitting import Passage, Sentence
from index.settings import CHECK_MB
from index.storage.checksums import Sums, check_file, check_size, read_checked
from index.storage.held import HeldFile
from index.storage.lexical import Postings
from index.storage.manifest import (
    BASIS,
    DATABASE,
    EXACT,
    GENERATION,
    POSTINGS,
    REBUILD,
    ROWS,
    TOKENS,
    Manifest,
    read_manifest,
    read_named_manifest,
    read_pointer,
)
from index.storage.recent import Recent
from index.storage.rowfile import RowFile
from index.storage.sqlite import open_database, tell_damage
from index.storage.store import Forms, StoredPassage
from index.storage.vectors import Dense
from index.storage.verification import IndexStatus, status_of

_WORDS = 300_000
"""Words that questions are spelt by: 80 MB of memory and a second at opening."""

_KEPT_CHARACTERS = 4_000_000
"""Characters of articles that are kept at hand, or one article that has more."""

_KEPT_SENTENCES = 50_000
"""Sentences of passages whose places are kept at hand: some 15 MB."""

__all__ = [
    "Generation",
    "open_generation",
    "open_home",
    "open_named",
]


def open_generation(folder: Path, *, check_mb: int | None = CHECK_MB) -> Generation:
    """Open the current generation, checking every byte of it, or of a large one all but its files of rows.

    Those are read whole where they have no more than `check_mb` MB together, or it is None. Larger ones are
    checked as they are read, block by block.

    Raises:
        NoIndexError: there is none.
        DamagedIndexError: a file is not what was written, or is of another version.
    """
    pointer = read_pointer(folder)
    while True:
        try:
            return open_home(folder / pointer.generation, read_manifest(folder, pointer), check_mb)
        except DamagedIndexError:
            # A build may have published and removed the one just named; what CURRENT says now decides.
            before, pointer = pointer, read_pointer(folder)
            if before == pointer:
                raise


def open_named(folder: Path, name: str, *, check_mb: int | None = None) -> Generation:
    """Open a generation by its name, whether it serves or not; `check_mb` as for `open_generation`.

    Raises:
        NoIndexError: there is none of this name.
        DamagedIndexError: a file is not what was written, or is of another version.
    """
    if not GENERATION.fullmatch(name) or not (folder / name).exists():
        raise NoIndexError(
            f"no generation {name!r} in {folder}: `footnote index status` names the one that serves."
        )
    return open_home(folder / name, read_named_manifest(folder / name), check_mb)


def open_home(home: Path, manifest: Manifest, check_mb: int | None) -> Generation:
    """Open the generation in a folder, which need not have its name yet; `check_mb` as for `open_generation`.

    Raises:
        DamagedIndexError: a file is not what was written.
    """
    rows_too = check_mb is None or manifest.row_bytes <= check_mb * 1_000_000
    with ExitStack() as stack:
        files = {name: stack.enter_context(HeldFile(home / name)) for name in manifest.files}
        for name, wanted in manifest.digests().items():
            if rows_too or name not in ROWS:
                check_file(files[name], wanted)
            else:
                check_size(files[name], wanted)
        try:
            generation = Generation(home, manifest, files)
        except (LookupError, RuntimeError, TypeError, ValueError, sqlite3.Error) as error:
            raise DamagedIndexError(f"{home} cannot be opened: {error}. {REBUILD}") from error
        stack.pop_all()
        return generation


class Generation:
    """An open generation. It stays readable when its files are removed; safe to use from several threads."""

    def __init__(self, home: Path, manifest: Manifest, files: Mapping[str, HeldFile]) -> None:
        """Open the generation at `home`, whose files, held here from now on, were just found whole."""
        self.name = home.name
        self.manifest = manifest
        self._files = files
        self._stamps = {name: file.stamp for name, file in files.items()}
        self._lock = threading.Lock()
        self._closed = False
        self._digests = manifest.digests()
        width = manifest.token_width
        self.basis: Basis = np.frombuffer(self._read(BASIS), dtype=np.float32).reshape(-1, width)
        self._tokens = self._rows(TOKENS, np.int8, width)
        if len(self._tokens) != manifest.tokens:
            raise ValueError(f"{TOKENS} has {len(self._tokens)} tokens instead of {manifest.tokens}")
        # SQLite opens the file at the first statement; from then on it may be removed under us.
        self._database = open_database(files[DATABASE].path)
        try:
            self._open_rest(home)
        except BaseException:
            self._database.close()
            raise

    def _open_rest(self, home: Path) -> None:
        manifest = self.manifest
        self.query("PRAGMA cache_size = -32000")  # kB: the inner pages of a million passages' tables
        headings = [row for (row,) in self.query("SELECT id FROM passages WHERE is_heading")]
        self._bodies = np.ones(manifest.passages, dtype=np.bool_)
        self._bodies[headings] = False
        exact = self._rows(EXACT, np.float32, manifest.dimension) if EXACT in self._files else None
        self._dense = Dense(home, self._bodies, manifest.dimension, exact)
        self._postings = Postings(self._files[POSTINGS], self._sums(POSTINGS), manifest.passages, self.query)
        self._articles = Recent(self._read_articles, lambda one: len(one.text), _KEPT_CHARACTERS)
        self._out_of_step: set[str] = set()
        self._stored = Recent(self._read_passages, lambda one: len(one.tokens), _KEPT_SENTENCES)

    def _read(self, name: str) -> bytes:
        return read_checked(self._files[name], self._digests[name])

    def _sums(self, name: str) -> Sums:
        return np.frombuffer(self._read(ROWS[name]), dtype="<u8")

    def _rows(self, name: str, dtype: npt.DTypeLike, width: int) -> RowFile:
        return RowFile(self._files[name], self._sums(name), dtype, width)

    def status(self) -> IndexStatus:
        """Return the generation's figures."""
        return status_of(self.name, self.manifest)

    def touched(self) -> bool:
        """Whether a file was written to since it was opened or last checked; removing is no writing."""
        with self._lock:
            return not self._closed and any(
                file.look() != self._stamps[name] for name, file in self._files.items()
            )

    def check(self) -> None:
        """Read every byte of the files once more, also of those that were removed.

        Raises:
            DamagedIndexError: one is not what was written.
        """
        with ExitStack() as stack:
            with self._lock:
                if self._closed:
                    return
                files = {name: stack.enter_context(file.again()) for name, file in self._files.items()}
            stamps = {name: file.stamp for name, file in files.items()}
            for name, file in files.items():
                check_file(file, self._digests[name])
            self._stamps = stamps

    def close(self) -> None:
        """Free the database and the files; the generation cannot be used afterwards."""
        with self._lock:
            self._closed = True
            self._database.close()
            for file in self._files.values():
                file.close()

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one read-only statement.

        Raises:
            DamagedIndexError: the database is damaged, or the disk fails.
        """
        try:
            with self._lock:
                return self._database.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            tell_damage(self._files[DATABASE].path, error)
            raise

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages nearest to a question's vector (row, cosine), best first.

        Without `headings`, no heading is among them, nor takes the place of another passage; with the row of
        an `article`, only its passages are, and none is missed.
        """
        if article is None:
            return self._dense.nearest(vector, count, headings=headings)
        run = self._run(article)
        rows = np.arange(run.start, run.stop)
        return self._dense.best_of(rows if headings else rows[self._bodies[rows]], vector, count)

    def _run(self, article: int) -> range:
        """Return the rows of an article's passages."""
        sql = "SELECT ifnull(min(id), 0), ifnull(max(id) + 1, 0) FROM passages WHERE article = ?"
        ((first, end),) = self.query(sql, article)
        return range(first, end)

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """Return the dense vectors of passages, shape (rows, dimension)."""
        return self._dense.vectors(rows)

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> list[float]:
        """Return the cosines of a question's vector, shape (1, dimension), and those of passages."""
        return [float(one) for one in self._dense.cosines(vector, rows)]

    def counts(self, terms: Sequence[Forms]) -> list[int]:
        """Return how many passages meet each term, by any of its forms."""
        return self._postings.counts(terms)

    def adjacent(self, left: str, right: str) -> bool:
        """Tell whether two words stand side by side, in this order, in some passage."""
        sql = "SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT 1"
        return bool(self.query(sql, f'"{left} {right}"'))

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        """Tell whether some passage meets all of these terms, and none but headings do."""
        met = False
        for rows in self._postings.having_all(terms):
            if self._bodies[rows].any():
                return False
            met |= len(rows) > 0
        return met

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages with the highest BM25 for all phrases (row, score), best first, then by row.

        `headings` and `article` as for `nearest`; see `index.storage.lexical` for what is approximate.
        """
        run = None if article is None else self._run(article)
        return self._postings.best(phrases, count, None if headings else self._bodies, run)

    def have(self, rows: Sequence[int], terms: Sequence[Forms]) -> npt.NDArray[np.bool_]:
        """Tell which passages meet which terms: shape (rows, terms)."""
        return self._postings.have(rows, terms)

    def tokens(self, first: int, last: int) -> PackedTokens:
        """Return the packed vectors of a run of tokens, `last` not included; they are read from the disk."""
        return self._tokens.runs([(first, last)])

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        """Return the packed token vectors of passages, one after the other."""
        return self._tokens.runs((one.first_token, one.first_token + sum(one.tokens)) for one in passages)

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """Return passages by row, in the order asked for; those asked for lately are at hand."""
        return self._stored(rows)

    def _read_passages(self, rows: Sequence[int]) -> dict[int, StoredPassage]:
        found = self._passages("passage IN (SELECT value FROM json_each(?))", rows)
        return {one.row: one for one in found}

    def _passages(self, condition: str, rows: Sequence[int]) -> list[StoredPassage]:
        sentences = self.query(
            'SELECT passage, sentences.id, article, paragraph, start, "end", first_token, tokens '  # noqa: S608 - our own conditions
            f"FROM sentences JOIN passages ON passages.id = passage WHERE {condition} ORDER BY sentences.id",
            json.dumps(list(rows)),
        )
        return [_stored(list(group)) for _, group in itertools.groupby(sentences, operator.itemgetter(0))]

    def words(self) -> dict[str, int]:
        """Return words of the collection as they are spelt, folded, with the passages that have each.

        Of a very large collection they are the commonest: it has a million names and slips that stand once.
        """
        ((count,),) = self.query("SELECT count(*) FROM words")
        if count <= _WORDS:
            return dict(self.query("SELECT word, passages FROM words"))
        commonest = "SELECT word, passages FROM words ORDER BY passages DESC, word LIMIT ?"
        return dict(self.query(commonest, _WORDS))

    def abbreviations(self) -> list[tuple[str, str]]:
        """Return the abbreviations that the articles introduce, as short and long form."""
        rows = self.query(
            "SELECT short, long FROM abbreviations GROUP BY short, long ORDER BY min(abbreviations.rowid)"
        )
        return [(short, long) for short, long in rows]

    def article(self, row: int) -> Article:
        """Return an article by its row."""
        return self.articles([row])[0]

    def articles(self, rows: Sequence[int]) -> list[Article]:
        """Return articles by row, in the order asked for; those asked for lately are at hand."""
        return self._articles(rows)

    def _read_articles(self, rows: Sequence[int]) -> dict[int, Article]:
        found = self.query(
            "SELECT id, name, title, author, publisher, url, published, heading, text, content_hash "
            "FROM articles WHERE id IN (SELECT value FROM json_each(?))",
            json.dumps(rows),
        )
        articles = {row: Article(*fields) for row, *fields, _ in found}
        for row, *_, digest in found:
            if articles[row].content_hash == digest:
                self._out_of_step.discard(articles[row].id)
            else:
                self._out_of_step.add(articles[row].id)
        return articles

    def is_in_step(self, identity: str) -> bool:
        """Tell whether an article that was read had the content that its hash was made of."""
        return identity not in self._out_of_step

    def passage_keys(self, rows: Sequence[int]) -> dict[int, str]:
        """Return the keys of passages, by row: hashes of the text that their vectors were made of."""
        sql = "SELECT id, key FROM passages WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self.query(sql, json.dumps(list(rows))))

    def article_row(self, identity: str) -> int | None:
        """Return the row of the article with this id, or None."""
        # As bytes, since half a character, which no id has, would be refused as text.
        name = identity.encode("utf-8", "surrogatepass")
        rows = self.query("SELECT id FROM articles WHERE name = CAST(? AS TEXT)", name)
        return rows[0][0] if rows else None

    def article_by_id(self, identity: str) -> Article | None:
        """Return the article with this id, or None."""
        row = self.article_row(identity)
        return None if row is None else self.article(row)

    def article_lines(self) -> list[tuple[str, str, str, str, str, str, int]]:
        """Return id, title, author, publisher, url, published and paragraphs of every article, in order.

        The texts are not read: the last paragraph's number is how many there are.
        """
        return [
            (*fields, paragraphs)
            for *fields, paragraphs in self.query(
                "SELECT name, title, author, publisher, url, published, "
                "(SELECT max(paragraph) FROM sentences WHERE passage = "
                "(SELECT max(id) FROM passages WHERE article = articles.id)) FROM articles ORDER BY id"
            )
        ]

    def article_rows(self) -> list[tuple[int, str, str]]:
        """Return every article's row, id and content hash, in the order in which they were indexed."""
        rows = self.query("SELECT id, name, content_hash FROM articles ORDER BY id")
        return [(row, name, digest) for row, name, digest in rows]

    def rows_of_keys(self, keys: Iterable[str]) -> dict[str, int]:
        """Return the row of a passage with each of these keys, where there is one."""
        sql = "SELECT key, min(id) FROM passages WHERE key IN (SELECT value FROM json_each(?)) GROUP BY key"
        return dict(self.query(sql, json.dumps(list(keys))))

    def passages_of(self, article: int) -> list[StoredPassage]:
        """Return every passage of an article, in order; the heading's first."""
        return self._passages("article IN (SELECT value FROM json_each(?))", [article])


def _stored(sentences: list[tuple[int, ...]]) -> StoredPassage:
    """Put a passage together from the rows of its sentences."""
    row, first_sentence, article, _, _, _, first_token, _ = sentences[0]
    spans = tuple(Sentence(*fields[3:6]) for fields in sentences)
    tokens = tuple(fields[7] for fields in sentences)
    return StoredPassage(row, article, first_sentence, Passage(spans), first_token, tokens)
