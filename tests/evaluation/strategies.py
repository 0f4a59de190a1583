"""Records drawn at random, for properties of what is made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from evaluation.records import VERDICTS, Asked, Kind
from evaluation.tables import Column

__all__ = ["RECORD", "pooled", "record_sets"]

RECORD = Asked(
    set_name="harbour",
    id="h1",
    question="When was the crane built?",
    kind=Kind.ANSWERABLE,
    title="The crane",
    quotes=("The crane was built in 1911.", "It lifts nine tonnes."),
    shown=1,
    cited=(("crane", 2), ("quay", 1)),
    gold=(("crane", 2),),
    answers=("1911",),
    confidence=0.75,
    verdict="answered",
    elapsed_ms=4.5,
    signals=(("dense", 0.5), ("both", 0.25)),
    highlight=None,
    exact=True,
)
"""One answerable question, answered rightly."""

_places = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=10, unique=True).map(tuple)
_sure = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
_quotes = st.sampled_from([(), ("It was built in 1911.",), ("Nobody knows.", "In 1911, they say.")])


@st.composite
def _record(draw: st.DrawFn, number: int, kind: Kind) -> Asked:
    quotes = draw(_quotes)
    return replace(
        RECORD,
        id=f"h{number}",
        kind=kind,
        quotes=quotes,
        shown=min(1, len(quotes)),
        cited=draw(_places),
        gold=draw(_places)[:2] if kind is Kind.ANSWERABLE else (),
        answers=() if kind is Kind.UNANSWERABLE else ("1911",),
        confidence=draw(_sure),
        verdict=draw(st.sampled_from(VERDICTS)),
        elapsed_ms=draw(st.floats(0, 1000)),
        highlight=draw(st.sampled_from([None, "1911", "the harbour"])),
        exact=draw(st.booleans()),
    )


@st.composite
def record_sets(draw: st.DrawFn, least: int = 0) -> list[Asked]:
    """Draw the records of a set: questions of their own kinds, some answerable ones of other subjects too."""
    kinds = draw(st.lists(st.sampled_from([Kind.ANSWERABLE, Kind.UNANSWERABLE]), min_size=least, max_size=12))
    own = [draw(_record(number, kind)) for number, kind in enumerate(kinds)]
    other = [
        draw(_record(number, Kind.OTHER))
        for number, kind in enumerate(kinds)
        if kind is Kind.ANSWERABLE and draw(st.booleans())
    ]
    return own + other


@st.composite
def pooled(draw: st.DrawFn, least: int = 1) -> tuple[Column, Column]:
    """Draw confidences, many of them equal, and whether each was right."""
    pairs = draw(st.lists(st.tuples(_sure, st.booleans()), min_size=least, max_size=30))
    return np.array([sure for sure, _ in pairs]), np.array([right for _, right in pairs], dtype=bool)
