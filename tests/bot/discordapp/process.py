"""The bot as a process of its own, with a service that takes its time; for tests of signals and logs."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from bot.answering.answer import Answer
from bot.chat.logs import set_up_logging
from bot.discordapp.starting import serve_until_signalled
from bot.service.job_queue import Queue
from bot.settings import BotSettings
from tests.bot.discordapp.fake_service import FakeService


class SlowService(FakeService):
    """Takes its time for each answer, most of a second, and gives one after the other."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._queue = Queue("footnote-answer", 1000)

    async def ask(self, question: str, **options: Any) -> Answer:
        await self._queue.do(question, lambda: time.sleep(self._seconds))
        return await super().ask(question, **options)

    async def close(self) -> None:
        await asyncio.to_thread(self._queue.close)


if __name__ == "__main__":
    settings = BotSettings.load()
    set_up_logging(settings)
    seconds = float(os.environ.get("SECONDS_AN_ANSWER", "0.7"))
    asyncio.run(serve_until_signalled(settings, lambda _: SlowService(seconds)))
