"""The fitted confidence as data: a logistic model of named signals, its thresholds, and its file.

The file is JSON, never a pickle; whatever is in it is checked before it is believed. `footnote eval --fit`
makes one.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from index.errors import FootnoteError, MissingError
from index.search.signals import JUDGED
from index.storage.durable import sync
from index.storage.verification import IndexStatus

__all__ = [
    "FORMAT",
    "ChosenFit",
    "Fit",
    "FitError",
    "choose_fit",
    "load_fit",
    "save_fit",
    "with_confidence",
    "write_atomically",
]

FORMAT = 1
"""The version of the file's format; another one is refused."""

_Checked = TypeVar("_Checked")

_STEEPEST = 700.0  # exp() of more would not be a float


class FitError(FootnoteError):
    """A file of a fit is malformed, or is made for other signals; or questions cannot be fitted to."""

    exit_status = 65


@dataclass(frozen=True, slots=True)
class Fit:
    """A logistic model of the chance that the first quote answers, and the thresholds upon it.

    `answer_at` and `careful_at` are where the answered were right 85 and 95 times in 100; at or above
    `related_at` were 95 in 100 of the answerable. `sets` has the number of questions of each set.
    """

    encoder: str
    encoder_fingerprint: str
    bias: float
    weights: tuple[tuple[str, float], ...]
    answer_at: float
    careful_at: float
    related_at: float
    sets: tuple[tuple[str, int], ...]
    questions: int
    made: str

    @property
    def signal_names(self) -> tuple[str, ...]:
        """The names of the signals that the model weighs."""
        return tuple(name for name, _ in self.weights)

    def confidence(self, signals: Mapping[str, float]) -> float:
        """Return 1 / (1 + exp(-(bias + the sum of weight x signal))), 0 to 1; 0 where that is no number.

        Signals that the model does not know are passed over.

        Raises:
            KeyError: a signal that it weighs is not there.
        """
        weighed = self.bias + sum(weight * signals[name] for name, weight in self.weights)
        if math.isnan(weighed):
            return 0.0
        return 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, weighed))))

    def as_json(self) -> dict[str, Any]:
        """Return the fit as the JSON object that its file holds."""
        fields = dataclasses.asdict(self)
        return {"format": FORMAT, **fields, "weights": dict(self.weights), "sets": dict(self.sets)}


_SHIPPED = Path(__file__).parent / "data" / "all-MiniLM-L6-v2.json"


@dataclass(frozen=True, slots=True)
class ChosenFit:
    """The fit that is used, and whether it was made for the encoder that the index was made with."""

    fit: Fit
    is_fitted: bool

    def line(self) -> str:
        """Return it as a line for people."""
        sets = ", ".join(name for name, _ in self.fit.sets)
        if self.is_fitted:
            return f"fitted on {sets}, {self.fit.made}"
        return f"not fitted for this encoder (that of {self.fit.encoder} is used): `footnote eval --fit SET`"


def fit_file(index: Path) -> Path:
    """Return the file of an index folder's own fit: fit.json beside the folder."""
    return index.parent / "fit.json"


def choose_fit(file: Path, encoder_fingerprint: str) -> ChosenFit:
    """Return the fit in `file` if there is one for the encoder, else the shipped one.

    Raises:
        FitError: the file is there and is no fit.
    """
    for path in (file, _SHIPPED):
        if path.exists():
            fit = load_fit(path, JUDGED)
            if fit.encoder_fingerprint == encoder_fingerprint:
                return ChosenFit(fit, is_fitted=True)
    return ChosenFit(load_fit(_SHIPPED, JUDGED), is_fitted=False)


def with_confidence(status: IndexStatus, file: Path) -> IndexStatus:
    """Return the figures of an index with what its confidence was fitted on.

    Raises:
        FitError: the file of a fit is there and is none.
    """
    return dataclasses.replace(status, confidence=choose_fit(file, status.encoder_fingerprint).line())


class _WrongError(Exception):
    """A reason why a file is no fit."""


