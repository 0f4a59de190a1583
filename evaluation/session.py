"""Sets to a run: ask, fit where that is asked for, and measure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata

from bot.settings import BotSettings
from evaluation.fitting import Fitted, fit_confidence
from evaluation.intervals import estimates
from evaluation.records import Asked, rescore
from evaluation.running import Tell, ask_set
from evaluation.runs import Run, SetRun
from evaluation.sets import QuestionSet
from evaluation.tables import tabulate
from index.encoding.encoder import Encoder
from index.progress import Progress

__all__ = ["evaluate", "sample"]

_UNTOLD = {"articles", "gate", "gate_at", "index", "keep", "log_level", "shrink"}
"""Settings that say nothing of how the questions were answered, beside those of Discord."""


def evaluate(  # noqa: PLR0913 - what the command line was told
    reported: Sequence[QuestionSet],
    fitted_to: Sequence[tuple[QuestionSet, int]],
    settings: BotSettings,
    encoder: Encoder,
    progress: Tell,
    *,
    seed: int = 1,
    limit: int | None = None,
) -> Run:
    """Ask and measure the reported sets, with the confidence fitted to `fitted_to` where that is not empty.

    The latter are as `sets.unseen` gives them: what the reported sets have too is dropped, and counted.

    Raises:
        FootnoteError: an index cannot be built, or the confidence cannot be fitted.
    """
    fitted, dropped = None, []
    if fitted_to:
        dropped = [(one.name, count) for one, count in fitted_to]
        records = [
            record
            for one, _ in fitted_to
            for record in ask_set(sample(one, limit, seed), settings, encoder, progress)
        ]
        fitted = fit_confidence(
            records, encoder.model.name, encoder.model.fingerprint, datetime.now(UTC).date()
        )
    sets = [
        _measured(one, ask_set(sample(one, limit, seed), settings, encoder, progress), fitted, seed, progress)
        for one in reported
    ]
    return Run(
        version=metadata.version("footnote"),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        encoder=encoder.model.name,
        encoder_fingerprint=encoder.model.fingerprint,
        settings=tuple(_told(settings)),
        seed=seed,
        limit=limit,
        sets=tuple(sets),
        fitted=fitted,
        dropped=tuple(dropped),
    )


def _told(settings: BotSettings) -> Iterator[tuple[str, str | float | bool | None]]:
    for name in type(settings).model_fields:
        if name not in _UNTOLD and not name.startswith("discord_"):
            value = getattr(settings, name)
            # What JSON has no word for is told as text; a secret's text is asterisks.
            yield name, value if isinstance(value, str | int | float | None) else str(value)


def sample(questions: QuestionSet, limit: int | None, seed: int) -> QuestionSet:
    """Return the set with `limit` of its questions at most, drawn by the seed, in their order."""
    count = len(questions.questions)
    if limit is None or limit >= count:
        return questions
    drawn = sorted(random.Random(seed).sample(range(count), limit))  # noqa: S311 - no secret
    return replace(questions, questions=tuple(questions.questions[number] for number in drawn))


def _measured(
    questions: QuestionSet, records: Sequence[Asked], fitted: Fitted | None, seed: int, progress: Tell
) -> SetRun:
    if fitted:
        records = [rescore(record, fitted.fit) for record in records]
    progress(Progress(f"{questions.name}: measuring", 0, 1))
    found = estimates(tabulate(records), seed)
    progress(Progress(f"{questions.name}: measuring", 1, 1))
    return SetRun(questions.name, len(questions.articles), tuple(records), tuple(found.items()))
