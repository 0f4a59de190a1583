"""Texts to batches: of about one length each, so that little padding is computed, and bounded in size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["batches"]

_CHARACTERS = 20_000
"""Characters of a batch, padding included: some 4,000 tokens.

On two cores, batches of 1,000 to 4,000 tokens take the same time a token, larger ones more; and a question
that is asked in the same process waits for the batch under way.
"""


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the rows of texts with these lengths, in batches, the longest first.

    So a text too large for the memory is found at once, and the time left is guessed too high, not too low.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > _CHARACTERS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
