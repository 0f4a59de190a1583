"""`footnote`: the command line, and the one place where an error becomes a message and an exit status."""

from __future__ import annotations

import gc
import io
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import click

from bot.credentials import redacted, with_token
from evaluation.command import eval_command
from index.cli import SettingsCommand, SettingsGroup, index_group, load_settings, pass_settings
from index.errors import ArticleError, FootnoteError, MissingError
from index.sources_cli import sources_group
from index.terminal import count_of, printable

if TYPE_CHECKING:
    from bot.service.services import Services
    from bot.settings import BotSettings

__all__ = ["main"]

# Allocations between garbage collections. Python's 700 cost an eighth of the time to the first answer.
_GC_THRESHOLD = 10_000


class _BotCommand(SettingsCommand):
    settings = "bot.settings:BotSettings"


class _BotGroup(SettingsGroup):
    settings = "bot.settings:BotSettings"
    command_class = _BotCommand


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="footnote", prog_name="footnote")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--collection", metavar="NAME", help="Use this collection of collections.toml.")
@click.pass_context
def footnote(context: click.Context, debug: bool, collection: str | None) -> None:
    """Answer questions from a set of articles: quoted word for word, cited to the paragraph.

    Settings come from options, the environment (FOOTNOTE_...) and .env, in that order.
    """

    def load(**options: Any) -> Any:
        settings = pkgutil.resolve_name("bot.settings:BotSettings")
        return settings.load(**{"collection": collection, **options})

    context.obj = load


footnote.add_command(index_group)
footnote.add_command(sources_group)
footnote.add_command(eval_command)


@footnote.command(cls=SettingsCommand)
@click.argument("question", required=False)
@click.option(
    "--questions",
    type=click.File("rb"),
    metavar="FILE",
    help="JSON Lines with a question each; - reads stdin.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each answer.")
@click.option("--explain", is_flag=True, help="Explain how each answer was found, with its confidence.")
@click.pass_context
def ask(
    context: click.Context, question: str | None, questions: BinaryIO | None, as_json: bool, explain: bool
) -> None:
    """Answer QUESTION, or every question of a file."""
    if (question is None) == (questions is None):
        raise click.UsageError("give one QUESTION, or --questions FILE.")
    settings = load_settings(context)
    from bot.terminal.ask import ask as answer_rows
    from bot.terminal.ask import read_rows

    rows = read_rows(questions) if questions else [({"question": question}, "")]
    if bad := answer_rows(settings, rows, as_json=as_json, explain=explain, heading=questions is not None):
        lines = count_of(bad, "line")
        click.echo(f"footnote: {lines} could not be asked; the others were answered.", err=True)
        raise SystemExit(ArticleError.exit_status)


@footnote.command(cls=SettingsCommand)
@click.pass_context
def chat(context: click.Context) -> None:
    """Ask and answer here in the terminal."""
    try:
        settings = load_settings(context)
        import asyncio

        from bot.terminal.chat import chat as run_chat

        asyncio.run(run_chat(settings))
    except KeyboardInterrupt:
        _leave(0)


@footnote.group(cls=_BotGroup, invoke_without_command=True)
@click.pass_context
def discord(context: click.Context) -> None:
    """Answer on Discord (needs FOOTNOTE_DISCORD_TOKEN)."""
    if context.invoked_subcommand is not None:
        return
    settings = with_token(load_settings(context))
    services = _services(settings)
    from bot.discordapp.client import run

    run(settings, services)


@discord.command()
@click.option("--server", type=int, metavar="ID", help="Register in this server only; takes effect at once.")
@click.option("--force", is_flag=True, help="Register even what has not changed.")
@click.option("--remove", is_flag=True, help="Remove what was registered in this server only.")
@pass_settings
def sync(settings: BotSettings, server: int | None, force: bool, remove: bool) -> None:
    """Register the commands with Discord; `footnote discord` does so by itself when they change."""
    if remove and server is None:
        raise click.UsageError("--remove needs --server ID.")
    settings = with_token(settings)
    import asyncio

    from bot.discordapp.client import make_tree
    from bot.discordapp.connection import sync_commands

    line = asyncio.run(sync_commands(settings, make_tree, server, force=force, remove=remove))
    click.echo(printable(line))


@discord.command()
@pass_settings
def invite(settings: BotSettings) -> None:
    """Print the link that adds the bot to a server."""
    settings = with_token(settings)
    import asyncio

    from bot.discordapp.connection import invitation

    click.echo(printable(asyncio.run(invitation(settings))))


@footnote.command(cls=_BotCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8080, show_default=True, help="The port.")
@click.option("--mcp", is_flag=True, help="Also serve the Model Context Protocol, at /mcp.")
@pass_settings
def web(settings: BotSettings, host: str, port: int, mcp: bool) -> None:
    """Answer in the browser, and over HTTP for programs."""
    if mcp:
        _require_mcp()
    services = _services(settings)
    from bot.web.server import run

    run(settings, services, host, port, mcp=mcp)


@footnote.command(cls=_BotCommand)
@pass_settings
def mcp(settings: BotSettings) -> None:
    """Answer an assistant by the Model Context Protocol, on standard input and output."""
    _require_mcp()
    services = _services(settings)
    from bot.mcp.server import run

    run(settings, services)


def _services(settings: BotSettings) -> Services:
    """Return the services of all collections, once there is an index to serve."""
    from index.storage.engine import engine_of

    engine_of(settings).serving()
    from bot.service.services import Services

    return Services(settings)


def _require_mcp() -> None:
    if find_spec("mcp") is None:
        raise MissingError('the extra for assistants is missing. Run: pip install "footnote[mcp]"')


@footnote.command(cls=_BotCommand)
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check everything that Footnote needs, and say what to do about what is wrong."""
    from bot.doctor import examine

    findings = examine(lambda: load_settings(context))
    for finding in findings:
        click.echo(printable(redacted(finding.line())))
    if status := max(finding.status for finding in findings):
        raise SystemExit(status)


def _leave(status: int) -> NoReturn:
    """Exit at once, without waiting for a thread that is still loading something."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; an error becomes one message and the exit status of DESIGN."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    gc.set_threshold(_GC_THRESHOLD)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # show a question mark for a character the terminal lacks
    try:
        # Not footnote.main(), which exits with status 1 when the reader of our output has left.
        with footnote.make_context("footnote", list(args)) as context:
            footnote.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_request:
        sys.exit(exit_request.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("footnote: interrupted", err=True)
        _leave(130)
    except BrokenPipeError:
        # The reader has left (`footnote ask ... | head`), so there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001 - reported, with an exit status
        sys.exit(_report(error, debug="--debug" in args))
    sys.exit(0)


def _report(error: Exception, *, debug: bool) -> int:
    """Print what went wrong in one message, after the traceback if that is asked for; return the status."""
    message = f"{''.join(traceback.format_exception(error)) if debug else ''}footnote: {error}"
    if not isinstance(error, FootnoteError):
        message += (
            f" ({type(error).__name__}). This is a bug in Footnote: please report it, with the output of "
            "`footnote --debug ...`."
        )
    click.echo(printable(redacted(message)), err=True)
    return error.exit_status if isinstance(error, FootnoteError) else FootnoteError.exit_status


if __name__ == "__main__":
    main()
