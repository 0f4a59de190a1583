"""`footnote eval`: from question sets to a report as text, HTML or JSON. Importing it is cheap.

How the text and the page look is up to the templates beside this module.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from index.errors import MissingError
from index.terminal import printable, show_progress

if TYPE_CHECKING:
    from bot.settings import BotSettings
    from evaluation.asking import Outcome
    from evaluation.question_sets import QuestionSet
    from index.search.calibration import Fit

    Sets = dict[str, list[Outcome]]  # the outcomes of each set, by its name

__all__ = ["eval_command"]

_FILE = click.Path(path_type=Path)


class _EvalCommand(click.Command):
    """A command whose `--fit` takes all words up to the next option: `--fit A B` is `--fit A --fit B`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat `--fit` before each of its words, then parse as usual."""
        spread: list[str] = []
        option = ""
        for word in args:
            if word.startswith("-"):
                option = word
            elif option == "--fit" and spread[-1] != "--fit":
                spread.append("--fit")
            spread.append(word)
        return super().parse_args(ctx, spread)


@click.command("eval", cls=_EvalCommand)
@click.argument("sets", nargs=-1, type=_FILE, metavar="SET...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with a row for each question.")
@click.option(
    "--report", type=_FILE, metavar="FOLDER", help="Write index.html there, or to a named .html file."
)
@click.option("--fit", multiple=True, type=_FILE, metavar="SET...", help="Fit the confidence to these sets.")
@click.option(
    "--fit-out", type=_FILE, metavar="FILE", help="Where the fit goes (default .footnote/fit.json)."
)
@click.option("--answer-at", type=float, metavar="SHARE", help="Confidence at which a quote is the answer.")
@click.option("--model", metavar="NAME", help="The encoder: a sentence-transformers name or folder.")
@click.option("--reader", metavar="NAME", help="What reads the passages found: trained or none.")
@click.option("--language", metavar="CODE", help="The language of the articles (ISO 639; default en).")
@click.pass_context
def eval_command(  # noqa: PLR0913 - one parameter an option
    context: click.Context,
    /,
    sets: tuple[Path, ...],
    fit: tuple[Path, ...],
    fit_out: Path | None,
    as_json: bool,
    report: Path | None,
    **options: Any,
) -> None:
    """Ask question sets and measure the answers.

    A SET is a folder with articles.jsonl (or article files) and questions.jsonl, or a file X.questions.jsonl
    with its article X.txt, X.md or the like beside it. Each is indexed in a temporary folder. With --fit, the
    confidence is fitted first, without the articles of the SETs, which are then judged by it.
    """
    if not (sets or fit) or (report and not sets) or (fit_out and not fit):
        raise click.UsageError(
            "name a SET to ask (--report needs one), or sets to --fit (as --fit-out needs)."
        )
    for package in ("jinja2", "sklearn"):
        if find_spec(package) is None:
            raise MissingError(f"evaluation needs {package}: pip install 'footnote[eval]'.")
    from bot.settings import BotSettings
    from evaluation.question_sets import read_sets

    settings = (context.find_root().obj or BotSettings.load)(**options)
    question_sets = read_sets([*sets, *fit])
    reported, fitted_to = question_sets[: len(sets)], question_sets[len(sets) :]
    fitted_to = [question_set.without_articles_of(reported) for question_set in fitted_to]
    outcomes, used, note = _run(settings, reported, fitted_to, fit_out)
    if report:
        _write_page(report if report.suffix == ".html" else report / "index.html", outcomes, note)
    if as_json:
        fields = {"fit": {**asdict(used), "made": str(used.made)}, "sets": _rows(outcomes)}
        click.echo(json.dumps(fields))
    else:
        click.echo(printable(_render("report.txt.jinja", outcomes, note)), nl=False)


def _run(
    settings: BotSettings, reported: list[QuestionSet], fitted_to: list[QuestionSet], fit_out: Path | None
) -> tuple[Sets, Fit, str]:
    """Fit if asked to, then ask; return the outcomes by set, the fit that judged them, and a note on it."""
    from evaluation.asking import ask_set
    from evaluation.measures import fit_confidence
    from index.reading.registry import reader_name
    from index.search.calibration import choose_fit, fit_file, save_fit
    from index.storage.inspection import find_model_of

    own = fit_file(settings.index)
    model = find_model_of(settings)
    reader = reader_name(settings, model.fingerprint)
    fit, note = choose_fit(own, model.fingerprint, reader), f"encoder {model.name}, reader {reader or 'none'}"
    with show_progress() as progress:
        if fitted_to:
            samples = {each.name: ask_set(each, settings, fit, progress) for each in fitted_to}
            fit, coverage = fit_confidence(samples, model, reader, fit)
            save_fit(fit, fit_out or own)
            note += f"\nfit written to {fit_out or own}: it answers {coverage:.1%} of these questions"
            if not coverage:
                note += ", since at no confidence 85% are surely right: use more questions"
        outcomes = {each.name: ask_set(each, settings, fit, progress) for each in reported}
    weights = ", ".join(f"{name} {weight:.4g}" for name, weight in fit.answers.weights.items())
    answer_at = fit.answer_at if settings.answer_at is None else settings.answer_at
    note += f"\nconfidence {fit.describe(model.fingerprint, reader)}: bias {fit.answers.bias:.4g}, {weights}"
    return outcomes, fit, f"{note}; answered from {answer_at:.4g}"


def _rows(sets: Sets) -> list[dict[str, Any]]:
    from evaluation.measures import measure

    return [
        {
            "name": name,
            "measures": {label: value._asdict() for label, value in measure(outcomes).items()},
            "rows": [
                {**asdict(outcome), **outcome.question.model_dump(by_alias=True), "right": outcome.right}
                for outcome in outcomes
            ],
        }
        for name, outcomes in sets.items()
    ]


def _write_page(file: Path, sets: Sets, note: str) -> None:
    page = _render("report.html.jinja", sets, note)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(page.encode("utf-8", "replace"))
    except OSError as error:
        raise MissingError(f"{file} cannot be written: {error.strerror}.") from error


def _render(template: str, sets: Sets, note: str) -> str:
    import jinja2

    from evaluation.measures import decided, measure

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("evaluation", "."),
        autoescape=jinja2.select_autoescape(["html.jinja"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(measure=measure, decided=decided)
    return environment.get_template(template).render(sets=sets, note=note)
