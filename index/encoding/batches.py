"""Texts to batches: of about one length each, so that little padding is computed, and bounded in size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["CHARACTERS", "batches"]

CHARACTERS = 4_000
"""Characters of a batch, padding included: some 800 tokens.

ONNX Runtime on two cores takes a third longer for batches of five times as many, which outgrow the caches; a
question that is asked in the same process waits for the batch under way.
"""


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the rows of texts with these lengths, in batches, the longest first.

    So a text too large for the memory is found at once, and the time left is guessed too high, not too low.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > CHARACTERS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
