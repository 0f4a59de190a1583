"""Hits: which sentence is quoted, which one is counted, and what a passage's score is made of."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from index.articles.article import Article
from index.search.hits import Hit, HitSentence, fuse
from index.search.signals import JUDGED, SUMMED

ARTICLE = Article("a", "T", "", "", "", "", "", "")
SCORES = st.floats(-1, 1, width=32)
SENTENCES = st.lists(
    st.builds(
        HitSentence,
        paragraph=st.just(1),
        start=st.just(0),
        end=st.just(1),
        text=st.sampled_from(["It floats.", "Why does it float?", "It sinks."]),
        late=SCORES,
        mean=SCORES,
        wanted=st.sampled_from([0.0, 0.5, 1.0]),
        quotable=st.booleans(),
    ),
    min_size=1,
    max_size=6,
).filter(lambda sentences: any(one.quotable for one in sentences))


def hit_of(*sentences: HitSentence) -> Hit:
    return Hit(ARTICLE, 0, 1, "", 0.5, 0.5, 0.5, sentences, ())


def sentence(text: str, late: float = 0.5, wanted: float = 0.5, *, quotable: bool = True) -> HitSentence:
    return HitSentence(1, 0, 1, text, late, 0.5, wanted, quotable)


@given(sentences=SENTENCES)
def test_sentence_to_quote_may_be_quoted_and_the_nearest_is_nearest_of_all(
    sentences: list[HitSentence],
) -> None:
    hit = hit_of(*sentences)
    assert hit.best_sentence.quotable
    assert hit.nearest_sentence.score == max(one.score for one in sentences)
    telling = [one for one in sentences if one.quotable and not one.text.endswith("?")]
    if len(telling) == sum(one.quotable for one in sentences):
        assert hit.best_sentence == max(telling, key=lambda one: one.answering)


def test_sentence_that_has_what_is_asked_for_is_quoted_before_one_that_is_as_near() -> None:
    """Also the score of the passage is that of the nearest sentence, whatever is wanted."""
    nearest, other = sentence("It is tall.", 0.5, wanted=0), sentence("It is 31 metres tall.", 0.5, wanted=1)
    hit = hit_of(nearest, other)
    assert (hit.best_sentence, hit.nearest_sentence) == (other, nearest)
    assert JUDGED["value_wanted"](hit) == 1
    assert JUDGED["value_wanted"](hit_of(nearest, sentence("No.", 0.1, wanted=0))) == 0
    assert dataclasses.replace(hit, sentences=(nearest,)).score == pytest.approx(hit.score)


def test_what_is_wanted_does_not_outweigh_a_sentence_that_is_much_nearer() -> None:
    near = sentence("The lamp stands above the rocks.", 0.9, wanted=0)
    assert hit_of(sentence("He had 31 bees.", 0.1, wanted=1), near).best_sentence == near


def test_line_that_is_not_asked_for_is_not_quoted_but_shows_which_article_is_meant() -> None:
    title, author = sentence("The lamp", 0.9, quotable=False), sentence("Ines Falk", 0.2)
    hit = hit_of(title, author)
    assert (hit.best_sentence, hit.nearest_sentence) == (author, title)
    assert SUMMED["sentence_late"](hit) == title.late


def test_sentence_that_asks_gives_way_to_the_one_that_answers() -> None:
    asking, answer = sentence("Why does it float?", 0.9), sentence("It is hollow.", 0.1)
    assert hit_of(asking, answer).best_sentence == answer
    assert hit_of(answer, asking).best_sentence == asking, "nothing follows it"


def test_the_earlier_of_equals_is_quoted() -> None:
    first, second = sentence("It floats."), sentence("It sinks.")
    assert hit_of(first, second).best_sentence == hit_of(first, second).nearest_sentence == first


@given(st.tuples(*[SCORES] * 4), st.integers(0, 3), st.floats(0.01, 1))
def test_more_of_any_signal_makes_no_score_less(
    scores: tuple[float, float, float, float], which: int, more: float
) -> None:
    better = tuple(one + more * (place == which) for place, one in enumerate(scores))
    assume(better != scores)
    assert fuse(*better) > fuse(*scores)
