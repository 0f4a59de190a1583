"""The bot as a process of its own, with a service that takes its time; for tests of signals and logs."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.answers import Answer
from bot.discordapp.logs import set_up_logging
from bot.discordapp.starting import serve_until_signalled
from bot.settings import BotSettings
from tests.bot.discordapp.fake_service import FakeService


class SlowService(FakeService):
    """Takes most of a second to answer."""

    async def ask(self, question: str, **options: Any) -> Answer:
        await asyncio.sleep(0.7)
        return await super().ask(question, **options)


if __name__ == "__main__":
    settings = BotSettings.load()
    set_up_logging(settings)
    asyncio.run(serve_until_signalled(settings, lambda _: SlowService()))
