"""`footnote index build | status | verify | show | history | rollback | prune`, and options from settings."""

from __future__ import annotations

import dataclasses
import functools
import json
import pkgutil
import re
import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, get_args, get_origin

import click

from index.errors import DamagedIndexError, FootnoteError
from index.terminal import printable, show_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic.fields import FieldInfo

    from index.settings import IndexSettings

__all__ = ["SettingsCommand", "SettingsGroup", "index_group", "load_settings", "pass_settings"]

_STATUS = "generation built encoder encoder_fingerprint articles passages sentences bytes confidence".split()


# Where in click's `meta` the options given so far are; commands below a group share it with the group.
_GIVEN = "index.cli.given"
_METAVARS = {bool: None, frozenset: "IDS", Path: "PATH", str: "TEXT", int: "N", float: "NUMBER"}


class SettingsCommand(click.Command):
    """A command with an option for each setting but the secrets, which would show in a list of processes.

    The class named by `settings` is imported when this command is parsed, so `footnote --help` never imports
    it. Values are passed on as text, since the settings validate them.
    """

    settings = "index.settings:IndexSettings"

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own options, and one for each setting."""
        own, with_help = self.params, super().get_params(ctx)
        return [*own, *_setting_options(self.settings), *with_help[len(own) :]]


class SettingsGroup(SettingsCommand, click.Group):
    """A group with an option for each setting, which its commands then have too."""


def pass_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Pass a command its settings as the first argument."""

    @click.pass_context
    @functools.wraps(command)
    def wrapped(context: click.Context, /, **options: Any) -> None:
        command(load_settings(context), **options)

    return wrapped


def load_settings(context: click.Context) -> Any:
    """Load the settings with the given options: by the function that is the root's `obj`, if there is one.

    Raises:
        SettingsError: a value is not accepted.
    """
    from index.settings import IndexSettings

    load = context.find_root().obj or IndexSettings.load
    return load(**context.meta.get(_GIVEN, {}))


@functools.cache
def _setting_options(settings: str) -> list[click.Option]:
    fields = pkgutil.resolve_name(settings).model_fields.items()
    return [_option(name, field) for name, field in fields if "Secret" not in str(field.annotation)]


def _option(name: str, field: FieldInfo) -> click.Option:
    kind = field.annotation
    words = "|".join(map(str, get_args(kind)))  # of a Literal
    metavar = next((_METAVARS[k] for k in (kind, get_origin(kind), *get_args(kind)) if k in _METAVARS), words)
    flag = "--" + name.replace("_", "-")
    names = [f"{flag}/--no-{flag[2:]}" if kind is bool else flag]
    default = " ".join(sorted(field.default)) if isinstance(field.default, frozenset) else field.default
    text = f"{field.description} [default: {default}]" if default else field.description
    # A flag defaults to False, which would override the environment, unless its default is given as None.
    return click.Option(
        names, None, default=None, metavar=metavar, help=text, expose_value=False, callback=_remember
    )


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    if value is not None:
        context.meta.setdefault(_GIVEN, {})[option.name] = value


@click.group("index")
def index_group() -> None:
    """Build the index and look into it."""


index_group.command_class = SettingsCommand
_Shard = tuple[int, int] | None


def _shard(context: click.Context, option: click.Parameter, value: str | None) -> _Shard:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", "1/1" if value is None else value)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter("write K/N: share K, from 1 to N, of N machines.", context, option)
    return None if value is None else (int(match[1]), int(match[2]))


_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


@index_group.command("build")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--strict", is_flag=True, help="Fail if any article cannot be indexed.")
@click.option("--force", is_flag=True, help="Build even if there are far fewer articles than before.")
@click.option("--shard", metavar="K/N", callback=_shard, help="Only encode share K of N for `index publish`.")
@_JSON
@click.pass_context
def build_command(  # noqa: PLR0913 - its options
    context: click.Context, /, dry_run: bool, strict: bool, force: bool, shard: _Shard, as_json: bool
) -> None:
    """Index what is new or has changed; the previous index keeps serving until the new one is complete."""
    build = functools.partial(_encode_shard, shard) if shard else _build
    _run(context, _plan if dry_run else build, _Options(strict=strict, force=force), as_json)


@index_group.command("publish")
@click.option("--strict", is_flag=True, help="Fail if any article cannot be indexed.")
@click.option("--force", is_flag=True, help="As for `build`; and give up vectors of another encoder.")
@_JSON
@click.pass_context
def publish_command(context: click.Context, /, strict: bool, force: bool, as_json: bool) -> None:
    """Build with what other machines encoded (`index build --shard`), and encode the rest."""
    build = functools.partial(_build, shared=True)
    _run(context, build, _Options(strict=strict, force=force), as_json)


def _run(
    context: click.Context, do: Callable[[Any, _Options, bool], None], options: _Options, as_json: bool
) -> None:
    try:
        do(load_settings(context), options, as_json)
    except FootnoteError as error:
        if as_json:
            from index.build_report import line_of

            click.echo(line_of(error))
        raise


class _Options(TypedDict):
    strict: bool
    force: bool


