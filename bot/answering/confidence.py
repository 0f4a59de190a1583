"""From a hit's signals to a confidence, and from the confidence to a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from index.search.calibration import Fit, choose_fit

__all__ = ["Judge", "Verdict", "find_judge"]


class Verdict(StrEnum):
    """What Footnote says about its own answer."""

    ANSWERED = "answered"
    """The first quote probably answers the question."""
    RELATED = "related"
    """The passages are on the subject but may not answer."""
    NOT_FOUND = "not_found"
    """The articles seem to be about other subjects."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A fitted confidence and the threshold `answer_at` from which a quote is given as the answer."""

    fit: Fit
    answer_at: float

    def confidence(self, signals: Mapping[str, float]) -> float:
        """Return the probability, 0 to 1, that the first quote answers the question."""
        return self.fit.confidence(signals)

    def verdict(self, confidence: float) -> Verdict:
        """Return the verdict at a confidence; 0, which is that of no hit at all, never answers."""
        if confidence >= self.answer_at and confidence > 0:
            return Verdict.ANSWERED
        return Verdict.RELATED if confidence >= self.fit.related_at and confidence > 0 else Verdict.NOT_FOUND


def find_judge(file: Path, encoder_fingerprint: str, answer_at: float | None) -> Judge:
    """Return the judge for an index of this encoder, by the fit in `file` or else the shipped one.

    Without `answer_at`, the fit's own threshold applies.

    Raises:
        FitError: `file` exists and is not a usable fit.
        MissingError: `file` exists and cannot be read.
    """
    fit = choose_fit(file, encoder_fingerprint)
    return Judge(fit, fit.answer_at if answer_at is None else answer_at)
