"""The forms that buttons open, and what becomes of what is typed in them.

discord.py keeps open forms in memory. These are not kept: what was typed is taken from the interaction, by
the form's id, so that one opened before a restart can be sent after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord

from bot.chat.words import Words

__all__ = ["FOLLOW_UP", "REASON", "follow_up_modal", "reason_modal", "typed_in"]

FOLLOW_UP = "fn:form:ask"
"""The id of the form for a follow-up."""

REASON = "fn:form:reason"
"""The id of the form for what was wrong with an answer."""

_TEXT = "text"
_QUESTION_LENGTH, _REASON_LENGTH = 1000, 500


def follow_up_modal(words: Words) -> discord.ui.Modal:
    """Return the form for a follow-up."""
    field = discord.ui.TextInput[Any](
        custom_id=_TEXT, style=discord.TextStyle.paragraph, max_length=_QUESTION_LENGTH, min_length=1
    )
    label = discord.ui.Label[Any](
        text=words("follow_up_label"), description=words("follow_up_hint"), component=field
    )
    return _modal(FOLLOW_UP, words("follow_up_title"), label)


def reason_modal(words: Words) -> discord.ui.Modal:
    """Return the form for what was wrong with an answer."""
    field = discord.ui.TextInput[Any](
        custom_id=_TEXT, style=discord.TextStyle.paragraph, max_length=_REASON_LENGTH, required=False
    )
    return _modal(
        REASON, words("reason_title"), discord.ui.Label[Any](text=words("reason_label"), component=field)
    )


def _modal(custom_id: str, title: str, label: discord.ui.Label[Any]) -> discord.ui.Modal:
    modal = discord.ui.Modal(title=title, custom_id=custom_id)
    modal.add_item(label)
    modal.stop()
    return modal


def typed_in(interaction: discord.Interaction[Any]) -> str:
    """Return what was typed into a form that was sent."""
    return next(_values(interaction.data), "")


def _values(part: Any) -> Iterator[str]:
    """Yield the values in a form's components, whether they stand in rows or under labels."""
    if isinstance(part, dict):
        if isinstance(part.get("value"), str):
            yield part["value"]
        yield from _values(part.get("components"))
        yield from _values(part.get("component"))
    elif isinstance(part, list):
        for one in part:
            yield from _values(one)
