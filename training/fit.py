"""Fit the confidence that ships: `python -m training.fit OUT READER FILE|SET...`.

Every question about an article that the reader was not trained on is asked of an index of that article alone,
and of one of all of them; answerable ones are also asked of the next article's.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.settings import BotSettings
from evaluation.asking import Outcome, ask, open_answerer
from evaluation.measures import PRECISION, fit_confidence
from evaluation.question_sets import Question
from index.build import build_index
from index.encoding.models import find_model
from index.search.calibration import choose_fit, save_fit
from index.storage.local import open_store
from training.examples import is_held_out, read_set, write_article

_OWN_WORDS = 0.8
"""The precision on these questions, which are harder than most: their words are seldom those of the article,
and those that cannot be answered tempt. On the public sets it is above 0.9 at the same confidence."""


def read_questions(path: Path, reader: str) -> tuple[list[dict[str, Any]], dict[str, list[Question]]]:
    """Return the articles of a set that the reader was not trained on, and their questions."""
    articles, rows = read_set(path)
    articles = [each for each in articles if reader == "none" or is_held_out(each["id"])]
    questions = {
        each["id"]: [_read(row) for row in rows if row["article"] == each["id"]] for each in articles
    }
    return articles, questions


def _read(row: dict[str, Any]) -> Question:
    return Question.model_validate_json(json.dumps(row))


def a_third_unanswerable(questions: Sequence[Question]) -> list[Question]:
    """Return questions of which at most a third cannot be answered, as the confidence expects."""
    unanswerable = [one for one in questions if not one.answerable]
    kept = unanswerable[: (len(questions) - len(unanswerable)) // 2]
    return [one for one in questions if one.answerable or one in kept]


def ask_all(path: Path, home: Path, reader: str, *, alone: bool) -> Iterator[Outcome]:
    """Yield what came of every question of a set; those on other subjects are the next group's."""
    articles, questions = read_questions(path, reader)
    groups = [[article] for article in articles] if alone else [articles[0::2], articles[1::2], articles]
    encoder = None
    for number, group in enumerate(groups):
        folder = home / "articles"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for article in group:
            write_article(folder, article)
        settings = BotSettings(articles=folder, index=home / "index", reader=reader)
        build_index(settings, encoder=encoder, force=True)
        own = [one for article in group for one in questions[article["id"]]]
        others = groups[number - 1] if alone or number < 2 else []
        strange = [one for each in others for one in questions[each["id"]] if one.answerable]
        with closing(open_answerer(open_store(settings.index), settings)) as answerer:
            encoder = answerer.search.encoder
            if alone or number == 2:
                yield from ask(answerer, a_third_unanswerable(own), "", lambda _: None)
            if others is not groups[-1] and len(others) < len(articles):
                yield from ask(answerer, strange[::3], "", lambda _: None, other=True)


def main(arguments: Sequence[str]) -> None:
    """Write the fit, and print what it does on the questions that it was fitted to."""
    out, reader, *paths = arguments
    sets: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory() as name:
        for path in map(Path, paths):
            for alone in (
                (True, False) if path.suffix == ".txt" or path.name.startswith("plain") else (False,)
            ):
                label = f"own words {'alone' if alone else 'together'}" if path.suffix else path.name
                sets.setdefault(label, []).extend(ask_all(path, Path(name), reader, alone=alone))
    model = find_model(BotSettings().model)
    fitted = "" if reader == "none" else reader
    shipped = choose_fit(Path("no such file"), model.fingerprint, fitted)
    precision = _OWN_WORDS if fitted else PRECISION
    fit, coverage = fit_confidence(sets, model, fitted, shipped, precision=precision)
    if not fitted:  # whether a question is on the subject does not depend on the reader
        own = choose_fit(Path("no such file"), model.fingerprint, "trained")
        fit = replace(fit, subject=own.subject, related_at=own.related_at)
    save_fit(fit, Path(out))
    print(out, f"answers {coverage:.1%} of the questions", fit.answer_at, fit.related_at, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
