"""The commands on what is stored: /settings and /gaps for a server's managers, /privacy for everybody."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import discord
from discord import ChannelType, app_commands
from discord.utils import format_dt

from bot.chat.messages import AUTO, Messages, Notice, languages
from bot.discordapp.context import (
    ChannelOption,
    Interaction,
    RefusedError,
    anywhere,
    check_allowed,
    manages_server,
    place_of,
)
from bot.discordapp.delivery import edit_response, notice_embed, responding
from bot.discordapp.markdown import excerpt, joined
from bot.records.gaps import as_csv
from bot.records.settings import AnswersTo

if TYPE_CHECKING:
    from bot.records.gaps import Gap
    from bot.records.store import Feedback

__all__ = ["GapCommands", "PrivacyCommands", "SettingsCommands"]

_INHERIT, _DEFAULT = "inherit", "default"  # which no collection is called
_ROWS_SHOWN, _MOST_GAPS, _CHOICES = 15, 10_000, 25
_QUESTION_ROOM, _LIST_ROOM, _SETTINGS_ROOM, _ROW_ROOM, _FIELD_ROOM = 150, 3900, 3600, 100, 1000

_THREADS = (ChannelType.public_thread, ChannelType.private_thread, ChannelType.news_thread)
_WRITTEN_IN = (ChannelType.text, ChannelType.news, ChannelType.voice, *_THREADS)
# Without media channels, which Discord's OpenAPI document does not list for options.
_ANSWERED_IN = (*_WRITTEN_IN, ChannelType.forum)


_Choices = list[app_commands.Choice[str]]
_Chosen = app_commands.AppCommandChannel | app_commands.AppCommandThread
_Channel = app_commands.Transform[_Chosen, ChannelOption(*_ANSWERED_IN)]
_HelpersChannel = app_commands.Transform[_Chosen, ChannelOption(*_WRITTEN_IN)]


@app_commands.guild_only
@app_commands.allowed_installs(guilds=True)
@app_commands.default_permissions(manage_guild=True)
class _ManagersGroup(app_commands.Group):
    """Commands on what belongs to a server."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse everybody but the server's managers, and everybody while stopping."""
        if interaction.guild_id is None or not interaction.is_guild_integration():
            raise RefusedError((await place_of(interaction)).messages.notice("only_in_server"))
        return await check_allowed(interaction, manages_server(interaction), "may_not_server")


class SettingsCommands(_ManagersGroup, name="settings", description="Set how Footnote answers here"):
    """The /settings commands; each shows what applies afterwards."""

    @app_commands.command(name="show", description="Show the settings of this server")
    async def show(self, interaction: Interaction) -> None:
        """Show the settings."""
        async with responding(interaction) as place:
            await _show_settings(interaction, place.messages, "settings_title")

    @app_commands.command(name="answers", description="Set what Footnote answers, here or in a channel")
    @app_commands.describe(
        to="Mentions and commands, every question, or nothing", channel="Only in this channel or forum"
    )
    async def answers(
        self,
        interaction: Interaction,
        to: Literal["mentions", "questions", "never", "inherit"],
        channel: _Channel | None = None,
    ) -> None:
        """Set what is answered."""
        await _change(interaction, channel, answers=None if to == "inherit" else AnswersTo(to))

    @app_commands.command(name="private", description="Set whether only the asker sees answers to commands")
    @app_commands.describe(private="Only the asker sees them", channel="Only in this channel or forum")
    async def private(
        self,
        interaction: Interaction,
        private: Literal["yes", "no", "inherit"],
        channel: _Channel | None = None,
    ) -> None:
        """Set who sees answers."""
        await _change(interaction, channel, private=None if private == "inherit" else private == "yes")

    @app_commands.command(name="language", description="Set the language of Footnote's own texts")
    @app_commands.describe(language="auto: Discord's language", channel="Only in this channel or forum")
    @app_commands.choices(
        language=[app_commands.Choice(name=code, value=code) for code in (AUTO, *languages(), "inherit")]
    )
    async def language(
        self, interaction: Interaction, language: str, channel: _Channel | None = None
    ) -> None:
        """Set the language."""
        await _change(interaction, channel, language=None if language == "inherit" else language)

    @app_commands.command(name="collection", description="Set which articles are asked, here or in a channel")
    @app_commands.describe(collection="Which articles", channel="Only in this channel or forum")
    async def collection(
        self,
        interaction: Interaction,
        collection: app_commands.Range[str, 1, 32],
        channel: _Channel | None = None,
    ) -> None:
        """Set the collection; "inherit" clears it, and "default" overrides the server's."""
        chosen = {_INHERIT: None, _DEFAULT: ""}.get(collection, collection)
        await _change(interaction, channel, collection=chosen)

    @collection.autocomplete("collection")
    async def _collections(self, interaction: Interaction, typed: str) -> _Choices:
        if not manages_server(interaction):
            return []
        names = (_INHERIT, _DEFAULT, *filter(None, interaction.client.assistant.services))
        matching = [name for name in names if typed.strip().lower() in name]
        return [app_commands.Choice(name=name, value=name) for name in matching[:_CHOICES]]

    @app_commands.command(name="helpers", description="Set who gets questions that have no answer")
    @app_commands.describe(
        role="The role to ping; without role and channel there are no helpers",
        channel="Where questions are passed on",
    )
    async def helpers(
        self,
        interaction: Interaction,
        role: discord.Role | None = None,
        channel: _HelpersChannel | None = None,
    ) -> None:
        """Set the helpers; without role and channel there are none."""
        ids = {"helper_role": role.id if role else None, "helper_channel": channel.id if channel else None}
        await _change(interaction, None, **ids)

    @app_commands.command(name="gaps", description="Set whether late answers are posted")
    @app_commands.describe(tell="Post them in the channel that the question was asked in")
    async def gaps(self, interaction: Interaction, tell: bool) -> None:
        """Set whether channels are told."""
        await _change(interaction, None, tell_gaps=tell)


