"""/index: status, rebuild, articles, history and rollback; and the operators' messages on damage."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.utils import format_dt

from bot.chat.messages import DEFAULT, Messages, Notice, messages_in
from bot.discordapp.context import (
    LOST,
    Interaction,
    Surface,
    check_allowed,
    manages_index,
    owners_of,
    place_of,
)
from bot.discordapp.delivery import edit_response, notice_embed, responding
from bot.discordapp.markdown import choice_name, excerpt, joined
from bot.errors import NotServedError, RebuildError
from index.errors import BusyError, FootnoteError

if TYPE_CHECKING:
    from bot.chat.metrics import Outcome
    from bot.service.live_index import Damage
    from index.build_report import BuildReport, Progress
    from index.storage.store import ArticleSummary

__all__ = ["IndexCommands", "alert_operators", "show_presence"]

_EDIT_EVERY = 2.0  # seconds; Discord allows about five edits of a message in five seconds
_PAGE, _CHOICES = 20, 25
_LINE_ROOM, _LIST_ROOM, _REASON_ROOM, _NAME_ROOM = 180, 3900, 2000, 100
_log = logging.getLogger(__name__)


@app_commands.allowed_contexts(guilds=True, dms=True)
@app_commands.allowed_installs(guilds=True)
@app_commands.default_permissions(manage_guild=True)
class IndexCommands(app_commands.Group, name="index", description="See or rebuild the index of articles"):
    """The /index commands, for the operators: see `manages_index`."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse everybody else, and everybody while stopping."""
        return await check_allowed(interaction, manages_index(interaction), "may_not_index")

    @app_commands.command(name="status", description="Show which index is being served")
    async def status(self, interaction: Interaction) -> None:
        """Show what is served, and what is wrong with it."""
        async with responding(interaction, private=False) as place:
            service, messages = interaction.client.assistant.service, place.messages
            status = await service.status()
            embed = notice_embed(_on_damage(service.damage, messages) if service.damage else Notice(""))
            embed.title = messages("status_title")
            fields = {
                "generation": excerpt(status.generation, _NAME_ROOM),
                "built": format_dt(datetime.fromisoformat(status.built)),
                "encoder": excerpt(status.encoder, _NAME_ROOM),
                "articles": f"{status.articles:,}",
                "passages": f"{status.passages:,}",
                "sentences": f"{status.sentences:,}",
                "size": f"{status.bytes / 1e6:,.1f} MB",
            }
            await edit_response(interaction, _with_fields(embed, fields, messages))

    @app_commands.command(name="rebuild", description="Rebuild the index from the articles")
    @app_commands.describe(force="Even if there are far fewer articles than before")
    async def rebuild(self, interaction: Interaction, force: bool = False) -> None:
        """Rebuild, and show progress and outcome by editing one message."""
        client, messages = interaction.client, (await place_of(interaction)).messages
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
                report = await client.assistant.service.rebuild(steps.append, force=force)
                embed, outcome = _on_success(report, messages), "done"
            except Exception as error:  # noqa: BLE001 - the message must not stay at "rebuilding"
                notice, outcome = _on_failure(error, messages)
                embed = notice_embed(notice)
            finally:
                client.rebuilds -= 1
                client.assistant.metrics.rebuilds[outcome].inc()
                ended.set()
                await showing  # an edit under way must not come after the outcome
                try:
                    await edit_response(interaction, embed, public=True)
                except LOST as error:
                    _log.warning("The outcome of a rebuild could not be shown: %s", error)
                await show_presence(client)

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
                for line in await interaction.client.assistant.service.history()
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
            try:
                chosen = await interaction.client.assistant.service.roll_back(generation)
            except FootnoteError as error:
                _log.warning("A rollback asked for in chat failed: %s", error)
                key = "rebuild_not_served" if isinstance(error, NotServedError) else "rollback_failed"
                notice = _failure(place.messages(key), error)
            else:
                _log.info("Rolled back to generation %s, as asked for in chat.", chosen)
                notice = place.messages.notice("rollback_done", generation=excerpt(chosen, _NAME_ROOM))
            await edit_response(interaction, notice)

    @rollback.autocomplete("generation")
    async def _kept(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        if not manages_index(interaction):
            return []
        try:
            lines = await interaction.client.assistant.service.history()
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
            lines = list(await interaction.client.assistant.service.catalogue())
            await edit_response(interaction, _article_list(lines, page, place.messages))


async def show_presence(client: Surface) -> None:
    """Show beside the bot's name what is answered from; to all alike, so in the default language."""
    service, messages = client.assistant.service, messages_in(DEFAULT)
    status, damage = await service.status(), service.damage
    client.assistant.metrics.gauges["articles"].set(status.articles)
    client.assistant.metrics.gauges["passages"].set(status.passages)
    if client.rebuilds:
        text = messages("rebuilding")
    elif damage is None:
        key = "presence_one" if status.articles == 1 else "presence"
        text = messages(key, count=f"{status.articles:,}")
    else:
        text = messages("presence_older" if damage.serving else "damaged")
    activity = discord.CustomActivity(name=text)
    client.activity = activity  # for the next session; reading it back spoils it in discord.py 2.7
    try:
        await client.change_presence(activity=activity)
    except (*LOST, AttributeError) as error:  # AttributeError: not connected yet
        _log.info("The bot's presence could not be shown: %s", error)


async def alert_operators(client: Surface, damage: Damage | None) -> None:
    """Send the owners, and the users whom the settings name, a direct message on damage, or on its end."""
    messages, assistant = messages_in(DEFAULT), client.assistant
    if damage is None:
        name = (await assistant.service.status()).generation
        notice = messages.notice("whole_again", generation=excerpt(name, _NAME_ROOM))
    else:
        notice = _on_damage(damage, messages)
    for user in sorted(owners_of(client.application) | assistant.settings.discord_admin_users):
        try:
            channel = await client.create_dm(discord.Object(user))
            await channel.send(embed=notice_embed(notice))
        except LOST as error:
            _log.warning("Operator %s could not be told about the index by direct message: %s", user, error)


def _failure(title: str, error: BaseException) -> Notice:
    return Notice(title, excerpt(str(error), _REASON_ROOM), fault=True)


def _on_damage(damage: Damage, messages: Messages) -> Notice:
    values = {"generation": damage.generation, "serving": damage.serving}
    shown = {key: excerpt(value, _NAME_ROOM) for key, value in values.items()}
    key = "damage_older" if damage.serving else "damage_nothing"
    text = messages(key, reason=excerpt(damage.reason, _REASON_ROOM), **shown)
    return Notice(messages("damaged"), text, fault=True)


def _with_fields(embed: discord.Embed, values: dict[str, str], messages: Messages) -> discord.Embed:
    for key, value in values.items():
        embed.add_field(name=messages(f"status_{key}"), value=value or "-")
    return embed


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


async def _show_progress(
    interaction: Interaction, messages: Messages, steps: list[Progress], ended: asyncio.Event
) -> None:
    """Show the latest step in the deferred response, every two seconds, until the rebuild has ended."""
    shown = None
    while not ended.is_set():
        text = _progress(steps[-1], messages) if steps else messages("rebuild_starting")
        if text != shown:
            shown = text
            with suppress(*LOST):  # only the outcome has to arrive
                embed = notice_embed(Notice(messages("rebuilding"), text))
                await interaction.edit_original_response(embed=embed)
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _EDIT_EVERY)


def _progress(step: Progress, messages: Messages) -> str:
    stage = messages.texts.get(f"stage_{step.stage.replace(' ', '_')}", step.stage)
    return messages("rebuild_progress", stage=stage, done=f"{step.done:,}", total=f"{step.total:,}")


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
    notes = excerpt("\n".join(report.changes.notes), _REASON_ROOM)
    return _with_fields(notice_embed(Notice(messages("rebuild_done"), notes)), fields, messages)


def _on_failure(error: Exception, messages: Messages) -> tuple[Notice, Outcome]:
    """Return the notice on a rebuild that failed, and how it counts; log it."""
    if isinstance(error, BusyError):
        return _failure(messages("rebuild_other"), error), "busy"
    if not isinstance(error, FootnoteError):
        _log.error("A rebuild asked for in chat failed.", exc_info=error)
        return Notice(messages("rebuild_failed"), messages("rebuild_fault_text"), fault=True), "failed"
    _log.warning("A rebuild asked for in chat failed: %s", error)
    key = "rebuild_not_served" if isinstance(error, NotServedError) else "rebuild_failed"
    failed = isinstance(error, NotServedError | RebuildError)
    return _failure(messages(key), error), "failed" if failed else "refused"
