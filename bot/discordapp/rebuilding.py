"""A rebuild or refresh in chat: its progress and outcome in one message, and beside the bot's name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

import discord

from bot.chat import rebuilds
from bot.chat.messages import DEFAULT, Messages, Notice, messages_in
from bot.discordapp.context import LOST, Interaction, Surface, place_of
from bot.discordapp.delivery import edit_response, notice_embed
from bot.discordapp.markdown import excerpt, joined
from index.errors import FootnoteError

if TYPE_CHECKING:
    from bot.chat.metrics import Outcome
    from index.build_report import BuildReport, Progress

__all__ = [
    "failure_notice",
    "run_rebuild",
    "show_presence",
    "titled_failure",
    "what_changed",
    "with_fields",
]

_EDIT_EVERY = 2.0  # seconds; Discord allows about five edits of a message in five seconds
_LINE_ROOM, _REASON_ROOM, _NAME_ROOM = 180, 2000, 100
_KINDS, _MOST_LINES = ("added", "changed", "removed"), 60
_log = logging.getLogger(__name__)


async def run_rebuild(
    interaction: Interaction, *, force: bool = False, refresh: Collection[str] | None = None
) -> None:
    """Rebuild, and show progress and outcome by editing one message; see `Service.rebuild`."""
    client, place = interaction.client, await place_of(interaction)
    messages, service = place.messages, client.assistant.service_of(place.collection)
    with client.assistant.tasks.track(cancellable=True):
        await interaction.response.defer(thinking=True)
        steps: list[Progress] = []
        ended = asyncio.Event()
        showing = asyncio.create_task(_show_progress(interaction, messages, steps, ended))
        outcome: Outcome = "given-up"
        embed = notice_embed(messages.notice("rebuild_given_up", fault=True))
        client.rebuilds += 1
        await show_presence(client)
        try:
            report = await service.rebuild(steps.append, force=force, refresh=refresh)
            embed, outcome = _on_success(report, messages), "done"
        except Exception as error:  # noqa: BLE001 - the message must not stay at "rebuilding"
            embed, outcome = notice_embed(failure_notice(error, messages)), rebuilds.outcome_of(error)
            if not isinstance(error, FootnoteError):
                _log.exception("A rebuild asked for in chat failed.")
            elif outcome != "busy":
                _log.warning("A rebuild asked for in chat failed: %s", error)
        finally:
            client.rebuilds -= 1
            metrics = client.assistant.metrics
            (metrics.rebuilds if refresh is None else metrics.refreshes)[outcome].inc()
            ended.set()
            await showing  # an edit under way must not come after the outcome
            try:
                await edit_response(interaction, embed, public=True)
            except LOST as error:
                _log.warning("The outcome of a rebuild could not be shown: %s", error)
            await show_presence(client)


async def show_presence(client: Surface) -> None:
    """Show beside the bot's name what is answered from; to all alike, so in the default language.

    It counts the articles of all collections but the damaged ones, which the operators hear of.
    """
    services, messages = client.assistant.services.values(), messages_in(DEFAULT)
    statuses = [await service.status() for service in services]
    for name in ("articles", "passages"):
        client.assistant.metrics.gauges[name].set(sum(getattr(status, name) for status in statuses))
    damages = [service.damage for service in services]
    if client.rebuilds:
        text = messages("rebuilding")
    elif None in damages:
        pairs = zip(statuses, damages, strict=True)
        count = sum(status.articles for status, damage in pairs if damage is None)
        text = messages("presence_one" if count == 1 else "presence", count=f"{count:,}")
    else:
        serving = any(damage.serving for damage in damages if damage)
        text = messages("presence_older" if serving else "damaged")
    activity = discord.CustomActivity(name=text)
    client.activity = activity  # for the next session; reading it back spoils it in discord.py 2.7
    try:
        await client.change_presence(activity=activity)
    except (*LOST, AttributeError) as error:  # AttributeError: not connected yet
        _log.info("The bot's presence could not be shown: %s", error)


async def _show_progress(
    interaction: Interaction, messages: Messages, steps: list[Progress], ended: asyncio.Event
) -> None:
    """Show the latest step in the deferred response, every two seconds, until the rebuild has ended."""
    shown = None
    while not ended.is_set():
        text = messages("rebuild_starting")
        if steps:
            text = rebuilds.progress_text(steps[-1], messages, lambda source: excerpt(source, _NAME_ROOM))
        if text != shown:
            shown = text
            with suppress(*LOST):  # only the outcome has to arrive
                embed = notice_embed(Notice(messages("rebuilding"), text))
                await interaction.edit_original_response(embed=embed)
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _EDIT_EVERY)


def _on_success(report: BuildReport, messages: Messages) -> discord.Embed:
    _log.info("A rebuild was asked for in chat: %s", report.summary())
    fields = {
        "articles": f"{report.articles:,}",
        "passages": f"{report.passages:,}",
        "encoded": f"{report.encoded:,}",
        "reused": f"{report.reused:,}",
        "seconds": f"{report.seconds:,.1f}",
        "generation": excerpt(report.generation, _NAME_ROOM),
    }
    text = what_changed(report, messages) if report.sources else ""
    notes = [*report.changes.notes, *(note for source in report.sources for note in source.notes)]
    text = "\n".join(filter(None, (text, excerpt("\n".join(notes), _REASON_ROOM))))
    return with_fields(notice_embed(Notice(messages("rebuild_done"), text)), fields, messages)


def what_changed(report: BuildReport, messages: Messages) -> str:
    """Return a line for each article that was added, changed or removed, and for each source that failed."""
    pages = {change.id: change for source in report.sources for change in source.changes}
    lines = [excerpt(source.summary(), _LINE_ROOM) for source in report.sources if source.problem]
    changes = [(kind, name) for kind in _KINDS for name in getattr(report.changes, kind)]
    for kind, name in changes[:_MOST_LINES]:
        page = pages.get(name)
        counts = (("+", page.words_added), ("−", page.words_removed)) if page else ()
        words = " ".join(f"{sign}{count:,}" for sign, count in counts if count)
        lines.append(messages(f"article_{kind}", article=excerpt(name, _NAME_ROOM), words=words).strip())
    beyond = len(changes[_MOST_LINES:])
    return joined(lines, _REASON_ROOM, lambda count: messages("history_more", count=count), beyond=beyond)


def failure_notice(error: Exception, messages: Messages) -> Notice:
    """Return the notice on a rebuild or refresh that failed."""
    return rebuilds.failure_notice(error, messages, lambda reason: excerpt(reason, _REASON_ROOM))


def titled_failure(title: str, error: BaseException) -> Notice:
    """Return a notice with an error as its text."""
    return Notice(title, excerpt(str(error), _REASON_ROOM), fault=True)


def with_fields(embed: discord.Embed, values: dict[str, str], messages: Messages) -> discord.Embed:
    """Add these figures, with their names in the language of the messages."""
    for key, value in values.items():
        embed.add_field(name=messages(f"status_{key}"), value=value or "-")
    return embed
