"""Posting and editing answers and notices, with what Discord allows in a place.

Where embeds are not allowed, an answer is plain text. Where the question is gone or history cannot be read,
it is no reply. Where an interaction has expired, a public answer is posted in the channel. What does not
arrive is sent again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import discord

from bot.chat.messages import AUTO, Notice, messages_in
from bot.discordapp.context import LOST, Interaction, RefusedError, is_ours, place_of
from bot.discordapp.markdown import shorten, units

if TYPE_CHECKING:
    from bot.chat.asking import Place

__all__ = ["Reply", "defer", "edit_response", "handling", "notice_embed", "post", "responding"]

_EXPIRED = {10015, 10062, 50027}  # Discord's codes: not acknowledged in time, or the token has expired
_MISSING_PERMISSIONS = 50013
_NO_REPLY = {160002, 50035, 10008}  # history cannot be read, or the message is gone
_UNAVAILABLE = 503  # the one server error after which discord.py does not retry by itself
_RETRY_AFTER = (1.0, 4.0)
_CONTENT_ROOM = 2000
_NOTICE_COLOUR, _FAULT_COLOUR = 0x3F51B5, 0xC62828

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


@asynccontextmanager
async def handling(interaction: Interaction) -> AsyncIterator[Place]:
    """Run a handler as an answer that a shutdown waits for; its user learns of every way it can fail."""
    with interaction.client.assistant.tasks.track():
        messages = messages_in(AUTO, str(interaction.locale))
        try:
            place = await place_of(interaction)
            messages = place.messages
            yield place
        except asyncio.CancelledError:
            await _private_reply(interaction, messages.notice("stopping"))
            raise
        except RefusedError as refusal:
            await _private_reply(interaction, refusal.notice)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user sees an apology and it is logged
            apology = interaction.client.assistant.apology(messages, error, ours=is_ours(error))
            if _too_late(error):
                _log.warning("Discord no longer waits for an answer in channel %s.", interaction.channel_id)
            else:
                await _private_reply(interaction, apology)


async def defer(interaction: Interaction, *, private: bool = True, thinking: bool = True) -> None:
    """Acknowledge an interaction, and let those of others go first before going on."""
    tasks = interaction.client.assistant.tasks
    with tasks.acknowledging():
        await interaction.response.defer(ephemeral=private, thinking=thinking)
    await tasks.acknowledged()


@asynccontextmanager
async def responding(interaction: Interaction, *, private: bool = True) -> AsyncIterator[Place]:
    """Run a handler as `handling` does, with the interaction acknowledged."""
    async with handling(interaction) as place:
        await defer(interaction, private=private)
        yield place


def notice_embed(shown: discord.Embed | Notice) -> discord.Embed:
    """Return a notice, whose text may hold escaped parts, as an embed; an embed is returned as it is."""
    if isinstance(shown, discord.Embed):
        return shown
    colour = _FAULT_COLOUR if shown.fault else _NOTICE_COLOUR
    return discord.Embed(title=shown.title, description=shown.text or None, colour=colour)


def _as_text(embed: discord.Embed, above: str) -> str:
    """Return an embed as text of at most 2,000 UTF-16 units, below the line `above` if it leaves room."""
    title = f"**{embed.title}**" if embed.title else ""
    cited = "\n\n".join(f"{field.name}: {field.value}" for field in embed.fields)
    below = [shorten(cited, _CONTENT_ROOM // 2), embed.footer.text or ""]
    room = _CONTENT_ROOM - sum(units(part) + 2 for part in (title, *below) if part)
    above = above if units(above) + 2 <= room // 2 else ""
    parts = [above, title, shorten(embed.description or "", room - units(above) - 2), *below]
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
    embed, channel = notice_embed(shown), interaction.channel
    if interaction.guild_id is None or interaction.app_permissions.embed_links:
        edited = more | {"content": content, "embed": embed}
    else:
        edited = more | {"content": _as_text(embed, content), "embeds": []}
    try:
        return await _retried(lambda: interaction.edit_original_response(**edited))
    except discord.HTTPException as error:
        if not public or not _too_late(error) or not isinstance(channel, discord.abc.Messageable):
            raise
        if (posted := await post(channel, embed, more.get("view"), content=content)) is None:
            raise
        return posted


def _too_late(error: BaseException) -> bool:
    return isinstance(error, discord.HTTPException) and error.code in _EXPIRED


async def _private_reply(interaction: discord.Interaction[Any], notice: Notice) -> None:
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
                shown["content"] = _as_text(embed, content)
            elif code in _NO_REPLY and "reference" in shown:
                del shown["reference"]
            else:
                where = getattr(channel, "id", "?")
                _log.warning("An answer could not be posted in channel %s: %s", where, error)
                return None


class Reply:
    """One message in a channel: the position in the queue, and in its place the answer."""

    def __init__(self, channel: discord.abc.Messageable, to: discord.Message) -> None:
        self._channel, self._to = channel, to
        self._queued: asyncio.Task[discord.Message | None] | None = None

    def show_queue(self, notice: Notice) -> None:
        """Start posting the position in the queue."""
        self._queued = asyncio.create_task(post(self._channel, notice_embed(notice), reply_to=self._to))

    async def put(
        self, shown: discord.Embed | Notice, view: discord.ui.View | None = None
    ) -> discord.Message | None:
        """Show this, in place of the queue's notice if there is one; return None where it is impossible."""
        embed = notice_embed(shown)
        if (queued := await self._queued if self._queued else None) is not None:
            edited: dict[str, Any] = {"embed": embed} if queued.embeds else {"content": _as_text(embed, "")}
            try:
                return await queued.edit(view=view, **edited)
            except LOST as error:
                _log.warning("The notice on the queue could not be edited: %s", error)
        return await post(self._channel, embed, view, reply_to=self._to)


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
