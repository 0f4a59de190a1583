"""Posting and editing answers and notices, with what Discord allows in a place.

Where embeds are not allowed, an answer is plain text. Where the question is gone or history cannot be read,
it is no reply. Where an interaction has expired, a public answer is posted in the channel. What does not
arrive is sent again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import aiohttp
import discord

from bot.chat.messages import Notice
from bot.discordapp.embeds import notice_embed
from bot.discordapp.markdown import shorten, units

__all__ = ["LOST", "Reply", "as_text", "edit_response", "is_ours", "post", "private_reply", "too_late"]

LOST = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a request to Discord raises, refused or not arrived."""

_EXPIRED = {10015, 10062, 50027}  # Discord's codes: not acknowledged in time, or the token has expired
_ALREADY_ACKNOWLEDGED = 40060
_MISSING_PERMISSIONS = 50013
_NO_REPLY = {160002, 50035, 10008}  # history cannot be read, or the message is gone
_UNAVAILABLE = 503  # the one server error after which discord.py does not retry by itself
_RETRY_AFTER = (1.0, 4.0)
_CONTENT_ROOM = 2000
_TYPING_PATIENCE = 0.3

_Result = TypeVar("_Result")
_typing: set[asyncio.Task[None]] = set()  # asyncio itself only keeps weak references
_log = logging.getLogger(__name__)


def too_late(error: BaseException) -> bool:
    """Return whether Discord no longer accepts a response to the interaction."""
    return isinstance(error, discord.HTTPException) and error.code in _EXPIRED


def is_ours(error: BaseException | None) -> bool:
    """Return whether an error is a fault of ours, not trouble of Discord's or something deleted meanwhile."""
    if not isinstance(error, discord.HTTPException):
        return not isinstance(error, aiohttp.ClientError | ConnectionError | TimeoutError)
    refused = 400 <= error.status < 500 and error.status not in {401, 403, 404, 429}
    return refused and error.code != _ALREADY_ACKNOWLEDGED


def as_text(embed: discord.Embed, above: str = "") -> str:
    """Return an embed as text of at most 2,000 UTF-16 units, below the line `above`.

    The description is cut first. Citations get up to half of the room; `above` is left out where it would
    take more than half of the rest.
    """
    title = f"**{embed.title}**" if embed.title else ""
    cited: list[str] = []
    for field in embed.fields:
        line = f"{field.name}: {field.value}"
        if cited and units("\n\n".join([*cited, line])) > _CONTENT_ROOM // 2:
            break
        cited.append(line)
    below = [*cited, embed.footer.text or ""]
    room = _CONTENT_ROOM - sum(units(part) + 2 for part in (title, *below) if part)
    above = "" if units(above) + 2 > room // 2 else above
    room -= units(above) + 2 if above else 0
    parts = [above, title, shorten(embed.description or "", room), *below]
    return shorten("\n\n".join(filter(None, parts)), _CONTENT_ROOM)


async def edit_response(
    interaction: discord.Interaction[Any],
    shown: discord.Embed | Notice,
    *,
    content: str = "",
    public: bool = False,
    **more: Any,
) -> discord.Message:
    """Replace the deferred response; `more` are further arguments such as `view`.

    Too late for that (15 minutes), a `public` answer is posted in the channel.

    Raises:
        discord.HTTPException, aiohttp.ClientError, OSError: it could not be shown.
    """
    embed, channel = _embed_of(shown), interaction.channel
    if interaction.guild_id is None or interaction.app_permissions.embed_links:
        edited = more | {"content": content, "embed": embed}
    else:
        edited = more | {"content": as_text(embed, content), "embeds": []}
    try:
        return await _retried(lambda: interaction.edit_original_response(**edited))
    except discord.HTTPException as error:
        if not public or not too_late(error) or not isinstance(channel, discord.abc.Messageable):
            raise
        if (posted := await post(channel, embed, more.get("view"), content=content)) is None:
            raise
        return posted


