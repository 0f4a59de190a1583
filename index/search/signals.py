"""The signals of a hit: what the search measures, one function each.

A signal's docstring is its name in words, then its formula and source; `--explain` and **Why?** show the
first line. `SUMMED` add up to the score that orders hits; `JUDGED` are what the confidence is fitted to.
Another signal is another function here, and a new fit (`footnote eval --fit`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from index.search.hits import SCORE_WEIGHTS, Hit

__all__ = ["JUDGED", "SUMMED", "in_words", "judged", "summed"]

Signal = Callable[[Hit], float]


def dense(hit: Hit) -> float:
    """How close the passage is in meaning.

    Cosine of the question's vector and the passage's (title and text): Reimers and Gurevych, "Sentence-BERT"
    (2019).
    """
    return hit.dense


def lexical(hit: Hit) -> float:
    """How well the passage's words match, relative to the best match.

    BM25 (title at half weight) divided by the question's best, 0 to 1: Robertson and Zaragoza (2009).
    """
    return hit.lexical


def late(hit: Hit) -> float:
    """How close the passage is word by word.

    The sum over the question's tokens of weight x the cosine of the passage's nearest token (MaxSim: Khattab
    and Zaharia, "ColBERT", 2020). The weights are the rarity of the tokens' words and add up to 1.
    """
    return hit.late


def sentence_late(hit: Hit) -> float:
    """How close its best sentence is word by word.

    As `late`, over the tokens of that sentence alone.
    """
    return hit.nearest_sentence.late


def sentence_mean(hit: Hit) -> float:
    """How close its best sentence is as a whole.

    Cosine of the mean of the sentence's token vectors and the mean of the question's.
    """
    return hit.nearest_sentence.mean


def score(hit: Hit) -> float:
    """How close the passage is in total.

    0.5 dense + 0.5 lexical + 2 late + sentence_late + 0.5 sentence_mean.
    """
    return hit.score


def weakest(hit: Hit) -> float:
    """How well the passage matches the question's worst-matched word.

    The minimum, over the content words, of the cosine of the nearest token; 1 for a word that the passage or
    its title has in some form. "What did the Scottish council say?" is not answered by what another council
    says.
    """
    content = [match for match in hit.terms if match.term.is_content] or hit.terms
    return min((1.0 if match.in_words else match.near for match in content), default=0.0)


SUMMED: Mapping[str, Signal] = {
    signal.__name__: signal for signal in (dense, lexical, late, sentence_late, sentence_mean)
}
"""The signals whose weighted sum is a hit's score."""

JUDGED: Mapping[str, Signal] = {signal.__name__: signal for signal in (score, weakest)}
"""The signals that the confidence weighs."""


def summed(hit: Hit) -> dict[str, tuple[float, float]]:
    """Return each part of a hit's score by its signal's name: the weight, and the value."""
    return {name: (SCORE_WEIGHTS[name], signal(hit)) for name, signal in SUMMED.items()}


def judged(hit: Hit) -> dict[str, float]:
    """Return, by name, what a hit's confidence is computed from."""
    return {name: signal(hit) for name, signal in JUDGED.items()}


def in_words(name: str) -> str:
    """Return what a signal says, in a line for people."""
    return ({**SUMMED, **JUDGED}[name].__doc__ or name).split("\n", 1)[0].rstrip(".")
