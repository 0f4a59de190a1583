"""The figures of docs/quality.md: how well Footnote finds, quotes and declines, and what each part is worth.

    .venv/bin/python -m benchmarks.quality FOLDER [--ablation] [--limit N] > docs/quality-figures.md

FOLDER holds the question sets xquad-en, squad2 and clapnq (`make quality` names it). Each set is asked as
`footnote eval` asks it. Then the confidence is fitted three times, each time on two sets without the articles
that the third has too, and judged on the third: no figure is of questions that took part in its fit. With
--ablation, each part of the search (FOOTNOTE_WITHOUT) is left out in turn, and each signal of the confidence.
Everything is printed as Markdown.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.settings import BotSettings
from evaluation.fitting import fit_confidence
from evaluation.judging import plain
from evaluation.measures import MEASURES, compute
from evaluation.records import Asked, Kind, rescore
from evaluation.running import ask_set
from evaluation.session import sample
from evaluation.sets import QuestionSet, read_sets
from evaluation.tables import tabulate
from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.progress import Progress
from index.search.parts import Part

SETS = ("xquad-en", "squad2", "clapnq")
_SHOWN = (
    "top_1",
    "quote_right",
    "quote_characters",
    "other_rejected",
    "auroc_unanswerable",
    "auroc_other",
    "right_at_35",
    "mixed_right_at_40",
    "coverage_at_85",
    "mixed_coverage_at_85",
    "mixed_coverage_at_90",
    "coverage_at_95",
    "mixed_coverage_at_95",
    "ece",
    "highlight_given",
    "highlight_right",
    "exact",
    "ms_p50",
    "ms_p99",
)
_SEED = 1
Records = Sequence[Asked]
Figures = Mapping[str, float]


class Asker:
    """Asks the sets, each of indexes that are built once."""

    def __init__(self, sets: Sequence[QuestionSet], home: Path) -> None:
        self._sets = {one.name: one for one in sets}
        self._home = home
        self._encoder = Encoder(find_model(BotSettings.load().model), threads=1)
        self.fingerprint = self._encoder.model.fingerprint

    def ask(
        self, name: str, without: Part | None = None, change: Callable[[str], str] | None = None
    ) -> Records:
        """Ask a set; with a part left out, or the questions changed, only the answerable ones."""
        asked = self._sets[name]
        if change or without:
            questions = tuple(one for one in asked.questions if one.answerable)
            asked = replace(asked, questions=questions)
        if change:
            asked = replace(
                asked, questions=tuple(replace(one, text=change(one.text)) for one in asked.questions)
            )
        parts = frozenset({without} if without else ())
        settings = BotSettings.load().model_copy(update={"without": parts})
        kept = self._home / name
        kept.mkdir(exist_ok=True)
        others = asked is self._sets[name]
        return ask_set(asked, settings, self._encoder, _tell, kept=kept, others=others)


def _tell(step: Progress) -> None:
    if step.done == step.total:
        print(f"{step.stage}: {step.total}", file=sys.stderr)


def figures(records: Records) -> Figures:
    """Return every measure by its name."""
    values = compute(tabulate(records))
    return {measure.name: float(value) for measure, value in zip(MEASURES, values, strict=True)}


def mistype(text: str) -> str:
    """Return a question with one slip in its longest word: two letters swapped, one left out or doubled."""
    draw = random.Random(f"{_SEED} {text}")  # noqa: S311 - no secret
    word = max(text.split(), key=len)
    if len(word) < 5:
        return text
    at = draw.randrange(1, len(word) - 2)
    slips = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
    )
    return text.replace(word, draw.choice(slips), 1)


def judged(
    name: str, asked: Mapping[str, Records], fingerprint: str, without: str = ""
) -> tuple[Records, str]:
    """Return a set's records, judged by a fit on the others without its articles, and the fit in words."""
    titles = {plain(record.title) for record in asked[name]}
    fitted_to = [
        _less(record, without)
        for other, records in asked.items()
        if other != name
        for record in records
        if plain(record.title) not in titles
    ]
    fitted = fit_confidence(fitted_to, "", fingerprint, datetime.now(UTC).date())
    others = " and ".join(other for other in asked if other != name)
    weights = ", ".join(f"{signal} {weight:.3f}" for signal, weight in fitted.fit.weights)
    bias, at = fitted.fit.bias, fitted.fit.answer_at
    words = f"{name}: fitted on {others}: bias {bias:.3f}, {weights}; answered from {at}"
    return [rescore(_less(record, without), fitted.fit) for record in asked[name]], words