async def private_reply(interaction: discord.Interaction[Any], notice: Notice) -> None:
    """Answer an interaction for its user alone, in whatever state it is; no "thinking" is left behind."""
    embed, response = notice_embed(notice), interaction.response
    try:
        if not response.is_done():
            await response.send_message(embed=embed, ephemeral=True)
            return
        # A first follow-up would replace the deferred message and be as public as that, so it goes first.
        if response.type is discord.InteractionResponseType.deferred_channel_message:
            with suppress(discord.NotFound):
                await interaction.delete_original_response()
        await interaction.followup.send(embed=embed, ephemeral=True)
    except LOST as error:
        _log.warning("A private reply could not be sent: %s", error)
        if not too_late(error):
            with suppress(*LOST):
                await interaction.edit_original_response(embed=embed)


async def post(
    channel: discord.abc.Messageable,
    embed: discord.Embed,
    view: discord.ui.View | None = None,
    *,
    content: str = "",
    reply_to: discord.Message | None = None,
) -> discord.Message | None:
    """Post in a channel, and return the message; None where that is impossible, which is logged."""
    shown: dict[str, Any] = {"content": content or None, "embed": embed}
    shown["view"] = view or discord.utils.MISSING
    shown["nonce"] = secrets.randbits(63)  # by which Discord recognises a repeated request
    if reply_to is not None:
        shown["reference"] = reply_to.to_reference(fail_if_not_exists=False)
        shown["mention_author"] = False
    while True:
        try:
            return await _retried(lambda: channel.send(**shown))
        except LOST as error:
            code = error.code if isinstance(error, discord.HTTPException) else 0
            if code == _MISSING_PERMISSIONS and "embed" in shown:
                del shown["embed"]
                shown["content"] = as_text(embed, content)
            elif code in _NO_REPLY and "reference" in shown:
                del shown["reference"]
            else:
                where = getattr(channel, "id", "?")
                _log.warning("An answer could not be posted in channel %s: %s", where, error)
                return None


class Reply:
    """One message in a channel: "is typing", the position in the queue, and in its place the answer."""

    def __init__(self, channel: discord.abc.Messageable, to: discord.Message | None = None) -> None:
        self._channel, self._to = channel, to
        self._typing: asyncio.Task[None] | None = None
        self._queued: asyncio.Task[discord.Message | None] | None = None

    def show_typing(self) -> None:
        """Start showing "is typing", as far as Discord allows it."""
        # Never cancelled: one that met the global rate limit would leave discord.py waiting for ever.
        self._typing = asyncio.create_task(_type(self._channel))
        _typing.add(self._typing)
        self._typing.add_done_callback(_typing.discard)

    def show_queue(self, notice: Notice) -> None:
        """Start posting the position in the queue."""
        self._queued = asyncio.create_task(post(self._channel, notice_embed(notice), reply_to=self._to))

    async def put(
        self, shown: discord.Embed | Notice, view: discord.ui.View | None = None
    ) -> discord.Message | None:
        """Show this, in place of the queue's notice if there is one; return None where it is impossible."""
        embed = _embed_of(shown)
        if self._typing:  # it must not begin after the answer
            await asyncio.wait({self._typing}, timeout=_TYPING_PATIENCE)
        if (queued := await self._queued if self._queued else None) is not None:
            edited: dict[str, Any] = {"embed": embed} if queued.embeds else {"content": as_text(embed)}
            try:
                return await queued.edit(view=view, **edited)
            except LOST as error:
                _log.warning("The notice on the queue could not be edited: %s", error)
        return await post(self._channel, embed, view, reply_to=self._to)


def _embed_of(shown: discord.Embed | Notice) -> discord.Embed:
    return notice_embed(shown) if isinstance(shown, Notice) else shown


async def _type(channel: discord.abc.Messageable) -> None:
    with suppress(*LOST, RuntimeError):  # RuntimeError: the client has been closed
        await channel.typing()


async def _retried(request: Callable[[], Awaitable[_Result]]) -> _Result:
    """Make a request, and again where it did not arrive or Discord is unavailable."""
    for seconds in _RETRY_AFTER:
        try:
            return await request()
        except discord.HTTPException as error:
            if error.status != _UNAVAILABLE:
                raise
        except (aiohttp.ClientError, ConnectionError):
            pass
        await asyncio.sleep(seconds)
    return await request()
