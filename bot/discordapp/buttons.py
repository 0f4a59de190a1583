"""The buttons under an answer. All that they need is in their ids, so they work after a restart, for anyone.

Views are stopped before they are sent, so that discord.py keeps nothing of them: a press is matched by the
id alone (`DynamicItem`).
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, ClassVar, Self

import discord

from bot.answering.answer import Answer, Verdict
from bot.chat.quote_reference import PACKED, PLACE, Span, spans_of
from bot.chat.words import Words
from bot.discordapp import pressing
from bot.discordapp.notices import said
from bot.discordapp.render import quotes_shown
from bot.discordapp.talk import Surface, Where, apologise, private_reply, surface_of, where_of
from bot.service.catalogue import ArticleLine

__all__ = ["BUTTONS", "answer_buttons", "source_buttons"]

_NEXT = 4
"""Further sources that a button's id has room for."""

_STYLES = discord.ButtonStyle

Item = discord.ui.DynamicItem[discord.ui.Button[Any]]


class _Button(Item, template=r"$^"):
    """A button whose press is answered whatever happens."""

    style: ClassVar[discord.ButtonStyle] = _STYLES.secondary

    def __init__(self, custom_id: str, label: str, row: int | None = None) -> None:
        super().__init__(discord.ui.Button(style=self.style, label=label, custom_id=custom_id, row=row))
        found = self.template.fullmatch(custom_id)
        self.found: dict[str, str | None] = found.groupdict() if found else {}

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make the button anew from its id."""
        return cls(match.string, getattr(item, "label", None) or "-")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what the button is for; whoever pressed it hears of what goes wrong."""
        surface = surface_of(interaction)
        with surface.work.answer():
            try:
                await self.pressed(surface, interaction)
            except asyncio.CancelledError:
                words = (await where_of(surface, interaction)).words
                await private_reply(interaction, said(words, "stopping"))
                raise
            except Exception as error:  # noqa: BLE001 -- whatever it is, they hear of it and it is logged
                await apologise(interaction, error)

    async def pressed(self, surface: Surface, interaction: discord.Interaction[Any]) -> None:
        """Do what the button is for."""
        raise NotImplementedError


class ContextButton(_Button, template=rf"fn:context:(?P<span>{PLACE})"):
    """Shows the quote in its place."""

    @classmethod
    def of(cls, span: Span, words: Words) -> Self:
        """Make the button for a quote."""
        return cls(f"fn:context:{span.pack()}", words("button_context"))

    async def pressed(self, surface: Surface, interaction: discord.Interaction[Any]) -> None:
        """Show the context to whoever pressed."""
        await pressing.show_context(surface, interaction, Span.unpack(self.found["span"] or ""))


class NextButton(
    _Button, template=rf"fn:(?P<way>next|page):(?P<number>\d{{1,2}}):(?P<spans>(?:{PLACE}){{1,{_NEXT}}})"
):
    """Shows the next of an answer's sources: beside the answer, or in the place of the source before."""

    @classmethod
    def of(cls, number: int, spans: tuple[Span, ...], words: Words, *, in_place: bool = False) -> Self:
        """Make the button for the sources `spans`, of which the first is the answer's `number`-th."""
        packed = "".join(span.pack() for span in spans[:_NEXT])
        return cls(f"fn:{'page' if in_place else 'next'}:{number}:{packed}", words("button_next"))

    async def pressed(self, surface: Surface, interaction: discord.Interaction[Any]) -> None:
        """Show the source to whoever pressed, with buttons for what follows."""
        packed = self.found["spans"] or ""
        spans = tuple(Span.unpack(packed[at : at + PACKED]) for at in range(0, len(packed), PACKED))
        number, in_place = int(self.found["number"] or 0), self.found["way"] == "page"
        await pressing.show_source(surface, interaction, number, spans, source_buttons, in_place=in_place)


class FollowUpButton(_Button, template=r"fn:ask"):
    """Opens the form for a follow-up."""

    style = _STYLES.primary

    async def pressed(self, surface: Surface, interaction: discord.Interaction[Any]) -> None:
        """Open the form."""
        await pressing.open_follow_up(surface, interaction)


class FeedbackButton(_Button, template=r"fn:(?P<vote>good|bad)"):
    """Notes whether an answer helped."""

    async def pressed(self, surface: Surface, interaction: discord.Interaction[Any]) -> None:
        """Note it."""
        await pressing.take_feedback(surface, interaction, helpful=self.found["vote"] == "good")


class WhyButton(_Button, template=r"fn:why:(?P<key>[\w-]{8})?"):
    """Says why an answer has its verdict."""

    async def pressed(self, surface: Surface, interaction: discord.Interaction[Any]) -> None:
        """Say why, to whoever pressed."""
        await pressing.explain(surface, interaction, self.found["key"])


class PassOnButton(_Button, template=pressing.PASS_ON):
    """Passes a question on to the server's helpers."""

    async def pressed(self, surface: Surface, interaction: discord.Interaction[Any]) -> None:
        """Pass it on, once."""
        await pressing.pass_on(surface, interaction)


BUTTONS: tuple[type[Item], ...] = (
    ContextButton,
    NextButton,
    FollowUpButton,
    FeedbackButton,
    WhyButton,
    PassOnButton,
)
"""Every kind of button, for the client to know."""


def answer_buttons(
    answer: Answer, where: Where, *, recording: bool, article: ArticleLine | None = None
) -> discord.ui.View:
    """Return the buttons of an answer."""
    words, spans = where.words, spans_of(answer)
    items: list[Item] = [ContextButton.of(spans[0], words)] if spans else []
    shown = len(quotes_shown(answer))
    items += [NextButton.of(shown + 1, spans[shown:], words)] if spans[shown:] else []
    items.append(FollowUpButton("fn:ask", words("button_follow_up")))
    if recording:
        items.append(FeedbackButton("fn:good", words("button_helpful")))
        items.append(FeedbackButton("fn:bad", words("button_not_helpful")))
    if answer.verdict is not Verdict.ANSWERED:
        items.append(WhyButton(f"fn:why:{article.key if article else ''}", words("button_why"), row=1))
        if where.server is not None and (where.settings.helper_role or where.settings.helper_channel):
            items.append(PassOnButton(pressing.PASS_ON, words("button_pass_on"), row=1))
    return _view(items)


def source_buttons(number: int, spans: tuple[Span, ...], words: Words, stands: bool) -> discord.ui.View:
    """Return the buttons of an answer's `number`-th source, the first of `spans`, if it `stands` there."""
    items: list[Item] = [ContextButton.of(spans[0], words)] if stands else []
    items += [NextButton.of(number + 1, spans[1:], words, in_place=True)] if spans[1:] else []
    return _view(items)


def _view(items: list[Item]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
