"""What every store promises, kept by the generation on disk and by plain Python alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.encoding.encoder import Encoder
from index.search.search import Search
from index.storage.local import Generation
from index.storage.store import Forms, Store
from tests.index.memory_store import MemoryStore

PHRASES = [
    *"the tower steps lamps pilot guilds hpg cap sea cafe eclair school title wrote xyzzy 112".split(),
    "white paper",
    "harbour pilots guild",
    "steam tug",
    "paper white",
]


@pytest.fixture(scope="module", params=["generation", "memory"])
def store(request: pytest.FixtureRequest, harbour_generation: Generation) -> Store:
    """Hold the articles about a harbour, in one store and in another."""
    return harbour_generation if request.param == "generation" else MemoryStore(harbour_generation)


@pytest.fixture(scope="module")
def memory(harbour_generation: Generation) -> MemoryStore:
    return MemoryStore(harbour_generation)


def rows_of(store: Store) -> range:
    return range(store.manifest.passages)


def having(store: Store, term: Forms) -> set[int]:
    """Return the passages that meet a term."""
    return {
        row for row, met in zip(rows_of(store), store.have(rows_of(store), [term]), strict=True) if met[0]
    }


def headings(store: Store) -> set[int]:
    return {one.row for one in store.passages(rows_of(store)) if one.passage.is_heading}


def test_term_is_counted_where_it_is_met_by_any_of_its_forms(store: Store) -> None:
    terms = [["tower"], ["lamps", "steps"], ["hpg", "harbour pilots guild"], ["xyzzy"], ["the", "tower"]]
    met = [having(store, term) for term in terms]
    assert store.counts(terms) == list(map(len, met))
    assert met[1] == having(store, ["lamps"]) | having(store, ["steps"])
    assert met[2] > having(store, ["hpg"]) > set()
    assert met[3] == set()
    assert store.counts([]) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("lamp", "lamps"), ("eclair", "éclairs"), ("ZOE", "zoë"), ("commission", "commissioning")],
)
def test_inflection_accents_and_case_make_no_difference(store: Store, one: str, other: str) -> None:
    assert having(store, [one]) == having(store, [other]) != set()


def test_phrase_is_met_by_its_words_side_by_side_in_order(store: Store) -> None:
    (row,) = having(store, ["white paper"])
    assert row in having(store, ["paper"]) & having(store, ["white"])
    assert having(store, ["paper white"]) == set()
    assert store.adjacent("white", "paper")
    assert not store.adjacent("paper", "white")
    assert not store.adjacent("white", "xyzzy")


def test_values_are_met_in_their_one_form(store: Store) -> None:
    assert having(store, ["v112"]) == having(store, ["112"]) != set()


@pytest.mark.parametrize(
    ("terms", "only"),
    [
        ([["title"]], True),
        ([["grey"], ["headline"]], True),
        ([["grey"]], False),
        ([["grey", "title"]], False),
        ([["title"], ["felt"]], False),
        ([["xyzzy"]], False),
        ([["title"], ["xyzzy"]], False),
    ],
)
def test_only_in_headings_is_all_terms_in_one_and_in_no_other_passage(
    store: Store, terms: Sequence[Forms], only: bool
) -> None:
    assert store.only_in_headings(terms) is only


def test_best_in_words_are_those_that_have_any_in_order_of_score(store: Store) -> None:
    phrases = ["tower", "lamps", "the", "grey cap"]
    found = store.best_in_words(phrases, 100)
    assert {row for row, _ in found} == having(store, phrases)
    assert found == sorted(found, key=lambda one: (-one[1], one[0]))
    assert all(score > 0 for _, score in found)
    assert store.best_in_words(phrases, 3) == found[:3]
    assert store.best_in_words(["xyzzy"], 3) == store.best_in_words([], 3) == []


@pytest.mark.parametrize("asks_for_headings", [True, False])
@pytest.mark.parametrize("identity", ["pier", "caps", None])
def test_both_searches_keep_to_bodies_and_to_an_article(
    store: Store, asks_for_headings: bool, identity: str | None
) -> None:
    article = None if identity is None else store.article_row(identity)
    allowed = {
        one.row
        for one in store.passages(rows_of(store))
        if (asks_for_headings or not one.passage.is_heading) and article in {None, one.article}
    }
    vector = np.full((1, store.manifest.dimension), store.manifest.dimension**-0.5, dtype=np.float32)
    near = store.nearest(vector, 100, headings=asks_for_headings, article=article)
    rows, scores = [row for row, _ in near], [score for _, score in near]
    assert set(rows) == allowed
    assert scores == sorted(scores, reverse=True)
    assert store.cosines(vector, rows) == pytest.approx(scores, abs=1e-6)
    assert len(store.nearest(vector, 1, headings=asks_for_headings, article=article)) == 1
    words = ["the", "a", "who", "grey", "pier"]
    found = store.best_in_words(words, 100, headings=asks_for_headings, article=article)
    assert {row for row, _ in found} == having(store, words) & allowed


def test_passages_tokens_and_articles_come_in_the_order_asked_for(store: Store) -> None:
    rows = [5, 0, 3]
    stored = store.passages(rows)
    assert [one.row for one in stored] == rows
    tokens = store.token_vectors(stored)
    assert tokens.shape == (sum(sum(one.tokens) for one in stored), store.manifest.token_width)
    alone = [store.token_vectors([one]) for one in stored]
    assert np.array_equal(tokens, np.concatenate(alone))
    assert store.token_vectors([]).shape == (0, store.manifest.token_width)
    first, second, *again = store.articles([2, 0, 2, 0])
    assert again == [first, second]
    assert [store.article_row(one.id) for one in (first, second)] == [2, 0]
    assert store.article_row("no such") is None


@given(phrases=st.lists(st.sampled_from(PHRASES), min_size=1, max_size=6), inside=st.booleans())
def test_generation_scores_words_as_plain_python_does(
    harbour_generation: Generation, memory: MemoryStore, phrases: list[str], inside: bool
) -> None:
    article = 4 if inside else None
    for asks_for_headings in (True, False):
        found = harbour_generation.best_in_words(phrases, 9, headings=asks_for_headings, article=article)
        wanted = memory.best_in_words(phrases, 9, headings=asks_for_headings, article=article)
        assert [score for _, score in found] == pytest.approx([score for _, score in wanted])
    pairs = [phrases[at : at + 2] for at in range(0, len(phrases), 2)]
    assert np.array_equal(
        harbour_generation.have(rows_of(memory), pairs), memory.have(rows_of(memory), pairs)
    )
    assert harbour_generation.counts(pairs) == memory.counts(pairs)
    assert harbour_generation.only_in_headings(pairs) == memory.only_in_headings(pairs)


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("How many steps has the tower?", None),
        ("what dose the comissioning acadmy do", None),
        ("What do the Harbour Pilots Guild members wear?", None),
        ("Who wrote it?", None),
        ("How much is a ticket?", "pier"),
    ],
)
def test_search_finds_the_same_in_either(
    harbour: Search, memory: MemoryStore, encoder: Encoder, question: str, article: str | None
) -> None:
    found, plain = (one(question, article=article) for one in (harbour, Search(memory, encoder)))
    assert found.question == plain.question
    assert [hit.text for hit in found.hits] == [hit.text for hit in plain.hits]
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in plain.hits], abs=1e-5)
