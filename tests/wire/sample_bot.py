"""A small bot on the real discord.py, with one of everything that Discord offers; it notes what it saw."""

from __future__ import annotations

import io
from typing import Any, Self

import discord
from discord import app_commands, ui

__all__ = ["SampleBot"]

_ALL = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
_ANYONE = app_commands.AppInstallationType(guild=True, user=True)


class Asking(ui.Modal, title="Ask a follow-up"):
    """A form with one text input in a row, and one in a label."""

    question: Any = ui.TextInput(label="Your question", custom_id="question", min_length=3, max_length=20)
    reason: Any = ui.Label(text="Why?", component=ui.TextInput(custom_id="reason", required=False))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.reason.component, ui.TextInput)
        text = f"{self.question.value} because {self.reason.component.value}"
        await interaction.response.send_message(text, ephemeral=True)


class NextButton(ui.DynamicItem[ui.Button[Any]], template=r"next:(?P<page>\d+)"):
    """A button whose state is in its custom id: it turns the page in its own message."""

    def __init__(self, page: int) -> None:
        super().__init__(ui.Button(label="Next source", custom_id=f"next:{page}"))
        self.page = page

    @classmethod
    async def from_custom_id(cls, interaction: Any, item: Any, match: Any, /) -> Self:
        return cls(int(match["page"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        view = ui.View(timeout=None).add_item(NextButton(self.page + 1))
        await interaction.response.edit_message(content=f"page {self.page + 1}", view=view)


class OtherButton(ui.DynamicItem[ui.Button[Any]], template=r"other:(?P<what>\w+)"):
    """Buttons that defer an update, open a form, or answer privately."""

    def __init__(self, what: str) -> None:
        super().__init__(ui.Button(label=what.title(), custom_id=f"other:{what}"))
        self.what = what

    @classmethod
    async def from_custom_id(cls, interaction: Any, item: Any, match: Any, /) -> Self:
        return cls(match["what"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        assert isinstance(interaction.client, SampleBot)
        interaction.client.saw.append(("button", interaction.message))
        if self.what == "form":
            await interaction.response.send_modal(Asking())
        elif self.what == "later":
            await interaction.response.defer()
            await interaction.edit_original_response(content="changed later")
        else:
            view = ui.View(timeout=None).add_item(NextButton(1))
            await interaction.response.send_message("only for you", ephemeral=True, view=view)


def buttons() -> ui.View:
    """Make a view with every button, and a select menu."""
    view = ui.View(timeout=None)
    for item in (NextButton(1), OtherButton("form"), OtherButton("later"), OtherButton("private")):
        view.add_item(item)
    view.add_item(ui.Button(label="Read it", url="https://example.org"))
    return view


class SampleBot(discord.Client):
    """Registers its commands, answers mentions, and puts what reached it into `saw`."""

    def __init__(self, **options: Any) -> None:
        intents = options.pop("intents", None) or discord.Intents(guilds=True, messages=True)
        super().__init__(intents=intents, max_messages=None, guild_ready_timeout=0.1, **options)
        self.saw: list[tuple[str, Any]] = []
        self.tree = app_commands.CommandTree(self, allowed_contexts=_ALL, allowed_installs=_ANYONE)
        _add_commands(self)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(NextButton, OtherButton)
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if message.author == self.user:
            return
        self.saw.append(("message", message))
        if self.user in message.mentions:
            await message.reply(f"you said {message.content}", view=buttons())

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self.saw.append(("thread", thread))

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        self.saw.append(("deleted", payload.message_id))

    def last(self, kind: str) -> Any:
        """Return what came last of a kind; None where nothing did."""
        return next((what for name, what in reversed(self.saw) if name == kind), None)


def _add_commands(bot: SampleBot) -> None:
    async def suggest(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current} {number}", value=f"v{number}") for number in range(25)]

    @bot.tree.command(description="Ask")
    @app_commands.autocomplete(article=suggest)
    async def ask(
        interaction: discord.Interaction, question: str, article: str | None = None, private: bool = False
    ) -> None:
        bot.saw.append(("ask", (question, article, private, interaction)))
        await interaction.response.defer(ephemeral=private)
        await interaction.followup.send("an answer", view=buttons())

    @bot.tree.command(description="Export")
    async def export(interaction: discord.Interaction, channel: discord.TextChannel, most: int) -> None:
        bot.saw.append(("export", (channel, most)))
        file = discord.File(io.BytesIO(b"a,b\r\n\r\n1,\xff\r\n--x"), "the gaps.csv", description="Gaps")
        await interaction.response.send_message("here", file=file)

    @bot.tree.context_menu(name="Answer this")
    async def answer_this(interaction: discord.Interaction, message: discord.Message) -> None:
        bot.saw.append(("menu", message))
        await interaction.response.send_message(f"about {message.content}", ephemeral=True)
