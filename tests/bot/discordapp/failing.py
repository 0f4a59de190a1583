"""The program as a process of its own, with a service that fails in every way that could show the token."""

from __future__ import annotations

import asyncio
import base64
import gc
import os
import sys
import threading
from typing import Any

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from bot import cli
from bot.answering.answer import Answer
from bot.discordapp import running
from bot.settings import BotSettings
from tests.bot.discordapp.fake_service import FakeService

FAULTS = ("headers", "encoded", "in a thread", "in a task", "in a finalizer", "in a frame")


class _Unfinished:
    """Fails when it is collected, where nobody can catch it."""

    def __init__(self, told: str) -> None:
        self.told = told

    def __del__(self) -> None:
        raise ValueError(self.told)


class FailingService(FakeService):
    """Fails at each question as the question says; at the start where FAIL_AT_START is set."""

    def __init__(self, settings: BotSettings) -> None:
        super().__init__()
        token = settings.discord_token
        assert token is not None
        self._token = token.get_secret_value()

    async def start(self) -> None:
        if "FAIL_AT_START" in os.environ:
            raise ValueError(f"the header was 'Authorization: Bot {self._token}'")

    async def ask(self, question: str, **options: Any) -> Answer:
        if question == "headers":
            headers = CIMultiDictProxy(CIMultiDict({"Authorization": f"Bot {self._token}"}))
            url = URL("https://discord.com/api")
            asked = aiohttp.RequestInfo(url, "GET", headers, url)
            raise aiohttp.ClientResponseError(asked, (), status=500, message=repr(asked))
        if question == "encoded":
            raise ValueError(base64.b64encode(f"Bot {self._token}".encode()).decode())
        if question == "in a thread":
            thread = threading.Thread(target=self._fail)
            thread.start()
            await asyncio.to_thread(thread.join)
        if question == "in a task":
            asyncio.get_running_loop().call_soon(self._fail)
        if question == "in a finalizer":
            _Unfinished(f"Bot {self._token}")
            gc.collect()
        if question == "in a frame":
            await self._deeper(self._token)
        return await super().ask(question, **options)

    async def _deeper(self, token: str) -> None:
        raise KeyError(token)

    def _fail(self) -> None:
        raise RuntimeError(f"{self._token!r} was refused")


if __name__ == "__main__":
    vars(running)["Service"] = FailingService
    cli.main(sys.argv[1:])
