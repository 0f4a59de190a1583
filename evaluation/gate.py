"""The gate: the operator's gold questions, which a new generation must keep answering to be published.

A gold question passes if it is answerable and answered by a first quote that holds one of its answers, or if
it is neither answerable nor answered. It is lost if it passes in the serving generation and fails in the new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.settings import BotSettings
from evaluation.asking import Outcome, ask, open_answerer
from evaluation.question_sets import Question, QuestionSetError, listing, read_questions
from index.build_report import GateReport, Gold, Progress
from index.errors import DamagedIndexError, GateError, MissingError
from index.search.calibration import choose_fit, fit_file
from index.storage.store import Store
from index.terminal import count_of, one_line

__all__ = ["GoldGate", "find_gate"]

Report = Callable[[Progress], None]

_LONGEST = 100  # characters of a question in a message


def find_gate(settings: BotSettings) -> GoldGate | None:
    """Return the gate that the settings ask for; None if there are no gold questions or all may be lost.

    Raises:
        FitError: the fit that answers are judged by is not usable.
        GateError: the gold questions have bad lines; each is named.
        MissingError: the file that FOOTNOTE_GATE names does not exist.
    """
    file = _gold_file(settings)
    if file is None or settings.gate_at == 0:
        return None
    try:
        questions = read_questions(file)
    except QuestionSetError as error:
        raise GateError(
            f"{error}\nNothing was built. FOOTNOTE_GATE_AT=0 builds without asking them."
        ) from error
    choose_fit(fit_file(settings.index), "", "")  # refuse an unusable fit now, and not after the encoding
    return GoldGate(settings, file, questions)


def _gold_file(settings: BotSettings) -> Path | None:
    if settings.gate is not None and not settings.gate.is_file():
        raise MissingError(f"FOOTNOTE_GATE names {settings.gate}, which does not exist.")
    if settings.gate is not None:
        return settings.gate
    articles = settings.articles
    folder, name = (articles, "") if articles.is_dir() else (articles.parent, f"{articles.stem}.")
    beside = folder / f"{name}questions.jsonl"
    return beside if beside.is_file() else None


@dataclass(frozen=True, slots=True)
class GoldGate:
    """Asks the gold questions of a new generation, and also of the serving one if the new one fails any."""

    settings: BotSettings
    file: Path
    questions: tuple[Question, ...]

    def note(self) -> str:
        """Return what will be asked, for people."""
        count = count_of(len(self.questions), "gold question")
        return f"{count} in {self.file} would be asked before the new generation is published"

    def __call__(self, new: Store, old: Store | None, progress: Report) -> GateReport:
        """Judge a new generation, and refuse it if it loses more questions than FOOTNOTE_GATE_AT allows."""
        after = self._ask(new, progress, "asking the gold questions")
        before, note = {}, ""
        if old is not None and not all(map(_passes, after.values())):
            try:
                before = self._ask(old, progress, "asking the serving generation")
            except (DamagedIndexError, MissingError) as error:
                note = f"the gold questions could not be asked of the serving generation: {error}"
        passed = {name for name, outcome in before.items() if _passes(outcome)}
        lost = [each for each in self.questions if each.id in passed and not _passes(after[each.id])]
        names = tuple(one_line(f"{question.id}: {question.text}", _LONGEST) for question in lost)
        gold = Gold(len(after), sum(map(_passes, after.values())), names, note)
        if old is None or len(lost) <= (1 - self.settings.gate_at) * len(passed) + 1e-9:
            return GateReport(gold)
        serving = old.info.generation
        head = f"{count_of(len(lost), 'gold question')} of {self.file}, answered by {serving}, would be lost:"
        rows = [_row(before[question.id], after[question.id]) for question in lost]
        return GateReport(gold, listing(head, names), {**asdict(gold), "serving": serving, "lost": rows})

    def _ask(self, store: Store, progress: Report, stage: str) -> dict[str, Outcome]:
        outcomes = ask(open_answerer(store, self.settings), self.questions, stage, progress)
        return {outcome.question.id: outcome for outcome in outcomes}


def _passes(outcome: Outcome) -> bool:
    return outcome.answered and outcome.right if outcome.question.answerable else not outcome.answered


def _row(before: Outcome, after: Outcome) -> dict[str, Any]:
    row = after.question.model_dump(by_alias=True)
    for when, outcome in (("before", before), ("after", after)):
        row[when] = {name: getattr(outcome, name) for name in ("verdict", "confidence", "quote")}
    return row
