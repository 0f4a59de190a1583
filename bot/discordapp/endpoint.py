"""Which server the client talks to, Discord or the one of FOOTNOTE_DISCORD_API_URL, and how it reconnects.

discord.py 2.7 has no public hook for this. Its internals are set here and nowhere else: the base of HTTP
routes, the default gateway, the websocket class, which keeps every reconnect on the configured server, and
the delays between reconnects. This is why discord.py is pinned exactly; tests over the wire cover it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit

import discord.client
import discord.shard
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.http import Route
from yarl import URL

from bot.errors import DiscordRefusedError
from bot.settings import is_loopback

__all__ = ["PORTAL", "ReconnectingClient", "portal_of", "server_name", "use_api", "use_gateway"]

PORTAL = "https://discord.com/developers/applications"
"""Where Discord's applications are managed."""

_DISCORD_API = Route.BASE
_DISCORD_GATEWAY = DiscordWebSocket.DEFAULT_GATEWAY
_DISCORD_HOSTS = ("discord.com", "discordapp.com")
_RESUMES, _WARN_AT, _MAX_REFUSALS = 2, 3, 10
_LONGEST_PAUSE = 40.0  # seconds; discord.py gives a connection sixty, of which it may wait five itself
_LASTING = 60  # seconds after which a connection is a good one

_log = logging.getLogger(__name__)


def use_api(url: str) -> None:
    """Send HTTP requests to `url`."""
    Route.BASE = url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = _DISCORD_GATEWAY
    for module in (discord.client, discord.shard):
        vars(module)["DiscordWebSocket"] = _PinnedWebSocket


def server_name(url: str | None = None) -> str:
    """Return what to call the server of an API, by default of the one in use: Discord, or its host."""
    parts = urlsplit(Route.BASE if url is None else url)
    host = parts.hostname or ""
    is_discord = any(host == name or host.endswith(f".{name}") for name in _DISCORD_HOSTS)
    return "Discord" if is_discord else parts.netloc.rpartition("@")[2]


def portal_of(url: str) -> str:
    """Return where the bot of an API's server is managed."""
    name = server_name(url)
    return f"{PORTAL} (your application, Bot)" if name == "Discord" else name


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


class ReconnectingClient(discord.AutoShardedClient):
    """A client that logs when a shard's connection is lost and is back, and gives up where none succeeds.

    A session counts as refused if IDENTIFY or RESUME was sent and neither READY nor RESUMED came. A server
    that cannot be reached refuses nothing: that is tried for ever.
    """

    def __init__(self, **options: Any) -> None:
        """Take the options of discord.py's client."""
        super().__init__(**options)
        self.refusals = Counter[int | None]()
        """Sessions that a shard has begun since the last one that the server accepted."""
        self._lost: set[int] = set()

    async def before_session_hook(self, refused: int) -> None:
        """Wait before a session is begun of which the server has `refused` others in a row."""
        await asyncio.sleep(min(2.0 ** (refused - 1), _LONGEST_PAUSE) if refused else 0)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Log it, once until the connection is back."""
        if shard_id not in self._lost:
            self._lost.add(shard_id)
            _log.info("The connection to %s was lost (shard %s).", server_name(), shard_id)

    async def on_shard_connect(self, shard_id: int) -> None:
        """Log that a lost connection is back, and count failures anew.

        discord.py lengthens the delay before a reconnect until there was none for half an hour, so that
        it would grow across separate outages. Here it begins anew where a minute has passed.
        """
        self.refusals.pop(shard_id, None)
        if (shard := self.get_shard(shard_id)) is not None:
            backoff = shard._parent._backoff
            backoff._last_invocation, backoff._reset_time = time.monotonic(), _LASTING
        if shard_id in self._lost:
            self._lost.discard(shard_id)
            _log.info("The connection to %s is back (shard %s).", server_name(), shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Do as after a new session."""
        await self.on_shard_connect(shard_id)


def _check_refusals(refused: int) -> None:
    """Warn once of a server that refuses every session; raise DiscordRefusedError at the bound."""
    name = server_name()
    if refused == _WARN_AT:
        _log.warning("%s has refused %d sessions in a row and gives no reason.", name, refused)
    if refused >= _MAX_REFUSALS:
        raise DiscordRefusedError(
            f"{name} refused {refused} sessions of the bot in a row and gave no reason. If the token was "
            f"reset, set FOOTNOTE_DISCORD_TOKEN to the new one, from {portal_of(Route.BASE)}; otherwise "
            "that server has trouble: start Footnote again later."
        )


class _PinnedWebSocket(DiscordWebSocket):
    """discord.py's websocket, kept on the configured server, and not closed by one malformed event."""

    @classmethod
    async def from_client(cls, client: Any, *, shard_id: int | None = None, **options: Any) -> Self:
        """Connect to the gateway, or to the configured one where the server names another.

        A session that cannot be resumed is given up for a new one.

        Raises:
            DiscordRefusedError: too many sessions in a row were refused.
        """
        refusals: Counter[int | None] = client.refusals
        refused = refusals[shard_id]
        _check_refusals(refused)
        await client.before_session_hook(refused)
        if options.get("resume") and (options.get("session") is None or refused >= _RESUMES):
            options |= {"resume": False, "session": None, "gateway": None, "sequence": None}
        if options.get("gateway"):
            options["gateway"] = _pinned(options["gateway"])
        try:
            socket = await super().from_client(client, shard_id=shard_id, **options)
        except ReconnectWebSocket:  # closed before the server's first word
            refusals[shard_id] += 1
            raise
        refusals[shard_id] += 1
        return socket

    async def received_message(self, msg: Any, /) -> None:
        """Process one frame; an event that cannot be read is logged and skipped."""
        try:
            await super().received_message(msg)
        except (KeyError, TypeError, ValueError, AttributeError):
            _log.exception("An event from %s could not be read; it is skipped.", server_name())


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
