"""Posting answers: in response to an interaction or in a channel, with what Discord allows there.

Where embeds are not allowed an answer is posted as text, where its message is gone or history may not be read
it is posted without reference, and a server of Discord's that has trouble is asked again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp
import discord

from bot.discordapp.escape import shorten, units

__all__ = ["LOST", "as_text", "edit_answer", "may_embed", "post"]

LOST = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a request to Discord may end in, refused or not arrived."""

_MISSING_PERMISSIONS = 50013
_NO_REPLY = {160002, 50035, 10008}
"""Discord's codes for a reply where history may not be read, and to a message that is gone."""
_AGAIN_AFTER = (1.0, 4.0)
"""Seconds after which a request is made again that Discord's server failed; discord.py does it for most."""

_CONTENT_ROOM = 2000

_log = logging.getLogger(__name__)


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
) -> discord.InteractionMessage:
    """Put an answer in the place of the deferred response."""
    if may_embed(interaction):
        return await interaction.edit_original_response(content=content, embed=embed, view=view)
    return await interaction.edit_original_response(content=as_text(embed, content), embeds=[], view=view)


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
    if reply_to is not None:
        shown["reference"] = reply_to.to_reference(fail_if_not_exists=False)
        shown["mention_author"] = False
    again = list(_AGAIN_AFTER)
    while True:
        try:
            return await channel.send(view=view or discord.utils.MISSING, **shown)
        except discord.HTTPException as error:
            if isinstance(error, discord.DiscordServerError) and again:
                await asyncio.sleep(again.pop(0))
            elif error.code == _MISSING_PERMISSIONS and "embed" in shown:
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


def _log_given_up(channel: discord.abc.Messageable, error: Exception) -> None:
    _log.warning("An answer could not be posted in channel %s: %s", getattr(channel, "id", "?"), error)