async def _change(interaction: Interaction, channel: _Chosen | None, **values: object) -> None:
    async with responding(interaction) as place:
        assistant = interaction.client.assistant
        if (name := str(values.get("collection") or "")) not in {"", *assistant.services}:
            name = excerpt(name, _ROW_ROOM)
            raise RefusedError(place.messages.notice("no_collection", name=name))
        await assistant.records.change(interaction.guild_id or 0, channel.id if channel else None, **values)
        await _show_settings(interaction, (await place_of(interaction)).messages, "settings_changed")


async def _show_settings(interaction: Interaction, messages: Messages, title: str) -> None:
    assistant = interaction.client.assistant
    rows = await assistant.records.overview(interaction.guild_id or 0)
    blocks = []
    for channel, values in rows:
        place = messages("settings_channel", channel=f"<#{channel}>")
        lines = [f"**{place if channel else messages('settings_server')}**"]
        lines += [messages(f"setting_{key}", value=_shown(key, values, messages)) for key in values]
        blocks.append("\n".join(lines))
    text = joined(blocks, _SETTINGS_ROOM, lambda count: messages("settings_more", count=count))
    text = text or messages("settings_default")
    answers_all = any(values.get("answers") is AnswersTo.QUESTIONS for _, values in rows)
    if answers_all and not assistant.settings.discord_message_content:
        text += f"\n\n{messages('needs_content')}"
    await edit_response(interaction, Notice(messages(title), text))


def _shown(key: str, values: Mapping[str, object], messages: Messages) -> str:
    value = values[key]
    if isinstance(value, bool):
        return messages("yes" if value else "no")
    if key == "answers":
        return messages(f"answers_{value}")
    if key == "collection":
        return str(value) or _DEFAULT
    if key == "language":
        return messages("language_auto") if value == AUTO else str(value)
    return f"<@&{value}>" if key == "helper_role" else f"<#{value}>"


