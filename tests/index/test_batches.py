"""Batches: every text once, those of a length together, none too large for the memory."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from index.encoding.batches import CHARACTERS, batches


@given(lengths=st.lists(st.integers(0, 30_000) | st.integers(500, 1200), max_size=300))
def test_every_text_is_in_one_batch_and_no_batch_is_larger_than_the_memory_allows(lengths: list[int]) -> None:
    made = list(batches(lengths))
    assert sorted(itertools.chain(*made)) == list(range(len(lengths)))
    for batch in made:
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or len(batch) * longest <= CHARACTERS
    order = [lengths[row] for batch in made for row in batch]
    assert order == sorted(lengths, reverse=True), "so little of a batch is padding"


@given(lengths=st.lists(st.integers(1, 1200), min_size=1, max_size=300))
def test_batches_are_as_large_as_the_memory_allows(lengths: list[int]) -> None:
    made = list(batches(lengths))
    for batch, following in itertools.pairwise(made):
        assert (len(batch) + 1) * lengths[batch[0]] > CHARACTERS
        assert following
