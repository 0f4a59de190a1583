"""Which buttons an answer has, and what becomes of a press that cannot be answered; over the wire."""

from __future__ import annotations

import asyncio

import pytest

from bot.answering.answer import Verdict
from bot.chat.words import words_in
from bot.discordapp.client import FootnoteClient
from index.articles.article import Article
from index.errors import BusyError
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService, sample_answer, sample_article
from tests.bot.discordapp.stage import (
    answer_to,
    has_articles,
    inhabited,
    mentioned,
    noticed,
    pressed,
    title_of,
)
from tests.wire.loopback import LoopbackDiscord
from tests.wire.places import Channel, Guild, User
from tests.wire.records import Json

_CONTEXT, _NEXT, _ASK = "Show context", "Next source", "Ask a follow-up"
_VOTES = ["Helpful", "Not helpful"]


async def every_answer(wire: LoopbackDiscord, user: User, guild: Guild) -> list[Json]:
    """Ask in every way; return the answers: by command, mention, direct message, command there, reply."""
    direct = wire.world.dm(user)
    by_mention = await mentioned(wire, user, guild)
    return [
        await answer_to(wire, user, guild),
        by_mention,
        await wire.reply_to(await wire.say(direct, user, "When did it open?")),
        await answer_to(wire, user),
        await wire.reply_to(await wire.say(guild, user, "And then?", reply_to=by_mention)),
        await wire.response_to(await wire.menu("Answer this", user, await wire.say(guild, user, "So?"))),
    ]


@pytest.mark.parametrize(
    ("texts", "further", "verdict", "buttons"),
    [
        (("One.",), (), Verdict.ANSWERED, [_CONTEXT, _ASK, *_VOTES]),
        (("One.", "Two."), (), Verdict.ANSWERED, [_CONTEXT, _NEXT, _ASK, *_VOTES]),
        (("One.",), ("Two.",), Verdict.ANSWERED, [_CONTEXT, _NEXT, _ASK, *_VOTES]),
        (("One.", "Two.", "Three."), (), Verdict.RELATED, [_CONTEXT, _ASK, *_VOTES, "Why?"]),
        (("One.", "Two.", "Three."), ("4.",), Verdict.RELATED, [_CONTEXT, _NEXT, _ASK, *_VOTES, "Why?"]),
        (("One.", "Two."), (), Verdict.NOT_FOUND, [_CONTEXT, _ASK, *_VOTES, "Why?"]),
        (("One.", "Two.", "Three."), (), Verdict.NOT_FOUND, [_CONTEXT, _NEXT, _ASK, *_VOTES, "Why?"]),
        ((), (), Verdict.NOT_FOUND, [_ASK, *_VOTES, "Why?"]),
    ],
)
@pytest.mark.usefixtures("bot")
async def test_an_answer_has_its_buttons_however_it_was_asked_for(
    wire: LoopbackDiscord,
    service: FakeService,
    texts: tuple[str, ...],
    further: tuple[str, ...],
    verdict: Verdict,
    buttons: list[str],
) -> None:
    service.reply = sample_answer(verdict=verdict, texts=texts, further=further)
    guild, (ann,) = await inhabited(wire, "ann")
    assert [wire.buttons(one) for one in await every_answer(wire, ann, guild)] == [buttons] * 6


async def test_without_recording_nobody_is_asked_whether_it_helped(
    wire: LoopbackDiscord, service: FakeService, bot_settings: MakeBotSettings
) -> None:
    service.reply = sample_answer(verdict=Verdict.NOT_FOUND)
    async with running(bot_settings(record_days=0), service):
        guild, (ann,) = await inhabited(wire, "ann")
        assert [wire.buttons(one) for one in await every_answer(wire, ann, guild)] == [
            [_CONTEXT, _ASK, "Why?"]
        ] * 6


