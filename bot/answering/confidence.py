"""How sure an answer is, and what Footnote says of it: a fit, where one was made for the index's encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from index.search.calibration import Fit, choose_fit

__all__ = ["Judge", "Verdict", "find_judge"]


class Verdict(StrEnum):
    """What Footnote says of its own answer."""

    ANSWERED = "answered"
    """The first quote answers the question, at or above the confidence asked for."""
    RELATED = "related"
    """Close passages exist, but they may not answer."""
    NOT_FOUND = "not_found"
    """The articles do not seem to say."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges answers by a fit. `answer_at` is the confidence at which a quote is given as the answer.

    `origin` says for people what the fit was made from.
    """

    fit: Fit
    answer_at: float
    origin: str = ""

    def confidence(self, signals: Mapping[str, float]) -> float:
        """Return the chance that the first quote answers the question, 0 to 1."""
        return self.fit.confidence(signals)

    def verdict(self, sure: float) -> Verdict:
        """Return what to say at a confidence; without any hit that is 0, which never answers."""
        if sure >= self.answer_at and sure > 0:
            return Verdict.ANSWERED
        return Verdict.RELATED if sure >= self.fit.related_at and sure > 0 else Verdict.NOT_FOUND


def find_judge(file: Path, encoder_fingerprint: str, answer_at: float | None) -> Judge:
    """Return the judge for an index: by the fit in `file` where it is the encoder's, else by the shipped one.

    Without `answer_at` it is the fit's own.

    Raises:
        FitError: the file is there and is no fit.
    """
    chosen = choose_fit(file, encoder_fingerprint)
    return Judge(chosen.fit, chosen.fit.answer_at if answer_at is None else answer_at, chosen.line())
