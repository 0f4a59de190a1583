"""What tests of unanswered questions have in common: one that is kept, and waiting until some are."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Callable
from typing import Any

from bot.discordapp.client import FootnoteClient
from bot.records.gaps import Gap
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, Guild, User
from tests.wire.records import Json
from tests.wire.renderer import render

__all__ = [
    "HEADER",
    "exported",
    "gap_command",
    "gaps_answered",
    "gaps_kept",
    "made_gap",
    "questions_of",
    "soon",
    "text_of",
]

HEADER = ["number", "question", "times", "people", "first", "last", "verdict", "confidence", "answered by"]
"""The first row of the file."""


async def soon(bot: FootnoteClient, look: Callable[[], object]) -> None:
    """Wait until something holds that nothing on the wire tells of."""
    async with asyncio.timeout(3):
        while not look():
            await bot.surface.records.gaps(None)  # another thread's turn, and everybody else's


async def gaps_kept(bot: FootnoteClient, server: int | None, *, times: int = 1) -> list[Gap]:
    """Return the open gaps of a server once they were asked so many times: they are kept after the answer."""
    async with asyncio.timeout(3):
        while True:
            found = await bot.surface.records.gaps(server)
            if sum(gap.count for gap in found) >= times:
                return found


async def gaps_answered(bot: FootnoteClient, server: int, count: int = 1) -> list[Gap]:
    """Return the gaps of a server that now have an answer, once there are so many."""
    async with asyncio.timeout(15):
        while len(found := await bot.surface.records.gaps(server, answered=True)) < count:
            pass  # another thread is at it
    return found


async def made_gap(
    bot: FootnoteClient, guild: Guild | None, user: User, question: str, channel: Channel | None = None
) -> int:
    """Keep a question that was not answered; return its number."""
    where = channel or (guild.channels[0] if guild else None)
    server = guild.id if guild else None
    records = bot.surface.records
    before = {gap.id for gap in await records.gaps(server)}
    await records.add_gap(
        server=server,
        channel=where.id if where else 1,
        user=user.id,
        question=question,
        verdict="not_found",
        confidence=0.1,
        vector=await bot.surface.service.vector(question),
    )
    (made,) = {gap.id for gap in await records.gaps(server)} - before
    return made


async def gap_command(wire: LoopbackDiscord, guild: Guild, command: str = "list", **options: Any) -> Json:
    """Use a /gaps command as the server's owner; return the message."""
    used = await wire.slash(f"gaps {command}", guild.owner, guild, **options)
    message = await wire.response_to(used)
    assert used.ephemeral
    return message


def text_of(message: Json) -> str:
    """Return the text of a message's one embed."""
    (embed,) = message["embeds"]
    return str(embed.get("description", ""))


def questions_of(message: Json) -> list[str]:
    """Return the questions that a list has, as they are read."""
    return [render(one).text for one in re.findall(r"^\d+\\\. (.*)$", text_of(message), re.MULTILINE)]


async def exported(wire: LoopbackDiscord, guild: Guild) -> list[list[str]]:
    """Return the rows of /gaps export, without the header."""
    message = await gap_command(wire, guild, "export")
    (file,) = message["attachments"]
    assert file["filename"] == "gaps.csv"
    data = wire.attachment(message)
    assert data.startswith(b"\xef\xbb\xbf")
    header, *read = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert header == HEADER
    assert text_of(message) == f"Questions: {len(read):,}"
    return read
