"""/gaps: questions that were not answered, and asking them again once there is another index."""

from __future__ import annotations

import asyncio
import csv
import io
import logging
from collections.abc import Iterable, Iterator
from typing import Any

import discord
from discord import app_commands
from discord.utils import format_dt

from bot.answering.answer import Answer, Verdict
from bot.chat.words import Words, words_in
from bot.discordapp.delivery import post
from bot.discordapp.escape import fit, shorten
from bot.discordapp.installs import IN_SERVERS, MANAGERS, SERVER_INSTALL
from bot.discordapp.lists import listed
from bot.discordapp.notices import notice, said
from bot.discordapp.render import answer_embed, asked_line
from bot.discordapp.serversettings import manages_here
from bot.discordapp.talk import Surface, surface_of, where_of
from bot.records.gaps import Gap
from bot.records.settings import AnswersTo
from index.errors import BusyError, DamagedIndexError

__all__ = ["GapCommands", "as_csv", "ask_gaps_again"]

_SHOWN = 15
_QUESTION_ROOM, _LIST_ROOM = 150, 3900
_MOST = 10_000
_CONTENT_ROOM = 2000
_FORMULA_STARTS = tuple("=+-@＝＋－＠")

_BUSY_PAUSE = 5.0
"""Seconds of a pause, where the service does not say how long it is busy."""
_PAUSES = 500
"""After so many it is too busy: what is left is asked after the next swap."""

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
    shown = [_line(gap, words) for gap in gaps[:_SHOWN]]
    beyond = len(gaps) - len(shown)
    text = listed(shown, _LIST_ROOM, lambda count: words("gaps_more", count=f"{count:,}"), beyond=beyond)
    return text or words("gaps_none")


def _line(gap: Gap, words: Words) -> str:
    once = gap.count == 1
    return words(
        "gap_line",
        number=f"{gap.id}\\",  # before a full stop, so that no list begins
        question=fit(" ".join(gap.question.split()), _QUESTION_ROOM),
        times=words("gap_times_one") if once else words("gap_times", count=gap.count, people=gap.people),
        last=format_dt(gap.last, "R"),
    )


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
    return f"'{text}" if text[:1].isspace() or text.startswith(_FORMULA_STARTS) else text


async def ask_gaps_again(surface: Surface, client: discord.Client, generation: str) -> int:
    """Ask every open question again; mark those that now have an answer; return how many those are.

    Where a server's settings say so, the channel in which a question was asked is told of its answer. This
    ends where another generation than this is served, since the swap to that one begins anew.
    """
    found, pauses = 0, iter(range(_PAUSES))
    for gap in await surface.records.every_open_gap():
        try:
            answer = await _ask_again(surface, gap, generation, pauses)
        except BusyError:
            _log.warning(
                "Footnote is too busy to ask every unanswered question again; the next swap asks them."
            )
            break
        except DamagedIndexError:
            _log.warning("The index is damaged: the next swap asks the unanswered questions again.")
            break
        if not await _serves(surface, generation):
            break
        if answer is None or answer.verdict is not Verdict.ANSWERED or not await _is_open(surface, gap):
            continue
        await surface.records.mark_answered(gap.id, generation)
        await _tell(surface, client, gap, answer)
        found += 1
    if found:
        _log.info("%s questions that had no answer have one in generation %s.", found, generation)
    return found


async def _ask_again(surface: Surface, gap: Gap, generation: str, pauses: Iterator[object]) -> Answer | None:
    """Ask a question once there is room for it; None where it cannot be asked.

    Raises:
        BusyError: there was none for very long.
        DamagedIndexError: nothing can be answered.
    """
    while await _serves(surface, generation):
        try:
            return await surface.service.ask(gap.question)
        except BusyError as error:  # people come first
            if next(pauses, None) is None:
                raise
            await asyncio.sleep(error.seconds or _BUSY_PAUSE)
        except DamagedIndexError:
            raise
        except Exception:  # noqa: BLE001 -- whatever it is, the other questions are asked all the same
            _log.exception("Unanswered question %s could not be asked again.", gap.id)
            return None
    return None


async def _serves(surface: Surface, generation: str) -> bool:
    return (await surface.service.status()).generation == generation


async def _is_open(surface: Surface, gap: Gap) -> bool:
    """Say whether a question is still there, in these words: it may be dropped or forgotten meanwhile."""
    still = await surface.records.every_open_gap()
    return any((one.id, one.question) == (gap.id, gap.question) for one in still)


async def _tell(surface: Surface, client: discord.Client, gap: Gap, answer: Answer) -> None:
    """Tell the channel of an answer where that is wanted, unless the question was asked in private."""
    if gap.server is None or not gap.channel:
        return
    guild = client.get_guild(gap.server)
    place = guild.get_channel_or_thread(gap.channel) if guild else None
    parent = getattr(place, "parent_id", None)
    settings = await surface.records.settings(gap.server, gap.channel, parent)
    if not settings.tell_gaps or settings.answers is AnswersTo.NEVER:
        return
    words = words_in(settings.language, str(guild.preferred_locale) if guild else None)
    channel = client.get_partial_messageable(gap.channel, guild_id=gap.server)
    content = shorten(f"{words('gap_now')}:\n{asked_line(gap.question)}", _CONTENT_ROOM)
    await post(channel, await asyncio.to_thread(answer_embed, answer, words), content=content)