def save_fit(fit: Fit, path: Path) -> None:
    """Write a fit to `path` in one step: a reader sees the file of before, or all of this one.

    Raises:
        MissingError: it cannot be written.
    """
    write_atomically(path, (json.dumps(fit.as_json(), indent=1, allow_nan=False) + "\n").encode())


def load_fit(path: Path, expected: Collection[str] | None = None) -> Fit:
    """Read and check a fit; with `expected`, its signals must be exactly these.

    Raises:
        MissingError: it is not there, or cannot be read.
        FitError: it is no fit, or is made for other signals.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingError(
            f"{path} cannot be read: {error.strerror}. `footnote eval --fit` makes one."
        ) from error
    try:
        fit = _parse(data)
        _check_signals(fit, expected)
    except _WrongError as wrong:
        raise FitError(f"{path}: {wrong}. `footnote eval --fit` makes it anew.") from wrong
    return fit


def _parse(data: bytes) -> Fit:
    try:
        row = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _WrongError("not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise _WrongError("not JSON") from error
    if not isinstance(row, dict) or row.get("format") != FORMAT:
        raise _WrongError(f'no fit of format {FORMAT} ("format")')
    names = {"format", *(field.name for field in dataclasses.fields(Fit))}
    for odd, what in ((names - row.keys(), "lacks"), (row.keys() - names, "has an unknown")):
        if odd:
            raise _WrongError(f"{what} {', '.join(map(repr, sorted(odd)))}")
    fit = Fit(
        encoder=_text(row, "encoder"),
        encoder_fingerprint=_text(row, "encoder_fingerprint"),
        bias=_number(row["bias"], "bias"),
        weights=_pairs(row, "weights", _number),
        answer_at=_share(row, "answer_at"),
        careful_at=_share(row, "careful_at"),
        related_at=_share(row, "related_at"),
        sets=_pairs(row, "sets", _count),
        questions=_count(row["questions"], "questions"),
        made=_day(row, "made"),
    )
    if not fit.related_at <= fit.answer_at <= fit.careful_at:
        raise _WrongError('"related_at", "answer_at" and "careful_at" are not in rising order')
    return fit


def _check_signals(fit: Fit, expected: Collection[str] | None) -> None:
    if expected is None:
        return
    known = set(fit.signal_names)
    for odd, what in ((set(expected) - known, "no weight for"), (known - set(expected), "an unknown signal")):
        if odd:
            raise _WrongError(f"{what} {', '.join(map(repr, sorted(odd)))}")


def _text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip():
        raise _WrongError(f'"{name}" is not text')
    return value


def _number(value: object, name: str) -> float:
    with suppress(OverflowError):  # a whole number may be too large for a float
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    raise _WrongError(f'"{name}" is not a finite number')


def _share(row: dict[str, Any], name: str) -> float:
    value = _number(row[name], name)
    if not 0 <= value <= 1:
        raise _WrongError(f'"{name}" is {value}, not 0 to 1')
    return value


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _WrongError(f'"{name}" is not a whole number from 0')
    return value


def _pairs(
    row: dict[str, Any], name: str, check: Callable[[object, str], _Checked]
) -> tuple[tuple[str, _Checked], ...]:
    value = row[name]
    if not isinstance(value, dict) or not value:
        raise _WrongError(f'"{name}" is not an object with something in it')
    return tuple((key, check(one, f"{name}.{key}")) for key, one in value.items())


def _day(row: dict[str, Any], name: str) -> str:
    value = _text(row, name)
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise _WrongError(f'"{name}" is no ISO date') from error
    return value


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file aside, sync it, and put it in the place of `path` in one step; folders are made.

    Raises:
        MissingError: it cannot be written; what was there before is unchanged.
    """
    target = Path(os.path.realpath(path))  # the file that a link names is replaced, not the link
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        if target.exists() and not target.is_file():
            raise MissingError(f"{path} cannot be written: it is not a regular file.")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("xb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        sync(target.parent)
    except OSError as error:
        raise MissingError(f"{path} cannot be written: {error.strerror}.") from error
