"""The buttons under an answer, and the forms that they open.

A button's id holds all that it needs, so it works after a restart and for anyone; it ends with the key of the
collection that was asked. Views and forms are stopped before they are sent, so that discord.py keeps nothing
of them: presses are matched by id (`DynamicItem`).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Self

import discord
from discord import RadioGroupOption

from bot.answering.answer import Verdict
from bot.chat.answer_text import quotes_shown
from bot.chat.messages import Notice
from bot.chat.quote_links import PACKED_LENGTH, PACKED_PATTERN, QuoteReference, quote_references
from bot.discordapp.context import LOST, Interaction, RefusedError, with_collection
from bot.discordapp.delivery import defer, deliver, edit_response, handling, notice_embed, post_to_helpers
from bot.discordapp.embeds import context_embed, exchange_of, find_source, source_embed, why_notice

if TYPE_CHECKING:
    from bot.answering.answer import Answer
    from bot.chat.asking import Place
    from index.storage.store import ArticleSummary

__all__ = ["BUTTONS", "FOLLOW_UP_FORM", "REASON_FORM", "answer_buttons", "entries", "is_known", "take_reason"]

FOLLOW_UP_FORM = "fn:form:ask"
REASON_FORM = "fn:form:reason"
_PASS_ON = "fn:help"  # noqa: S105 - no password
_KEY = r"(?:\.[\w-]{4})?"  # of a collection; none for the one without a name

_REASONS = ("passage", "outdated", "other_question", "else")
"""What can be chosen after "Not helpful"."""

_SOURCES_IN_ID = 4
_QUESTION_LENGTH, _REASON_LENGTH = 1000, 500
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
    def of(cls, custom_id: str, place: Place, label: str, row: int | None = None) -> Self:
        """Return the button below an answer from the collection of a place."""
        return cls(with_collection(custom_id, place.collection), place.messages(f"button_{label}"), row)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match.string, getattr(item, "label", None) or "-")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with handling(interaction) as place:
            interaction.client.assistant.service_of(place.collection)  # which may no longer be listed
            await self.pressed(interaction, place)

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        raise NotImplementedError


class _Context(_Button, template=rf"fn:context:(?P<span>{PACKED_PATTERN}){_KEY}"):
    """Shows the quote in its paragraph, to whoever pressed."""

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        await defer(interaction)
        span = QuoteReference.unpack(self.parts["span"])
        source = await find_source(interaction.client.assistant, place, span)
        if source is None:
            raise RefusedError(place.messages.notice("changed_since"))
        await edit_response(interaction, await asyncio.to_thread(context_embed, source, place.messages))


class _Next(
    _Button,
    template=rf"fn:(?P<way>next|page):(?P<number>\d{{1,2}}):"
    rf"(?P<spans>(?:{PACKED_PATTERN}){{1,{_SOURCES_IN_ID}}}){_KEY}",
):
    """Shows the next source: beside the answer ("next"), or in place of the source before ("page")."""

    @classmethod
    def to(cls, way: str, number: int, spans: tuple[QuoteReference, ...], place: Place) -> Self:
        """Return the button for sources, of which the first is the answer's `number`-th."""
        packed = "".join(span.pack() for span in spans[:_SOURCES_IN_ID])
        return cls.of(f"fn:{way}:{number}:{packed}", place, "next")

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        messages, packed, number = place.messages, self.parts["spans"], int(self.parts["number"])
        await defer(interaction, thinking=self.parts["way"] == "next")
        starts = range(0, len(packed), PACKED_LENGTH)
        spans = tuple(QuoteReference.unpack(packed[at : at + PACKED_LENGTH]) for at in starts)
        shown: discord.Embed | Notice = messages.notice("changed_since")
        items: list[Item] = []
        if (source := await find_source(interaction.client.assistant, place, spans[0])) is not None:
            count = number - 1 + len(spans)
            shown = await asyncio.to_thread(source_embed, source, messages, number, count)
            items.append(_Context.of(f"fn:context:{spans[0].pack()}", place, "context"))
        if spans[1:]:
            items.append(_Next.to("page", number + 1, spans[1:], place))
        await edit_response(interaction, shown, view=_view(items))