class GapCommands(_ManagersGroup, name="gaps", description="Questions that the articles did not answer"):
    """The /gaps commands; each sees the questions of its own server and collection only."""

    @app_commands.command(name="list", description="List the questions without an answer, newest first")
    @app_commands.describe(answered="List those that have been answered since")
    async def list(self, interaction: Interaction, answered: bool = False) -> None:
        """List the questions."""
        async with responding(interaction) as place:
            assistant, messages, collection = interaction.client.assistant, place.messages, place.collection
            assistant.service_of(collection)
            gaps = await assistant.records.gaps(
                interaction.guild_id, collection, answered=answered, limit=_MOST_GAPS
            )
            lines = [_gap_line(gap, messages) for gap in gaps[:_ROWS_SHOWN]]
            beyond = len(gaps) - len(lines)
            text = joined(lines, _LIST_ROOM, lambda n: messages("gaps_more", count=n), beyond=beyond)
            text = text or messages("gaps_none")
            text = text if assistant.recording else f"{messages('gaps_off')}\n\n{text}"
            title = messages("gaps_answered_title" if answered else "gaps_title")
            await edit_response(interaction, Notice(title, text))

    @app_commands.command(name="export", description="Get all questions without an answer as a CSV file")
    async def export(self, interaction: Interaction) -> None:
        """Send the file: open questions first, then those answered since."""
        async with responding(interaction) as place:
            assistant, messages, collection = interaction.client.assistant, place.messages, place.collection
            assistant.service_of(collection)
            list_gaps = partial(assistant.records.gaps, interaction.guild_id, collection, limit=_MOST_GAPS)
            gaps = [*await list_gaps(), *await list_gaps(answered=True)]
            file = discord.File(io.BytesIO(await asyncio.to_thread(as_csv, gaps)), filename="gaps.csv")
            notice = Notice(messages("gaps_title"), messages("gaps_file", count=f"{len(gaps):,}"))
            await edit_response(interaction, notice, attachments=[file])

    @app_commands.command(name="drop", description="Remove a question from the list")
    @app_commands.describe(number="Its number in the list")
    async def drop(self, interaction: Interaction, number: app_commands.Range[int, 1]) -> None:
        """Remove a question."""
        async with responding(interaction) as place:
            assistant, messages, collection = interaction.client.assistant, place.messages, place.collection
            assistant.service_of(collection)
            dropped = await assistant.records.drop_gap(interaction.guild_id, number, collection)
            notice = Notice(messages("gap_dropped")) if dropped else messages.notice("gap_unknown")
            await edit_response(interaction, notice)


def _gap_line(gap: Gap, messages: Messages) -> str:
    key = "gap_times_one" if gap.count == 1 else "gap_times"
    return messages(
        "gap_line",
        number=f"{gap.id}\\",  # before a full stop, so that Discord makes no list of it
        question=excerpt(" ".join(gap.question.split()), _QUESTION_ROOM),
        times=messages(key, count=gap.count, people=gap.people),
        last=format_dt(gap.last, "R"),
    )


@anywhere
class PrivacyCommands(
    app_commands.Group, name="privacy", description="See or delete what Footnote stores about you"
):
    """The /privacy commands, for everybody about themselves."""

    @app_commands.command(name="show", description="Show what Footnote stores about you")
    async def show(self, interaction: Interaction) -> None:
        """Show it, to them alone."""
        async with responding(interaction) as place:
            assistant, messages = interaction.client.assistant, place.messages
            stored = await assistant.records.show(interaction.user.id)
            text = messages("privacy_text", days=assistant.settings.record_days)
            text = text if assistant.recording else messages("gaps_off")
            embed = notice_embed(Notice(messages("privacy_title"), text))
            for title, rows in (
                ("privacy_questions", stored.questions),
                ("privacy_feedback", [_feedback_row(row, messages) for row in stored.feedback]),
            ):
                embed.add_field(name=messages(title), value=_rows(rows, messages), inline=False)
            await edit_response(interaction, embed)

    @app_commands.command(name="forget", description="Delete what Footnote stores about you")
    async def forget(self, interaction: Interaction) -> None:
        """Delete it."""
        async with responding(interaction) as place:
            count = await interaction.client.assistant.records.forget(interaction.user.id)
            await edit_response(interaction, place.messages.notice("privacy_forgotten", count=count))


def _feedback_row(feedback: Feedback, messages: Messages) -> str:
    vote = messages("button_helpful" if feedback.helpful else "button_not_helpful")
    return ": ".join(part for part in (vote, feedback.question, feedback.reason) if part.strip())


def _rows(rows: Sequence[str], messages: Messages) -> str:
    lines = [f"- {excerpt(' '.join(row.split()), _ROW_ROOM)}" for row in rows[:_ROWS_SHOWN]]
    beyond = len(rows) - len(lines)
    text = joined(lines, _FIELD_ROOM, lambda count: messages("privacy_more", count=count), beyond=beyond)
    return text or messages("privacy_nothing")
