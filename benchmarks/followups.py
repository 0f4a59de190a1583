"""How well follow-ups are understood: each asked alone, and by the rules of `bot.answering.followups`.

    .venv/bin/python -m benchmarks.followups [fit|report]

benchmarks/followups/ has articles and follow-ups written for this. A follow-up is "leaning" (it needs the
question before), "complete" (it does not) or "unanswerable"; so are those of the kind "nowhere", asked after
every first question in English. The rules were chosen on the half "fit"; the half "report", on articles of
its own, was asked afterwards. All articles of a language share an index, so that a question alone may find
the wrong article. The output is Markdown: each cell is alone → by the rules.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.service.answerer import Answerer
from bot.settings import BotSettings
from index.build import build_index

DATA = Path(__file__).parent / "followups"


class Outcome(IntEnum):
    """How an answer went, from worst to best; NEAR is the right quote, not given as the answer."""

    WRONG = 0
    DECLINED = 1
    NEAR = 2
    RIGHT = 3


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A follow-up and the questions before it; `answer` is what a right quote has, None if none is right."""

    language: str
    half: str
    kind: str
    earlier: tuple[str, ...]
    question: str
    answer: str | None

    def outcome(self, given: Answer) -> Outcome:
        """Judge an answer by its first quote and its verdict."""
        is_right = bool(self.answer and given.quotes and self.answer in given.quotes[0].text)
        if given.verdict is Verdict.ANSWERED:
            return Outcome.RIGHT if is_right else Outcome.WRONG
        return Outcome.NEAR if is_right else Outcome.DECLINED


def follow_ups(half: str) -> list[FollowUp]:
    """Read the follow-ups of a half, and make those that no article answers."""
    rows = [json.loads(line) for line in (DATA / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    read = [FollowUp(**{**row, "earlier": tuple(row["earlier"])}) for row in rows if row["half"] == half]
    firsts = dict.fromkeys(one.earlier[0] for one in read if one.language == "en")
    nowhere = (DATA / "nowhere.txt").read_text(encoding="utf-8").splitlines()
    return read + [
        FollowUp("en", half, "nowhere", (first,), text, None) for first in firsts for text in nowhere
    ]


def asker(language: str, home: Path) -> Callable[..., Answer]:
    """Build the index of a language's articles, and return what answers from it."""
    articles = DATA / f"articles-{language}.jsonl"
    settings = BotSettings.load(articles=articles, index=home / language / "index", language=language)
    build_index(settings)
    return cache(Answerer.open(settings).answer)


def outcomes(follow_up: FollowUp, ask: Callable[..., Answer]) -> tuple[Outcome, Outcome]:
    """Ask a follow-up alone and by the rules."""
    first, *others = follow_up.earlier
    earlier = Earlier.of(ask(first))
    for question in others:
        earlier = Earlier.of(ask(question, None, earlier))
    by_rules = ask(follow_up.question, None, earlier)
    return follow_up.outcome(ask(follow_up.question)), follow_up.outcome(by_rules)


def row(label: str, pairs: Sequence[tuple[Outcome, Outcome]]) -> str:
    """Return a row of the table."""
    counted = ((Outcome.NEAR, Outcome.RIGHT), (Outcome.RIGHT,), (Outcome.WRONG,))
    cells = [" → ".join(str(sum(pair[at] in kinds for pair in pairs)) for at in (0, 1)) for kinds in counted]
    better, worse = sum(new > old for old, new in pairs), sum(new < old for old, new in pairs)
    return f"| {label} | {len(pairs)} | {' | '.join(cells)} | {better} | {worse} |"


def main() -> None:
    """Build, ask, and print."""
    asked = follow_ups(sys.argv[1] if len(sys.argv) > 1 else "report")
    with tempfile.TemporaryDirectory() as home:
        asks = {name: asker(name, Path(home)) for name in ("en", "es")}
        results = [(f"{one.language}, {one.kind}", outcomes(one, asks[one.language])) for one in asked]
    print("| | follow-ups | first quote right | answered, rightly | answered, wrongly | better | worse |")
    print("| --- |" + " ---: |" * 6)
    for group in dict.fromkeys(group for group, _ in results):
        print(row(group, [pair for other, pair in results if other == group]))
    print(row("all", [pair for _, pair in results]))


if __name__ == "__main__":
    main()
