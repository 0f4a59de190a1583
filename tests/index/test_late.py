"""Late interaction: the quick way finds what a plain loop over tokens finds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.encoding.encoder import PackedTokens, Vectors, unit
from index.search.late_interaction import interact, term_shares, token_weights

COUNTS = st.lists(st.integers(0, 4), max_size=8)
EDGES = st.lists(st.integers(0, 30), max_size=16, unique=True).map(sorted)


def made(seed: int, questions: int, tokens: int, width: int = 5) -> tuple[Vectors, PackedTokens]:
    """Return unit vectors of a question, and packed tokens."""
    generator = np.random.default_rng(seed)
    question = unit(generator.normal(size=(questions, width)))
    packed = generator.integers(-127, 128, size=(tokens, width)).astype(np.int8)
    packed[packed.any(axis=1) == 0] = 1
    return question, packed


def cosine(left: npt.ArrayLike, right: npt.ArrayLike) -> float:
    a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@given(seed=st.integers(0, 2**32 - 1), questions=st.integers(0, 5), counts=COUNTS)
def test_nearest_token_and_mean_are_those_of_a_plain_loop(
    seed: int, questions: int, counts: list[int]
) -> None:
    """With sentences of no tokens anywhere, no sentences, and no tokens at all."""
    question, tokens = made(seed, questions, sum(counts))
    seen = interact(question, tokens, counts)
    assert seen.best.shape == (questions, len(counts))
    assert seen.mean.shape == (len(counts),)
    for number, count in enumerate(counts):
        own = tokens[sum(counts[:number]) :][:count]
        for row, asked in enumerate(question):
            nearest = max((cosine(asked, token) for token in own), default=0.0)
            assert seen.best[row, number] == pytest.approx(nearest, abs=1e-5)
        expected = 0.0
        if count and questions:
            mean = np.mean([token / np.linalg.norm(token.astype(float)) for token in own], axis=0)
            expected = cosine(mean, question.mean(axis=0))
        assert seen.mean[number] == pytest.approx(expected, abs=1e-4)


def test_sentence_is_not_judged_by_its_neighbour_s_tokens() -> None:
    question = np.eye(2, dtype=np.float32)
    tokens = np.array([[127, 0], [0, 127]], dtype=np.int8)
    assert interact(question, tokens, [0, 1, 0, 1, 0]).best.tolist() == [[0, 1, 0, 0, 0], [0, 0, 0, 1, 0]]
    assert interact(question, -tokens, [1, 0, 1]).best.tolist() == [[-1, 0, 0], [0, 0, -1]]


@given(edges=EDGES, tokens=st.lists(st.integers(0, 30), max_size=20).map(sorted))
def test_shares_of_a_term_s_tokens_make_one_or_none(edges: list[int], tokens: list[int]) -> None:
    terms = list(zip(edges[::2], edges[1::2], strict=False))
    spans = np.asarray([(start, start + 1) for start in tokens], dtype=np.int32).reshape(-1, 2)
    shares = term_shares(spans, terms)
    assert shares.shape == (len(terms), len(tokens))
    for (start, end), share in zip(terms, shares, strict=True):
        own = [start <= token < end for token in tokens]
        assert ((share > 0) == own).all()
        assert share.sum() == pytest.approx(float(any(own)))
        assert len({float(one) for one in share if one}) <= 1, "shared equally"


@given(
    weights=st.lists(st.floats(0, 4), max_size=6),
    tokens=st.lists(st.integers(0, 30), max_size=20).map(sorted),
)
def test_weights_of_tokens_make_one(weights: list[float], tokens: list[int]) -> None:
    terms = [(4 * place, 4 * place + 3) for place in range(len(weights))]
    spans = np.asarray([(start, start + 1) for start in tokens], dtype=np.int32).reshape(-1, 2)
    found = token_weights(term_shares(spans, terms), weights)
    assert found.shape == (len(tokens),)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(float(bool(tokens)), abs=1e-5)


def test_tokens_of_a_term_share_its_weight_and_marks_weigh_nothing() -> None:
    """A rare word of many pieces counts as much as one of a single piece."""
    spans = np.asarray([(0, 2), (2, 5), (6, 9), (9, 10)], dtype=np.int32)
    shares = term_shares(spans, [(0, 5), (6, 9)])
    np.testing.assert_allclose(token_weights(shares, [3.0, 1.0]), [0.375, 0.375, 0.25, 0])
    np.testing.assert_allclose(token_weights(shares, [0.0, 1.0]), [0, 0, 1, 0])


def test_term_without_tokens_has_no_share_and_takes_no_weight() -> None:
    """A word that the window cut off: the weights of the others still make one."""
    spans = np.asarray([(0, 5)], dtype=np.int32)
    shares = term_shares(spans, [(0, 5), (600, 605)])
    assert shares.tolist() == [[1], [0]]
    assert token_weights(shares, [1.0, 3.0]).tolist() == [1]


def test_all_tokens_weigh_alike_where_no_term_has_weight() -> None:
    spans = np.asarray([(0, 1), (1, 2)], dtype=np.int32)
    for terms, weights in (([], []), ([(0, 2)], [0.0]), ([(5, 6)], [2.0])):
        np.testing.assert_allclose(token_weights(term_shares(spans, terms), weights), [0.5, 0.5])
    assert token_weights(term_shares(spans[:0], []), []).shape == (0,)
