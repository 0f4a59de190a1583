"""`footnote index build | status | verify | show | history | rollback | prune`: the index by hand."""

from __future__ import annotations

import dataclasses
import functools
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from index.errors import FootnoteError
from index.terminal import printable, show_progress

if TYPE_CHECKING:
    from index.articles.reading import Article
    from index.build import Changes
    from index.settings import IndexSettings
    from index.storage.gate import Gate
    from index.storage.local import Generation

__all__ = ["GATE_OF", "index_group", "index_options"]

GATE_OF = "index.cli.gate_of"
"""Where in click's `meta` the program that we are part of leaves what makes a gate of settings."""

Command = Callable[..., None]


class _NumberOrNone(click.types.FloatParamType):
    """A number; nothing at all stands for none, whatever the environment says."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "" else super().convert(value, param, ctx)


def index_options(command: Command) -> Command:
    """Give a command an option for every setting of `IndexSettings`."""
    for option in (
        click.option(
            "--answer-at",
            type=_NumberOrNone(),
            metavar="SHARE",
            help="Confidence at which a quote is the answer, 0 to 1.",
        ),
        click.option(
            "--shrink",
            type=float,
            metavar="SHARE",
            help="Share of the articles that may go without --force.",
        ),
        click.option(
            "--gate-at",
            type=float,
            metavar="SHARE",
            help="Share of the gold questions that must stay answered; 0: none.",
        ),
        click.option(
            "--gate", metavar="FILE", help="The gold questions that a rebuild must go on answering."
        ),
        click.option("--keep", type=int, metavar="N", help="Generations that are kept (default 3)."),
        click.option("--without", metavar="PARTS", help="Parts of finding and quoting to leave out."),
        click.option(
            "--check-mb", type=int, metavar="MB", help="Vectors that opening checks, up to so many megabytes."
        ),
        click.option(
            "--fit-file", type=click.Path(path_type=Path), help="A confidence fitted to your own questions."
        ),
        click.option(
            "--language", metavar="CODE", help="How sentences are told apart (ISO 639; default en)."
        ),
        click.option(
            "--article-mb", type=float, metavar="MB", help="Megabytes that one article may have (default 64)."
        ),
        click.option("--model", metavar="NAME", help="The encoder: a sentence-transformers name or folder."),
        click.option(
            "--model-sha256", metavar="HEX", help="The encoder's fingerprint; another encoder is refused."
        ),
        click.option("--index", type=click.Path(path_type=Path), help="The folder that holds the index."),
        click.option(
            "--articles", type=click.Path(path_type=Path), help="The article file, or the folder of them."
        ),
    ):
        command = option(command)
    return command


def _with_settings(command: Command) -> Command:
    """Pass a command its settings; the program that we are part of may know more of them than we do."""

    @index_options
    @click.pass_context
    @functools.wraps(command)
    def wrapped(context: click.Context, /, **options: Any) -> None:
        from index.settings import IndexSettings

        names = IndexSettings.model_fields
        load = context.find_root().obj or IndexSettings.load
        settings = load(**{name: value for name, value in options.items() if name in names})
        command(settings, **{name: value for name, value in options.items() if name not in names})

    return wrapped


@click.group("index")
def index_group() -> None:
    """Build the index and look into it."""


def _errors_as_json(command: Command) -> Command:
    """Have a command that prints JSON Lines print its error as one too, before it fails with it."""

    @functools.wraps(command)
    def wrapped(as_json: bool, **options: Any) -> None:
        try:
            command(as_json=as_json, **options)
        except FootnoteError as error:
            if as_json:
                from index.build_events import line_of

                click.echo(line_of(error))
            raise

    return wrapped


@index_group.command("build")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--force", is_flag=True, help="Build also where there are far fewer articles than before.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print progress, and then the report or the error, as JSON Lines."
)
@_errors_as_json
@_with_settings
@click.pass_context
def build_command(
    context: click.Context, /, settings: IndexSettings, dry_run: bool, force: bool, as_json: bool
) -> None:
    """Index what is new or has changed; what serves goes on serving until the new index is whole."""
    gate_of = context.meta.get(GATE_OF)
    gate = gate_of(settings) if gate_of else None
    if dry_run:
        _plan(settings, gate, force, as_json)
    elif as_json:
        _build_as_json(settings, gate, force)
    else:
        _build(settings, gate, force)


def _plan(settings: IndexSettings, gate: Gate | None, force: bool, as_json: bool) -> None:
    from index.build import plan_build, shrinkage
    from index.build_events import line_of

    changes = plan_build(settings)
    refusal = "" if force else shrinkage(changes, settings)
    more = [f"would be refused: {refusal}"] if refusal else []
    if gate and changes.any:
        more.append(gate.note())
    changes = dataclasses.replace(changes, notes=(*changes.notes, *more))
    if as_json:
        click.echo(line_of(changes))
    else:
        _print_changes(changes)


def _build(settings: IndexSettings, gate: Gate | None, force: bool) -> None:
    from index.build import build_index

    with show_progress() as progress:
        report = build_index(settings, progress, gate=gate, force=force)
    notes = list(report.changes.notes)
    if report.changes.everything:
        notes.append(f"everything was indexed anew: {report.changes.everything}")
    if report.gold:
        notes += [f"gold question lost: {name}" for name in report.gold.lost]
        notes += [report.gold.note] * bool(report.gold.note)
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)
    click.echo(report.summary())


def _build_as_json(settings: IndexSettings, gate: Gate | None, force: bool) -> None:
    from index.build import build_index
    from index.build_events import line_of, print_progress

    # Whoever started us ends us so; what is half written is then removed, as at Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo(line_of(build_index(settings, print_progress(), gate=gate, force=force)))


@index_group.command("history")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a generation.")
@_with_settings
def history_command(settings: IndexSettings, as_json: bool) -> None:
    """List the generations that are kept, the newest first, and say which one serves."""
    from index.storage.generations import history

    for one in history(settings.index):
        click.echo(json.dumps(dataclasses.asdict(one)) if as_json else one.line())


@index_group.command("rollback")
@click.argument("generation", required=False)
@_with_settings
def rollback_command(settings: IndexSettings, generation: str | None) -> None:
    """Serve GENERATION (its name or number) again, or the newest one older than the one that serves.

    A running chat or bot notices by itself. The next build makes a new generation of the articles as they
    are then.
    """
    from index.storage.generations import roll_back, serving_name

    before = serving_name(settings.index)
    now = roll_back(settings.index, generation)
    if now == before:
        click.echo(f"generation {now} serves already; nothing was changed")
    else:
        click.echo(f"generation {now} serves now; before, it was {before or 'none that could be told'}")


@index_group.command("prune")
@_with_settings
def prune_command(settings: IndexSettings) -> None:
    """Remove generations but the one that serves and the newest others, --keep in all.

    Those that the gate refused go too, and what builds that were cut off left.
    """
    from index.storage.generations import folder_size, prune, serving_name

    before = folder_size(settings.index)
    gone = prune(settings.index, settings.keep)
    for name in gone:
        click.echo(f"removed  {name}")
    freed = (before - folder_size(settings.index)) / 1e6
    click.echo(f"{len(gone)} removed, {freed:,.1f} MB freed; {serving_name(settings.index)} serves")


@index_group.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_with_settings
def status_command(settings: IndexSettings, as_json: bool) -> None:
    """Show what the current index holds, after checking every byte of it."""
    from index.search.calibration import with_confidence
    from index.storage.verification import index_status

    status = with_confidence(index_status(settings.index), settings.fit_file)
    if as_json:
        click.echo(json.dumps({name: getattr(status, name) for name in status.__slots__}))
        return
    for label, value in status.lines():
        click.echo(f"{label:<11} {value}")


@index_group.command("verify")
@_with_settings
def verify_command(settings: IndexSettings) -> None:
    """Recompute every checksum under the index folder."""
    from index.errors import DamagedIndexError
    from index.storage.verification import verify

    problems = verify(settings.index)
    if problems:
        raise DamagedIndexError("\n".join(problems))
    click.echo(f"every file of {settings.index} is as it was written")


@index_group.command("show")
@click.argument("article", required=False)
@click.option("--passages", is_flag=True, help="Show the passages instead of the paragraphs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@_with_settings
def show_command(settings: IndexSettings, article: str | None, passages: bool, as_json: bool) -> None:
    """Print the indexed articles, or the one with the id ARTICLE, with paragraph numbers."""
    from index.storage.local import open_generation

    generation = open_generation(settings.index, check_mb=settings.check_mb)
    rows = [(row, name) for row, name, _ in generation.article_rows() if article in (None, name)]
    if not rows:
        raise click.UsageError(f"no article has the id {article!r}; `footnote index show` prints them all.")
    for row, _ in rows:
        if as_json:
            click.echo(json.dumps(_as_json(generation, row, passages)))
        else:
            _print_article(generation, row, passages)


def _as_json(generation: Generation, row: int, passages: bool) -> dict[str, Any]:
    article = generation.article(row)
    fields = {name: getattr(article, name) for name in article.__slots__}
    fields["paragraphs"] = [
        {"number": one.number, "start": one.start, "end": one.end} for one in article.paragraphs
    ]
    if passages:
        fields["passages"] = [
            {
                "paragraphs": sorted({sentence.paragraph for sentence in one.passage.sentences}),
                "start": one.passage.start,
                "end": one.passage.end,
                "sentences": [[sentence.start, sentence.end] for sentence in one.passage.sentences],
            }
            for one in generation.passages_of(row)
        ]
    return fields


def _print_article(generation: Generation, row: int, passages: bool) -> None:
    article = generation.article(row)
    click.echo(f"# {printable(article.id)}")
    if passages:
        for number, text in enumerate(_passage_texts(generation, article, row), 1):
            click.echo(f"\npassage {number}\n{printable(text)}")
    else:
        if article.heading:
            click.echo(f"\n[heading] {printable(article.heading)}")
        for one in article.paragraphs:
            click.echo(f"\n[{one.number}] {printable(article.text[one.start : one.end])}")
    click.echo()


def _passage_texts(generation: Generation, article: Article, row: int) -> Iterator[str]:
    from index.passages.splitting import source_text

    for one in generation.passages_of(row):
        yield source_text(article, one.passage)[one.passage.start : one.passage.end]


def _print_changes(changes: Changes) -> None:
    for note in changes.notes:
        click.echo(f"note: {printable(note)}", err=True)
    for label, names in (
        ("added", changes.added),
        ("changed", changes.changed),
        ("removed", changes.removed),
    ):
        for name in names:
            click.echo(f"{label:<8} {printable(name)}")
    if changes.everything:
        click.echo(f"everything would be indexed anew: {printable(changes.everything)}")
    click.echo(
        f"{len(changes.added)} added, {len(changes.changed)} changed, {len(changes.removed)} removed, "
        f"{changes.unchanged} unchanged; nothing was written"
    )
