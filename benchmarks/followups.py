"""How well follow-ups are understood: each asked alone, and by the rule of `bot.answering.followups`.

    .venv/bin/python -m benchmarks.followups [--half fit|report] [--failures]

benchmarks/followups/ holds articles and follow-ups that were written for this. A follow-up is leaning (it
needs the question before), complete (it does not, though it may look so) or unanswerable in the articles;
those of the kind "nowhere" are too, and are asked after every first question. The rule was chosen on the half
"fit"; the half "report", on articles of its own, was asked afterwards. All articles of a language are in one
index, so that what is asked alone may stray. Everything is printed as Markdown.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

from bot.answering.answer import Answer, Verdict, answer
from bot.answering.confidence import find_judge
from bot.answering.followups import Earlier, ask_following
from bot.settings import BotSettings
from evaluation.question_sets import holds_answer
from index.build import build_index
from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.search.calibration import fit_file
from index.search.search import Search
from index.storage.local import open_generation

DATA = Path(__file__).parent / "followups"
KINDS = ("leaning", "complete", "unanswerable")

NOWHERE = (
    "Who insured it?",
    "Was it ever sold?",
    "What did the queen say about it?",
    "Is there a film about it?",
    "How often does it rain there?",
    "What is its telephone number?",
    "Who is its patron saint?",
    "When did he die?",
    "Where did she study?",
    "Does it have a web site?",
    "What does it smell like?",
    "How tall is he?",
    "What is her favourite food?",
    "Has it won a medal?",
)
"""What no article says of anything; asked after each first question in English, as the kind "nowhere"."""


class Outcome(IntEnum):
    """How an answer went, from worst to best."""

    ANSWERED_WRONGLY = 0
    DECLINED = 1
    NEAR = 2
    """The first quote is right, but it was not given as the answer."""
    ANSWERED_RIGHTLY = 3


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A follow-up and the questions before it; `answer` is what a right quote holds, None where none is."""

    language: str
    half: str
    kind: str
    earlier: tuple[str, ...]
    question: str
    answer: str | None

    def __str__(self) -> str:
        return " > ".join([*self.earlier, self.question])

    def outcome(self, given: Answer) -> Outcome:
        """Judge an answer by its first quote and its verdict."""
        right = bool(self.answer and given.quotes and holds_answer(given.quotes[0].text, [self.answer]))
        if given.verdict is Verdict.ANSWERED:
            return Outcome.ANSWERED_RIGHTLY if right else Outcome.ANSWERED_WRONGLY
        return Outcome.NEAR if right else Outcome.DECLINED


@dataclass(frozen=True, slots=True)
class Asked:
    """How a follow-up went alone and by the rule, what it was read with, and how often that asked."""

    followup: FollowUp
    alone: Outcome
    ruled: Outcome
    note: str
    quote: str
    searches: int


