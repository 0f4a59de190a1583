"""What people see beside the bot's name: what it answers from, or what is the matter with the index."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
from index.storage.verification import IndexStatus

from bot.discordapp.delivery import LOST
from bot.service.live_index import Damage

__all__ = ["Presence"]

_log = logging.getLogger(__name__)


class Presence:
    """The bot's presence, on every connection; what cannot be shown is logged only, as it is a courtesy."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self.status: IndexStatus | None = None
        """What is answered from, as it was last told."""
        self.damage: Damage | None = None
        """What is damaged, as long as that is so."""
        self._rebuilds = 0

    async def answering_from(self, status: IndexStatus) -> None:
        """Show what is answered from, once no rebuild is under way."""
        self.status = status
        await self._show()

    @asynccontextmanager
    async def rebuilding(self) -> AsyncIterator[None]:
        """Show that the index is being rebuilt, until the body ends."""
        self._rebuilds += 1
        await self._show()
        try:
            yield
        finally:
            self._rebuilds -= 1
            await self._show()

    async def _show(self) -> None:
        activity = discord.CustomActivity(name=self._text())
        self._client.activity = activity  # also for the next time that the bot has to identify itself
        try:
            await self._client.change_presence(activity=activity)
        except (*LOST, AttributeError) as error:  # without a connection there is nothing to send it by
            _log.info("The bot's presence could not be shown: %s", error)

    def _text(self) -> str:
        if self._rebuilds or self.status is None:
            return "Rebuilding the index"
        count = self.status.articles
        answering = f"Answering from {'1 article' if count == 1 else f'{count:,} articles'}"
        if self.damage is None:
            return answering
        return f"{answering}, as they were before" if self.damage.serving else "The index is damaged"
