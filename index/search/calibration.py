"""The fitted confidence as data: a logistic model of a hit's signals, its thresholds, and its JSON file.

`footnote eval --fit` writes the file. The fit for the default encoder ships with Footnote.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, FiniteFloat, NonNegativeInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from index.errors import FootnoteError, MissingError
from index.files import make_folder, replace_file
from index.search.hits import JUDGED

__all__ = ["Fit", "FitError", "choose_fit", "fit_file", "load_fit", "save_fit"]

_SHIPPED = Path(__file__).parent / "data" / "all-MiniLM-L6-v2.json"

_Name = Annotated[str, Field(min_length=1)]
_Share = Annotated[float, Field(ge=0, le=1)]


class FitError(FootnoteError):
    """A file is not a usable fit, or a confidence cannot be fitted to the given questions."""

    exit_status = 65


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(strict=True))
class Fit:
    """A logistic model of the probability that the first quote answers the question, and its thresholds.

    `weights` has a weight for each of `JUDGED`. At or above `answer_at`, 85% of the questions fitted to were
    answered rightly; 95% of the answerable ones reached `related_at`. `sets` counts the questions by set.
    """

    format: Literal[1] = 1
    encoder: _Name
    encoder_fingerprint: _Name
    bias: FiniteFloat
    weights: Mapping[str, FiniteFloat]
    answer_at: _Share
    related_at: _Share
    sets: Mapping[str, NonNegativeInt]
    made: date

    def confidence(self, signals: Mapping[str, float]) -> float:
        """Return 1 / (1 + exp(-(bias + sum of weight * signal))), or 0 if a signal is NaN.

        Raises:
            KeyError: a weighted signal is missing.
        """
        logit = self.bias + sum(weight * signals[name] for name, weight in self.weights.items())
        if math.isnan(logit):
            return 0.0
        return (1 + math.tanh(logit / 2)) / 2  # the same, and never overflows

    def is_for(self, encoder_fingerprint: str) -> bool:
        """Tell whether the model was fitted to scores of this encoder."""
        return self.encoder_fingerprint == encoder_fingerprint

    def describe(self, encoder_fingerprint: str) -> str:
        """Return one line about where the confidence of an index made with this encoder comes from."""
        if self.is_for(encoder_fingerprint):
            return f"fitted on {', '.join(self.sets)}, {self.made}"
        return f"not fitted for this encoder (using the fit of {self.encoder}): `footnote eval --fit SET`"


_FIT = TypeAdapter(Fit)


def fit_file(index: Path) -> Path:
    """Return where the operator's own fit lies: beside the index folder."""
    return index.parent / "fit.json"


def choose_fit(file: Path, encoder_fingerprint: str) -> Fit:
    """Return the fit in `file` if it exists and is for the encoder, else the shipped one.

    Raises:
        FitError: the file exists and is not a usable fit.
        MissingError: the file exists and cannot be read.
    """
    shipped = load_fit(_SHIPPED)
    own = load_fit(file) if file.exists() else shipped
    return own if own.is_for(encoder_fingerprint) else shipped


def load_fit(file: Path) -> Fit:
    """Read and validate a fit.

    Raises:
        FitError: it is malformed, or was fitted to other signals.
        MissingError: it does not exist or cannot be read.
    """
    advice = "Run `footnote eval --fit SET` to make a new one, or delete the file."
    try:
        fit = _FIT.validate_json(file.read_bytes())
    except OSError as error:
        raise MissingError(f"{file} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        reason = ": ".join([*map(str, first["loc"]), first["msg"]])
        raise FitError(f"{file} is not a fit: {reason}. {advice}") from error
    if fit.weights.keys() != set(JUDGED):
        raise FitError(
            f"{file} was fitted to the signals {', '.join(fit.weights)}; this version of Footnote uses "
            f"{', '.join(JUDGED)}. {advice}"
        )
    return fit


def save_fit(fit: Fit, file: Path) -> None:
    """Write a fit atomically, creating the folder: a running bot reads the old file or the new one.

    Raises:
        MissingError: it cannot be written.
    """
    target = Path(os.path.realpath(file))  # replace the file that a link points to, not the link
    try:
        make_folder(target.parent)
        replace_file(target, _FIT.dump_json(fit, indent=1) + b"\n")
    except OSError as error:
        raise MissingError(f"{file} cannot be written: {error.strerror}.") from error