def read_followups() -> list[FollowUp]:
    """Read the follow-ups."""
    lines = (DATA / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [FollowUp(**{**row, "earlier": tuple(row["earlier"])}) for row in rows]


def nowhere(followups: Sequence[FollowUp]) -> list[FollowUp]:
    """Return what no article answers, after each first question."""
    asked_first = dict.fromkeys((one.half, one.earlier[0]) for one in followups if one.language == "en")
    return [
        FollowUp("en", half, "nowhere", (first,), question, None)
        for half, first in asked_first
        for question in NOWHERE
    ]


def asker(language: str, home: Path, encoder: Encoder) -> Callable[[str], Answer]:
    """Build the index of a language's articles, and return what answers from it."""
    settings = BotSettings.load().model_copy(
        update={
            "articles": DATA / f"articles-{language}.jsonl",
            "index": home / language,
            "language": language,
        }
    )
    build_index(settings, encoder=encoder)
    search = Search(open_generation(settings.index), encoder, settings.without)
    judge = find_judge(fit_file(settings.index), encoder.model.fingerprint, settings.answer_at)

    @cache
    def ask(text: str) -> Answer:
        return answer(text, search(text), judge=judge, generation="", without=settings.without)

    return ask


def asked(followup: FollowUp, ask: Callable[[str], Answer]) -> Asked:
    """Ask a follow-up in both ways, after the questions before it by the rule."""
    searched: list[str] = []

    def counted(text: str) -> Answer:
        searched.append(text)
        return ask(text)

    first, *others = followup.earlier
    before = Earlier.of(ask(first))
    for question in others:
        before = Earlier.of(ask_following(question, before, ask, followup.language)[0])
    alone = ask(followup.question)
    ruled, note = ask_following(followup.question, before, counted, followup.language)
    quote = ruled.quotes[0].text if ruled.quotes else ""
    return Asked(followup, followup.outcome(alone), followup.outcome(ruled), note, quote, len(searched))


def table(records: Sequence[Asked]) -> Iterator[str]:
    """Yield a Markdown table: a row for each language and kind; each cell is alone, then by the rule."""
    yield f"| | {' | '.join(_COLUMNS)} |"
    yield "| --- |" + " ---: |" * len(_COLUMNS)
    languages = dict.fromkeys(one.followup.language for one in records)
    for language in languages:
        for kind in (*KINDS, "nowhere"):
            rows = [one for one in records if (one.followup.language, one.followup.kind) == (language, kind)]
            if rows:
                yield _row(f"{language}, {kind}", rows)
    yield _row("all", records)


_COLUMNS = (
    "follow-ups",
    "first quote right",
    "answered, rightly",
    "answered, wrongly",
    "better",
    "worse",
    "searches",
)


def _row(label: str, rows: Sequence[Asked]) -> str:
    def both(*outcomes: Outcome) -> str:
        alone = sum(one.alone in outcomes for one in rows)
        return f"{alone} → {sum(one.ruled in outcomes for one in rows)}"

    cells = [
        str(len(rows)),
        both(Outcome.NEAR, Outcome.ANSWERED_RIGHTLY),
        both(Outcome.ANSWERED_RIGHTLY),
        both(Outcome.ANSWERED_WRONGLY),
        str(sum(one.ruled > one.alone for one in rows)),
        str(sum(one.ruled < one.alone for one in rows)),
        f"{sum(one.searches for one in rows) / len(rows):.2f}",
    ]
    return f"| {label} | {' | '.join(cells)} |"


def cases(records: Sequence[Asked]) -> Iterator[str]:
    """Yield a line on each record: what was asked, how it went, and what was quoted."""
    for one in records:
        went = f"{one.alone.name} → {one.ruled.name}".lower().replace("_", " ")
        read = f', read with "{one.note}"' if one.note else ""
        yield f'- {one.followup}: {went}{read}. "{one.quote}"'


def main() -> None:
    """Build, ask, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--failures", action="store_true", help="also list what is not right by the rule")
    chosen = parser.parse_args()
    followups = [one for one in read_followups() if one.half == chosen.half]
    followups += nowhere(followups)
    encoder = Encoder(find_model(BotSettings.load().model), threads=1)
    with tempfile.TemporaryDirectory() as home:
        asks = {
            name: asker(name, Path(home), encoder)
            for name in dict.fromkeys(one.language for one in followups)
        }
        records = [asked(one, asks[one.language]) for one in followups]
    print(f'## Follow-ups, half "{chosen.half}": asked alone → by the rule\n')
    print("\n".join(table(records)))
    print("\nWorse than alone:\n")
    print("\n".join(cases([one for one in records if one.ruled < one.alone])) or "- none")
    if chosen.failures:
        best = {True: Outcome.NEAR, False: Outcome.DECLINED}
        wrong = [one for one in records if one.ruled < best[one.followup.answer is not None]]
        print("\nNot right by the rule:\n")
        print("\n".join(cases(wrong)) or "- none")


if __name__ == "__main__":
    main()
