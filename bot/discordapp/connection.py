"""The token, one try of it, and what Discord's refusals mean in one line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import discord

from bot.discordapp.endpoint import use_api
from bot.errors import DiscordRefusedError
from bot.settings import BotSettings

__all__ = [
    "LOGIN_TIMEOUT",
    "check_connection",
    "explained",
    "logged_in",
    "make_quiet",
    "token_of",
    "warn_of_missing_intent",
]

LOGIN_TIMEOUT = 60.0
"""Seconds; longer than discord.py takes to try five times at a server that has trouble."""

_PORTAL = "https://discord.com/developers/applications"
_NEW_TOKEN = (
    f"Set FOOTNOTE_DISCORD_TOKEN to the bot's token, from {_PORTAL} (your application, Bot, Reset Token)."
)
_SWITCH_ON = (
    f"Switch on Message Content Intent at {_PORTAL} (your application, Bot), "
    "or set FOOTNOTE_DISCORD_MESSAGE_CONTENT=false."
)
_CLOSE_CODES = {
    4004: f"Discord refused the token. {_NEW_TOKEN}",
    4010: "Discord refused the shard that the bot named.",
    4011: "Discord asks for sharding: the bot is in too many servers for one connection.",
    4012: "The gateway does not speak version 10 of the protocol; correct FOOTNOTE_DISCORD_API_URL.",
    4013: "Discord refused the intents as invalid.",
    4014: f"Discord refused the privileged intents. {_SWITCH_ON}",
}

_log = logging.getLogger(__name__)


def token_of(settings: BotSettings) -> str:
    """Return the token.

    Raises:
        DiscordRefusedError: there is none, or it cannot be one.
    """
    token = settings.discord_token.get_secret_value().strip() if settings.discord_token else ""
    if not token:
        raise DiscordRefusedError(f"FOOTNOTE_DISCORD_TOKEN is not set. {_NEW_TOKEN}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise DiscordRefusedError(f"FOOTNOTE_DISCORD_TOKEN holds characters that no token has. {_NEW_TOKEN}")
    return token


def make_quiet() -> None:
    """Keep discord.py from warning that voice will not work: this bot only writes."""
    discord.VoiceClient.warn_nacl = False
    discord.VoiceClient.warn_dave = False


def warn_of_missing_intent(settings: BotSettings, application: discord.AppInfo | None) -> None:
    """Log what to switch on where the settings ask for the content of messages, and the application may not.

    It is the gateway that decides, once the bot asks it.
    """
    if not settings.discord_message_content or application is None:
        return
    flags = application.flags
    if not (flags.gateway_message_content or flags.gateway_message_content_limited):
        _log.warning("The application may not read the content of messages. %s", _SWITCH_ON)


async def check_connection(settings: BotSettings) -> str:
    """Log in over HTTP only, and return the bot's name.

    Raises:
        DiscordRefusedError: there is no token, or Discord refuses it or cannot be reached.
    """
    async with logged_in(settings) as client:
        return str(client.user)


@asynccontextmanager
async def logged_in(settings: BotSettings) -> AsyncIterator[discord.Client]:
    """Give a client that has logged in over HTTP, and is not connected to the gateway.

    Raises:
        DiscordRefusedError: there is no token, or Discord refuses it or cannot be reached.
    """
    token = token_of(settings)
    make_quiet()
    use_api(settings.discord_api_url)
    # The intents play no part without the gateway; without this one discord.py warns.
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
    url = settings.discord_api_url
    check = "Check the network and FOOTNOTE_DISCORD_API_URL."
    try:
        yield
    except DiscordRefusedError:
        raise
    except discord.LoginFailure as error:
        raise DiscordRefusedError(_CLOSE_CODES[4004]) from error
    except discord.PrivilegedIntentsRequired as error:
        raise DiscordRefusedError(_CLOSE_CODES[4014]) from error
    except discord.ConnectionClosed as error:
        unknown = f"Discord closed the connection (code {error.code}). Try again later."
        raise DiscordRefusedError(_CLOSE_CODES.get(error.code, unknown)) from error
    except discord.HTTPException as error:
        raise DiscordRefusedError(_of_status(error.status, url)) from error
    except discord.GatewayNotFound as error:
        raise DiscordRefusedError(f"{url} names no gateway. Try again later.") from error
    except TimeoutError as error:
        raise DiscordRefusedError(f"{url} did not answer in time. {check}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise DiscordRefusedError(f"{url} cannot be reached ({_reason(error)}). {check}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DiscordRefusedError(
            f"{url} does not answer as Discord does. Correct FOOTNOTE_DISCORD_API_URL or that server."
        ) from error


def _of_status(status: int, url: str) -> str:
    if status == 401:
        return _CLOSE_CODES[4004]
    if status == 429:
        return (
            f"{url} says that there were too many requests (status 429). Wait some minutes, then try again."
        )
    if status >= 500:
        return f"{url} has trouble (status {status}). Try again later."
    return f"{url} refused the bot (status {status}). Correct FOOTNOTE_DISCORD_API_URL or the bot's access."


def _reason(error: BaseException) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return (cause.strerror if isinstance(cause, OSError) else None) or type(error).__name__
