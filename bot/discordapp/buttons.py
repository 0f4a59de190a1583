"""The buttons under an answer, and the forms that they open.

A button's id holds all that it needs, so it works after a restart and for anyone. Views and forms are stopped
before they are sent, so that discord.py keeps nothing of them: presses are matched by id (`DynamicItem`).
"""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Self

import discord

from bot.answering.answer import Verdict
from bot.chat.messages import Messages, Notice
from bot.chat.quote_links import PACKED_LENGTH, PACKED_PATTERN, QuoteReference, quote_references
from bot.discordapp.context import LOST, Interaction, RefusedError
from bot.discordapp.delivery import defer, edit_response, handling, notice_embed
from bot.discordapp.embeds import Source, context_embed, exchange_of, quotes_shown, source_embed, why_notice
from bot.discordapp.markdown import blockquote

if TYPE_CHECKING:
    from bot.answering.answer import Answer
    from bot.chat.asking import Place
    from index.storage.store import ArticleSummary

__all__ = [
    "BUTTONS",
    "FOLLOW_UP_FORM",
    "REASON_FORM",
    "answer_buttons",
    "is_known",
    "take_reason",
    "typed_in",
]

FOLLOW_UP_FORM = "fn:form:ask"
REASON_FORM = "fn:form:reason"
_PASS_ON = "fn:help"  # noqa: S105 - no password

_SOURCES_IN_ID = 4
_QUESTION_LENGTH, _REASON_LENGTH = 1000, 500
_PASSED_ON_ROOM = 1400
_log = logging.getLogger(__name__)

Item = discord.ui.DynamicItem[discord.ui.Button[Any]]


class _Button(Item, template=r"$^"):
    """A button; `parts` are the named groups of its id."""

    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, custom_id: str, label: str, row: int | None = None) -> None:
        super().__init__(discord.ui.Button(style=self.style, label=label, custom_id=custom_id, row=row))
        match = self.template.fullmatch(custom_id)
        self.parts: dict[str, str] = match.groupdict("") if match else {}

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match.string, getattr(item, "label", None) or "-")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with handling(interaction) as place:
            await self.pressed(interaction, place)

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        raise NotImplementedError


class _Context(_Button, template=rf"fn:context:(?P<span>{PACKED_PATTERN})"):
    """Shows the quote in its paragraph, to whoever pressed."""

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        await defer(interaction)
        source = await _source(interaction, QuoteReference.unpack(self.parts["span"]))
        if source is None:
            raise RefusedError(place.messages.notice("changed_since"))
        await edit_response(interaction, await asyncio.to_thread(context_embed, source, place.messages))


class _Next(
    _Button,
    template=rf"fn:(?P<way>next|page):(?P<number>\d{{1,2}}):(?P<spans>(?:{PACKED_PATTERN}){{1,{_SOURCES_IN_ID}}})",
):
    """Shows the next source: beside the answer ("next"), or in place of the source before ("page")."""

    @classmethod
    def of(cls, way: str, number: int, spans: tuple[QuoteReference, ...], messages: Messages) -> Self:
        """Return the button for sources, of which the first is the answer's `number`-th."""
        packed = "".join(span.pack() for span in spans[:_SOURCES_IN_ID])
        return cls(f"fn:{way}:{number}:{packed}", messages("button_next"))

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        messages, packed, number = place.messages, self.parts["spans"], int(self.parts["number"])
        await defer(interaction, thinking=self.parts["way"] == "next")
        spans = tuple(
            QuoteReference.unpack(packed[at : at + PACKED_LENGTH])
            for at in range(0, len(packed), PACKED_LENGTH)
        )
        shown: discord.Embed | Notice = messages.notice("changed_since")
        items: list[Item] = []
        if (source := await _source(interaction, spans[0])) is not None:
            count = number - 1 + len(spans)
            shown = await asyncio.to_thread(source_embed, source, messages, number, count)
            items.append(_Context(f"fn:context:{spans[0].pack()}", messages("button_context")))
        if spans[1:]:
            items.append(_Next.of("page", number + 1, spans[1:], messages))
        await edit_response(interaction, shown, view=_view(items))