@pytest.mark.parametrize("named", ["helper_role", "helper_channel"])
async def test_helpers_are_offered_where_settings_name_them_and_there_is_no_answer(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient, named: str
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    other, _ = await inhabited(wire)
    wire.world.join(other, ann)
    await bot.surface.records.change(guild.id, None, **{named: guild.channels[0].id})
    assert "Ask the helpers" not in wire.buttons(await answer_to(wire, ann, guild))
    for verdict in (Verdict.RELATED, Verdict.NOT_FOUND):
        service.reply = sample_answer(verdict=verdict)
        offered = ["Ask the helpers" in wire.buttons(one) for one in await every_answer(wire, ann, guild)]
        assert offered == [True, True, False, False, True, True]
        assert "Ask the helpers" not in wire.buttons(await answer_to(wire, ann, other))


@pytest.mark.usefixtures("bot")
async def test_buttons_work_where_only_the_asker_installed_the_bot(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.reply = sample_answer(verdict=Verdict.RELATED, further=("More.",))
    has_articles(service, sample_article("councils", "More."))
    guild, ann = wire.world.guild(bot=False), wire.world.user("ann")
    bob = wire.world.join(guild, wire.world.user("bob"))
    used = await wire.slash("ask", wire.world.join(guild, ann), guild, installed="user", question="Why?")
    answer = await wire.response_to(used)
    assert wire.buttons(answer) == [_CONTEXT, _NEXT, _ASK, *_VOTES, "Why?"]
    for button in (_CONTEXT, _NEXT, "Why?", "Helpful"):
        assert (await pressed(wire, bob, answer, button))["flags"] & 64
    for button in (_ASK, "Not helpful"):
        sent = await wire.submit(await wire.press(bob, answer, button), ["So?"])
        assert (await wire.response_to(sent))["embeds"]


async def test_buttons_speak_the_language_that_is_set(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    service.reply = sample_answer(verdict=Verdict.RELATED, further=("More.",))
    await bot.surface.records.change(guild.id, None, language="de", helper_role=1)
    kinds = "context", "next", "follow_up", "helpful", "not_helpful", "why", "pass_on"
    labels = [words_in("de")(f"button_{kind}") for kind in kinds]
    for message in (await answer_to(wire, ann, guild), await mentioned(wire, ann, guild)):
        assert wire.buttons(message) == labels


@pytest.mark.parametrize(
    "custom_id",
    ["fn:gone", "fn:context:short", "fn:next:1:", "fn:why:é", "another bot's", "fn:ask:more", "fn:form:ask"],
)
@pytest.mark.usefixtures("bot")
async def test_a_button_that_is_not_known_any_more_gets_a_private_notice(
    wire: LoopbackDiscord, service: FakeService, custom_id: str
) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    old = await with_button(wire, guild.channels[0], custom_id)
    used = await wire.press(ann, old, custom_id)
    assert title_of(await wire.response_to(used)) == "This button is of an older version"
    assert used.ephemeral
    assert service.asked == []


async def with_button(wire: LoopbackDiscord, channel: Channel, custom_id: str) -> Json:
    """Let the bot have posted a message with a button of this id."""
    button = {"type": 2, "style": 2, "label": "Old", "custom_id": custom_id}
    row = {"type": 1, "components": [button]}
    message = wire.messages.build(channel, wire.world.bot, {"content": "Old.", "components": [row]})
    await wire.messages.announce(message)
    return message


@pytest.mark.usefixtures("bot")
async def test_a_form_that_is_not_known_any_more_gets_a_private_notice(wire: LoopbackDiscord) -> None:
    guild, (ann,) = await inhabited(wire, "ann")
    used = await wire.press(ann, await answer_to(wire, ann, guild), "Ask a follow-up")
    (await wire.form(used))["custom_id"] = "fn:form:gone"
    sent = await wire.submit(used, ["Why?"])
    assert title_of(await wire.response_to(sent)) == "This button is of an older version"
    assert sent.ephemeral


class _Broken(FakeService):
    async def article(self, identity: str) -> Article | None:
        raise RuntimeError(f"boom {identity}")


@pytest.mark.parametrize("button", ["Show context", "Next source"])
async def test_a_handler_that_fails_ends_in_a_private_apology_and_a_log_line(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, caplog: pytest.LogCaptureFixture, button: str
) -> None:
    service = _Broken(reply=sample_answer(further=("More.",)))
    has_articles(service, sample_article())
    async with running(bot_settings(), service):
        guild, (ann,) = await inhabited(wire, "ann")
        used = await wire.press(ann, await answer_to(wire, ann, guild), button)
        message = await wire.response_to(used)
    assert title_of(message) == "Something went wrong"
    assert message["flags"] & 64
    assert "boom" not in str(message)
    assert "A handler failed." in caplog.text
    assert "boom councils" in caplog.text


@pytest.mark.parametrize(
    ("error", "title"),
    [(BusyError("full"), "Too many questions are waiting"), (RuntimeError("boom"), "Something went wrong")],
)
@pytest.mark.usefixtures("bot")
async def test_a_button_that_asks_again_in_vain_says_so_privately(
    wire: LoopbackDiscord, service: FakeService, error: Exception, title: str
) -> None:
    service.reply = sample_answer(verdict=Verdict.RELATED)
    guild, (ann,) = await inhabited(wire, "ann")
    answer = await answer_to(wire, ann, guild)
    service.error = error
    message = await pressed(wire, ann, answer, "Why?")
    assert title_of(message) == title
    assert message["flags"] & 64


async def test_discord_py_keeps_nothing_of_answers_presses_and_forms(
    wire: LoopbackDiscord, service: FakeService, bot: FootnoteClient
) -> None:
    service.reply = sample_answer(
        verdict=Verdict.RELATED, texts=("1.", "2.", "3."), further=("4.", "5.", "6.")
    )
    guild, (ann,) = await inhabited(wire, "ann")
    await bot.surface.records.change(guild.id, None, helper_channel=guild.channels[0].id)
    store = bot._connection._view_store
    known = dict(store._dynamic_items)
    for number in range(4):
        for answer in (await answer_to(wire, ann, guild), await mentioned(wire, ann, guild)):
            for button in ("Show context", "Helpful", "Why?"):
                await pressed(wire, ann, answer, button)
            source = await pressed(wire, ann, answer, "Next source")
            await wire.response_to(await wire.press(ann, source, "Next source"))
            for button in ("Ask a follow-up", "Not helpful"):
                used = await wire.press(ann, answer, button)
                if number % 2:  # it is dismissed
                    await wire.form(used)
                else:
                    await wire.response_to(await wire.submit(used, ["So?"]))
            await noticed(wire, await wire.press(ann, answer, "Ask the helpers"))
    await asyncio.sleep(0)
    assert store._dynamic_items == known
    assert (store._views, store._synced_message_views, store._modals) == ({}, {}, {})
