"""Late interaction: what a plain loop over all pairs of tokens finds, and weights that add up to 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.encoding.encoder import unit
from index.encoding.packing import pack_rows, rotation, unpack_rows
from index.search.late_interaction import interact, term_shares, token_weights, weighted_sum

TOKENS = st.lists(st.integers(0, 30), max_size=20).map(sorted)


def cosine(left: npt.ArrayLike, right: npt.ArrayLike) -> float:
    a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def spans_of(starts: list[int]) -> npt.NDArray[np.int32]:
    """Return the spans of tokens of one character."""
    return np.asarray([(start, start + 1) for start in starts], dtype=np.int32).reshape(-1, 2)


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, 5), counts=st.lists(st.integers(0, 4), max_size=8))
def test_nearest_token_and_mean_are_those_of_a_plain_loop(seed: int, size: int, counts: list[int]) -> None:
    """With sentences of no tokens anywhere, without sentences, and without any tokens."""
    random = np.random.default_rng(seed)
    question = unit(random.normal(size=(size, 5)))
    tokens = pack_rows(unit(random.normal(size=(sum(counts), 5))))
    rows, scales = unpack_rows(tokens, 5)
    unpacked = (rows * scales[:, None]) @ rotation(5).T
    best, means = interact(question, tokens, counts)
    assert (best.shape, means.shape) == ((size, len(counts)), (len(counts),))
    for number, count in enumerate(counts):
        own = unpacked[sum(counts[:number]) :][:count].astype(float)
        for row, asked in enumerate(question):
            nearest = max((asked @ token for token in own), default=0.0)
            assert best[row, number] == pytest.approx(nearest, abs=1e-5)
        whole = 0.0
        if count and size:
            whole = cosine(own.mean(axis=0), question.mean(axis=0))
        assert means[number] == pytest.approx(whole, abs=1e-4)
    weights = random.random(size)
    plain = [sum(weights[row] * best[row, number] for row in range(size)) for number in range(len(counts))]
    assert weighted_sum(best, weights.astype(np.float32)).tolist() == pytest.approx(plain, abs=1e-5)


@given(weights=st.lists(st.floats(0, 4), max_size=6), tokens=TOKENS)
def test_weights_of_tokens_add_up_to_one(weights: list[float], tokens: list[int]) -> None:
    terms = [(4 * place, 4 * place + 3) for place in range(len(weights))]
    found = token_weights(term_shares(spans_of(tokens), terms), weights)
    assert found.shape == (len(tokens),)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(float(bool(tokens)), abs=1e-5)


@pytest.mark.parametrize(
    ("terms", "weights", "expected"),
    [
        ([(0, 5), (6, 9)], [3.0, 1.0], [0.375, 0.375, 0.25, 0]),  # pieces share, marks weigh nothing
        ([(0, 5), (6, 9)], [0.0, 1.0], [0, 0, 1, 0]),
        ([(0, 5), (600, 605)], [1.0, 3.0], [0.5, 0.5, 0, 0]),  # what the window cut off takes no weight
        ([], [], [0.25] * 4),
        ([(0, 9)], [0.0], [0.25] * 4),
    ],
)
def test_term_weight_goes_to_its_tokens(
    terms: list[tuple[int, int]], weights: list[float], expected: list[float]
) -> None:
    spans = np.asarray([(0, 2), (2, 5), (6, 9), (9, 10)], dtype=np.int32)
    np.testing.assert_allclose(token_weights(term_shares(spans, terms), weights), expected)