class _FollowUp(_Button, template=r"fn:ask"):
    """Opens the form for a follow-up question."""

    style = discord.ButtonStyle.primary

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        await _open_form(interaction, place, FOLLOW_UP_FORM, "follow_up", _QUESTION_LENGTH, required=True)


class _Feedback(_Button, template=r"fn:(?P<vote>good|bad)"):
    """Records whether an answer helped; if not, a form asks why."""

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        helpful = self.parts["vote"] == "good"
        if helpful or not interaction.client.assistant.recording:
            await _thank(interaction, place, helpful=helpful)
        else:
            await _open_form(interaction, place, REASON_FORM, "reason", _REASON_LENGTH, required=False)
            await _record_feedback(interaction, place, helpful=False)


class _Why(_Button, template=r"fn:why:(?P<article>[\w-]{8})?"):
    """Explains the verdict to whoever pressed: the question is asked again, and its scores put in words."""

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        assistant, messages = interaction.client.assistant, place.messages
        await defer(interaction)
        exchange, key = await exchange_of(assistant, interaction.message), self.parts["article"]
        article = (await assistant.service.catalogue()).by_key(key) if key else None
        if exchange is None or (key and article is None):
            raise RefusedError(messages.notice("changed_since" if exchange else "question_lost"))
        if (refusal := assistant.refusal(place)) is not None:
            raise RefusedError(refusal)
        identity = article.id if article else None
        answer = await assistant.service.ask(exchange.question, article=identity, earlier=exchange.before)
        await edit_response(interaction, why_notice(answer, messages))


class _PassOn(_Button, template=_PASS_ON):
    """Passes a question on to the helpers that the server's settings name, once; the button then goes."""

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        message, messages, settings = interaction.message, place.messages, place.settings
        if message is None or not (settings.helper_role or settings.helper_channel):
            raise RefusedError(messages.notice("no_helpers"))
        await interaction.response.defer()
        passed_on = interaction.client.assistant.conversations.passed_on
        exchange = await exchange_of(interaction.client.assistant, message)
        if exchange is None:
            raise RefusedError(messages.notice("question_lost"))
        if message.id not in passed_on:
            passed_on[message.id] = True
            try:
                await _tell_helpers(interaction, message, exchange.question, place)
            except LOST as error:
                passed_on.pop(message.id, None)
                _log.warning("A question could not be passed on in server %s: %s", place.server, error)
                raise RefusedError(messages.notice("not_passed_on")) from error
            with suppress(*LOST):  # the message may be gone meanwhile
                await interaction.edit_original_response(view=_without(message, _PASS_ON))
        await interaction.followup.send(embed=notice_embed(messages.notice("passed_on")), ephemeral=True)


BUTTONS: tuple[type[Item], ...] = (_Context, _Next, _FollowUp, _Feedback, _Why, _PassOn)
"""Every kind of button, for the client to match presses with."""


def is_known(custom_id: str) -> bool:
    """Return whether a button with this id does something."""
    return any(button.__discord_ui_compiled_template__.fullmatch(custom_id) for button in BUTTONS)


def answer_buttons(
    answer: Answer, place: Place, *, recording: bool, article: ArticleSummary | None = None
) -> discord.ui.View:
    """Return the buttons of an answer; `article` is the only one that was asked, if it was."""
    messages, spans, settings = place.messages, quote_references(answer), place.settings
    items: list[Item] = []
    if spans:
        items.append(_Context(f"fn:context:{spans[0].pack()}", messages("button_context")))
    shown = len(quotes_shown(answer))
    if spans[shown:]:
        items.append(_Next.of("next", shown + 1, spans[shown:], messages))
    items.append(_FollowUp("fn:ask", messages("button_follow_up")))
    if recording:
        items.append(_Feedback("fn:good", messages("button_helpful")))
        items.append(_Feedback("fn:bad", messages("button_not_helpful")))
    if answer.verdict is not Verdict.ANSWERED:
        items.append(_Why(f"fn:why:{article.key if article else ''}", messages("button_why"), row=1))
        if place.server is not None and (settings.helper_role or settings.helper_channel):
            items.append(_PassOn(_PASS_ON, messages("button_pass_on"), row=1))
    return _view(items)


