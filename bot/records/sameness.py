"""Whether two unanswered questions are one: by their words, and by the encoder's vectors."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["SAME", "Packed", "find_same", "fold", "pack"]

SAME = 0.9
"""The cosine of two questions' vectors from which on they are taken for one.

Chosen on hand-made pairs (tests/bot/records/pairs.py) with the default encoder: 62 of one question in two
wordings, and 66 of two questions that differ in little ("Who keeps / Who built the lighthouse?").

    cosine    one question    two questions, merged wrongly
    0.85           54                    8
    0.90           42                    6
    0.95           22                    3

A wrong merge hides a question, a missed one shows it twice, so the smaller harm is preferred. The cosine
alone cannot tell such pairs apart (at 0.90 it merges 44 and 25). But whoever says a thing in other words
changes more than one: questions that differ in exactly one word are two, whatever their vectors say. The rule
came from these pairs; of 20 and 24 pairs made after it, it merged 14 and 1.
"""

Packed = bytes
"""A question's unit vector as half-precision numbers, least significant byte first."""

_NUMBERS = np.dtype("<f2")
_AROUND_WORDS = "?!.,;:…¿¡\"'“”„‘’«»()[]*_~`<>|"


def fold(question: str) -> str:
    """Return the question without case, punctuation around words, and how it is spaced."""
    plain = unicodedata.normalize("NFKC", question).casefold()
    words = (word.strip(_AROUND_WORDS) for word in plain.split())
    return " ".join(word for word in words if word) or plain.strip()


def pack(vector: npt.ArrayLike) -> Packed:
    """Return a vector as it is kept: of length 1, in half precision.

    Raises:
        ValueError: it has no numbers, or some that are not finite.
    """
    flat = np.asarray(vector, dtype=np.float64).ravel()
    if not flat.size or not np.isfinite(flat).all():
        raise ValueError("a question's vector is one or more finite numbers")
    return (flat / (np.linalg.norm(flat) or 1.0)).astype(_NUMBERS).tobytes()


def find_same(folded: str, vector: Packed, others: Sequence[tuple[int, str, Packed]]) -> int | None:
    """Return the number of the one of `others` (number, folded question, vector) that is the same question.

    Of several it is the likest. Another encoder's vectors, of another length, are like none.
    """
    for number, text, _ in others:
        if text == folded:
            return number
    alike = [other for other in others if len(other[2]) == len(vector)]
    if not alike:
        return None
    cosines = _numbers(b"".join(packed for _, _, packed in alike)).reshape(len(alike), -1) @ _numbers(vector)
    for row in np.argsort(-cosines, kind="stable"):
        number, text, _ = alike[int(row)]
        if cosines[row] < SAME:
            break
        if not _one_word_apart(text, folded):
            return number
    return None


def _numbers(packed: Packed) -> npt.NDArray[np.float32]:
    return np.frombuffer(packed, dtype=_NUMBERS).astype(np.float32)


def _one_word_apart(one: str, other: str) -> bool:
    """Tell whether one word stands in another's place; where spaces do not part words, that is not known."""
    mine, theirs = one.split(), other.split()
    if len(mine) != len(theirs) or len(mine) == 1:
        return False
    return sum(a != b for a, b in zip(mine, theirs, strict=True)) == 1
