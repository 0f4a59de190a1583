"""`footnote`: the command line, and the one place where an error becomes a message and an exit status."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bot.redaction import redacted
from evaluation.command import eval_command
from index.cli import GATE_OF, index_group, index_options
from index.errors import ArticleError, FootnoteError
from index.terminal import printable

if TYPE_CHECKING:
    from bot.settings import BotSettings
    from evaluation.gate import GoldGate

__all__ = ["main"]

Command = Callable[..., None]

_COLLECT_AFTER = 10_000
"""New objects after which garbage is looked for: while modules load there is none, and looking for it at each
700, as Python does, took an eighth of the time to the first answer."""


def _load(**options: Any) -> BotSettings:
    from bot.settings import BotSettings

    return BotSettings.load(**options)


def _gate_of(settings: BotSettings) -> GoldGate | None:
    from evaluation.gate import find_gate

    return find_gate(settings)


def _service_options(command: Command) -> Command:
    """Give a command an option for every other setting but the token, which is a secret."""
    for option in reversed(_SERVICE_OPTIONS):
        command = option(command)
    return index_options(command)


def _switch(name: str, text: str) -> Callable[[Command], Command]:
    return click.option(f"--{name}/--no-{name}", default=None, help=text)


_SERVICE_OPTIONS = (
    click.option(
        "--discord-token-file", type=click.Path(path_type=Path), help="A file with the bot's token alone."
    ),
    click.option("--discord-api-url", metavar="URL", help="The Discord-compatible server to use."),
    click.option("--discord-admin-users", metavar="IDS", help="Users who may rebuild."),
    click.option("--discord-admin-roles", metavar="IDS", help="Roles whose members may rebuild."),
    click.option("--discord-admin-servers", metavar="IDS", help="Servers where Manage Server is enough."),
    _switch("discord-message-content", "Ask for the message-content intent."),
    click.option("--discord-user-rate", type=int, metavar="N", help="Questions a minute from one user."),
    click.option("--discord-server-rate", type=int, metavar="N", help="Questions a minute from one server."),
    click.option("--waiting", type=int, metavar="N", help="Questions that may wait for an answer."),
    click.option("--drain", type=float, metavar="SECONDS", help="In which stopping answers what waits."),
    _switch("recording", "Keep unanswered questions and feedback."),
    click.option("--records", type=click.Path(path_type=Path), help="The file of what is kept."),
    click.option("--record-days", type=int, metavar="N", help="Days after which it is deleted."),
    click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error."),
    click.option("--log-format", metavar="FORMAT", help="text or json."),
    _switch("log-questions", "Write questions to the log."),
    click.option("--health-port", type=int, metavar="PORT", help="For /healthz, /readyz and /metrics."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="footnote", prog_name="footnote")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def footnote(context: click.Context, debug: bool) -> None:
    """Answer questions from a set of articles: quoted word for word, cited to the paragraph.

    Settings come from options, the environment (FOOTNOTE_...) and .env, in that order.
    """
    context.obj = _load
    context.meta[GATE_OF] = _gate_of


@footnote.command()
@click.argument("question", required=False)
@click.option(
    "--questions",
    type=click.File("rb"),
    metavar="FILE",
    help="JSON Lines with a question each; - reads stdin.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each answer.")
@click.option("--explain", is_flag=True, help="Say how each answer was found and how sure that is.")
@index_options
def ask(question: str | None, questions: Any, as_json: bool, explain: bool, **options: Any) -> None:
    """Answer QUESTION, or every question of a file."""
    if (question is None) == (questions is None):
        raise click.UsageError("give one QUESTION, or --questions FILE.")
    settings = _load(**options)
    from bot.terminal.ask import ask_batch, ask_once

    if questions is None:
        ask_once(settings, str(question), as_json=as_json, explain=explain)
    elif bad := ask_batch(settings, questions, as_json=as_json, explain=explain):
        raise _BadLinesError(
            f"{bad} line(s) of {questions.name} could not be asked; the others were answered."
        )


class _BadLinesError(FootnoteError):
    """Some lines of a batch could not be asked."""

    exit_status = ArticleError.exit_status


@footnote.command()
@index_options
def chat(**options: Any) -> None:
    """Ask and answer here in the terminal."""
    try:
        settings = _load(**options)
        import asyncio

        from bot.terminal.chat import chat as talk

        asyncio.run(talk(settings))
    except KeyboardInterrupt:
        _leave(0)


@footnote.group(invoke_without_command=True)
@_service_options
@click.pass_context
def discord(context: click.Context, /, **options: Any) -> None:
    """Answer on Discord (needs FOOTNOTE_DISCORD_TOKEN)."""
    context.obj = options
    if context.invoked_subcommand is not None:
        return
    settings = _with_token(_load(**options))
    from index.storage.manifest import read_pointer

    read_pointer(settings.index)
    from bot.discordapp.running import run

    run(settings)


def _discord_settings(context: click.Context, options: dict[str, Any]) -> BotSettings:
    """Load the settings of a command below `discord`; its own options come before those of `discord`."""
    given = {name: value for name, value in options.items() if value is not None}
    return _with_token(_load(**{**context.obj, **given}))


def _with_token(settings: BotSettings) -> BotSettings:
    from bot.token_file import with_token

    return with_token(settings)


@discord.command()
@click.option("--server", type=int, metavar="ID", help="Register in this server only; shows at once.")
@click.option("--force", is_flag=True, help="Register also what has not changed.")
@click.option("--remove", is_flag=True, help="Take back what was registered in this server only.")
@_service_options
@click.pass_context
def sync(context: click.Context, /, server: int | None, force: bool, remove: bool, **options: Any) -> None:
    """Register the commands with Discord; `footnote discord` does it by itself where they changed."""
    if remove and server is None:
        raise click.UsageError("--remove needs --server ID.")
    settings = _discord_settings(context, options)
    import asyncio

    from bot.discordapp.running import sync_commands

    click.echo(printable(asyncio.run(sync_commands(settings, server, force=force, removing=remove))))


@discord.command()
@_service_options
@click.pass_context
def invite(context: click.Context, /, **options: Any) -> None:
    """Print the link that adds the bot to a server."""
    settings = _discord_settings(context, options)
    import asyncio

    from bot.discordapp.connection import invitation

    click.echo(printable(asyncio.run(invitation(settings))))


@footnote.command()
@_service_options
def doctor(**options: Any) -> None:
    """Check what Footnote needs, and say what to do about what is wrong."""
    from bot.doctor import examine

    findings = examine(options)
    for finding in findings:
        click.echo(printable(redacted(finding.line())))
    status = max(finding.status for finding in findings)
    if status:
        raise SystemExit(status)


footnote.add_command(index_group)
footnote.add_command(eval_command)


def _leave(status: int) -> NoReturn:
    """End at once, without waiting for a thread that is still loading something."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; what goes wrong becomes one message and DESIGN's exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    gc.set_threshold(_COLLECT_AFTER)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows a question mark
    try:
        # Not footnote.main(): it makes status 1 of a reader who has left.
        with footnote.make_context("footnote", list(given)) as context:
            footnote.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as wanted:
        sys.exit(wanted.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("footnote: interrupted", err=True)
        _leave(130)
    except BrokenPipeError:
        # The reader of our output has left (`footnote ask ... | head`); there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if "--debug" in given:
            raise
        sys.exit(_tell(error))
    sys.exit(0)


def _tell(error: Exception) -> int:
    """Say what went wrong in one message; return the exit status."""
    reason = printable(redacted(str(error)))
    if isinstance(error, FootnoteError):
        click.echo(f"footnote: {reason}", err=True)
        return error.exit_status
    click.echo(
        f"footnote: a fault of ours ({type(error).__name__}: {reason}). "
        "Please report it, with what `footnote --debug ...` prints.",
        err=True,
    )
    return 70


if __name__ == "__main__":
    main()