def typed_in(interaction: Interaction) -> str:
    """Return what was typed into a form, which holds one field."""
    data: Any = interaction.data or {}
    labels: list[Any] = data.get("components") or [{}]
    return str(labels[0].get("component", {}).get("value", ""))


async def take_reason(interaction: Interaction) -> None:
    """Record the reason that was typed into the form after "Not helpful"."""
    async with handling(interaction) as place:
        await _thank(interaction, place, helpful=False, reason=typed_in(interaction).strip())


async def _open_form(  # noqa: PLR0913 - what makes a form
    interaction: Interaction, place: Place, form_id: str, key: str, length: int, *, required: bool
) -> None:
    """Open a form with one field, whose texts begin with `key`."""
    messages, style = place.messages, discord.TextStyle.paragraph
    field = discord.ui.TextInput[Any](custom_id="text", style=style, max_length=length, required=required)
    hint = messages.texts.get(f"{key}_hint")
    form = discord.ui.Modal(title=messages(f"{key}_title"), custom_id=form_id)
    form.add_item(discord.ui.Label(text=messages(f"{key}_label"), description=hint, component=field))
    form.stop()
    await interaction.response.send_modal(form)


async def _source(interaction: Interaction, span: QuoteReference) -> Source | None:
    """Return a quote's article, if the quote still stands there."""
    service = interaction.client.assistant.service
    line = (await service.catalogue()).by_key(span.key)
    article = await service.article(line.id) if line else None
    return Source(article, span) if article and span.quote(article) is not None else None


async def _thank(interaction: Interaction, place: Place, *, helpful: bool, reason: str = "") -> None:
    messages = place.messages
    await defer(interaction)
    notice = Notice(messages("gaps_off"))
    if interaction.client.assistant.recording:
        await _record_feedback(interaction, place, helpful=helpful, reason=reason)
        text = messages("thanks_helpful" if helpful else "thanks_not_helpful")
        notice = Notice(messages("thanks"), text)
    await edit_response(interaction, notice)


async def _record_feedback(
    interaction: Interaction, place: Place, *, helpful: bool, reason: str = ""
) -> None:
    assistant, message = interaction.client.assistant, interaction.message
    if message is not None:
        exchange = await exchange_of(assistant, message)
        await assistant.records.add_feedback(
            server=place.server,
            channel=place.channel,
            message=message.id,
            user=place.user,
            question=exchange.question if exchange else "",
            helpful=helpful,
            reason=reason,
        )


async def _tell_helpers(
    interaction: Interaction, message: discord.Message, question: str, place: Place
) -> None:
    """Post a question for the helpers; their role is the only one that is pinged."""
    role, messages = place.settings.helper_role, place.messages
    mention = f"<@&{role}>" if role else ""
    lines = [messages("passed_on_message", mention=mention, asker=interaction.user.mention).strip()]
    lines.append(blockquote(question, _PASSED_ON_ROOM))
    if not message.flags.ephemeral:
        lines.append(f"{messages('asked_in')} {message.jump_url}")
    channel = interaction.client.get_partial_messageable(
        place.settings.helper_channel or place.channel, guild_id=interaction.guild_id
    )
    roles = [discord.Object(role)] if role else False
    allowed = discord.AllowedMentions(everyone=False, users=False, replied_user=False, roles=roles)
    await channel.send("\n".join(lines), allowed_mentions=allowed)


def _view(items: list[Item]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


def _without(message: discord.Message, custom_id: str) -> discord.ui.View | None:
    """Return a message's buttons without one of them."""
    view = discord.ui.View.from_message(message, timeout=None)
    for item in view.children:
        if getattr(item, "custom_id", None) == custom_id:
            view.remove_item(item)
    view.stop()
    return view if view.children else None
