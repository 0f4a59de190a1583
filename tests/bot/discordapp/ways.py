"""Every way of asking, for tests of what happens to all of them under the same trouble."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.answering.answer import Verdict
from bot.discordapp.client import FootnoteClient
from tests.bot.discordapp.fake_service import FakeService, sample_answer
from tests.bot.discordapp.stage import answer_to, inhabited
from tests.wire.interaction import Interaction
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, Guild, User
from tests.wire.records import Json

__all__ = ["ANSWERED", "BY_INTERACTION", "BY_MESSAGE", "WAYS", "Asker", "Look", "no_traceback", "until"]

Look = Callable[[], Json | None]
"""Returns what the asker sees by now, None while that is nothing."""

BY_INTERACTION = ("slash", "menu", "button", "form")
BY_MESSAGE = ("mention", "direct")
WAYS = BY_INTERACTION + BY_MESSAGE

ANSWERED = dict.fromkeys(WAYS, "Close, but maybe not an answer") | {"button": "Why this verdict"}
"""The titles of what is answered; the service has something near, so that there is a "Why?" to press."""


@dataclass
class Asker:
    """Somebody in a server who has got an answer, and from there can ask in every way."""

    wire: LoopbackDiscord
    bot: FootnoteClient
    service: FakeService
    guild: Guild
    user: User
    message: Json
    """What somebody said, for the message menu."""
    answer: Json
    """The answer that they got, with its buttons."""
    form: Interaction
    """The press that opened the form for a follow-up."""
    where: Channel

    @classmethod
    async def ready(
        cls,
        wire: LoopbackDiscord,
        bot: FootnoteClient,
        service: FakeService,
        *,
        in_thread: bool = False,
    ) -> Asker:
        """Let somebody ask once, before the trouble begins."""
        service.reply = sample_answer(verdict=Verdict.RELATED)
        guild, (ann,) = await inhabited(wire, "ann")
        where = await wire.thread(guild.channels[0], ann, "thread") if in_thread else guild.channels[0]
        message = await wire.say(where, ann, "When did it open?")
        answer = await answer_to(wire, ann, where)
        form = await wire.press(ann, answer, "Ask a follow-up")
        await wire.form(form)
        return cls(wire, bot, service, guild, ann, message, answer, form, where)

    async def ask(self, way: str) -> Look:
        """Ask in this way; return how to look at what comes of it."""
        wire, ann = self.wire, self.user
        if way in BY_MESSAGE:
            where = self.where if way == "mention" else wire.world.dm(ann)
            before = len(wire.said(where))
            await wire.say(where, ann, f"{wire.world.bot.mention} When did it open?")
            return lambda: next(iter(wire.said(where)[before:]), None)
        if way == "slash":
            used = await wire.slash("ask", ann, self.where, question="When did it open?")
        elif way == "menu":
            used = await wire.menu("Answer this", ann, self.message)
        elif way == "button":
            used = await wire.press(ann, self.answer, "Why?")
        else:
            used = await wire.submit(self.form, ["And who chairs it?"])
        return lambda: used.shown

    async def ask_all(self, ways: tuple[str, ...] = WAYS) -> dict[str, Look]:
        """Ask in these ways, of a service that does not answer yet, and wait until it is asked."""
        self.service.open.clear()
        before = len(self.service.asked)
        looks = {way: await self.ask(way) for way in ways}
        await until(lambda: len(self.service.asked) == before + len(ways))
        return looks

    async def ends(self, ways: tuple[str, ...] = WAYS, within: float = 5.0) -> dict[str, str]:
        """Ask in these ways at once; return the title, or else the text, of what each comes to show."""
        return await self.seen({way: await self.ask(way) for way in ways}, within)

    async def seen(self, looks: dict[str, Look], within: float = 5.0) -> dict[str, str]:
        """Return the title, or else the text, of what each of these comes to show."""

        async def one(way: str, look: Look) -> tuple[str, str]:
            message = await self.wire.log.until(look, f"something to see by {way}", within)
            assert message is not None
            return way, message["embeds"][0]["title"] if message["embeds"] else message["content"]

        return dict(await asyncio.gather(*(one(way, look) for way, look in looks.items())))


async def until(look: Callable[[], object], within: float = 3.0) -> None:
    """Wait until `look()` is true of what the bot does; the wire does not tell of that."""
    async with asyncio.timeout(within):
        while not look():  # noqa: ASYNC110 -- what the bot does sets no event of ours
            await asyncio.sleep(0)


def no_traceback(caplog: pytest.LogCaptureFixture) -> bool:
    """Say whether no traceback was logged, also none of a task that nobody looked at."""
    gc.collect()
    found = [record for record in caplog.records if record.exc_info]
    for record in found:
        logging.getLogger(__name__).error("unwanted: %s", record.getMessage())
    return not found
