"""/sources: list, refresh, add and remove; and what the news channel is told of refreshes on the schedule."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from discord import app_commands
from discord.utils import format_dt

from bot.chat.messages import Messages, Notice
from bot.chat.rebuilds import outcome_of
from bot.discordapp.context import (
    Interaction,
    OperatorsGroup,
    RefusedError,
    Surface,
    manages_index,
    of_collection,
    place_of,
)
from bot.discordapp.delivery import edit_response, notice_embed, post, responding
from bot.discordapp.markdown import excerpt, joined
from bot.discordapp.rebuilding import failure_notice, run_rebuild, titled_failure, what_changed
from index.errors import BusyError, FootnoteError
from index.sources.config import add_source, name_for, read_sources, remove_source, sources_file

if TYPE_CHECKING:
    from index.build_report import BuildReport
    from index.refresh import SourceStatus

__all__ = ["SourceCommands", "SourceNews"]

_CHOICES = 25
_LIST_ROOM, _PLACE_ROOM, _REASON_ROOM = 3900, 200, 500
_log = logging.getLogger(__name__)

_Name = app_commands.Range[str, 1, 64]
_Choices = list[app_commands.Choice[str]]


class SourceCommands(OperatorsGroup, name="sources", description="See or change where articles come from"):
    """The /sources commands."""

    @app_commands.command(name="list", description="List the sources, and when they are refreshed")
    async def list(self, interaction: Interaction) -> None:
        """List the sources."""
        async with responding(interaction) as place:
            messages, service = place.messages, interaction.client.assistant.service_of(place.collection)
            try:
                statuses = await service.sources()
            except FootnoteError as error:
                raise RefusedError(titled_failure(messages("sources_unreadable"), error)) from error
            lines = [_line(status, messages) for status in statuses]
            text = joined(lines, _LIST_ROOM, lambda count: messages("history_more", count=count))
            await edit_response(
                interaction, Notice(messages("sources_title"), text or messages("sources_none"))
            )

    @app_commands.command(name="refresh", description="Fetch what has changed, and rebuild the index")
    @app_commands.describe(name="Only this source")
    async def refresh(self, interaction: Interaction, name: _Name | None = None) -> None:
        """Refresh one source or all, and show progress and outcome as a rebuild does."""
        await run_rebuild(interaction, refresh=[name] if name else [])

    @app_commands.command(name="add", description="Add a web page, feed or sitemap")
    @app_commands.describe(
        address="Where it is, with https://",
        every="How often to refresh it: 30m, 6h, 1d or a cron line",
        follow="What leads to more pages",
    )
    async def add(
        self,
        interaction: Interaction,
        address: app_commands.Range[str, 1, 2000],
        every: app_commands.Range[str, 1, 100] | None = None,
        follow: Literal["sitemap", "feed", "links"] | None = None,
    ) -> None:
        """Add a source on the web; folders of this machine are for whoever has a shell there."""
        async with responding(interaction) as place:
            if not address.startswith(("https://", "http://")):
                raise RefusedError(place.messages.notice("source_no_address"))
            fields = {"url": address, "every": every, "follow": follow}
            fields = {field: value for field, value in fields.items() if value}
            file = sources_file(interaction.client.assistant.service_of(place.collection).settings)

            def add() -> str:
                return add_source(file, name_for(address, read_sources(file)), fields).name

            try:
                name = await asyncio.to_thread(add)
            except FootnoteError as error:
                raise RefusedError(titled_failure(place.messages("sources_unchanged"), error)) from error
            _log.info("Source %s was added in chat.", name)
            await edit_response(interaction, place.messages.notice("source_added", name=name))

    @app_commands.command(name="remove", description="Remove a source; its articles go at the next rebuild")
    @app_commands.describe(name="Which one")
    async def remove(self, interaction: Interaction, name: _Name) -> None:
        """Remove a source."""
        async with responding(interaction) as place:
            file = sources_file(interaction.client.assistant.service_of(place.collection).settings)
            try:
                await asyncio.to_thread(remove_source, file, name)
            except FootnoteError as error:
                raise RefusedError(titled_failure(place.messages("sources_unchanged"), error)) from error
            _log.info("Source %s was removed in chat.", name)
            await edit_response(interaction, place.messages.notice("source_removed", name=name))

    @refresh.autocomplete("name")
    @remove.autocomplete("name")
    async def _names(self, interaction: Interaction, typed: str) -> _Choices:
        if not manages_index(interaction):
            return []
        try:
            collection = (await place_of(interaction)).collection
            file = sources_file(interaction.client.assistant.service_of(collection).settings)
            names = list(await asyncio.to_thread(read_sources, file))
        except FootnoteError:  # the command itself will say why
            return []
        matching = [name for name in names if typed.strip().lower() in name]
        return [app_commands.Choice(name=name, value=name) for name in matching[:_CHOICES]]


def _line(status: SourceStatus, messages: Messages) -> str:
    source, last = status.source, status.last
    name, place = excerpt(source.name, _PLACE_ROOM), excerpt(str(source.url or source.path), _PLACE_ROOM)
    if source.path:
        return messages("source_folder", name=name, place=place)
    refreshed = format_dt(datetime.fromisoformat(last.ended), "R") if last else "-"
    due = format_dt(status.next, "R") if status.next else "-"
    pages = f"{status.pages:,}"
    line = messages("source_line", name=name, place=place, pages=pages, last=refreshed, next=due)
    if last and last.problem:
        line += f"\n{messages('source_problem', reason=excerpt(last.problem, _REASON_ROOM))}"
    return line


class SourceNews:
    """Counts what the schedule did, and tells the news channel of changes and failures.

    Of the same sources, the same text is not posted twice in a row: one may fail again at each refresh.
    """

    def __init__(self, client: Surface, collection: str = "") -> None:
        self._client, self._collection = client, collection
        self._latest = dict[tuple[str, ...], str]()

    async def __call__(self, names: Sequence[str], outcome: BuildReport | Exception) -> None:
        """Take how a refresh of these sources ended, or a rebuild where there are no names."""
        metrics = self._client.assistant.metrics
        result = outcome_of(outcome) if isinstance(outcome, Exception) else "done"
        (metrics.refreshes if names else metrics.rebuilds)[result].inc()
        channel = self._client.assistant.settings.discord_news_channel
        if channel is None or isinstance(outcome, BusyError):
            return
        await self._client.wait_until_ready()
        known = self._client.get_channel(channel)
        guild = getattr(known, "guild", None)
        place = await self._client.assistant.place(
            0, guild and guild.id, channel, parent=None, locale=guild and str(guild.preferred_locale)
        )
        notice = _news(outcome, place.messages)
        before, self._latest[tuple(names)] = self._latest.get(tuple(names)), notice.text
        if notice.text and notice.text != before:
            target = self._client.get_partial_messageable(channel, guild_id=guild and guild.id)
            notice = replace(notice, title=of_collection(notice.title, self._collection))
            await post(target, notice_embed(notice))


def _news(outcome: BuildReport | Exception, messages: Messages) -> Notice:
    if isinstance(outcome, Exception):
        return failure_notice(outcome, messages)
    title = "news_changed" if outcome.changes.any else "news_failed"
    return Notice(messages(title), what_changed(outcome, messages), fault=title == "news_failed")