class _FollowUp(_Button, template=rf"fn:ask{_KEY}"):
    """Opens the form for a follow-up question."""

    style = discord.ButtonStyle.primary

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        await _open_form(interaction, place, "follow_up")


class _Feedback(_Button, template=rf"fn:(?P<vote>good|bad){_KEY}"):
    """Records whether an answer helped; if not, a form asks why."""

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        helpful = self.parts["vote"] == "good"
        if helpful or not interaction.client.assistant.recording:
            await _thank(interaction, place, helpful=helpful)
        else:
            await _open_form(interaction, place, "reason")
            await _record_feedback(interaction, place, helpful=False)


class _Why(_Button, template=rf"fn:why:(?P<article>[\w-]{{8}})?{_KEY}"):
    """Explains the verdict to whoever pressed: the question is asked again, and its scores put in words."""

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        assistant, messages = interaction.client.assistant, place.messages
        service = assistant.service_of(place.collection)
        await defer(interaction)
        exchange = await exchange_of(assistant, interaction.message, place)
        key = self.parts["article"]
        article = (await service.catalogue()).by_key(key) if key else None
        if exchange is None or (key and article is None):
            raise RefusedError(messages.notice("changed_since" if exchange else "question_lost"))
        if (refusal := assistant.refusal(place)) is not None:
            raise RefusedError(refusal)
        identity = article.id if article else None
        question = assistant.plain(exchange.question)
        answer = await service.ask(question, article=identity, earlier=exchange.before)
        await edit_response(interaction, why_notice(answer, messages))


class _PassOn(_Button, template=rf"{_PASS_ON}{_KEY}"):
    """Passes a question on to the helpers that the server's settings name, once; the button then goes."""

    async def pressed(self, interaction: Interaction, place: Place) -> None:
        message, messages, settings = interaction.message, place.messages, place.settings
        if message is None or not (settings.helper_role or settings.helper_channel):
            raise RefusedError(messages.notice("no_helpers"))
        await deliver(interaction.response.defer)
        passed_on = interaction.client.assistant.conversations.passed_on
        exchange = await exchange_of(interaction.client.assistant, message, place)
        if exchange is None:
            raise RefusedError(messages.notice("question_lost"))
        if message.id not in passed_on:
            passed_on[message.id] = True
            try:
                await post_to_helpers(interaction, message, exchange.question, place)
            except LOST as error:
                passed_on.pop(message.id, None)
                _log.warning("A question could not be passed on in server %s: %s", place.server, error)
                raise RefusedError(messages.notice("not_passed_on")) from error
            with suppress(*LOST):  # the message may be gone meanwhile
                view = _without(message, self.custom_id)
                await deliver(lambda: interaction.edit_original_response(view=view))
        embed = notice_embed(messages.notice("passed_on"))
        await deliver(lambda: interaction.followup.send(embed=embed, ephemeral=True))


BUTTONS: tuple[type[Item], ...] = (_Context, _Next, _FollowUp, _Feedback, _Why, _PassOn)
"""Every kind of button, for the client to match presses with."""


def is_known(custom_id: str) -> bool:
    """Return whether a button with this id does something."""
    return any(button.__discord_ui_compiled_template__.fullmatch(custom_id) for button in BUTTONS)


