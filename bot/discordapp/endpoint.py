"""Which server the client talks to: Discord, or the one that FOOTNOTE_DISCORD_API_URL names.

discord.py 2.7 has no public hook for this. Three of its internals are set here and nowhere else: the base of
HTTP routes, the default gateway, and the websocket class, which keeps every reconnect on the configured
server. This is why discord.py is pinned exactly; tests over the wire cover it.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit

import discord.client
import discord.shard
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.errors import DiscordRefusedError
from bot.settings import is_loopback

__all__ = ["use_api", "use_gateway"]

_DISCORD_API = Route.BASE
_DISCORD_GATEWAY = DiscordWebSocket.DEFAULT_GATEWAY

_log = logging.getLogger(__name__)


def use_api(url: str) -> None:
    """Send HTTP requests to `url`."""
    Route.BASE = url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = _DISCORD_GATEWAY
    for module in (discord.client, discord.shard):
        vars(module)["DiscordWebSocket"] = _PinnedWebSocket


async def use_gateway(http: discord.http.HTTPClient) -> None:
    """Connect to the gateway that the API names; for Discord itself, discord.py's default stays.

    Raises:
        DiscordRefusedError: it names none, or one that would carry the token unencrypted.
    """
    if Route.BASE == _DISCORD_API:
        return
    answer = await http.request(Route("GET", "/gateway"))
    url = answer.get("url") if isinstance(answer, dict) else None
    if not isinstance(url, str) or not _is_safe(url, Route.BASE):
        raise DiscordRefusedError(
            f"{Route.BASE}/gateway names no gateway that can be used ({str(url)[:100]!r}): expected a wss "
            "address, or a ws one on this machine. Correct FOOTNOTE_DISCORD_API_URL or that server."
        )
    DiscordWebSocket.DEFAULT_GATEWAY = URL(url)


def _is_safe(gateway: str, api: str) -> bool:
    """Return whether a gateway may get the token: encrypted, or on this machine behind a plain API."""
    try:
        parts = urlsplit(gateway)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme == "wss":
        return bool(host)
    return parts.scheme == "ws" and is_loopback(host) and urlsplit(api).scheme == "http"


class _PinnedWebSocket(DiscordWebSocket):
    """discord.py's websocket, kept on the configured server, and not closed by one malformed event."""

    @classmethod
    async def from_client(cls, client: Any, *, gateway: URL | None = None, **options: Any) -> Self:
        """Connect to the gateway, or to the configured one where the server names another."""
        return await super().from_client(client, gateway=gateway and _pinned(gateway), **options)

    async def received_message(self, msg: Any, /) -> None:
        """Process one frame; an event that cannot be read is logged and skipped."""
        try:
            await super().received_message(msg)
        except (KeyError, TypeError, ValueError, AttributeError):
            _log.exception("An event from Discord could not be read; it is skipped.")


def _pinned(gateway: URL) -> URL:
    """Return where to connect instead of `gateway`, which the server named for resuming.

    A resume sends the token. Discord is trusted to name its other hosts; any other server is not.
    """
    configured = DiscordWebSocket.DEFAULT_GATEWAY
    if configured == _DISCORD_GATEWAY:
        return gateway
    with suppress(ValueError):  # what is no address has no origin
        if gateway.origin() == configured.origin():
            return gateway
    _log.warning("The server named another gateway for resuming; the configured one is used.")
    return configured
