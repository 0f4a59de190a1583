"""What every store promises, as tests that each implementation inherits.

To put an engine under contract, subclass `StoreContract` with a fixture `store` that holds the `collection`
(see test_store_contract.py). What is expected is computed from the collection, never asked of a store.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.analysis import stems, words
from index.articles.article import Article
from index.articles.blocks import BlockKind
from index.encoding.encoder import Basis, Vectors, unit
from index.encoding.packing import packed_width
from index.passages.encoder_input import searched_text
from index.passages.splitting import Passage
from index.storage.store import Forms, Store
from index.storage.vector_cache import PassageVectors
from tests.strategies import hostile_text

__all__ = ["LANGUAGE", "Collection", "Entry", "StoreContract"]

LANGUAGE = "en"
PHRASES = (
    *"tower lamp lamps guild HPG cap eclair éclairs ZOE who wrote title the otter xyzzy 112 tram".split(),
    *("white paper", "paper white", "harbour pilots guild", "steam tug", "grey cap", "line nine", "", "?!"),
)
UNKNOWN_IDS = ("", "no such", "Lighthouse", "' OR 1 --", "\x00", "\ud800", "%", "a" * 100_000)
# The tests are inherited by several classes, which hypothesis warns of.
_PROPERTY = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True, slots=True)
class Entry:
    """An article and its passages, as `GenerationWriter.add` takes them."""

    article: Article
    abbreviations: Sequence[tuple[str, str]]
    passages: Sequence[tuple[Passage, bytes, PassageVectors]]


@dataclass(frozen=True, slots=True)
class Collection:
    """What a store is made of; two of its articles are the same but for their ids."""

    basis: Basis
    entries: tuple[Entry, ...]

    @property
    def rows(self) -> list[tuple[int, Passage, bytes, PassageVectors]]:
        """Every passage in order of rows, after its article's row."""
        return [(row, *passage) for row, entry in enumerate(self.entries) for passage in entry.passages]

    @property
    def vectors(self) -> Vectors:
        """The passages' vectors, shape (passages, dimension)."""
        return np.stack([vectors.dense for *_, vectors in self.rows])

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What each passage is found by: its searched text, and its article's title."""
        articles = [(self.entries[row].article, passage) for row, passage, *_ in self.rows]
        return [(searched_text(*pair, LANGUAGE), pair[0].title) for pair in articles]

    def question(self, seed: int) -> Vectors:
        """Return a random unit vector, shape (dimension,)."""
        generator = np.random.default_rng(seed)
        vector: Vectors = unit(generator.normal(size=(1, self.vectors.shape[1])))[0]
        return vector

    def allowed(self, headings: bool, article: int | None) -> list[int]:
        """Return the rows that a search may find."""
        rows = enumerate(self.rows)
        return [
            at for at, (row, one, *_) in rows if (headings or not one.is_heading) and article in {None, row}
        ]

    def having(self, forms: Forms, *, in_title: bool = True) -> set[int]:
        """Return the rows that have a term: side by side in the text, or all of it in the title."""
        found = set()
        for (row, (text, title)), form in itertools.product(enumerate(self.texts), forms):
            phrase, in_text = stems(form, LANGUAGE), stems(text, LANGUAGE)
            side_by_side = any(in_text[at : at + len(phrase)] == phrase for at in range(len(in_text)))
            if phrase and (side_by_side or (in_title and set(phrase) <= set(stems(title, LANGUAGE)))):
                found.add(row)
        return found


