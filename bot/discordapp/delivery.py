"""Posting and editing answers and notices, with what Discord allows in a place.

Where embeds are not allowed, an answer is plain text. Where the question is gone or history cannot be read,
it is no reply. Where an interaction has expired, a public answer is posted in the channel. What does not
arrive is sent again, and so is what a rate limit holds back. What was sent counts as shown even where the
response cannot be read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import discord

from bot.chat.messages import AUTO, Notice, messages_in
from bot.discordapp.context import LOST, UNREADABLE, Interaction, RefusedError, described, is_ours, place_of
from bot.discordapp.endpoint import server_name
from bot.discordapp.markdown import blockquote, shorten, units

if TYPE_CHECKING:
    from bot.chat.asking import Place

__all__ = [
    "Reply",
    "defer",
    "deliver",
    "edit_response",
    "handling",
    "notice_embed",
    "post",
    "post_to_helpers",
    "responding",
]

_EXPIRED = {10015, 10062, 50027}  # Discord's codes: not acknowledged in time, or the token has expired
_MISSING_PERMISSIONS = 50013
_REFUSED = {400, 403, 404}
_UNAVAILABLE = 503  # the one server error after which discord.py does not retry by itself
_RATE_LIMITED = 429  # discord.py waits it out by itself where a header `Via` shows that it is Discord's
_RETRY_AFTER = (1.0, 4.0)
_MOST_WAITS, _PATIENCE, _ACKNOWLEDGED_WITHIN = 10, 60.0, 3.0  # seconds
_CONTENT_ROOM, _PASSED_ON_ROOM = 2000, 1400
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
                name, channel = server_name(), interaction.channel_id
                _log.warning("%s no longer waits for an answer in channel %s.", name, channel)
            else:
                await _private_reply(interaction, apology)


async def defer(interaction: Interaction, *, private: bool = True, thinking: bool = True) -> None:
    """Acknowledge an interaction, and let those of others go first before going on."""
    tasks = interaction.client.assistant.tasks
    with tasks.acknowledging():
        response = interaction.response
        await deliver(
            lambda: response.defer(ephemeral=private, thinking=thinking), patience=_ACKNOWLEDGED_WITHIN
        )
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
) -> discord.Message | None:
    """Replace the deferred response; `more` are further arguments such as `view`.

    Too late for that (15 minutes), a `public` answer is posted in the channel. None is returned where it is
    shown and the response cannot be read.

    Raises:
        discord.HTTPException, aiohttp.ClientError, OSError: it could not be shown.
    """
    embed, channel = notice_embed(shown), interaction.channel
    edited = more | {"content": content, "embed": embed}
    if interaction.guild_id is not None and not interaction.app_permissions.embed_links:
        edited |= {"content": _as_text(embed, content), "embed": None}
    try:
        return await _send(interaction.edit_original_response, edited)
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
        shown = {"embed": embed, "ephemeral": True}
        if not response.is_done():
            await _send(response.send_message, shown)
            return
        # A first follow-up would replace the deferred message and be as public as that, so it goes first.
        if response.type is discord.InteractionResponseType.deferred_channel_message:
            with suppress(discord.NotFound):
                await deliver(interaction.delete_original_response)
        await _send(interaction.followup.send, shown)
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
    """Post in a channel, and return the message; None where it cannot be posted or read, which is logged."""
    shown: dict[str, Any] = {"content": content or None, "embed": embed}
    shown["view"] = view or discord.utils.MISSING
    shown["nonce"] = secrets.randbits(63)  # by which Discord recognises a repeated request
    if reply_to is not None:
        shown["reference"] = reply_to.to_reference(fail_if_not_exists=False)
        shown["mention_author"] = False
    try:
        return await _send(channel.send, shown)
    except LOST as error:
        where = getattr(channel, "id", "?")
        _log.warning("An answer could not be posted in channel %s: %s", where, error)
        return None


async def post_to_helpers(
    interaction: Interaction, message: discord.Message, question: str, place: Place
) -> None:
    """Post a question for the helpers of a server; their role is the only one that is pinged.

    Raises:
        discord.HTTPException, aiohttp.ClientError, OSError: it could not be posted.
    """
    role, messages = place.settings.helper_role, place.messages
    mention = f"<@&{role}>" if role else ""
    lines = [messages("passed_on_message", mention=mention, asker=interaction.user.mention).strip()]
    lines.append(blockquote(question, _PASSED_ON_ROOM))
    if not message.flags.ephemeral:
        link = message.jump_url if server_name() == "Discord" else f"<#{message.channel.id}>"
        lines.append(f"{messages('asked_in')} {link}")
    channel = interaction.client.get_partial_messageable(
        place.settings.helper_channel or place.channel, guild_id=interaction.guild_id
    )
    roles = [discord.Object(role)] if role else False
    allowed = discord.AllowedMentions(everyone=False, users=False, replied_user=False, roles=roles)
    await deliver(lambda: channel.send("\n".join(lines), allowed_mentions=allowed))


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
            text = {"content": _as_text(embed, ""), "embed": None}
            edited: dict[str, Any] = {"view": view} | ({"embed": embed} if queued.embeds else text)
            try:
                return await _send(queued.edit, edited)
            except LOST as error:
                _log.warning("The notice on the queue could not be edited: %s", error)
        return await post(self._channel, embed, view, reply_to=self._to)


async def _send(send: Callable[..., Awaitable[_Result]], shown: dict[str, Any]) -> _Result | None:
    """Send or edit a message; a refused embed is shown as text, and a refused reply is no reply."""
    while True:
        try:
            return await deliver(partial(send, **shown))
        except discord.HTTPException as error:
            embed = shown.get("embed")
            is_embed = error.code == _MISSING_PERMISSIONS or "embed" in error.text
            if "reference" in shown and error.status in _REFUSED and not (is_embed and embed):
                shown = {name: value for name, value in shown.items() if name != "reference"}
            elif embed and (error.status == 400 or error.code == _MISSING_PERMISSIONS):
                _log.warning("%s refused an embed (%s); it is shown as plain text.", server_name(), error)
                shown = shown | {"embed": None, "content": _as_text(embed, shown.get("content") or "")}
            else:
                raise


async def deliver(
    request: Callable[[], Awaitable[_Result]], *, patience: float = _PATIENCE
) -> _Result | None:
    """Make a request, and again where it did not arrive, the server is unavailable or limits the rate.

    `patience` is for how many seconds that is tried. None is returned where the response cannot be read:
    that is logged, and what was sent counts as shown.

    Raises:
        discord.HTTPException, aiohttp.ClientError, OSError: it was refused, or did not arrive.
    """
    clock = asyncio.get_running_loop().time
    end, outages, waits = clock() + patience, list(_RETRY_AFTER), _MOST_WAITS
    while True:
        try:
            return await request()
        except (discord.HTTPException, aiohttp.ClientError, ConnectionError) as error:
            seconds = None
            if isinstance(error, discord.HTTPException) and error.status == _RATE_LIMITED:
                seconds, waits = await _retry_after(error) if waits else None, waits - 1
            elif not isinstance(error, discord.HTTPException) or error.status == _UNAVAILABLE:
                seconds = outages.pop(0) if outages else None
            if seconds is None or not 0 <= seconds <= end - clock():
                raise
        except UNREADABLE as error:
            name, reason = server_name(), described(error)
            _log.warning("A response of %s cannot be read (%s); what was sent counts as shown.", name, reason)
            return None
        await asyncio.sleep(seconds)


async def _retry_after(error: discord.HTTPException) -> float | None:
    """Return the seconds after which a request may be repeated; None where the server does not say."""
    try:
        return float(json.loads(await error.response.text())["retry_after"])  # type: ignore[operator]
    except UNREADABLE:
        header = error.response.headers.get("Retry-After", "")
        return float(header) if header.isdecimal() else None
