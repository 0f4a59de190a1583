"""The word index of one generation, by Tantivy: BM25, phrases and document frequencies.

Texts are stemmed by `index.analysis` before they are indexed; Tantivy only splits them at spaces. BM25 is
Lucene's (k1 = 1.2, b = 0.75): Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009). A word
of the title or description weighs half of one of the text.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import tantivy

from index.analysis import stem_words, words
from index.errors import DamagedIndexError
from index.files import sync
from index.storage.store import Forms, StoredPassage

__all__ = ["TITLE_CHARACTERS", "TITLE_WEIGHT", "WordIndex", "WordIndexWriter"]

TITLE_WEIGHT = 0.5
"""What a word of the title or description weighs."""

TITLE_CHARACTERS = 1_000
"""How much of the title and description is indexed."""

# Words that spelling knows, at most: 80 MB of memory. Beyond them there are mostly names and slips.
_VOCABULARY = 300_000

_TOKENIZER = "spaces"
_COUNTS_KEPT = 4_096  # words
_HEAP_BYTES = 64_000_000
_MUST, _SHOULD, _MUST_NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", tokenizer_name=_TOKENIZER, index_option="position")
    builder.add_text_field("title", tokenizer_name=_TOKENIZER, index_option="freq")
    builder.add_text_field("words", tokenizer_name=_TOKENIZER, index_option="basic")
    builder.add_unsigned_field("row", fast=True)
    builder.add_unsigned_field("article", indexed=True)
    builder.add_boolean_field("heading", indexed=True)
    return builder.build()


def _register(index: tantivy.Index) -> None:
    spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_TOKENIZER, spaces)


class WordIndexWriter:
    """Writes a word index, passage by passage, in order of rows."""

    def __init__(self, folder: Path, language: str) -> None:
        """Begin an index in a new folder; raises OSError where it cannot be made."""
        folder.mkdir()
        self._folder = folder
        self._language = language
        with _writing():
            index = tantivy.Index(_schema(), path=str(folder))
            _register(index)
            # One thread, so that the same passages give the same index.
            self._writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)

    def add(self, stored: StoredPassage, subject: str, text: str) -> None:
        """Add a passage by its article's title and description, and the text that it is found by."""
        document = tantivy.Document()
        in_text, in_title = words(text), words(subject[:TITLE_CHARACTERS])
        document.add_text("text", " ".join(stem_words(in_text, self._language)))
        document.add_text("title", " ".join(stem_words(in_title, self._language)))
        document.add_text("words", " ".join({*in_text, *in_title}))
        document.add_unsigned("row", stored.row)
        document.add_unsigned("article", stored.article)
        document.add_boolean("heading", stored.passage.is_heading)
        with _writing():
            self._writer.add_document(document)

    def close(self) -> None:
        """Give an unfinished index up: when this returns, nothing is written any more."""
        with suppress(RuntimeError, ValueError):  # it is finished, or its disk is full
            self._writer.rollback()
            self._writer.wait_merging_threads()

    def finish(self) -> None:
        """Write what is left and sync every file; raises OSError where it cannot be written."""
        with _writing():
            self._writer.commit()
            self._writer.wait_merging_threads()
        for lock in self._folder.glob("*.lock"):
            lock.unlink()
        for path in (*self._folder.iterdir(), self._folder):
            sync(path)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # what Tantivy raises for whatever the system refuses
        raise OSError(f"the word index cannot be written: {error}") from error


@contextmanager
def _linked(folder: Path) -> Iterator[Path]:
    # Tantivy writes a lock beside the files that it opens, and the index may be on a read-only disk.
    links = Path(tempfile.mkdtemp(prefix="footnote-"))
    try:
        for path in folder.resolve().iterdir():
            if path.suffix != ".lock":
                (links / path.name).symlink_to(path)
        yield links
    finally:
        # A thread of Tantivy may write its lock once more meanwhile.
        for _ in range(3):
            shutil.rmtree(links, ignore_errors=True)


