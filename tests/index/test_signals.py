"""Signals: each said in words and by its formula, and each what it says, measured on a real index."""

from __future__ import annotations

import dataclasses
import re

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder
from index.search.hits import SCORE_WEIGHTS, Hit
from index.search.search import Search
from index.search.signals import JUDGED, SUMMED, in_words, judged, summed
from index.storage.local import open_generation
from tests.conftest import MakeSettings
from tests.index.shelf import put

QUESTIONS = [
    "Who kept bees behind the oil store?",
    "How much does a loaf of rye bread cost?",
    "When was line nine extended?",
    "Who wrote the article about the lamp?",
    "zeppelin",
    "what is the",
]


def test_every_signal_says_what_it_is_in_a_line_and_how_it_is_measured() -> None:
    lines = []
    for name, signal in {**SUMMED, **JUDGED}.items():
        assert signal.__name__ == name
        first, _, rest = (signal.__doc__ or "").partition("\n\n")
        assert re.fullmatch(r"(How|Whether) [^\n]*\.", first), name
        assert rest.strip(), f"{name} has no formula"
        assert in_words(name) == first.rstrip(".")
        lines.append(first)
    assert len(set(lines)) == len(lines), "no two are told apart by their number alone"
    with pytest.raises(KeyError):
        in_words("nothing such")


def test_summed_signals_are_those_that_have_a_weight() -> None:
    assert SUMMED.keys() == SCORE_WEIGHTS.keys()
    assert all(weight > 0 for weight in SCORE_WEIGHTS.values())


def test_formula_of_the_score_is_told_as_it_is() -> None:
    """The weights stand in a docstring that people read; they must be those that are used."""
    formula = (JUDGED["score"].__doc__ or "").split("\n\n")[1]
    told = {
        name: float(weight or 1)
        for weight, name in re.findall(r"([\d.]+)? ?\b([a-z][a-z_]+)", " ".join(formula.split()))
    }
    assert told == SCORE_WEIGHTS


@pytest.mark.parametrize("question", QUESTIONS)
def test_score_is_the_weighted_sum_of_its_parts(search: Search, question: str) -> None:
    hits = search(question).hits
    assert hits
    for hit in hits:
        parts = summed(hit)
        assert parts.keys() == SUMMED.keys()
        assert sum(weight * value for weight, value in parts.values()) == pytest.approx(hit.score, abs=1e-6)
        assert {name: weight for name, (weight, _) in parts.items()} == SCORE_WEIGHTS
        assert parts["sentence_late"][1] == hit.nearest_sentence.late
        assert parts["sentence_mean"][1] == hit.nearest_sentence.mean
        assert judged(hit)["score"] == hit.score


def judge(search: Search, question: str, article: str) -> dict[str, float]:
    """Return the signals of the best hit of an article, which must be the best of all."""
    best = search(question).hits[0]
    assert best.article.id == article
    return judged(best)


def test_weakest_is_one_where_the_passage_has_every_word_that_says_something(search: Search) -> None:
    for question in ("the bees behind the oil store", "What was wound by hand by Tobias Renn?"):
        assert judge(search, question, "lighthouse")["weakest"] == 1
    assert judge(search, "the bakery in mill lane", "bakery")["weakest"] == 1


def test_word_of_another_matter_is_the_weakest(search: Search) -> None:
    """The rest of the question is met as well as before; only this word is not."""
    met = judge(search, "Where did the keeper have bees?", "lighthouse")["weakest"]
    foreign = judge(search, "Where did the Scottish keeper have bees?", "lighthouse")["weakest"]
    near = judge(search, "Where did the keeper have hives?", "lighthouse")["weakest"]
    assert foreign < near < met == 1
    assert foreign < 0.5


def test_weakest_is_the_least_of_the_words_that_say_something(search: Search) -> None:
    for question in QUESTIONS:
        for hit in search(question).hits:
            saying = {
                one.term.typed
                for one in hit.terms
                if one.term.says or not any(o.term.says for o in hit.terms)
            }
            worst = min(1.0 if one.in_words else one.near for one in hit.terms if one.term.typed in saying)
            assert judged(hit)["weakest"] == pytest.approx(worst)


def without_terms(hit: Hit) -> Hit:
    return dataclasses.replace(hit, terms=())


def test_weakest_of_a_hit_without_terms_is_nought(search: Search) -> None:
    assert judged(without_terms(search("bees").hits[0]))["weakest"] == 0


@pytest.mark.parametrize(
    ("question", "article", "value"),
    [
        ("How much does a loaf of rye bread cost?", "bakery", 1),  # £4.20
        ("How many metres above the rocks does it stand?", "lighthouse", 1),
        ("Is it 31 metres above the rocks, and how many metres above the rocks?", "lighthouse", 0),
        ("When did the keeper wind the clockwork?", "lighthouse", 0),
        ("Who kept bees behind the oil store?", "lighthouse", 0.5),
    ],
)
def test_value_wanted_tells_whether_a_new_one_is_there(
    search: Search, question: str, article: str, value: float
) -> None:
    assert judge(search, question, article)["value_wanted"] == value


def test_word_of_the_title_is_met_though_the_passage_lacks_it(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    """An article on a council need not name it again in each paragraph."""
    settings = make_settings()
    put(settings.articles, {"a.txt": "Ullapool council\n\nIt raised the ferry fare in May.\n"})
    build_index(settings, encoder=encoder)
    generation = open_generation(settings.index)
    best = Search(generation, encoder)("Which fare did Ullapool raise?").hits[0]
    assert [one.in_words for one in best.terms if one.term.typed == "Ullapool"] == [True]
    assert judged(best)["weakest"] == 1
    generation.close()
