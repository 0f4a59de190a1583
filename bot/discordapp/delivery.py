"""Posting answers: in response to an interaction or in a channel, with what Discord allows there.

Where embeds are not allowed an answer is posted as text, where its message is gone or history may not be read
it is posted without reference, where an interaction's token has expired it is posted in the channel, and a
server of Discord's that has trouble is asked again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import discord

from bot.discordapp.escape import shorten, units

__all__ = ["LOST", "as_text", "edit_answer", "is_ours", "may_embed", "post", "too_late"]

LOST = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a request to Discord may end in, refused or not arrived."""

_TOO_LATE = {10015, 10062, 50027}
"""Discord's codes for an interaction that it no longer waits for: not acknowledged in time, or its token has
expired."""
_ACKNOWLEDGED_ALREADY = 40060
_MISSING_PERMISSIONS = 50013
_NO_REPLY = {160002, 50035, 10008}
"""Discord's codes for a reply where history may not be read, and to a message that is gone."""
_AGAIN_AFTER = (1.0, 4.0)
"""Seconds after which a request is made again that did not arrive, or that Discord's server failed."""
_UNAVAILABLE = 503
"""The one failure of a server after which discord.py does not try again by itself."""

_CONTENT_ROOM = 2000

_Result = TypeVar("_Result")

_log = logging.getLogger(__name__)


def too_late(error: BaseException) -> bool:
    """Say whether Discord no longer waits for what was to be said in an interaction."""
    return isinstance(error, discord.HTTPException) and error.code in _TOO_LATE


def is_ours(error: BaseException | None) -> bool:
    """Say whether an error is a fault of ours; that Discord has trouble or something is gone is none."""
    if not isinstance(error, discord.HTTPException):
        return not isinstance(error, aiohttp.ClientError | ConnectionError | TimeoutError)
    refused = 400 <= error.status < 500 and error.status not in {401, 403, 404, 429}
    return refused and error.code != _ACKNOWLEDGED_ALREADY


def may_embed(interaction: discord.Interaction[Any]) -> bool:
    """Say whether the bot's embeds are shown where an interaction takes place."""
    return interaction.guild_id is None or interaction.app_permissions.embed_links


def as_text(embed: discord.Embed, above: str = "") -> str:
    """Return an embed as a message's text, after the line `above`, in at most 2,000 UTF-16 units.

    What is too long is cut in the description. The citations stay, as many as have room in half of the text;
    the line above goes where it leaves less than half of the rest.
    """
    title = f"**{embed.title}**" if embed.title else ""
    cited: list[str] = []
    for field in embed.fields:
        line = f"{field.name}: {field.value}"
        if cited and units("\n\n".join([*cited, line])) > _CONTENT_ROOM // 2:
            break
        cited.append(line)
    below = [*cited, embed.footer.text or ""]
    room = _CONTENT_ROOM - sum(units(one) + 2 for one in (title, *below) if one)
    if units(above) + 2 > room // 2:
        above = ""
    elif above:
        room -= units(above) + 2
    parts = [above, title, shorten(embed.description or "", room), *below]
    return shorten("\n\n".join(one for one in parts if one), _CONTENT_ROOM)


async def edit_answer(
    interaction: discord.Interaction[Any],
    embed: discord.Embed,
    *,
    content: str = "",
    view: discord.ui.View | None = None,
    public: bool = False,
) -> discord.Message:
    """Put an answer in the place of the deferred response.

    Where that is too late, one that all may see (`public`) is posted in the channel.

    Raises:
        What LOST names: it could be shown nowhere.
    """
    shown: dict[str, Any] = {"content": content, "embed": embed}
    if not may_embed(interaction):
        shown = {"content": as_text(embed, content), "embeds": []}
    try:
        return await _made(lambda: interaction.edit_original_response(view=view, **shown))
    except discord.HTTPException as error:
        posted = await _post_late(interaction, embed, view, content) if public and too_late(error) else None
        if posted is None:
            raise
        return posted


async def _post_late(
    interaction: discord.Interaction[Any], embed: discord.Embed, view: discord.ui.View | None, content: str
) -> discord.Message | None:
    channel = interaction.channel
    if not isinstance(channel, discord.abc.Messageable):
        return None
    _log.info("An answer comes too late for its interaction; it is posted in channel %s.", channel.id)
    return await post(channel, embed, view, content=content)


async def post(
    channel: discord.abc.Messageable,
    embed: discord.Embed,
    view: discord.ui.View | None = None,
    *,
    content: str = "",
    reply_to: discord.Message | None = None,
) -> discord.Message | None:
    """Post in a channel; return the message, or None where none can be posted, which is logged."""
    shown: dict[str, Any] = {"content": content or None, "embed": embed}
    shown["nonce"] = secrets.randbits(63)  # by which Discord knows a request that is made again
    if reply_to is not None:
        shown["reference"] = reply_to.to_reference(fail_if_not_exists=False)
        shown["mention_author"] = False
    while True:
        try:
            return await _made(lambda: channel.send(view=view or discord.utils.MISSING, **shown))
        except discord.HTTPException as error:
            if error.code == _MISSING_PERMISSIONS and "embed" in shown:
                del shown["embed"]
                shown["content"] = as_text(embed, content)
            elif error.code in _NO_REPLY and "reference" in shown:
                del shown["reference"]
            else:
                _log_given_up(channel, error)
                return None
        except (aiohttp.ClientError, OSError) as error:
            _log_given_up(channel, error)
            return None


async def _made(request: Callable[[], Awaitable[_Result]]) -> _Result:
    """Make a request, and again after some seconds where it did not arrive or Discord is not available."""
    for seconds in _AGAIN_AFTER:
        try:
            return await request()
        except discord.HTTPException as error:
            if error.status != _UNAVAILABLE:
                raise
        except (aiohttp.ClientError, ConnectionError):
            pass
        await asyncio.sleep(seconds)
    return await request()


def _log_given_up(channel: discord.abc.Messageable, error: Exception) -> None:
    _log.warning("An answer could not be posted in channel %s: %s", getattr(channel, "id", "?"), error)
