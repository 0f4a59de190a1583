"""Memory that runs out is told as such, whichever library meets it; all else stays what it is."""

from __future__ import annotations

from collections.abc import Callable

import faiss
import numpy as np
import pytest

from index.errors import FootnoteError, NoIndexError, OutOfMemoryError
from index.memory import enough_memory


def more_than_numpy_can() -> None:
    np.empty(1 << 60, dtype=np.uint8)


def more_than_faiss_can() -> None:
    faiss.Float32Vector().resize(1 << 57)


def more_than_onnxruntime_can() -> None:
    raise RuntimeError("Failed to allocate memory for requested buffer of size 393216000")


@pytest.mark.parametrize("work", [more_than_numpy_can, more_than_faiss_can, more_than_onnxruntime_can])
def test_memory_that_runs_out_is_an_error_with_advice(work: Callable[[], None]) -> None:
    with pytest.raises(OutOfMemoryError, match="more memory free") as caught, enough_memory():
        work()
    assert isinstance(caught.value, FootnoteError)
    assert caught.value.exit_status == 69


@pytest.mark.parametrize("error", [ValueError("no such shape"), NoIndexError("the allocation failed")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, enough_memory():
        raise error
    assert caught.value is error
