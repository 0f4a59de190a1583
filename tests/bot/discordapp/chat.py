"""What tests of conversations have in common: people who ask, one after the other."""

from __future__ import annotations

import asyncio

from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import answer_to, mentioned
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, Guild, User
from tests.wire.records import Json

__all__ = ["Chat"]


class Chat:
    """People who ask: each answer is waited for until the next question can lean on it.

    That is a moment after it is seen, when the bot has heard that it was posted.
    """

    def __init__(self, wire: LoopbackDiscord, bot: FootnoteClient, service: FakeService) -> None:
        self.wire, self.bot, self.service = wire, bot, service

    async def command(
        self, user: User, where: Guild | Channel | None, question: str, **options: object
    ) -> Json:
        """Ask with the command."""
        return await self.noted(await answer_to(self.wire, user, where, question, **options))

    async def mention(self, user: User, where: Guild | Channel, question: str) -> Json:
        """Ask in a message that mentions the bot."""
        return await self.noted(await mentioned(self.wire, user, where, question))

    async def say(
        self,
        user: User,
        where: Guild | Channel,
        text: str,
        reply_to: Json | None = None,
        *,
        ping: bool = True,
    ) -> Json:
        """Ask in a message without more; return the reply."""
        said = await self.wire.say(where, user, text, reply_to=reply_to, ping=ping)
        return await self.noted(await self.wire.reply_to(said))

    async def noted(self, message: Json) -> Json:
        """Wait until the bot has taken note of its answer."""
        async with asyncio.timeout(3):
            while not self.bot.surface.exchanges.of_message(int(message["id"])):  # noqa: ASYNC110
                await asyncio.sleep(0)  # the bot goes on
        return message

    def before(self) -> str | None:
        """Return the question on which the last one may lean."""
        earlier = self.service.asked_with[-1][2]
        return earlier.question if earlier else None