def _plan(settings: IndexSettings, options: _Options, as_json: bool) -> None:
    from index.build import plan_build, shrinkage
    from index.build_report import line_of

    gate, changes = settings.find_gate(), plan_build(settings, strict=options["strict"])
    notes = list(changes.notes)
    if not options["force"] and (refusal := shrinkage(changes, settings)):
        notes.append(f"would be refused: {refusal}")
    if gate and changes.any:
        notes.append(gate.note())
    if as_json:
        click.echo(line_of(dataclasses.replace(changes, notes=tuple(notes))))
        return
    _print_notes(notes)
    names = {"added": changes.added, "changed": changes.changed, "removed": changes.removed}
    for label, articles in names.items():
        for article in articles:
            click.echo(f"{label:<8} {printable(article)}")
    if changes.everything:
        click.echo(f"everything would be indexed again: {printable(changes.everything)}")
    counts = ", ".join(f"{len(articles)} {label}" for label, articles in names.items())
    click.echo(f"{counts}, {changes.unchanged} unchanged; nothing was written")


def _encode_shard(shard: tuple[int, int], settings: IndexSettings, options: _Options, as_json: bool) -> None:
    from index.build_report import print_progress
    from index.build_shard import encode_shard

    if as_json:
        report = encode_shard(settings, *shard, print_progress())
        click.echo(json.dumps({"shard": dataclasses.asdict(report)}))
        return
    with show_progress() as progress:
        report = encode_shard(settings, *shard, progress)
    click.echo(report.summary())


def _build(settings: IndexSettings, options: _Options, as_json: bool, *, shared: bool = False) -> None:
    from index.build import build_index
    from index.build_report import line_of, print_progress
    from index.build_shard import publish_shards

    build = publish_shards if shared else build_index
    gate = settings.find_gate()
    if as_json:
        # The parent process stops us with SIGTERM; clean up then as at Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        click.echo(line_of(build(settings, print_progress(), gate=gate, **options)))
        return
    with show_progress() as progress:
        report = build(settings, progress, gate=gate, **options)
    notes = list(report.changes.notes)
    if report.changes.everything:
        notes.append(f"everything was indexed again: {report.changes.everything}")
    if report.gold:
        notes += [f"gold question lost: {name}" for name in report.gold.lost]
        notes += filter(None, [report.gold.note])
    _print_notes(notes)
    click.echo(report.summary())


def _print_notes(notes: Sequence[str]) -> None:
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)


@index_group.command("history")
@_JSON
@pass_settings
def history_command(settings: IndexSettings, as_json: bool) -> None:
    """List the generations, newest first, and mark the one that serves."""
    from index.storage.engine import engine_of

    for line in engine_of(settings).history():
        click.echo(json.dumps(dataclasses.asdict(line)) if as_json else line.line())


@index_group.command("rollback")
@click.argument("generation", required=False)
@pass_settings
def rollback_command(settings: IndexSettings, generation: str | None) -> None:
    """Serve GENERATION (its name or number) again, or the one before the current one.

    A running chat or bot switches by itself. The next build makes a new generation from the articles as they
    are then.
    """
    from index.storage.engine import engine_of

    click.echo(f"generation {engine_of(settings).roll_back(generation)} now serves")


@index_group.command("prune")
@pass_settings
def prune_command(settings: IndexSettings) -> None:
    """Remove all generations but the one that serves and the newest others, --keep in all.

    Generations that the gate refused and what interrupted builds left are removed too.
    """
    from index.storage.engine import engine_of

    engine = engine_of(settings)
    removed = engine.prune(settings.keep)
    for name in removed:
        click.echo(f"removed  {name}")
    click.echo(f"{len(removed)} removed; {engine.serving()} serves")


@index_group.command("status")
@_JSON
@pass_settings
def status_command(settings: IndexSettings, as_json: bool) -> None:
    """Show what the current index holds, after checking that it is whole."""
    from index.reading.registry import reader_name
    from index.search.calibration import choose_fit, fit_file
    from index.storage.engine import engine_of

    info = engine_of(settings).status()
    reader = reader_name(settings, info.encoder_fingerprint)
    fit = choose_fit(fit_file(settings.index), info.encoder_fingerprint, reader)
    info = dataclasses.replace(info, confidence=fit.describe(info.encoder_fingerprint, reader))
    if as_json:
        click.echo(json.dumps({name: getattr(info, name) for name in _STATUS}))
    else:
        for label, value in info.lines():
            click.echo(f"{label:<11} {value}")


@index_group.command("verify")
@pass_settings
def verify_command(settings: IndexSettings) -> None:
    """Recompute every checksum in the index folder."""
    from index.storage.engine import engine_of

    engine = engine_of(settings)
    if problems := engine.verify():
        raise DamagedIndexError("\n".join(problems))
    what = "the index at" if settings.store else "every file in"
    click.echo(f"{what} {engine.place} is intact")


@index_group.command("show")
@click.argument("article", required=False)
@click.option("--passages", is_flag=True, help="Show the passages instead of the paragraphs.")
@click.option("--dropped", is_flag=True, help="Show what readers left out: menus, share bars, page numbers.")
@_JSON
@pass_settings
def show_command(
    settings: IndexSettings, article: str | None, passages: bool, dropped: bool, as_json: bool
) -> None:
    """Print the indexed articles, or the one with the id ARTICLE, with paragraph numbers."""
    from index.article_listing import as_json as json_of
    from index.article_listing import as_text, dropped_lines
    from index.storage.engine import engine_of

    if dropped:
        for line in dropped_lines(settings, article):
            click.echo(line)
        return
    with closing(engine_of(settings).open()) as store:
        store.check()
        rows = [summary.row for summary in store.catalogue() if article in (None, summary.id)]
        if not rows:
            raise click.UsageError(
                f"no article has the id {article!r}; `footnote index show` prints them all."
            )
        for row in rows:
            (shown,) = store.articles([row])
            parts = [stored.passage for stored in store.passages_of(row)] if passages else None
            click.echo(json.dumps(json_of(shown, parts)) if as_json else as_text(shown, parts))
