"""What needs HTTP alone: checking the token, inviting the bot, registering its commands.

The commands are sent to Discord when they differ from what was registered last: a hash of each application's
commands is kept in `commands.json` beside the records.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands
from yarl import URL

from bot.chat.messages import AUTO, messages_in
from bot.discordapp.context import is_ours
from bot.discordapp.endpoint import portal_of, server_name, use_api
from bot.errors import DiscordRefusedError
from index.errors import FootnoteError

if TYPE_CHECKING:
    from bot.settings import BotSettings

__all__ = [
    "LOGIN_TIMEOUT",
    "check_connection",
    "explained",
    "invitation",
    "register",
    "shorten_tracebacks",
    "sync_commands",
    "token_of",
]

LOGIN_TIMEOUT = 60.0
"""Seconds; longer than discord.py takes to try a failing server five times."""

_PERMISSIONS = discord.Permissions(  # docs/discord.md says why each
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
)
_RENEW_IT = "Set FOOTNOTE_DISCORD_TOKEN to the bot's token, from {portal}; a lost one can be reset there."
_CLOSE_CODES = {
    4004: f"{{server}} refused the token. {_RENEW_IT}",
    4014: "{server} refused the privileged intents. Switch on Message Content Intent at {portal}, "
    "or set FOOTNOTE_DISCORD_MESSAGE_CONTENT=false.",
}
_REFUSED = "{url} refused the bot (status {status}). Correct FOOTNOTE_DISCORD_API_URL or the bot's access."
_STATUSES = {
    401: _CLOSE_CODES[4004],
    429: "{url} reports too many requests (status 429). Wait some minutes, then try again.",
}
_NETWORK_ERRORS = (discord.DiscordException, aiohttp.ClientError, OSError)  # OSError: TimeoutError too

AnyTranslation = app_commands.TranslationContext[Any, Any]
_Location = app_commands.TranslationContextLocation
_TYPED_NAMES = {_Location.command_name, _Location.group_name, _Location.parameter_name}

_log = logging.getLogger(__name__)


def token_of(settings: BotSettings) -> str:
    """Return the token.

    Raises:
        DiscordRefusedError: there is none, or it cannot be one.
    """
    token = settings.discord_token.get_secret_value().strip() if settings.discord_token else ""
    new_token = _RENEW_IT.format(portal=portal_of(settings.discord_api_url))
    if not token:
        raise DiscordRefusedError(f"FOOTNOTE_DISCORD_TOKEN is not set. {new_token}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise DiscordRefusedError(f"FOOTNOTE_DISCORD_TOKEN has characters that no token has. {new_token}")
    return token


async def check_connection(settings: BotSettings) -> str:
    """Log in and return the bot's name.

    Raises:
        DiscordRefusedError: there is no token, or Discord refuses it or cannot be reached.
    """
    async with _logged_in(settings) as client:
        return str(client.user)


async def invitation(settings: BotSettings) -> str:
    """Log in to learn the application's id, and return the link that adds the bot to a server.

    Raises:
        DiscordRefusedError: there is no token, or Discord refuses it or cannot be reached.
    """
    async with _logged_in(settings) as client:
        if client.application_id is None:
            raise discord.MissingApplicationID
        scopes = ("bot", "applications.commands")
        link = discord.utils.oauth_url(client.application_id, permissions=_PERMISSIONS, scopes=scopes)
    url = URL(link).update_query(integration_type=0)  # to a server, not to one user's account
    if server_name() == "Discord":
        return str(url)
    return str(URL(settings.discord_api_url).origin().join(url.relative()))


async def sync_commands(
    settings: BotSettings,
    make_tree: Callable[[discord.Client], app_commands.CommandTree[Any]],
    server: int | None = None,
    *,
    force: bool = False,
    remove: bool = False,
) -> str:
    """Register the commands for every server or for one, or remove that server's; return a line on it.

    Raises:
        DiscordRefusedError: there is no token, Discord refuses it or cannot be reached, or the bot is not in
            that server.
        FootnoteError: Discord does not accept the commands.
    """
    async with _logged_in(settings) as client:
        tree = make_tree(client)
        names = ", ".join(sorted(map(_name, tree.get_commands())))
        with explained(settings):
            try:
                if server is None:
                    changed = await register(tree, settings, force=force)
                    done = "were registered" if changed else "are registered already; nothing was sent"
                    return f"{len(tree.get_commands())} commands for every server {done}: {names}."
                guild = discord.Object(server)
                if remove:
                    tree.clear_commands(guild=guild)
                else:
                    tree.copy_global_to(guild=guild)
                await tree.set_translator(_Translations())
                await tree.sync(guild=guild)
            except app_commands.CommandSyncFailure as error:
                raise FootnoteError(
                    f"{server_name()} rejected the commands (a bug in Footnote). {error}"
                ) from error
            except (discord.Forbidden, discord.NotFound) as error:
                if server is None:
                    raise
                raise DiscordRefusedError(
                    f"The bot may not have commands in server {server} (status {error.status}). Check that "
                    "id, and add the bot to the server with the link of `footnote discord invite`."
                ) from error
    if remove:
        return f"There are no commands for server {server} alone any more; those for every server stay."
    return f"{len(tree.get_commands())} commands for server {server} were registered: {names}."


async def register(
    tree: app_commands.CommandTree[Any], settings: BotSettings, *, force: bool = False
) -> bool:
    """Send the commands for every server to Discord if they changed, or with `force`; return whether sent.

    Raises:
        discord.HTTPException: Discord refuses them.
    """
    translator = _Translations()
    await tree.set_translator(translator)
    payloads = [await command.get_translated_payload(tree, translator) for command in tree.get_commands()]
    new = hashlib.sha256(json.dumps(payloads, sort_keys=True).encode()).hexdigest()
    file, application = settings.records.with_name("commands.json"), str(tree.client.application_id)
    hashes = await asyncio.to_thread(_read_hashes, file)
    if hashes.get(application) == new and not force:
        return False
    await tree.sync()
    try:
        text = json.dumps(hashes | {application: new})
        await asyncio.to_thread(file.write_text, text, encoding="utf-8")
    except OSError as error:  # then they are sent once more at the next start
        _log.warning("The registration could not be saved in %s: %s", file, error)
    return True


def _read_hashes(file: Path) -> dict[str, str]:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        hashes = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or cut off by a crash
        return {}
    return hashes if isinstance(hashes, dict) else {}


class _Translations(app_commands.Translator):
    """Translates all that the commands show but the names that people type, such as /ask."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: AnyTranslation
    ) -> str | None:
        typed = context.location in _TYPED_NAMES and not isinstance(context.data, app_commands.ContextMenu)
        return None if typed else messages_in(AUTO, str(locale)).commands.get(string.message)


