"""Interactions that nothing else answers: forms that were sent, and buttons of an older version."""

from __future__ import annotations

import re
from typing import Any

import discord

from bot.discordapp.buttons import BUTTONS
from bot.discordapp.modals import FOLLOW_UP, REASON, typed_in
from bot.discordapp.notices import said
from bot.discordapp.pressing import thank
from bot.discordapp.replies import answer_interaction, refuse
from bot.discordapp.talk import Surface, apologise, where_of

__all__ = ["take_interaction"]

_KNOWN: tuple[re.Pattern[str], ...] = tuple(one.__discord_ui_compiled_template__ for one in BUTTONS)


async def take_interaction(surface: Surface, interaction: discord.Interaction[Any]) -> None:
    """Answer a form that was sent, or a button that is not known any more."""
    kind = interaction.type
    if kind not in {discord.InteractionType.modal_submit, discord.InteractionType.component}:
        return
    data: Any = interaction.data or {}
    custom_id = str(data.get("custom_id", ""))
    if kind is discord.InteractionType.component and any(one.fullmatch(custom_id) for one in _KNOWN):
        return
    form = custom_id if kind is discord.InteractionType.modal_submit else ""
    with surface.work.answer():
        try:
            if form == FOLLOW_UP:
                await _follow_up(surface, interaction)
            elif form == REASON:  # the vote itself was kept when the button was pressed
                await thank(surface, interaction, helpful=False, reason=typed_in(interaction).strip())
            else:
                await refuse(interaction, said((await where_of(surface, interaction)).words, "old_button"))
        except Exception as error:  # noqa: BLE001 -- whatever it is, they hear of it and it is logged
            await apologise(interaction, error)


async def _follow_up(surface: Surface, interaction: discord.Interaction[Any]) -> None:
    """Ask what was typed, after what the message answers; an answer that one person saw stays theirs."""
    message = interaction.message
    private = True if message is not None and message.flags.ephemeral else None
    await answer_interaction(
        surface, interaction, typed_in(interaction), way="follow-up", private=private, after=message
    )
