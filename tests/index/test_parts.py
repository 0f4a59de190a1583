"""Parts of the search that can be left out: each alone, all together, and what is then not done."""

from __future__ import annotations

import itertools

import pytest

from index.errors import SettingsError
from index.search.hits import Found
from index.search.parts import Part
from index.search.search import Search
from index.settings import IndexSettings
from tests.index.test_search import check_found

QUESTIONS = [
    "Who kept bees behind the oil store?",
    "lighthous keper clockwrk",
    "How much does a loaf cost?",
    "Who wrote about line nine?",
    "thirty-one metres",
    "zeppelin",
    "?!",
]
PAIRS = [frozenset(pair) for pair in itertools.combinations(Part, 2)]


def find(search: Search, question: str, *parts: Part) -> Found:
    """Ask with parts left out."""
    return Search(search.store, search.encoder, parts)(question)


@pytest.mark.parametrize(
    "parts",
    [*(frozenset([one]) for one in Part), *PAIRS, frozenset(Part)],
    ids=lambda parts: ",".join(sorted(parts)),
)
def test_whatever_is_left_out_the_rest_answers(search: Search, parts: frozenset[Part]) -> None:
    lame = Search(search.store, search.encoder, parts)
    for question in QUESTIONS:
        check_found(lame(question))
    both_ways = {Part.DENSE, Part.LEXICAL} <= parts
    found = lame("When was the lighthouse first lit?")
    if both_ways:
        assert found.hits == (), "nothing finds passages"
    else:
        assert found.hits[0].article.id == "lighthouse"


def test_only_one_part_left_is_enough_to_find(search: Search) -> None:
    for left in (Part.DENSE, Part.LEXICAL):
        found = find(search, "When was the lighthouse first lit?", *(set(Part) - {left}))
        assert found.hits[0].article.id == "lighthouse"


@pytest.mark.parametrize("question", QUESTIONS)
def test_part_left_out_takes_its_signal_along(search: Search, question: str) -> None:
    for hit in find(search, question, Part.LATE).hits:
        assert hit.late == 0
        assert all(one.late == 0 for one in hit.sentences)
    for hit in find(search, question, Part.SENTENCE).hits:
        assert all(one.mean == 0 for one in hit.sentences)
    for hit in find(search, question, Part.DENSE).hits:
        assert hit.dense == 0
        assert hit.lexical > 0, "only words find passages then"
    assert all(hit.lexical == 0 for hit in find(search, question, Part.LEXICAL).hits)
    for hit in find(search, question, Part.WANTED).hits:
        assert all(one.wanted == 0.5 for one in hit.sentences)


def test_each_part_is_at_work_when_it_is_not_left_out(search: Search, harbour: Search) -> None:
    best = search("How much does a loaf of rye bread cost?").hits[0]
    assert min(best.dense, best.lexical, best.late) > 0.3
    assert min(best.best_sentence.late, best.best_sentence.mean) > 0.3
    assert best.best_sentence.wanted == 1
    question = "the HPG acadmy of thirty-one"
    every = harbour(question).question
    for part in (Part.SPELLING, Part.ABBREVIATIONS, Part.VALUES):
        assert find(harbour, question, part).question != every, part


def test_parts_of_quoting_do_not_change_what_is_found(search: Search) -> None:
    for question in QUESTIONS:
        assert find(search, question, Part.CONTEXT, Part.HIGHLIGHT) == search(question)


def test_passage_that_only_late_interaction_knows_comes_first_with_it(search: Search) -> None:
    """Its weight is what tells passages apart that are near as a whole."""
    with_it = search("Who kept bees behind the oil store?").hits
    margin = with_it[0].score - with_it[1].score
    without = find(search, "Who kept bees behind the oil store?", Part.LATE).hits
    assert margin > without[0].score - without[1].score


def test_every_part_says_what_it_is_and_may_be_named_in_a_setting() -> None:
    for one in Part:
        assert IndexSettings.load(without=one.value).without == {one}
    assert IndexSettings.load(without="late, spelling dense").without == {
        Part.LATE,
        Part.SPELLING,
        Part.DENSE,
    }
    assert IndexSettings.load().without == frozenset()
    with pytest.raises(SettingsError, match=r"^--without: .*is not accepted"):
        IndexSettings.load(without="lately")
