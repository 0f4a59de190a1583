"""/index: status, rebuild, articles, history and rollback; and the operators' messages on damage."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.utils import format_dt

from bot.chat.messages import DEFAULT, Messages, Notice, messages_in
from bot.discordapp.context import (
    LOST,
    Interaction,
    OperatorsGroup,
    Surface,
    manages_index,
    of_collection,
    owners_of,
    place_of,
)
from bot.discordapp.delivery import edit_response, notice_embed, responding
from bot.discordapp.markdown import choice_name, excerpt, joined
from bot.discordapp.rebuilding import run_rebuild, titled_failure, with_fields
from bot.errors import NotServedError
from bot.service.schedule import failing, next_refresh
from index.errors import FootnoteError

if TYPE_CHECKING:
    from bot.service.live_index import Damage
    from bot.service.service import Service
    from index.storage.store import ArticleSummary

__all__ = ["IndexCommands", "alert_operators"]

_PAGE, _CHOICES = 20, 25
_LINE_ROOM, _LIST_ROOM, _REASON_ROOM, _NAME_ROOM, _FIELD_ROOM = 180, 3900, 2000, 100, 900
_log = logging.getLogger(__name__)


class IndexCommands(OperatorsGroup, name="index", description="See or rebuild the index of articles"):
    """The /index commands."""

    @app_commands.command(name="status", description="Show which index is being served")
    async def status(self, interaction: Interaction) -> None:
        """Show what is served, and what is wrong with it."""
        async with responding(interaction, private=False) as place:
            service, messages = interaction.client.assistant.service_of(place.collection), place.messages
            status = await service.status()
            embed = notice_embed(_on_damage(service.damage, messages) if service.damage else Notice(""))
            embed.title = of_collection(messages("status_title"), place.collection)
            fields = {
                "generation": excerpt(status.generation, _NAME_ROOM),
                "built": format_dt(datetime.fromisoformat(status.built)),
                "encoder": excerpt(status.encoder, _NAME_ROOM),
                "articles": f"{status.articles:,}",
                "passages": f"{status.passages:,}",
                "sentences": f"{status.sentences:,}",
                "size": f"{status.bytes / 1e6:,.1f} MB",
                **await _sources_field(service, messages),
            }
            await edit_response(interaction, with_fields(embed, fields, messages))

    @app_commands.command(name="rebuild", description="Rebuild the index from the articles")
    @app_commands.describe(force="Even if there are far fewer articles than before")
    async def rebuild(self, interaction: Interaction, force: bool = False) -> None:
        """Rebuild, and show progress and outcome."""
        await run_rebuild(interaction, force=force)

    @app_commands.command(name="history", description="List the generations of the index that are kept")
    async def history(self, interaction: Interaction) -> None:
        """List the generations, the newest first."""
        async with responding(interaction) as place:
            messages = place.messages
            lines = [
                messages(
                    "history_line",
                    generation=excerpt(line.generation, _NAME_ROOM),
                    state=messages(f"state_{line.state}"),
                    when=line.when or "?",
                    articles=f"{line.articles:,}",
                    size=f"{line.bytes / 1e6:,.1f}",
                )
                for line in await interaction.client.assistant.service_of(place.collection).history()
            ]
            text = joined(lines, _LIST_ROOM, lambda count: messages("history_more", count=count))
            await edit_response(interaction, Notice(messages("history_title"), text))

    @app_commands.command(name="rollback", description="Answer from another generation of the index")
    @app_commands.describe(generation="Which one; by default the previous one")
    async def rollback(
        self, interaction: Interaction, generation: app_commands.Range[str, 1, 100] | None = None
    ) -> None:
        """Go back to a kept generation."""
        async with responding(interaction, private=False) as place:
            service = interaction.client.assistant.service_of(place.collection)
            try:
                chosen = await service.roll_back(generation)
            except FootnoteError as error:
                _log.warning("A rollback asked for in chat failed: %s", error)
                key = "rebuild_not_served" if isinstance(error, NotServedError) else "rollback_failed"
                notice = titled_failure(place.messages(key), error)
            else:
                _log.info("Rolled back to generation %s, as asked for in chat.", chosen)
                notice = place.messages.notice("rollback_done", generation=excerpt(chosen, _NAME_ROOM))
            await edit_response(interaction, notice)

    @rollback.autocomplete("generation")
    async def _kept(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        if not manages_index(interaction):
            return []
        try:
            collection = (await place_of(interaction)).collection
            lines = await interaction.client.assistant.service_of(collection).history()
        except (FootnoteError, OSError):  # the command itself will say why
            return []
        return [
            app_commands.Choice(name=choice_name(f"{line.generation} ({line.when})"), value=line.generation)
            for line in lines
            if line.state == "kept" and typed.strip().lower() in line.generation
        ][:_CHOICES]

    @app_commands.command(name="articles", description="List the articles that are served")
    @app_commands.describe(page="Which page of the list")
    async def articles(self, interaction: Interaction, page: app_commands.Range[int, 1, 100_000] = 1) -> None:
        """List the articles, a page at a time."""
        async with responding(interaction) as place:
            lines = list(await interaction.client.assistant.service_of(place.collection).catalogue())
            await edit_response(interaction, _article_list(lines, page, place.messages))


async def alert_operators(client: Surface, collection: str, damage: Damage | None) -> None:
    """Send the owners, and the users whom the settings name, a direct message on damage, or on its end."""
    messages, assistant = messages_in(DEFAULT), client.assistant
    if damage is None:
        name = (await assistant.service_of(collection).status()).generation
        notice = messages.notice("whole_again", generation=excerpt(name, _NAME_ROOM))
    else:
        notice = _on_damage(damage, messages)
    notice = replace(notice, title=of_collection(notice.title, collection))
    for user in sorted(owners_of(client.application) | assistant.settings.discord_admin_users):
        try:
            channel = await client.create_dm(discord.Object(user))
            await channel.send(embed=notice_embed(notice))
        except LOST as error:
            _log.warning("Operator %s could not be told about the index by direct message: %s", user, error)


async def _sources_field(service: Service, messages: Messages) -> dict[str, str]:
    """Return the field on the sources of articles, if there are any."""
    try:
        statuses = await service.sources()
    except FootnoteError as error:
        return {"sources": excerpt(str(error), _FIELD_ROOM)}
    if not statuses:
        return {}
    upcoming, names = next_refresh(statuses), ", ".join(failing(statuses))
    due = format_dt(upcoming, "R") if upcoming else "-"
    values = {"count": len(statuses), "next": due, "failing": excerpt(names, _FIELD_ROOM) or "-"}
    return {"sources": messages("sources_state", **values)}


def _on_damage(damage: Damage, messages: Messages) -> Notice:
    values = {"generation": damage.generation, "serving": damage.serving}
    shown = {key: excerpt(value, _NAME_ROOM) for key, value in values.items()}
    key = "damage_older" if damage.serving else "damage_nothing"
    text = messages(key, reason=excerpt(damage.reason, _REASON_ROOM), **shown)
    return Notice(messages("damaged"), text, fault=True)


def _article_list(lines: list[ArticleSummary], page: int, messages: Messages) -> discord.Embed:
    title, pages, first = messages("articles_title"), -(-len(lines) // _PAGE), (page - 1) * _PAGE
    if page > pages:
        missing = messages("no_page", pages=pages) if lines else messages("articles_none")
        return notice_embed(Notice(title, missing))
    shown = []
    for number, line in enumerate(lines[first : first + _PAGE], first + 1):
        parts = (" ".join(part.split()) for part in (line.title, line.author, f"{line.paragraphs:,} ¶"))
        shown.append(f"{number}\\. {excerpt(' · '.join(filter(None, parts)), _LINE_ROOM)}")
    count = f"{len(lines):,}"
    embed = notice_embed(Notice(title, "\n".join(shown)))
    return embed.set_footer(text=messages("articles_page", page=page, pages=pages, count=count))
