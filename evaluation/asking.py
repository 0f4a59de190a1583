"""Asking: a question set put to real indexes of its articles, and what came of each question.

Questions go through the same answerer as those of people, so what is measured is what the bot does.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from bot.service.answerer import Answerer
from bot.settings import BotSettings
from evaluation.question_sets import Question, QuestionSet, holds_answer
from index.build import build_index
from index.build_report import Progress
from index.search.calibration import Fit, fit_file, save_fit
from index.storage.local import open_store

if TYPE_CHECKING:
    from index.storage.store import Store

__all__ = ["Kind", "Outcome", "ask", "ask_set", "open_answerer"]

Report = Callable[[Progress], None]


class Kind(StrEnum):
    """What a question tests: answering, declining what the articles lack, or declining another subject.

    Questions of kind `OTHER` are answerable ones that are asked of an index without their articles.
    """

    ANSWERABLE = "answerable"
    UNANSWERABLE = "unanswerable"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question asked of one index, and how it was answered.

    `quote` is the first, `cited` are article ids and paragraphs, best first, `signals` the first hit's.
    """

    question: Question
    kind: Kind
    verdict: str
    confidence: float
    quote: str
    cited: tuple[tuple[str, int], ...]
    signals: Mapping[str, float]
    elapsed_ms: float

    @property
    def right(self) -> bool:
        """Whether the first quote answers the question."""
        return self.kind is Kind.ANSWERABLE and holds_answer(self.quote, self.question.answers)

    @property
    def answered(self) -> bool:
        """Whether the first quote was given as the answer."""
        return self.verdict == "answered"

    @property
    def rank(self) -> float:
        """The rank of the right paragraph among those cited, from 1; infinity if it is not cited."""
        gold = (self.question.article, (self.question.paragraph or 0) + 1)
        return self.cited.index(gold) + 1 if gold in self.cited else math.inf


def open_answerer(store: Store, settings: BotSettings) -> Answerer:
    """Open what answers from a store, with the encoder that made the store; raises as `Answerer.of` does."""
    settings = settings.model_copy(update={"model": store.info.encoder, "model_sha256": ""})
    return Answerer.of(settings, store)


def ask(
    answerer: Answerer, questions: Sequence[Question], stage: str, report: Report, *, other: bool = False
) -> Iterator[Outcome]:
    """Ask questions, with progress reported as `stage`; with `other`, of an index without their articles."""
    for number, question in enumerate(questions, 1):
        answer = answerer.answer(question.text)
        own = Kind.ANSWERABLE if question.answerable else Kind.UNANSWERABLE
        yield Outcome(
            question=question,
            kind=Kind.OTHER if other else own,
            verdict=str(answer.verdict),
            confidence=answer.confidence,
            quote=answer.quotes[0].text if answer.quotes else "",
            cited=tuple((one.article, one.paragraph) for one in (*answer.citations, *answer.further)),
            signals=answer.reasons.signals if answer.reasons else {},
            elapsed_ms=answer.elapsed_ms,
        )
        report(Progress(stage, number, len(questions)))


def ask_set(question_set: QuestionSet, settings: BotSettings, fit: Fit, report: Report) -> list[Outcome]:
    """Ask every question of a set, then the answerable ones again without their articles.

    For the latter, the articles are split into two halves by sorted id, and each half is asked the questions
    about the other. The indexes are temporary; `fit` judges the answers.

    Raises:
        FootnoteError: an index cannot be built or opened.
    """
    name = question_set.name
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="footnote-eval-") as folder:
        home = Path(folder)
        save_fit(fit, fit_file(home / "index"))
        rounds = [(question_set.source, question_set.questions), *_halves(question_set, home)]
        for number, (source, questions) in enumerate(rounds):
            index = home / f"index-{number}"
            if number:  # start from a copy of the whole index, so that nothing is encoded again
                shutil.copytree(home / "index-0", index)
            local = settings.model_copy(update={"articles": source, "index": index, "store": ""})
            build_index(local, lambda step: report(replace(step, stage=f"{name}: {step.stage}")), force=True)
            stage = f"{name}: asking without the articles" if number else f"{name}: asking"
            with closing(open_answerer(open_store(index), local)) as answerer:
                outcomes += ask(answerer, questions, stage, report, other=number > 0)
    return outcomes


def _halves(question_set: QuestionSet, home: Path) -> Iterator[tuple[Path, list[Question]]]:
    """Yield a file with each half of the articles, and the answerable questions about the other half only."""
    ids = sorted(article.id for article in question_set.articles)
    for number in range(2) if len(ids) > 1 else ():
        half, rest = set(ids[number::2]), set(ids[1 - number :: 2])
        rows = [json.dumps(asdict(article)) for article in question_set.articles if article.id in half]
        source = home / f"half-{number}.jsonl"
        source.write_text("\n".join(rows), encoding="utf-8")
        yield source, [one for one in question_set.questions if one.answerable and one.article in rest]
