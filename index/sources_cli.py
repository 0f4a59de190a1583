"""`footnote sources add | list | show | remove | refresh`."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from index.cli import SettingsCommand, load_settings, pass_settings
from index.errors import FootnoteError, MissingError
from index.terminal import count_of, printable, show_progress

if TYPE_CHECKING:
    from index.build_report import BuildReport
    from index.settings import IndexSettings

__all__ = ["sources_group"]


@click.group("sources")
def sources_group() -> None:
    """Take articles from web pages, feeds, sitemaps and more folders."""


sources_group.command_class = SettingsCommand
_MAX_CHANGES = 20  # of a source that are listed
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


@sources_group.command("add")
@click.argument("address")
@click.option("--name", help="Its name, which begins the ids of its articles. Default: the host's.")
@click.option("--every", metavar="TIME", help="How often the bot refreshes it: 30m, 6h, 1d, or a cron line.")
@click.option("--follow", type=click.Choice(["sitemap", "feed", "links"]), help="What leads to more pages.")
@click.option("--include", multiple=True, metavar="GLOB", help="Paths to take, such as '/guide/*'.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Paths to leave out.")
@click.option("--depth", type=int, help="How many links to follow from the first page.  [default: 3]")
@click.option("--limit", type=int, help="The most pages to keep.  [default: 1000]")
@click.option("--grace", metavar="TIME", help="How long a page that is gone is kept.  [default: 1d]")
@click.option("--allow-private", multiple=True, metavar="HOST", help="A private host that may be asked.")
@pass_settings
def add_command(settings: IndexSettings, address: str, name: str | None, **options: Any) -> None:
    """Add the page, feed, sitemap or folder at ADDRESS to sources.toml; `refresh` then fetches it."""
    from index.sources.config import add_source, name_for, read_sources, sources_file

    file = sources_file(settings)
    fields: dict[str, Any] = {"url": address} if "://" in address else {"path": _relative(address, file)}
    fields |= {option: _plain(value) for option, value in options.items() if value not in (None, ())}
    source = add_source(file, name or name_for(address, read_sources(file)), fields)
    fetch = "index build` reads" if source.path else f"sources refresh {source.name}` fetches"
    click.echo(printable(f"{source.name} is in {file}; `footnote {fetch} it."))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _relative(address: str, file: Path) -> str:
    if not Path(address).exists():
        raise MissingError(f"no file or folder at {address}; give its path, or an address with https://.")
    return os.path.relpath(Path(address).resolve(), file.parent.resolve())


@sources_group.command("list")
@_JSON
@pass_settings
def list_command(settings: IndexSettings, as_json: bool) -> None:
    """List the sources, when each was refreshed, and when it is due again."""
    from index.refresh import source_statuses

    statuses = source_statuses(settings)
    if not statuses:
        click.echo("there are no sources; `footnote sources add ADDRESS` adds one.", err=True)
    for status in statuses:
        if as_json:
            fields = {"next": status.next.isoformat() if status.next else None, "pages": status.pages}
            last = dataclasses.asdict(status.last) if status.last else None
            click.echo(json.dumps({**status.source.model_dump(mode="json"), **fields, "last": last}))
        else:
            click.echo(printable(status.line()))


@sources_group.command("show")
@click.argument("name")
@pass_settings
def show_command(settings: IndexSettings, name: str) -> None:
    """Show the source NAME and its pages, with what was wrong with them at the last refresh."""
    from index.refresh import source_statuses
    from index.sources.archive import Archive, archive_file

    status = next((each for each in source_statuses(settings) if each.source.name == name), None)
    if status is None:
        raise click.UsageError(f"there is no source {name!r}; `footnote sources list` names them.")
    click.echo(printable(status.line()))
    if status.last:
        click.echo(printable(status.last.summary))
    with Archive(archive_file(settings.index)) as archive:
        for page in archive.pages(name):
            problem = f"  PROBLEM: {page.problem}" if page.problem else ""
            click.echo(printable(f"{page.fetched[:10]}  {page.id}  {page.url}{problem}"))


@sources_group.command("remove")
@click.argument("name")
@pass_settings
def remove_command(settings: IndexSettings, name: str) -> None:
    """Remove the source NAME from sources.toml; the next build leaves its articles out."""
    from index.sources.config import remove_source, sources_file

    remove_source(sources_file(settings), name)
    click.echo(f"{name} is removed; `footnote index build` takes its articles out of the index.")


@sources_group.command("refresh")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--due", is_flag=True, help="Only those whose time has come (`every`).")
@click.option("--force", is_flag=True, help="Publish even if there are far fewer articles than before.")
@_JSON
@click.pass_context
def refresh_command(
    context: click.Context, /, names: tuple[str, ...], due: bool, force: bool, as_json: bool
) -> None:
    """Fetch the sources NAME, or all, and publish an index of what they have now, if the gate lets it."""
    from index.build_report import line_of, print_progress
    from index.refresh import due_sources, refresh_sources

    try:
        settings = load_settings(context)
        if due and not (names := tuple(due_sources(settings))):
            click.echo("no source is due.", err=True)
            return
        gate = settings.find_gate()
        if as_json:
            # The parent process stops us with SIGTERM; clean up then as at Ctrl-C.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            report = refresh_sources(settings, names, print_progress(), gate=gate, force=force)
            click.echo(line_of(report))
            return
        with show_progress() as progress:
            report = refresh_sources(settings, names, progress, gate=gate, force=force)
        _print(report)
    except FootnoteError as error:
        if as_json:
            click.echo(line_of(error))
        raise


def _print(report: BuildReport) -> None:
    for source in report.sources:
        for note in source.notes:
            click.echo(f"note: {printable(note)}", err=True)
        for change in source.changes[:_MAX_CHANGES]:
            click.echo(printable(change.line()))
            for difference in change.differences:
                click.echo(printable(f"    {difference[0]} {difference[1:]}"))
        if (more := len(source.changes) - _MAX_CHANGES) > 0:
            click.echo(f"and {count_of(more, 'more page')}")
        click.echo(printable(source.summary()))
    for note in report.changes.notes:
        click.echo(f"note: {printable(note)}", err=True)
    click.echo(report.summary())
    if failed := [source.source for source in report.sources if source.problem]:
        raise MissingError(f"could not be refreshed: {', '.join(failed)}; see above. The others are done.")
