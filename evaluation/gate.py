"""The gate of rebuilds: the operator's own gold questions, which a new generation must go on answering.

The new generation is asked all of them, and the one that serves only those that the new one gets wrong: what
it gets right there is lost. A question that the articles cannot answer is right when it is not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from bot.answering.answer import Answer, Verdict
from bot.answering.confidence import find_judge
from bot.service.answerer import Serving
from bot.settings import BotSettings
from evaluation.errors import QuestionSetError
from evaluation.judging import holds
from evaluation.questions import Question
from evaluation.sets import read_questions
from index.errors import DamagedIndexError, GateError, MissingError
from index.progress import Progress
from index.search.calibration import fit_file
from index.storage.gate import GateReport, Gold
from index.storage.local import Generation
from index.terminal import printable

__all__ = ["GoldGate", "find_gate"]

_BESIDE = "questions.jsonl"
_NEARLY = 1e-9
"""What rounding may take from a share: 7 of 100 are 0.07 of them."""

_SHOWN = 20
"""Lost questions that an error names; the report has all of them."""

_LONGEST = 100
"""Characters of a question's id and text that are shown."""

_BEFORE = "asking the generation before"

Tell = Callable[[Progress], None]


def find_gate(settings: BotSettings) -> GoldGate | None:
    """Return the gate that these settings ask for; None where nothing is asked, or all may be lost.

    Raises:
        FitError: the fit that answers are judged by is none.
        GateError: the gold questions cannot be read; every line that is wrong is named.
        MissingError: the file that FOOTNOTE_GATE names is not there.
    """
    file = _gold_file(settings)
    if file is None or settings.gate_at == 0:
        return None
    try:
        questions = read_questions(file)
    except QuestionSetError as error:
        raise GateError(
            "\n".join(
                [
                    "the gold questions cannot be asked, so nothing was built:",
                    *(f"  {problem}" for problem in error.problems[:_SHOWN]),
                    *_more(len(error.problems)),
                    f"Correct {file}; with FOOTNOTE_GATE_AT=0 none are asked.",
                ]
            )
        ) from error
    find_judge(fit_file(settings.index), "", settings.answer_at)  # refuse it before encoding
    return GoldGate(settings, file, questions)


def _gold_file(settings: BotSettings) -> Path | None:
    if settings.gate is not None:
        if not settings.gate.is_file():
            raise MissingError(f"no file of gold questions at {settings.gate}: FOOTNOTE_GATE names it.")
        return settings.gate
    articles = settings.articles
    beside = articles / _BESIDE if articles.is_dir() else articles.with_name(f"{articles.stem}.{_BESIDE}")
    return beside if beside.is_file() else None


@dataclass(frozen=True, slots=True)
class _Given:
    """What was answered to a gold question, as the report has it."""

    right: bool
    verdict: str
    confidence: float
    quote: str
    article: str
    paragraph: int | None

    @classmethod
    def of(cls, question: Question, given: Answer) -> Self:
        """Judge an answer by its verdict and its first quote, which is what the surfaces show."""
        quote = given.quotes[0] if given.quotes else None
        answered = given.verdict is Verdict.ANSWERED
        holding = quote is not None and holds(quote.text, question.answers)
        return cls(
            right=answered and holding if question.answerable else not answered,
            verdict=str(given.verdict),
            confidence=given.confidence,
            quote=quote.text if quote else "",
            article=given.citation_of(quote).article if quote else "",
            paragraph=quote.paragraph if quote else None,
        )


@dataclass(frozen=True, slots=True)
class GoldGate:
    """Asks the gold questions of a new generation, and of the one that serves."""

    settings: BotSettings
    file: Path
    questions: tuple[Question, ...]

    def note(self) -> str:
        """Say for people what will be asked."""
        count = f"{len(self.questions):,} gold question{'s' * (len(self.questions) != 1)}"
        return f"{count} in {self.file} would be asked before the new generation is published"

    def __call__(self, new: Generation, old: Generation | None, progress: Tell) -> GateReport:
        """Ask, compare, and refuse where too many are lost."""
        after = self._ask(new, self.questions, progress, "asking the gold questions")
        wrong = [one for one in self.questions if not after[one.id].right]
        before, note = self._before(old, wrong, progress)
        lost = [one for one in wrong if one.id in before and before[one.id].right]
        gold = Gold(len(after), len(after) - len(wrong), tuple(map(_name, lost)), note)
        if not lost or old is None or self._enough(old, wrong, lost, progress):
            return GateReport(gold)
        rows = [_row(one, before[one.id], after[one.id]) for one in lost]
        details = {
            "questions": str(self.file),
            "asked": gold.asked,
            "answered": gold.answered,
            "gate_at": self.settings.gate_at,
            "serving": old.name,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "lost": rows,
        }
        return GateReport(gold, self._refusal(gold, old), details)

    def _ask(
        self, generation: Generation, questions: Sequence[Question], progress: Tell, stage: str
    ) -> dict[str, _Given]:
        """Ask as the bot does, whichever encoder the generation was made with; return what came by id."""
        settings = self.settings.model_copy(update={"model": generation.manifest.encoder, "model_sha256": ""})
        serving = Serving.of(settings, generation)
        found = {}
        for number, one in enumerate(questions, 1):
            found[one.id] = _Given.of(one, serving.answer(one.text, None, None))
            progress(Progress(stage, number, len(questions)))
        return found

    def _before(
        self, old: Generation | None, questions: Sequence[Question], progress: Tell
    ) -> tuple[dict[str, _Given], str]:
        """Ask the generation that serves; return why not where it cannot be: then nothing can be lost."""
        if old is None or not questions:
            return {}, ""
        try:
            return self._ask(old, questions, progress, _BEFORE), ""
        except (DamagedIndexError, MissingError) as error:
            return {}, f"the gold questions were not asked of the generation before: {error}"

    def _enough(
        self, old: Generation, wrong: Sequence[Question], lost: Sequence[Question], progress: Tell
    ) -> bool:
        """Tell whether the share of what the old one answers that the new one does too is as wanted."""
        if self.settings.gate_at == 1:
            return False
        rest = [one for one in self.questions if one not in wrong]
        kept = sum(given.right for given in self._ask(old, rest, progress, _BEFORE).values())
        return kept + _NEARLY >= self.settings.gate_at * (kept + len(lost))

    def _refusal(self, gold: Gold, old: Generation) -> str:
        count = len(gold.lost)
        one = f"{count:,} gold question{'s' * (count != 1)}"
        head = f"{one} of {self.file} would be lost, which {old.name} answers:"
        return "\n".join([head, *(f"  {name}" for name in gold.lost[:_SHOWN]), *_more(count)])


def _name(question: Question) -> str:
    """Return a question's id and text, on one line that steers no terminal."""
    text = printable(" ".join(f"{question.id}: {question.text}".split()))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _row(question: Question, before: _Given, after: _Given) -> dict[str, Any]:
    return {
        "id": question.id,
        "question": question.text,
        "answers": question.answers,
        "answerable": question.answerable,
        "before": asdict(before),
        "after": asdict(after),
    }


def _more(count: int) -> list[str]:
    return [f"  and {count - _SHOWN:,} more"] if count > _SHOWN else []
