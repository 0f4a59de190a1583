"""A rebuild asked for in chat: progress by editing one message, and an outcome that always arrives."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import discord

from bot.chat.metrics import Metrics, Outcome
from bot.chat.words import Words
from bot.discordapp.answering import Answering
from bot.discordapp.delivery import LOST, post, too_late
from bot.discordapp.notices import failed_embed, notice, progress_embed, rebuilt_embed, said
from bot.discordapp.talk import surface_of
from bot.errors import NotServedError, RebuildError
from index.errors import BusyError, FootnoteError
from index.progress import Progress

__all__ = ["EDIT_EVERY", "ProgressMessage", "rebuild_by_command"]

EDIT_EVERY = 2.0
"""Seconds between two edits; Discord allows about five edits of a message in five seconds."""

_log = logging.getLogger(__name__)


class ProgressMessage:
    """The deferred response of a command, edited as a rebuild goes on and once more when it has ended."""

    def __init__(self, interaction: discord.Interaction, words: Words, every: float = EDIT_EVERY) -> None:
        self._interaction = interaction
        self._words = words
        self._every = every
        self._latest: Progress | None = None
        self._ended = asyncio.Event()
        self._editing = asyncio.create_task(self._keep_editing())

    def update(self, step: Progress) -> None:
        """Note how far the rebuild is; it is shown when the next edit is due."""
        self._latest = step

    async def _keep_editing(self) -> None:
        shown: object = object()
        while not self._ended.is_set():
            if self._latest is not shown:
                shown = self._latest
                try:
                    await self._interaction.edit_original_response(
                        embed=progress_embed(self._words, self._latest)
                    )
                except LOST as error:  # progress is a courtesy; the outcome is not
                    if too_late(error):
                        return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), self._every)

    async def end(self, embed: discord.Embed) -> None:
        """Show the outcome. An edit on its way is let finish first, so that it cannot come after."""
        self._ended.set()
        await self._editing
        try:
            await self._interaction.edit_original_response(embed=embed)
        except LOST as error:
            _log.warning("The outcome of a rebuild could not be shown by editing: %s", error)
            await self._post(embed)

    async def _post(self, embed: discord.Embed) -> None:
        """Post the outcome in the channel: an interaction's token is good for fifteen minutes only."""
        channel = self._interaction.channel
        if not isinstance(channel, discord.abc.Messageable) or await post(channel, embed) is None:
            _log.warning("The outcome of a rebuild could not be posted either.")


async def rebuild_by_command(  # noqa: PLR0913 - what is told to whom, and what is asked for
    interaction: discord.Interaction,
    service: Answering,
    words: Words,
    metrics: Metrics,
    every: float = EDIT_EVERY,
    *,
    force: bool = False,
) -> None:
    """Rebuild, and show progress and outcome in the deferred response; `force` takes few articles too."""
    message = ProgressMessage(interaction, words, every)
    outcome: Outcome = "given-up"
    embed = said(words, "rebuild_given_up", fault=True)
    try:
        async with surface_of(interaction).presence.rebuilding():
            report = await service.rebuild(message.update, force=force)
        embed, outcome = rebuilt_embed(words, report), "done"
        _log.info("A rebuild was asked for in chat: %s", report.summary())
    except BusyError as error:
        embed, outcome = failed_embed(words("rebuild_other"), error), "busy"
    except NotServedError as error:
        _log.warning("A rebuild asked for in chat is published and not served: %s", error)
        embed, outcome = failed_embed(words("rebuild_not_served"), error), "failed"
    except FootnoteError as error:
        _log.warning("A rebuild asked for in chat failed: %s", error)
        embed = failed_embed(words("rebuild_failed"), error)
        outcome = "failed" if isinstance(error, RebuildError) else "refused"
    except Exception:  # noqa: BLE001 -- whatever it is, the message must not stay at "rebuilding"
        _log.exception("A rebuild asked for in chat failed.")
        embed = notice(words("rebuild_failed"), words("rebuild_fault_text"), fault=True)
        outcome = "failed"
    finally:
        metrics.rebuilt(outcome)
        await message.end(embed)