class WordIndex:
    """An open word index; safe to use from several threads."""

    def __init__(self, folder: Path, language: str, passages: int) -> None:
        """Open the index in `folder`, which must hold this many passages; nothing is written there.

        Raises:
            DamagedIndexError: it cannot be opened, or is of another generation.
        """
        self._folder = folder
        self._language = language
        self._counts: dict[tuple[str, ...], int] = {}
        with self._reading(), _linked(folder) as links:
            index = tantivy.Index.open(str(links))
            _register(index)
            self._searcher = index.searcher()
        self._schema = index.schema
        if (count := self._searcher.num_docs) != passages:
            raise DamagedIndexError.of(folder, f"has {count} passages instead of {passages}")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            # Tantivy raises ValueError for damage that it notices, and panics where it meets other damage. A
            # panic is no Exception, and its class cannot be imported.
            if isinstance(error, ValueError) or type(error).__name__ == "PanicException":
                raise DamagedIndexError.of(self._folder, f"cannot be searched: {error}") from error
            raise

    def vocabulary(self) -> dict[str, int]:
        """Return folded words with the number of passages that have each; the most common of very many."""
        with self._reading():
            return dict(self._searcher.terms_with_prefix("words", "", limit=_VOCABULARY))

    def passage_counts(self, terms: Sequence[Forms]) -> list[int]:
        """Return how many passages have each term, by any of its forms, in their text or title."""
        return [self._passages_with(tuple(forms)) for forms in terms]

    def _passages_with(self, forms: tuple[str, ...]) -> int:
        # Most words of a question are in others too, and the passages never change.
        count = self._counts.get(forms)
        if count is None:
            if len(self._counts) >= _COUNTS_KEPT:
                self._counts.clear()
            count = self._counts[forms] = self._count(self._any_form(forms))
        return count

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        """Tell whether some passage has all of these terms, and no passage but headings has."""
        having_all = tantivy.Query.boolean_query([(_MUST, self._any_form(forms)) for forms in terms])
        bodies = tantivy.Query.boolean_query([(_MUST, having_all), (_MUST_NOT, self._is_heading())])
        return not self._count(bodies) and bool(self._count(having_all))

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages with the highest BM25 for the phrases: row and score, best first."""
        scored = [(_SHOULD, query) for phrase in phrases for query in self._scored(phrase)]
        if not scored:
            return []
        clauses = [(_MUST, tantivy.Query.boolean_query(scored))]
        if article is not None:
            only = tantivy.Query.term_query(self._schema, "article", article)
            clauses.append((_MUST, tantivy.Query.const_score_query(only, 0.0)))
        if not headings:
            clauses.append((_MUST_NOT, self._is_heading()))
        with self._reading():
            hits = self._searcher.search(tantivy.Query.boolean_query(clauses), count, count=False).hits
            rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        ranked = [(int(row or 0), float(score)) for row, (score, _) in zip(rows, hits, strict=True)]
        return sorted(ranked, key=lambda hit: (-hit[1], hit[0]))

    def with_phrase(self, phrase: str, count: int) -> list[int]:
        """Return up to `count` rows of passages whose text has a phrase's words side by side, ascending."""
        query = self._in_text(self._stems(phrase))
        if query is None or count < 1:
            return []
        order = tantivy.Order.Asc
        with self._reading():
            found = self._searcher.search(query, count, count=False, order_by_field="row", order=order)
        return [int(row) for row, _ in found.hits]

    def _stems(self, phrase: str) -> list[str]:
        return stem_words(words(phrase), self._language)

    def _in_text(self, stems: Sequence[str]) -> tantivy.Query | None:
        if not stems:
            return None
        if len(stems) == 1:
            return tantivy.Query.term_query(self._schema, "text", stems[0], "freq")
        return tantivy.Query.phrase_query(self._schema, "text", list(stems))

    def _in_title(self, stems: Sequence[str]) -> tantivy.Query:
        return tantivy.Query.boolean_query(
            [(_MUST, tantivy.Query.term_query(self._schema, "title", stem, "freq")) for stem in stems]
        )

    def _scored(self, phrase: str) -> list[tantivy.Query]:
        stems = self._stems(phrase)
        in_text = self._in_text(stems)
        if in_text is None:
            return []
        return [in_text, tantivy.Query.boost_query(self._in_title(stems), TITLE_WEIGHT)]

    def _any_form(self, forms: Forms) -> tantivy.Query:
        queries = [query for form in forms for query in self._scored(form)]
        if not queries:
            return tantivy.Query.empty_query()
        return tantivy.Query.boolean_query([(_SHOULD, query) for query in queries])

    def _is_heading(self) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "heading", True)

    def _count(self, query: tantivy.Query) -> int:
        with self._reading():
            found = self._searcher.search(query, 1, count=True)
        return int(found.count or 0)  # type: ignore[attr-defined] # its stub lacks it
