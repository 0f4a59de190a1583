"""`footnote eval`: what the command line is told, and what comes out. Imports nothing heavy by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from index.terminal import printable, show_progress

if TYPE_CHECKING:
    from bot.settings import BotSettings
    from evaluation.comparing import Comparison
    from evaluation.records import Asked
    from evaluation.runs import Run
    from evaluation.sets import QuestionSet

__all__ = ["eval_command"]

_FILE = click.Path(path_type=Path)
_FIT_OUT = Path(".footnote/fit.json")


class _Eval(click.Command):
    """A command whose `--fit` takes every word up to the next option, as `--fit A B`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put a `--fit` before each of its words, then parse as ever."""
        spread: list[str] = []
        taking = False
        for number, word in enumerate(args):
            if word == "--":
                spread += args[number:]
                break
            option = word.startswith("-")
            if word == "--fit":
                taking = True
                if not args[number + 1 :] or args[number + 1].startswith("-"):
                    raise click.BadOptionUsage("fit", "Option '--fit' requires an argument.", ctx)
            elif option:
                taking = False
                spread.append(word)
            else:
                spread += ["--fit", word] if taking else [word]
        return super().parse_args(ctx, spread)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to come out."""

    as_json: bool
    csv: Path | None
    report: Path | None
    compare: Path | None
    fit_out: Path
    limit: int | None
    seed: int


@click.command("eval", cls=_Eval)
@click.argument("sets", nargs=-1, type=_FILE, metavar="SET...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with a row for each question.")
@click.option("--csv", type=_FILE, metavar="FILE", help="Write a row for each question asked.")
@click.option("--report", type=_FILE, metavar="FOLDER", help="Write index.html, with curves and failures.")
@click.option("--compare", type=_FILE, metavar="RUN.json", help="Say what differs from an earlier --json.")
@click.option("--fit", multiple=True, type=_FILE, metavar="SET...", help="Fit the confidence to these sets.")
@click.option("--fit-out", type=_FILE, metavar="FILE", help=f"Where the fit goes (default {_FIT_OUT}).")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Questions to draw from each set.")
@click.option("--seed", type=click.IntRange(0), default=1, metavar="N", help="For what is drawn (default 1).")
@click.option("--answer-at", type=float, metavar="SHARE", help="Confidence at which a quote is the answer.")
@click.option("--model", metavar="NAME", help="The encoder: a sentence-transformers name or folder.")
@click.option("--language", metavar="CODE", help="How sentences are told apart (ISO 639; default en).")
@click.pass_context
def eval_command(  # noqa: PLR0913 - one parameter an option
    context: click.Context,
    /,
    sets: tuple[Path, ...],
    as_json: bool,
    csv: Path | None,
    report: Path | None,
    compare: Path | None,
    fit: tuple[Path, ...],
    fit_out: Path | None,
    limit: int | None,
    seed: int,
    **options: Any,
) -> None:
    """Ask question sets and measure the answers.

    A SET is a folder with articles.jsonl (or articles/, or article files) and questions.jsonl, or a file
    X.questions.jsonl with its article X.txt, X.md or X.jsonl beside it. Each is indexed in a temporary
    folder. With --fit, the confidence is fitted first and the SETs are judged by it, without the articles
    that they share with it.
    """
    if not sets and not fit:
        raise click.UsageError("name a SET to ask, or sets to --fit the confidence to.")
    if not sets and (csv or report or compare):
        raise click.UsageError("--csv, --report and --compare need a SET to ask.")
    if fit_out and not fit:
        raise click.UsageError("--fit-out needs --fit.")
    from bot.settings import BotSettings

    load = context.find_root().obj or BotSettings.load
    wanted = _Wanted(as_json, csv, report, compare, fit_out or _FIT_OUT, limit, seed)
    _evaluate(load(**options), sets, fit, wanted)


def _evaluate(settings: BotSettings, sets: tuple[Path, ...], fit: tuple[Path, ...], wanted: _Wanted) -> None:
    """Check all that can be checked at once, then ask, then let out what is wanted."""
    from evaluation.sets import read_sets, unseen

    _require_eval()
    if wanted.report:
        from evaluation.report import check_report

        check_report(wanted.report)
    paths = list(dict.fromkeys([*sets, *fit]))
    read = dict(zip(paths, read_sets(paths), strict=True))
    earlier = _earlier(wanted.compare)
    reported = [read[path] for path in dict.fromkeys(sets)]
    fitted_to = unseen(reported, [read[path] for path in dict.fromkeys(fit)])
    run = _ask(settings, reported, fitted_to, wanted)
    _let_out(run, earlier, wanted)


def _require_eval() -> None:
    """Raise unless what measures is installed."""
    from importlib.util import find_spec

    from index.errors import MissingError

    if missing := [name for name in ("scipy", "sklearn") if find_spec(name) is None]:
        raise MissingError(
            f"evaluation needs {' and '.join(missing)}, not installed here: pip install 'footnote[eval]'."
        )


def _earlier(path: Path | None) -> dict[str, tuple[Asked, ...]]:
    if path is None:
        return {}
    from evaluation.runs import load_run

    return load_run(path)


def _ask(
    settings: BotSettings,
    reported: list[QuestionSet],
    fitted_to: list[tuple[QuestionSet, int]],
    wanted: _Wanted,
) -> Run:
    from evaluation.session import evaluate
    from index.encoding.opening import build_encoder, find_model_of
    from index.progress import Progress

    with show_progress() as progress:
        progress(Progress("loading the encoder", 0, 1))
        model = find_model_of(settings.index, settings.model, settings.model_sha256)
        encoder = build_encoder(settings.index, model)
        progress(Progress("loading the encoder", 1, 1))
        return evaluate(
            reported, fitted_to, settings, encoder, progress, seed=wanted.seed, limit=wanted.limit
        )


def _let_out(run: Run, earlier: dict[str, tuple[Asked, ...]], wanted: _Wanted) -> None:
    """Print the run, and write what is to be written; standard output has the run alone."""
    from evaluation.comparing import compare
    from evaluation.showing import show_comparisons, show_run

    written = list(_write(run, wanted))
    comparisons: list[Comparison] = [
        compare(one, earlier.get(one.name, ()), run.seed) for one in run.sets if wanted.compare
    ]
    if wanted.as_json:
        compared = {"comparison": [one.as_json() for one in comparisons]} if comparisons else {}
        click.echo(json.dumps({**run.as_json(), **compared}, allow_nan=False))
    else:
        show_run(run)
        show_comparisons(comparisons)
    for path in written:
        click.echo(f"written: {printable(str(path))}", err=True)


def _write(run: Run, wanted: _Wanted) -> list[Path]:
    written = []
    if run.fitted:
        from index.search.calibration import save_fit

        save_fit(run.fitted.fit, wanted.fit_out)
        written.append(wanted.fit_out)
    if wanted.csv:
        from evaluation.table_file import write_csv

        write_csv(run, wanted.csv)
        written.append(wanted.csv)
    if wanted.report:
        from evaluation.report import write_report

        written.append(write_report(run, wanted.report))
    return written
