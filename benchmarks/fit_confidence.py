"""Fit the confidence of an answer, and report it on a question set that the fit has not seen.

    .venv/bin/python -m benchmarks.fit_confidence --fit SET... --report SET

A set is a folder with articles.jsonl and questions.jsonl. Articles of the reported set are dropped from the
fitted ones by title. Each answerable question is also asked of an index without its article (another
subject). The label is whether the first quote holds a gold answer. Prints the bias and weights for
`bot.answers`, then, for each threshold, how much is answered and how often rightly.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.answers import signals
from index import Encoder, IndexSettings, Search, build_index, find_model, open_generation

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One question asked of one index: the first hit's signals, and what became of it."""

    title: str
    question: str
    signals: dict[str, float]
    right: bool
    kind: str
    """answerable, unanswerable (on an article's own subject), or other (its article is not there)."""


def read_rows(path: Path) -> list[Row]:
    """Read a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plain(text: str) -> str:
    """Return the words of a text alone, for comparing an answer with a quote."""
    return re.sub(r"\W+", " ", text.lower()).strip()


def holds(quote: str, answers: list[str]) -> bool:
    """Tell whether a quote holds one of the gold answers, or is the better part of one."""
    text = plain(quote)
    return any(gold and (gold in text or (len(text) > 20 and text in gold)) for gold in map(plain, answers))


def ask(articles: list[Row], questions: list[Row], encoder: Encoder, kind: str) -> Iterator[Sample]:
    """Ask questions of an index of these articles alone."""
    titles = {row["id"]: row["title"] for row in articles}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "articles.jsonl")
        source.write_text("".join(json.dumps(row) + "\n" for row in articles), encoding="utf-8")
        settings = IndexSettings.load(articles=source, index=Path(folder, "index"))
        build_index(settings, encoder=encoder)
        search = Search(open_generation(settings.index), encoder)
        for row in questions:
            hits = search(row["question"])
            if hits:
                right = kind == "answerable" and holds(hits[0].best_sentence.text, row["answers"])
                title = titles.get(row["article"], "")
                yield Sample(title, row["question"], signals(hits[0]), right, kind)


def samples(folder: Path, encoder: Encoder) -> list[Sample]:
    """Ask a whole set, its answerable questions a second time of the half that lacks their article."""
    articles, questions = read_rows(folder / "articles.jsonl"), read_rows(folder / "questions.jsonl")
    for row in questions:
        row.setdefault("article", row.get("article_id", ""))
    answerable = [row for row in questions if row["answerable"]]
    found = list(ask(articles, answerable, encoder, "answerable"))
    found += ask(articles, [row for row in questions if not row["answerable"]], encoder, "unanswerable")
    titles = {row["id"]: row["title"] for row in articles}
    half = set(sorted(titles)[::2])
    for kept in (half, set(titles) - half):
        asked = [row for row in answerable if row["article"] not in kept]
        without = [row for row in articles if row["id"] in kept]
        for sample in ask(without, asked, encoder, "other"):
            subject = next(row["article"] for row in asked if row["question"] == sample.question)
            found.append(Sample(titles[subject], sample.question, sample.signals, False, "other"))
    return found


def report(name: str, found: list[Sample], sure: Any) -> None:
    """Print how much is answered and how often rightly, at each threshold."""
    right = np.array([sample.right for sample in found])
    kinds = np.array([sample.kind for sample in found])
    print(f"{name}: {len(found)} questions, right when answerable {right[kinds == 'answerable'].mean():.3f}")
    kept = np.quantile(sure[kinds == "answerable"], 0.05)
    print(
        f"  95% of the answerable are at or above {kept:.3f}; other subjects under it: "
        f"{(sure[kinds == 'other'] < kept).mean():.3f}"
    )
    asked = kinds != "other" if (kinds == "unanswerable").any() else np.ones(len(found), dtype=bool)
    for at in np.arange(0.2, 0.96, 0.05):
        said = (sure >= at) & asked
        other = (sure[kinds == "other"] >= at).mean()
        correct = right[said].mean() if said.any() else 0.0
        print(
            f"  at {at:.2f}: answered {said.sum() / asked.sum():.3f}, of them right {correct:.3f}, "
            f"other subjects answered {other:.3f}"
        )


def main() -> None:
    """Fit, print and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--fit", nargs="+", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    chosen = parser.parse_args()
    encoder = Encoder(find_model(IndexSettings.load().model))
    unseen = samples(chosen.report, encoder)
    shared = {sample.title for sample in unseen}
    fitted = [one for folder in chosen.fit for one in samples(folder, encoder) if one.title not in shared]
    names = list(fitted[0].signals)
    table = np.array([[sample.signals[name] for name in names] for sample in fitted])
    model = LogisticRegression(C=100, max_iter=5000).fit(table, [sample.right for sample in fitted])
    print(f"bias {model.intercept_[0]:.3f}")
    for name, weight in zip(names, model.coef_[0], strict=True):
        print(f"{name} {weight:.3f}")
    report("fitted on", fitted, model.predict_proba(table)[:, 1])
    table = np.array([[sample.signals[name] for name in names] for sample in unseen])
    report(f"not seen: {chosen.report.name}", unseen, model.predict_proba(table)[:, 1])


if __name__ == "__main__":
    main()
