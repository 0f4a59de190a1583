"""What tests of the Discord surface have in common: ways of asking, and waiting for what the wire does not tell."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from tests.bot.discordapp.phrases import ANSWER_THIS, FOLLOW_UP
from tests.bot.discordapp.service import LAMP
from tests.wire.driver import Where, Wire
from tests.wire.world import Guild, Message, User

__all__ = ["WAYS", "ask", "eventually", "follow", "gaps", "mention", "no_traceback", "notice", "press", "set_to", "settle", "until"]


_T = TypeVar("_T")


async def ask(wire: Wire, user: User, where: Where, question: str = LAMP, **options: Any) -> Message:
    """Ask with the command."""
    return await wire.answer(await wire.slash(user, "ask", where, question=question, **options))


async def mention(
    wire: Wire, user: User, where: Where, question: str = LAMP, to: Message | None = None
) -> Message:  # fmt: skip
    """Ask in a message that mentions the bot."""
    return await wire.reply(await wire.say(user, where, f"{wire.world.bot.mention} {question}", to))


async def press(wire: Wire, user: User, message: Message, label: str) -> Message:
    """Press a button, and return what that is answered with."""
    return await wire.answer(await wire.press(user, message, label))


async def notice(wire: Wire, user: User, message: Message, label: str) -> Message:
    """Press a button that leaves or changes its own message, and return what it says beside that."""
    used = await wire.press(user, message, label)
    return (await wire.log.until(lambda: used.followups, f"a notice after {label}"))[-1]


async def follow(wire: Wire, user: User, message: Message, question: str) -> Message:
    """Ask a follow-up in the form that the button opens."""
    return await wire.answer(await wire.submit(await wire.press(user, message, FOLLOW_UP), question))


async def _menu(wire: Wire, user: User, where: Where, question: str) -> Message:
    return await wire.answer(await wire.menu(user, ANSWER_THIS, await wire.say(user, where, question)))


async def _form(wire: Wire, user: User, where: Where, question: str) -> Message:
    return await follow(wire, user, await ask(wire, user, where), question)


async def _direct(wire: Wire, user: User, _: Where, question: str) -> Message:
    return await wire.reply(await wire.say(user, user, question))


async def _reply(wire: Wire, user: User, where: Where, question: str) -> Message:
    return await wire.reply(await wire.say(user, where, question, await ask(wire, user, where)))


WAYS: dict[str, Callable[[Wire, User, Where, str], Awaitable[Message]]] = {
    "command": ask, "mention": mention, "reply": _reply, "menu": _menu, "form": _form, "direct": _direct,
}  # fmt: skip
"""Every way of asking; each returns the answer."""


async def set_to(wire: Wire, guild: Guild, command: str, **options: Any) -> Message:
    """Use a /settings command as the server's owner."""
    return await wire.answer(await wire.slash(guild.owner, f"settings {command}", guild, **options))


async def eventually(read: Callable[[], Awaitable[_T]], holds: Callable[[_T], object]) -> _T:
    """Read again and again until what is read holds; for what the bot does after it has answered."""
    async with asyncio.timeout(5):
        while not holds(found := await read()):
            await asyncio.sleep(0.005)
    return found


async def gaps(wire: Wire, guild: Guild, count: int, **options: Any) -> str:
    """Return the text of /gaps list once it has so many questions: they are kept after the answer."""

    async def listed() -> str:
        return (await wire.answer(await wire.slash(guild.owner, "gaps list", guild, **options))).text

    return await eventually(listed, lambda text: text.count("<t:") == count)


async def settle() -> None:
    """Let the bot take note of what it has posted, which it does once Discord has said so."""
    await asyncio.sleep(0.03)


async def until(look: Callable[[], object], within: float = 5.0) -> None:
    """Wait until something holds that the wire does not tell of."""
    async with asyncio.timeout(within):
        while not look():  # noqa: ASYNC110 -- what the bot does sets no event of ours
            await asyncio.sleep(0.005)


def no_traceback(caplog: pytest.LogCaptureFixture) -> bool:
    """Say whether no traceback was logged, also none of a task that nobody awaited."""
    gc.collect()
    found = [record.getMessage() for record in caplog.records if record.exc_info]
    for message in found:
        logging.getLogger(__name__).error("unwanted: %s", message)
    return not found