def answer_buttons(
    answer: Answer, place: Place, *, recording: bool, article: ArticleSummary | None = None
) -> discord.ui.View:
    """Return the buttons of an answer; `article` is the only one that was asked, if it was."""
    spans, settings, shown = quote_references(answer), place.settings, len(quotes_shown(answer))
    items: list[Item] = []
    if spans:
        items.append(_Context.of(f"fn:context:{spans[0].pack()}", place, "context"))
    if spans[shown:]:
        items.append(_Next.to("next", shown + 1, spans[shown:], place))
    items.append(_FollowUp.of("fn:ask", place, "follow_up"))
    if recording:
        items.append(_Feedback.of("fn:good", place, "helpful"))
        items.append(_Feedback.of("fn:bad", place, "not_helpful"))
    if answer.verdict is not Verdict.ANSWERED:
        items.append(_Why.of(f"fn:why:{article.key if article else ''}", place, "why", row=1))
        if place.server is not None and (settings.helper_role or settings.helper_channel):
            items.append(_PassOn.of(_PASS_ON, place, "pass_on", row=1))
    return _view(items)


def entries(interaction: Interaction) -> list[str]:
    """Return what was filled into the fields of a form, of which the last is for text."""
    data: Any = interaction.data or {}
    labels: list[Any] = data.get("components") or [{}]
    return [str(label.get("component", {}).get("value") or "") for label in labels]


async def take_reason(interaction: Interaction) -> None:
    """Record the reason that was typed into the form after "Not helpful"."""
    async with handling(interaction) as place:
        values = entries(interaction)
        chosen = place.messages(f"reason_{values[0]}") if values[0] in _REASONS else ""
        reason = ": ".join(filter(None, (chosen, values[-1].strip())))
        await _thank(interaction, place, helpful=False, reason=reason)


async def _open_form(interaction: Interaction, place: Place, key: str) -> None:
    """Open the form whose texts begin with `key`; in that for a "reason", some can be chosen."""
    messages, optional = place.messages, key == "reason"
    length, style = _REASON_LENGTH if optional else _QUESTION_LENGTH, discord.TextStyle.paragraph
    form_id = with_collection(REASON_FORM if optional else FOLLOW_UP_FORM, place.collection)
    field = discord.ui.TextInput[Any](custom_id="text", style=style, max_length=length, required=not optional)
    hint = messages.texts.get(f"{key}_hint")
    form = discord.ui.Modal(title=messages(f"{key}_title"), custom_id=form_id)
    if optional:
        options = [RadioGroupOption(label=messages(f"reason_{reason}"), value=reason) for reason in _REASONS]
        group = discord.ui.RadioGroup[Any](custom_id="choice", required=False, options=options)
        form.add_item(discord.ui.Label(text=messages("reason_choice"), component=group))
    form.add_item(discord.ui.Label(text=messages(f"{key}_label"), description=hint, component=field))
    form.stop()
    await deliver(lambda: interaction.response.send_modal(form))


async def _thank(interaction: Interaction, place: Place, *, helpful: bool, reason: str = "") -> None:
    await defer(interaction)
    notice = Notice(place.messages("gaps_off"))
    if interaction.client.assistant.recording:
        await _record_feedback(interaction, place, helpful=helpful, reason=reason)
        text = place.messages("thanks_helpful" if helpful else "thanks_not_helpful")
        notice = Notice(place.messages("thanks"), text)
    await edit_response(interaction, notice)


async def _record_feedback(
    interaction: Interaction, place: Place, *, helpful: bool, reason: str = ""
) -> None:
    assistant, message = interaction.client.assistant, interaction.message
    if message is not None:
        exchange = await exchange_of(assistant, message, place)
        await assistant.records.add_feedback(
            server=place.server,
            channel=place.channel,
            message=message.id,
            user=place.user,
            question=exchange.question if exchange else "",
            helpful=helpful,
            reason=reason,
            collection=place.collection,
        )


def _view(items: Iterable[discord.ui.Item[Any]]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


def _without(message: discord.Message, custom_id: str) -> discord.ui.View | None:
    """Return a message's buttons without one of them."""
    buttons = discord.ui.View.from_message(message, timeout=None).children
    others = [button for button in buttons if getattr(button, "custom_id", None) != custom_id]
    return _view(others) if others else None
