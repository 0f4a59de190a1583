"""The fitted confidence as data: logistic models of a hit's signals, their thresholds, and its JSON file.

`footnote eval --fit` writes the file. Fits for the default encoder, with and without the shipped reader, ship
with Footnote.
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
from index.search.hits import JUDGED, READ, SUBJECT

__all__ = ["Fit", "FitError", "Logistic", "choose_fit", "fit_file", "load_fit", "save_fit"]

_DATA = Path(__file__).parent / "data"
_SHIPPED = {"": _DATA / "search.json", "trained": _DATA / "trained.json"}

_Name = Annotated[str, Field(min_length=1)]
_Share = Annotated[float, Field(ge=0, le=1)]


class FitError(FootnoteError):
    """A file is not a usable fit, or a confidence cannot be fitted to the given questions."""

    exit_status = 65


@dataclass(frozen=True, slots=True, config=ConfigDict(strict=True))
class Logistic:
    """A logistic model of a probability: a bias, and a weight for each signal that it reads."""

    bias: FiniteFloat
    weights: Mapping[str, FiniteFloat]

    def __call__(self, signals: Mapping[str, float]) -> float:
        """Return 1 / (1 + exp(-(bias + sum of weight * signal))), or 0 if a signal is NaN.

        Raises:
            KeyError: a weighted signal is missing.
        """
        logit = self.bias + sum(weight * signals[name] for name, weight in self.weights.items())
        if math.isnan(logit):
            return 0.0
        return (1 + math.tanh(logit / 2)) / 2  # the same, and never overflows


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(strict=True))
class Fit:
    """Models of the probability that the first quote answers, and that the question is on the subject.

    They were fitted for one encoder and one reader, "" for search alone. From `answer_at` on, 85% of the
    questions fitted to were answered rightly, 80% for the shipped reader (the lower bound of an 80%
    interval); 98% of the answerable ones reached `related_at`. `sets` counts the questions by set.
    """

    format: Literal[2] = 2
    encoder: _Name
    encoder_fingerprint: _Name
    reader: str
    answers: Logistic
    subject: Logistic
    answer_at: _Share
    related_at: _Share
    sets: Mapping[str, NonNegativeInt]
    made: date

    def unsure(self, confidence: float) -> float:
        """Return a confidence lowered to half of what answers, for what is known to lack something."""
        return min(confidence, round(self.answer_at / 2, 4))

    def is_for(self, encoder_fingerprint: str, reader: str) -> bool:
        """Tell whether the models were fitted for this encoder and reader."""
        return (self.encoder_fingerprint, self.reader) == (encoder_fingerprint, reader)

    def describe(self, encoder_fingerprint: str, reader: str) -> str:
        """Return one line about where the confidence of answers with this encoder and reader comes from."""
        if self.is_for(encoder_fingerprint, reader):
            return f"fitted on {', '.join(self.sets)}, {self.made}"
        lacking = f"reader {reader}" if self.encoder_fingerprint == encoder_fingerprint else "encoder"
        fitted = f"{self.encoder}, reader {self.reader}" if self.reader else self.encoder
        return f"not fitted for this {lacking} (using the fit of {fitted}): `footnote eval --fit SET`"


_FIT = TypeAdapter(Fit)


def fit_file(index: Path) -> Path:
    """Return where the operator's own fit lies: beside the index folder."""
    return index.parent / "fit.json"


def choose_fit(file: Path, encoder_fingerprint: str, reader: str) -> Fit:
    """Return the fit in `file` if it is for the encoder and the reader, else the nearest one that ships.

    Raises:
        FitError: the file exists and is not a usable fit.
        MissingError: the file exists and cannot be read.
    """
    own = load_fit(file) if file.exists() else None
    if own and own.is_for(encoder_fingerprint, reader):
        return own
    return load_fit(_SHIPPED.get(reader, _SHIPPED["trained"]))


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
    expected = set(READ if fit.reader else JUDGED)
    if fit.answers.weights.keys() != expected or fit.subject.weights.keys() != set(SUBJECT):
        raise FitError(f"{file} was fitted to the signals of another version of Footnote. {advice}")
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
