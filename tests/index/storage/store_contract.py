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
from index.encoding.compression import Basis, Vectors, unit
from index.passages.encoder_input import searched_text
from index.passages.splitting import Passage
from index.storage.store import Forms, Store
from index.storage.vector_cache import PassageVectors
from tests.strategies import hostile_text

__all__ = ["Collection", "Entry", "StoreContract"]

LANGUAGE = "en"
PHRASES = (
    *"tower steps lamp lamps guild HPG cap eclair éclairs ZOE school who wrote title the".split(),
    *("otter", "xyzzy", "112", "tram", "1874"),
    *("white paper", "paper white", "harbour pilots guild", "steam tug", "grey cap", "line nine", "", "?!"),
)  # fmt: skip
# The tests are inherited by several classes, which hypothesis warns of.
_PROPERTY = settings(max_examples=40, suppress_health_check=list(HealthCheck))
UNKNOWN_IDS = (
    "",
    "no such",
    "Lighthouse",
    "lighthouse.txt",
    "' OR 1 --",
    "\x00",
    "\ud800",
    "%",
    "a" * 100_000,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An article and its passages, as `GenerationWriter.add` takes them."""

    article: Article
    content_hash: str
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

    def question(self, seed: int) -> Vectors:
        """Return a random unit vector, shape (1, dimension)."""
        return unit(np.random.default_rng(seed).normal(size=(1, self.vectors.shape[1])))

    def allowed(self, headings: bool, article: int | None) -> list[int]:
        """Return the rows that a search may find."""
        return [
            row
            for row, (of, passage, *_) in enumerate(self.rows)
            if (headings or not passage.is_heading) and article in {None, of}
        ]

    def having(self, forms: Forms, *, in_title: bool = True) -> set[int]:
        """Return the rows that have a term: side by side in the text, or all of it in the title."""
        found = set()
        for (row, (of, passage, *_)), form in itertools.product(enumerate(self.rows), forms):
            article, phrase = self.entries[of].article, stems(form, LANGUAGE)
            text = stems(searched_text(article, passage, LANGUAGE), LANGUAGE)
            in_text = any(text[at : at + len(phrase)] == phrase for at in range(len(text)))
            if phrase and (in_text or (in_title and set(phrase) <= set(stems(article.title, LANGUAGE)))):
                found.add(row)
        return found


class StoreContract:
    """The promises. Each test takes a store that holds the collection."""

    # What it holds

    def test_info_counts_what_was_put_in(self, store: Store, collection: Collection) -> None:
        info, rows = store.info, collection.rows
        assert (info.articles, info.passages) == (len(collection.entries), len(rows))
        assert info.sentences == sum(len(passage.sentences) for _, passage, *_ in rows)
        assert info.tokens == sum(len(vectors.tokens) for *_, vectors in rows)
        assert info.language == LANGUAGE
        assert info.generation
        np.testing.assert_array_equal(store.basis, collection.basis)
        store.check()

    def test_catalogue_has_every_article_in_order_with_its_fields(
        self, store: Store, collection: Collection
    ) -> None:
        for row, (summary, entry) in enumerate(zip(store.catalogue(), collection.entries, strict=True)):
            article = entry.article
            for name in ("id", "title", "author", "publisher", "url", "published"):
                assert getattr(summary, name) == getattr(article, name)
            assert (summary.row, summary.content_hash) == (row, entry.content_hash)
            assert summary.paragraphs == len(article.paragraphs)
            assert store.article_row(article.id) == row

    @pytest.mark.parametrize("identity", UNKNOWN_IDS, ids=lambda identity: repr(identity[:20]))
    def test_unknown_id_has_no_row(self, store: Store, identity: str) -> None:
        assert store.article_row(identity) is None

    def test_articles_come_in_the_order_asked_for(self, store: Store, collection: Collection) -> None:
        rows = [3, 0, 3, len(collection.entries) - 1]
        assert store.articles(rows) == [collection.entries[row].article for row in rows]
        assert store.articles([]) == []

    def test_passages_come_in_the_order_asked_for_with_key_and_token_counts(
        self, store: Store, collection: Collection
    ) -> None:
        rows = [*range(len(collection.rows)), 5, 0, 5]
        first_tokens = list(
            itertools.accumulate((len(vectors.tokens) for *_, vectors in collection.rows), initial=0)
        )
        for row, stored in zip(rows, store.passages(rows), strict=True):
            of, passage, key, vectors = collection.rows[row]
            assert (stored.row, stored.article, stored.passage, stored.key) == (row, of, passage, key)
            assert (stored.first_token, stored.token_counts) == (first_tokens[row], vectors.token_counts)
        assert store.passages([]) == []

    def test_passages_of_an_article_are_consecutive_and_its_heading_s_come_first(
        self, store: Store, collection: Collection
    ) -> None:
        every = [store.passages_of(row) for row in range(len(collection.entries))]
        assert list(itertools.chain(*every)) == store.passages(range(len(collection.rows)))
        for passages in every:
            is_heading = [stored.passage.is_heading for stored in passages]
            assert is_heading == sorted(is_heading, reverse=True)
        assert store.passages_of(len(collection.entries)) == []

    @pytest.mark.parametrize("row", [10**6, -1])
    def test_unknown_row_is_a_lookup_error(self, store: Store, row: int) -> None:
        for ask in (store.passages, store.articles):
            with pytest.raises(LookupError):
                ask([0, row])

    def test_key_leads_to_a_passage_with_the_same_vectors(self, store: Store, collection: Collection) -> None:
        keys = [key for _, _, key, _ in collection.rows]
        unknown = [number.to_bytes(16, "big") for number in range(2_000)]
        found = store.rows_of_keys([*keys, *unknown, *keys])
        assert found.keys() == set(keys)
        assert [stored.key for stored in store.passages(list(found.values()))] == list(found)
        assert store.rows_of_keys([]) == {}

    # Words

    def test_vocabulary_counts_the_passages_that_have_each_folded_word(
        self, store: Store, collection: Collection
    ) -> None:
        counts: dict[str, int] = {}
        for of, passage, *_ in collection.rows:
            article = collection.entries[of].article
            for word in {*words(searched_text(article, passage, LANGUAGE)), *words(article.title)}:
                counts[word] = counts.get(word, 0) + 1
        assert dict(store.vocabulary()) == counts

    def test_abbreviations_come_once_in_the_order_of_the_articles(
        self, store: Store, collection: Collection
    ) -> None:
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
        phrases=st.lists(st.sampled_from(PHRASES), max_size=5),
        headings=st.booleans(),
        article=st.sampled_from([None, 0, 4, 10**6]),
    )
    def test_best_in_words_are_those_that_have_any_in_order_of_score_then_row(
        self, store: Store, collection: Collection, phrases: list[str], headings: bool, article: int | None
    ) -> None:
        found = store.best_in_words(phrases, 100, headings=headings, article=article)
        assert {row for row, _ in found} == collection.having(phrases) & set(
            collection.allowed(headings, article)
        )
        assert found == sorted(found, key=lambda ranked: (-ranked[1], ranked[0]))
        assert all(score > 0 for _, score in found)
        for count in (1, 2, 5):
            assert store.best_in_words(phrases, count, headings=headings, article=article) == found[:count]

    @pytest.mark.parametrize("phrase", PHRASES)
    def test_phrase_is_found_where_its_words_stand_side_by_side_in_the_text(
        self, store: Store, collection: Collection, phrase: str
    ) -> None:
        rows = sorted(collection.having([phrase], in_title=False))
        assert store.with_phrase(phrase, 1_000) == rows
        assert store.with_phrase(phrase, 2) == rows[:2]
        assert store.with_phrase(phrase, 0) == []

    @_PROPERTY
    @given(text=hostile_text("otter", "white paper", surrogates=True))
    def test_any_text_may_be_looked_up(self, store: Store, collection: Collection, text: str) -> None:
        having = collection.having([text])
        assert store.passage_counts([[text]]) == [len(having)]
        assert {row for row, _ in store.best_in_words([text], 100)} == having
        assert store.with_phrase(text, 100) == sorted(collection.having([text], in_title=False))
        store.only_in_headings([[text]])

    # Vectors

    @pytest.mark.parametrize("headings", [True, False])
    @pytest.mark.parametrize("article", [None, 0, 4, 10**6])
    def test_nearest_are_those_of_a_plain_sort(
        self, store: Store, collection: Collection, headings: bool, article: int | None
    ) -> None:
        """Passages with equal vectors may come in any order, but always in the same."""
        allowed = collection.allowed(headings, article)
        questions = [collection.question(seed) for seed in range(3)] + [
            collection.vectors[allowed[-1:] or [0]]
        ]
        for vector in questions:
            cosines = {row: float(collection.vectors[row] @ vector[0]) for row in allowed}
            for count in (1, 4, 100):
                found = store.nearest(vector, count, headings=headings, article=article)
                scores = [score for _, score in found]
                assert scores == pytest.approx(sorted(cosines.values(), reverse=True)[:count], abs=1e-6)
                assert scores == pytest.approx([cosines[row] for row, _ in found], abs=1e-6)
                assert len({row for row, _ in found}) == len(found)
                assert store.nearest(vector, count, headings=headings, article=article) == found

    def test_vectors_and_cosines_are_those_of_the_rows_asked_for(
        self, store: Store, collection: Collection
    ) -> None:
        rows, vector = [7, 0, 7, 3], collection.question(9)
        np.testing.assert_array_equal(store.passage_vectors(rows), collection.vectors[rows])
        assert store.cosines(vector, rows) == pytest.approx((collection.vectors[rows] @ vector[0]).tolist())
        assert store.passage_vectors([]).shape == (0, collection.vectors.shape[1])
        assert store.cosines(vector, []) == []

    def test_token_vectors_follow_one_another_as_the_passages_do(
        self, store: Store, collection: Collection
    ) -> None:
        rows = [4, 1, 1, 8]
        expected = np.concatenate([collection.rows[row][3].tokens for row in rows])
        found = store.token_vectors(store.passages(rows))
        assert found.dtype == np.int8
        np.testing.assert_array_equal(found, expected)
        assert store.token_vectors([]).shape == (0, collection.basis.shape[1])

    def test_threads_are_answered_alike(self, store: Store, collection: Collection) -> None:
        def ask(seed: int) -> object:
            vector, row = collection.question(seed % 5), seed % 5
            tokens = store.token_vectors(store.passages([row, row + 1])).tobytes()
            return (
                store.best_in_words(["tower", "the"], 9),
                store.nearest(vector, 9),
                store.articles([row]),
                tokens,
            )

        expected = [ask(seed) for seed in range(5)]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, range(40))) == expected * 8