def _name(command: Any) -> str:
    return command.name if isinstance(command, app_commands.ContextMenu) else f"/{command.name}"


@asynccontextmanager
async def _logged_in(settings: BotSettings) -> AsyncIterator[discord.Client]:
    """Log a client in over HTTP, without connecting to the gateway."""
    token = token_of(settings)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    use_api(settings.discord_api_url)
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        with explained(settings):
            async with asyncio.timeout(LOGIN_TIMEOUT):
                await client.login(token)
        yield client


@contextmanager
def explained(settings: BotSettings) -> Iterator[None]:
    """Turn what goes wrong while connecting into a DiscordRefusedError that says what to do.

    The server's own words are left out: they could hold anything.
    """
    try:
        yield
    except DiscordRefusedError:
        raise
    except (*_NETWORK_ERRORS, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DiscordRefusedError(_explanation(error, settings.discord_api_url)) from error


def _explanation(error: Exception, url: str) -> str:
    check = "Check the network and FOOTNOTE_DISCORD_API_URL."
    code = getattr(error, "status", getattr(error, "code", 0))
    about = {"url": url, "server": server_name(url), "portal": portal_of(url), "status": code}
    if isinstance(error, discord.ConnectionClosed):
        closed = "{server} closed the connection (code {status}). Try again later."
        return _CLOSE_CODES.get(code, closed).format(**about)
    if isinstance(error, OSError | aiohttp.ClientError) and not isinstance(error, TimeoutError):
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
        reason = (cause.strerror if isinstance(cause, OSError) else None) or type(error).__name__
        return f"{url} cannot be reached ({reason}). {check}"
    texts = {
        discord.LoginFailure: _CLOSE_CODES[4004],
        discord.PrivilegedIntentsRequired: _CLOSE_CODES[4014],
        discord.DiscordServerError: "{url} has trouble (status {status}). Try again later.",
        discord.HTTPException: _STATUSES.get(code, _REFUSED),
        discord.GatewayNotFound: "{url} names no gateway. Try again later.",
        TimeoutError: f"{{url}} or its gateway did not answer in time. {check}",
        Exception: "{url} does not answer as Discord does. Correct FOOTNOTE_DISCORD_API_URL or that server.",
    }
    return next(text for kind, text in texts.items() if isinstance(error, kind)).format(**about)


def shorten_tracebacks(record: logging.LogRecord) -> bool:
    """Make one line of discord.py's tracebacks about trouble that passes by itself, such as a reconnect."""
    error = record.exc_info[1] if record.exc_info else None
    if (
        error
        and record.name.startswith("discord")
        and (isinstance(error, FootnoteError) or not is_ours(error))
    ):
        record.msg = f"{record.getMessage()} ({str(error) or type(error).__name__})"
        record.args = record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