def _less(record: Asked, without: str) -> Asked:
    return replace(record, signals=tuple(one for one in record.signals if one[0] != without))


def table(rows: Mapping[str, Figures], names: Sequence[str]) -> Iterator[str]:
    """Yield a Markdown table: a row a measure, a column a set."""
    labels = {measure.name: measure.label for measure in MEASURES}
    yield f"| measure | {' | '.join(rows)} |"
    yield f"| --- |{' --- |' * len(rows)}"
    for name in names:
        if name in labels:
            yield f"| {labels[name]} | {' | '.join(_shown(one[name]) for one in rows.values())} |"


def _shown(value: float) -> str:
    return "–" if value != value else f"{value:.3f}" if value <= 1 else f"{value:.0f}"  # noqa: PLR0124 - NaN


def ablation(asker: Asker, whole: Mapping[str, Records]) -> Iterator[str]:
    """Yield the tables of what is lost without each part of the search, and without each signal."""
    yield "\n## Without each part of the search\n"
    yield from _heading()
    yield _row("everything on", {name: _answerable(records) for name, records in whole.items()})
    for part in Part:
        yield _row(f"without `{part}`", {name: asker.ask(name, part) for name in whole})
    yield _row("one slip a question", {name: asker.ask(name, change=mistype) for name in whole})
    spelling = {name: asker.ask(name, Part.SPELLING, mistype) for name in whole}
    yield _row("one slip, without `spelling`", spelling)
    yield "\n## Without each signal of the confidence\n"
    yield "| signals | set | AUROC, unanswerable | other rejected at 95% | coverage at 85% right | error |"
    yield "| --- | --- | --- | --- | --- | --- |"
    signals = [name for name, _ in whole[SETS[0]][0].signals]
    for left_out in ("", *signals):
        for name in whole:
            one = figures(judged(name, whole, asker.fingerprint, left_out)[0])
            coverage = one["mixed_coverage_at_85" if name == "xquad-en" else "coverage_at_85"]
            error = one["mixed_ece" if name == "xquad-en" else "ece"]
            shown = map(_shown, (one["auroc_unanswerable"], one["other_rejected"], coverage, error))
            yield f"| {f'without `{left_out}`' if left_out else 'all'} | {name} | {' | '.join(shown)} |"


def _answerable(records: Records) -> Records:
    return [record for record in records if record.kind is Kind.ANSWERABLE]


def _heading() -> Iterator[str]:
    sets = [f"{name}: {what}" for name in SETS for what in ("top-1", "quote", "length")]
    yield f"| | {' | '.join(sets)} |"
    yield f"| --- |{' --- |' * len(sets)}"


def _row(label: str, asked: Mapping[str, Records]) -> str:
    found = {name: figures(_answerable(records)) for name, records in asked.items()}
    cells = [
        _shown(found[name][what]) for name in SETS for what in ("top_1", "quote_right", "quote_characters")
    ]
    return f"| {label} | {' | '.join(cells)} |"


def main() -> None:
    """Ask, fit, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ablation", action="store_true", help="also leave out each part and signal in turn")
    parser.add_argument("--limit", type=int, help="questions to draw from each set")
    chosen = parser.parse_args()
    sets = [sample(one, chosen.limit, _SEED) for one in read_sets([chosen.folder / name for name in SETS])]
    with tempfile.TemporaryDirectory() as home:
        asker = Asker(sets, Path(home))
        asked = {name: asker.ask(name) for name in SETS}
        fitted = {name: judged(name, asked, asker.fingerprint) for name in SETS}
        print("## Each set, judged by a fit on the two others\n")
        for line in table({name: figures(records) for name, (records, _) in fitted.items()}, _SHOWN):
            print(line)
        print("\n" + "\n".join(f"- {words}" for _, words in fitted.values()))
        for line in ablation(asker, asked) if chosen.ablation else ():
            print(line, flush=True)


if __name__ == "__main__":
    main()