class StoreContract:
    """The promises. Each test takes a store that holds the collection."""

    def test_info_counts_what_was_put_in(self, store: Store, collection: Collection) -> None:
        info, rows = store.info, collection.rows
        assert (info.articles, info.passages) == (len(collection.entries), len(rows))
        assert info.sentences == sum(len(passage.sentences) for _, passage, *_ in rows)
        assert info.tokens == sum(len(vectors.tokens) for *_, vectors in rows)
        assert (info.language, bool(info.generation)) == (LANGUAGE, True)
        np.testing.assert_array_equal(store.basis, collection.basis)
        store.check()

    def test_articles_have_rows_in_order(self, store: Store, collection: Collection) -> None:
        articles = [entry.article for entry in collection.entries]
        for row, (summary, entry) in enumerate(zip(store.catalogue(), collection.entries, strict=True)):
            for name in ("id", "title", "author", "publisher", "url", "published", "content_hash"):
                assert getattr(summary, name) == getattr(entry.article, name)
            assert (summary.row, summary.paragraphs) == (row, len(entry.article.paragraphs))
            assert store.article_row(summary.id) == row
        assert [store.article_row(identity) for identity in UNKNOWN_IDS] == [None] * len(UNKNOWN_IDS)
        assert store.articles([3, 0, 3]) == [articles[3], articles[0], articles[3]]
        assert store.articles([]) == []

    def test_passages_have_rows_in_order(self, store: Store, collection: Collection) -> None:
        rows = [*range(len(collection.rows)), 5, 0, 5]
        counts = (len(vectors.tokens) for *_, vectors in collection.rows)
        first_tokens = list(itertools.accumulate(counts, initial=0))
        for row, stored in zip(rows, store.passages(rows), strict=True):
            article, passage, key, vectors = collection.rows[row]
            assert (stored.row, stored.article, stored.passage, stored.key) == (row, article, passage, key)
            assert (stored.first_token, stored.token_counts) == (first_tokens[row], vectors.token_counts)
        every = [store.passages_of(row) for row in range(len(collection.entries))]
        assert list(itertools.chain(*every)) == store.passages(range(len(collection.rows)))
        assert [passages[0].passage.is_heading for passages in every] == [
            bool(entry.article.heading) for entry in collection.entries
        ]
        assert store.passages_of(len(collection.entries)) == store.passages([]) == []

    def test_blocks_and_leads_come_back(self, store: Store, collection: Collection) -> None:
        """Of every kind, with their levels, and what they stand below."""
        articles = store.articles(range(len(collection.entries)))
        for article, entry in zip(articles, collection.entries, strict=True):
            assert (article.blocks, article.marks) == (entry.article.blocks, entry.article.marks)
            assert article.paragraphs == entry.article.paragraphs
            assert {type(block.above) for block in article.blocks} == {tuple}
        blocks = [block for article in articles for block in article.blocks]
        assert {block.kind for block in blocks} == set(BlockKind)
        assert any(article.marks_in(0, len(article.text)) for article in articles)
        assert max(block.level for block in blocks) == max(len(block.above) for block in blocks) == 2
        stored = store.passages(range(len(collection.rows)))
        assert [one.passage.leads for one in stored] == [one.leads for _, one, *_ in collection.rows]
        assert all(len(one.token_counts) == len(one.passage.parts) for one in stored)

    @pytest.mark.parametrize("row", [10**6, -1])
    def test_unknown_row_is_a_lookup_error(self, store: Store, row: int) -> None:
        for ask in (store.passages, store.articles):
            with pytest.raises(LookupError):
                ask([0, row])

    def test_key_leads_to_a_passage_that_has_it(self, store: Store, collection: Collection) -> None:
        keys = [key for _, _, key, _ in collection.rows]
        found = store.rows_of_keys([*keys, *(number.to_bytes(16, "big") for number in range(2_000)), *keys])
        assert found.keys() == set(keys)
        assert [stored.key for stored in store.passages(list(found.values()))] == list(found)
        assert store.rows_of_keys([]) == {}

    def test_vocabulary_counts_passages(self, store: Store, collection: Collection) -> None:
        having = [{*words(text), *words(title)} for text, title in collection.texts]
        expected = {word: sum(word in each for each in having) for word in set.union(*having)}
        assert dict(store.vocabulary()) == expected
        pairs = dict.fromkeys(pair for entry in collection.entries for pair in entry.abbreviations)
        assert list(store.abbreviations()) == list(pairs) != []

    @_PROPERTY
    @given(terms=st.lists(st.lists(st.sampled_from(PHRASES), max_size=3), max_size=4))
    def test_term_is_counted_where_any_of_its_forms_is(
        self, store: Store, collection: Collection, terms: list[list[str]]
    ) -> None:
        having = [collection.having(forms) for forms in terms]
        assert store.passage_counts(terms) == list(map(len, having))
        rows = set.intersection(*having) if having else set()
        in_headings = {row for row in rows if collection.rows[row][1].is_heading}
        assert store.only_in_headings(terms) == (rows == in_headings != set())

    @_PROPERTY
    @given(
        phrases=st.lists(st.sampled_from(PHRASES) | hostile_text("otter", surrogates=True), max_size=5),
        headings=st.booleans(),
        article=st.sampled_from([None, 0, 4, 10**6]),
    )
    def test_best_in_words_are_those_that_have_any_phrase(
        self, store: Store, collection: Collection, phrases: list[str], headings: bool, article: int | None
    ) -> None:
        """In order of score, then of row; any text may be looked up."""
        found = store.best_in_words(phrases, 100, headings=headings, article=article)
        allowed = set(collection.allowed(headings, article))
        assert {row for row, _ in found} == collection.having(phrases) & allowed
        assert found == sorted(found, key=lambda ranked: (-ranked[1], ranked[0]))
        scores = dict(store.best_in_words(phrases, 100))
        assert all(score == pytest.approx(scores[row]) and score > 0 for row, score in found)
        for count in (1, 2, 5):
            assert store.best_in_words(phrases, count, headings=headings, article=article) == found[:count]

    @_PROPERTY
    @given(phrase=st.sampled_from(PHRASES) | hostile_text("white paper", surrogates=True))
    def test_phrase_is_found_side_by_side(self, store: Store, collection: Collection, phrase: str) -> None:
        rows = sorted(collection.having([phrase], in_title=False))
        assert [store.with_phrase(phrase, count) for count in (0, 2, 100)] == [[], rows[:2], rows]
        assert store.passage_counts([[phrase]]) == [len(collection.having([phrase]))]

    @pytest.mark.parametrize("headings", [True, False])
    @pytest.mark.parametrize("article", [None, 0, 4, 10**6])
    def test_nearest_are_those_of_a_plain_sort(
        self, store: Store, collection: Collection, headings: bool, article: int | None
    ) -> None:
        """Passages with equal vectors may come in any order, but always in the same."""
        allowed, vectors = collection.allowed(headings, article), collection.vectors
        for vector in (collection.question(1), collection.question(2), vectors[-1]):
            cosines = {row: float(vectors[row] @ vector) for row in allowed}
            for count in (1, 4, 100):
                found = store.nearest(vector, count, headings=headings, article=article)
                scores = [score for _, score in found]
                assert scores == pytest.approx(sorted(cosines.values(), reverse=True)[:count], abs=1e-6)
                assert scores == pytest.approx([cosines[row] for row, _ in found], abs=1e-6)
                assert len({row for row, _ in found}) == len(found)
                assert store.nearest(vector, count, headings=headings, article=article) == found

    def test_vectors_are_those_of_the_rows_asked_for(self, store: Store, collection: Collection) -> None:
        rows, vectors = [7, 0, 7, 3], collection.vectors
        np.testing.assert_array_equal(store.passage_vectors(rows), vectors[rows])
        assert store.passage_vectors([]).shape == (0, vectors.shape[1])
        tokens = store.token_vectors(store.passages(rows))
        np.testing.assert_array_equal(
            tokens, np.concatenate([collection.rows[row][3].tokens for row in rows])
        )
        assert tokens.dtype == np.uint16
        assert store.token_vectors([]).shape == (0, packed_width(collection.basis.shape[1]))

    def test_threads_are_answered_alike(self, store: Store, collection: Collection) -> None:
        def ask(row: int) -> object:
            tokens = store.token_vectors(store.passages([row, row + 1])).tobytes()
            near = store.nearest(collection.question(row), 9)
            return store.best_in_words(["tower", "the"], 9), near, store.articles([row]), tokens

        expected = [ask(row) for row in range(5)]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, [*range(5)] * 8)) == expected * 8
