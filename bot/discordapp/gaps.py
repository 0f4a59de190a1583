"""/gaps: questions that were not answered, and asking them again once there is another index."""

from __future__ import annotations

import asyncio
import csv
import io
import logging
from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands
from discord.utils import format_dt

from bot.answers import Answer, Verdict
from bot.discordapp.delivery import post
from bot.discordapp.escape import fit
from bot.discordapp.installs import IN_SERVERS, MANAGERS, SERVER_INSTALL
from bot.discordapp.notices import notice, said
from bot.discordapp.render import answer_embed, asked_line
from bot.discordapp.serversettings import manages_here
from bot.discordapp.talk import Surface, surface_of, where_of
from bot.discordapp.words import Words, words_in
from bot.records import Gap
from index.errors import BusyError, FootnoteError

__all__ = ["GapCommands", "as_csv", "ask_gaps_again"]

_SHOWN = 15
_QUESTION_ROOM = 150
_MOST = 10_000
_BUSY_PAUSE = 5.0

_log = logging.getLogger(__name__)


class GapCommands(app_commands.Group):
    """The /gaps commands; each sees the rows of its own server only."""

    def __init__(self) -> None:
        super().__init__(
            name="gaps",
            description="Questions that the articles did not answer",
            allowed_contexts=IN_SERVERS,
            allowed_installs=SERVER_INSTALL,
            default_permissions=MANAGERS,
            guild_only=True,
        )

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse those who may not."""
        return await manages_here(surface_of(interaction), interaction)

    @app_commands.command(name="list", description="List the questions without an answer, newest first")
    @app_commands.describe(answered="List those that have got an answer since")
    async def list(self, interaction: discord.Interaction, answered: bool = False) -> None:
        """List the questions."""
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True, ephemeral=True)
            gaps = await surface.records.gaps(interaction.guild_id, answered=answered, limit=_MOST)
            title = words("gaps_answered_title" if answered else "gaps_title")
            off = "" if surface.settings.recording else words("gaps_off")
            text = "\n\n".join(filter(None, [off, _lines(gaps, words)]))
            await interaction.edit_original_response(embed=notice(title, text))

    @app_commands.command(name="export", description="Get every question without an answer as a CSV file")
    async def export(self, interaction: discord.Interaction) -> None:
        """Send the file."""
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True, ephemeral=True)
            both = [
                await surface.records.gaps(interaction.guild_id, answered=answered, limit=_MOST)
                for answered in (False, True)
            ]
            gaps = [gap for some in both for gap in some]
            data = await asyncio.to_thread(as_csv, gaps)
            embed = notice(words("gaps_title"), words("gaps_file", count=f"{len(gaps):,}"))
            file = discord.File(io.BytesIO(data), filename="gaps.csv")
            await interaction.edit_original_response(embed=embed, attachments=[file])

    @app_commands.command(name="drop", description="Remove a question from the list")
    @app_commands.describe(number="Its number in the list")
    async def drop(self, interaction: discord.Interaction, number: app_commands.Range[int, 1]) -> None:
        """Remove a question."""
        surface = surface_of(interaction)
        with surface.work.answer():
            words = (await where_of(surface, interaction)).words
            await interaction.response.defer(thinking=True, ephemeral=True)
            gone = await surface.records.drop_gap(interaction.guild_id, number)
            embed = notice(words("gap_dropped")) if gone else said(words, "gap_unknown")
            await interaction.edit_original_response(embed=embed)


def _lines(gaps: list[Gap], words: Words) -> str:
    if not gaps:
        return words("gaps_none")
    lines = [
        words(
            "gap_line",
            number=f"{gap.id}\\",
            question=fit(" ".join(gap.question.split()), _QUESTION_ROOM),
            times=words("gap_times_one")
            if gap.count == 1
            else words("gap_times", count=gap.count, people=gap.people),
            last=format_dt(gap.last, "R"),
        )
        for gap in gaps[:_SHOWN]
    ]
    if more := len(gaps) - _SHOWN:
        lines += [words("gaps_more", count=more)] if more > 0 else []
    return "\n".join(lines)


def as_csv(gaps: Iterable[Gap]) -> bytes:
    """Return the questions as CSV in UTF-8, marked as such for spreadsheets."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(
        ("number", "question", "times", "people", "first", "last", "verdict", "confidence", "answered by")
    )
    for gap in gaps:
        when = (one.isoformat(timespec="seconds") for one in (gap.first, gap.last))
        writer.writerow(
            (gap.id, _harmless(gap.question), gap.count, gap.people, *when, gap.verdict,
             f"{gap.confidence:.3f}", gap.answered_by or "")
        )  # fmt: skip
    return b"\xef\xbb\xbf" + file.getvalue().encode("utf-8", "replace")


def _harmless(text: str) -> str:
    """Keep spreadsheets from running what people asked as a formula (OWASP, "CSV injection")."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


async def ask_gaps_again(surface: Surface, client: discord.Client, generation: str) -> int:
    """Ask every open question again; mark those that now have an answer; return how many those are.

    Where a server's settings say so, the channel in which a question was asked is told of its answer.
    """
    found = 0
    for gap in await surface.records.every_open_gap():
        try:
            answer = await surface.service.ask(gap.question)
        except BusyError:  # people come first
            await asyncio.sleep(_BUSY_PAUSE)
            continue
        except (FootnoteError, OSError, ValueError) as error:
            _log.warning("An unanswered question could not be asked again: %s", error)
            continue
        if answer.verdict is Verdict.ANSWERED:
            found += 1
            await surface.records.mark_answered(gap.id, generation)
            await _tell(surface, client, gap, answer)
    if found:
        _log.info("%s questions that had no answer have one in generation %s.", found, generation)
    return found


async def _tell(surface: Surface, client: discord.Client, gap: Gap, answer: Answer) -> None:
    settings = await surface.records.settings(gap.server, gap.channel)
    if gap.server is None or not settings.tell_gaps:
        return
    guild = client.get_guild(gap.server)
    words = words_in(settings.language, str(guild.preferred_locale) if guild else None)
    channel = client.get_partial_messageable(gap.channel, guild_id=gap.server)
    content = f"{words('gap_now')}:\n{asked_line(gap.question)}"[:2000]
    await post(channel, answer_embed(answer, words), content=content)
