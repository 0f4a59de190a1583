"""Late interaction: a question and sentences compared token by token, from their packed token vectors.

MaxSim is Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late
Interaction over BERT" (2020). Here each token of the question is weighted by the rarity of its word.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from index.encoding.encoder import TokenSpans, Vectors, unit
from index.encoding.packing import PackedTokens, rotation, unpack_rows

__all__ = ["interact", "term_shares", "token_weights", "weighted_sum"]

Floats = npt.NDArray[np.float32]
Span = tuple[int, int]

_DECIMALS = 5  # of a cosine: a matrix product gives equal rows the same only to about seven


def interact(question: Vectors, tokens: PackedTokens, counts: Sequence[int]) -> tuple[Floats, Floats]:
    """Compare a question's token vectors with those of sentences, with `counts` rows of `tokens` each.

    `question` has unit vectors, shape (question tokens, width); `tokens` are packed, so cosines are good
    to about 0.01, and may exceed 1 by that. Returns, for each token of the question and each
    sentence, the cosine of the sentence's nearest token, shape (question tokens, sentences), 0 for a
    sentence without tokens; and for each sentence the cosine of the mean of its token vectors and
    that of the question's, shape (sentences,).
    """
    best = np.zeros((len(question), len(counts)), dtype=np.float32)
    mean = np.zeros(len(counts), dtype=np.float32)
    sizes = np.asarray(counts)
    filled = np.flatnonzero(sizes)
    if len(question) and len(filled):
        # The cosines are scaled instead of the rows, which have many times as many numbers.
        rows, scales = unpack_rows(tokens, question.shape[1])
        question = question @ rotation(question.shape[1])
        ends = np.cumsum(sizes)[filled]
        starts = ends - sizes[filled]
        cosines = np.maximum.reduceat((question @ rows.T) * scales, starts, axis=1)
        best[:, filled] = cosines.round(_DECIMALS)
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        # A product for each sentence: NumPy's own sum of runs of rows takes five times as long.
        sums = np.stack([scales[start:end] @ rows[start:end] for start, end in spans])
        whole = unit(question.mean(axis=0, keepdims=True))[0]
        mean[filled] = np.einsum("ij,j->i", unit(sums), whole).round(_DECIMALS)
    return best, mean


def term_shares(spans: TokenSpans, terms: Sequence[Span]) -> Floats:
    """Return the share of each token in each term, by their spans: shape (terms, tokens).

    The tokens of a term share it equally.
    """
    starts = np.asarray(terms, dtype=np.int32).reshape(-1, 2)
    within = (spans[None, :, 0] >= starts[:, :1]) & (spans[None, :, 0] < starts[:, 1:])
    counts = within.sum(axis=1, keepdims=True)
    return np.asarray(within / np.maximum(counts, 1), dtype=np.float32)


def token_weights(shares: Floats, weights: Sequence[float]) -> Floats:
    """Return the weight of each token of a question, from its terms' weights; together they make 1.

    Tokens outside of terms (punctuation) weigh nothing, unless all do.
    """
    weighed = np.asarray(weights, dtype=np.float32) @ shares
    total = float(weighed.sum())
    count = shares.shape[1]
    return weighed / total if total > 0 else np.full(count, 1 / max(count, 1), dtype=np.float32)


def weighted_sum(best: Floats, weights: Floats) -> Floats:
    """Return the weighted sum over a question's tokens, `best` of shape (tokens, n): shape (n,).

    Equal columns have equal sums to the last bit, which a matrix product does not promise.
    """
    return np.asarray((best * weights[:, None]).sum(axis=0))
