"""Two collections on one Discord: every path keeps to the one that its channel is bound to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest_asyncio

from bot.settings import BotSettings
from index.encoding.encoder import Encoder
from tests.bot.conftest import BELL, IN_BOTH, QUESTION
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Bot, Chat, PromptClient, eventually, settle
from tests.bot.discordapp.service import ABSENT, StagedService
from tests.bot.services import RebuilderHere
from tests.wire.entities import Channel, Message

OWN = {"": ("Gull Rock", "without a clock", "turbine"), "harbour": ("Skerry",)}
"""What each collection's articles say, and the other's do not."""


class Two(Chat):
    """A loopback Discord with a channel for each collection; its server's owner may do everything."""

    services: dict[str, StagedService]
    channels: dict[str, Channel]

    def both(self, *names: str) -> AbstractAsyncContextManager[Bot]:
        """Connect a bot with these collections, by default both."""
        served = {name: self.services[name] for name in names or self.services}
        admin = frozenset({self.guild.owner.id})
        return self.bot(lambda settings, _: PromptClient(settings, served), discord_admin_users=admin)

    async def bind(self, collection: str, channel: Channel | None = None) -> Message:
        return await self.configure("collection", collection=collection, channel=channel)


@pytest_asyncio.fixture(loop_scope="session")
async def two(fresh: Chat, home_with_harbour: Path, encoder: Encoder) -> AsyncIterator[Two]:
    """Serve both collections, of which the second channel is bound to one and the first to the default."""
    fresh.__class__ = Two
    assert isinstance(fresh, Two)
    settings = {name: BotSettings.load(collection=name) for name in ("", "harbour")}
    services = {name: StagedService(one, RebuilderHere(one, encoder)) for name, one in settings.items()}
    await services[""].start()
    await services["harbour"].start(services[""])
    fresh.services, fresh.service = services, services[""]
    fresh.ann = fresh.guild.owner
    fresh.channels = {"": fresh.guild.channels[0], "harbour": await fresh.channel(fresh.guild, "pier")}
    yield fresh
    for service in services.values():
        await asyncio.wait_for(service.close(), 60)


def seen(*messages: Message) -> str:
    """Return all that messages show."""
    return "\n".join(f"{message.content}{message.embeds}{message.files}" for message in messages)


def is_of(collection: str, shown: str) -> None:
    """Check that what is shown is of this collection and not of the other."""
    other = next(name for name in OWN if name != collection)
    assert any(words in shown for words in OWN[collection]), (collection, shown)
    assert not any(words in shown for words in OWN[other]), (collection, shown)


async def use_every_way(two: Two, where: Channel) -> list[str]:
    """Use all that is no button and asks a collection, in a channel; return what each way shows."""
    choices = await two.complete(two.ann, "ask", where, "article", "")
    lamp = next(choice["value"] for choice in choices if "lamp" in choice["name"])
    messages = [
        await two.ask(QUESTION, where=where),
        await two.ask(QUESTION, where=where, article=lamp),
        await two.use("verify", where=where, text=IN_BOTH),
        await two.use("index articles", where=where),
        answer := await two.mention(QUESTION, where=where),
        await two.mention("Who kept the lamp?", where=await two.thread(where, two.ann, "More", on=answer)),
    ]
    for name, text in ((texts.ANSWER_THIS, QUESTION), (texts.CHECK_THIS, IN_BOTH)):
        message = await two.say(two.bob, where, text, webhook=True)
        messages.append(await two.answer(await two.menu(two.ann, name, message)))
    return [str(choices), *map(seen, messages)]


async def press_all(two: Two, name: str, answer: Message) -> None:
    """Press the buttons of an answer, and reply to it; all belong to the collection that it is from."""
    shown = [answer, *[await two.click(answer, label) for label in (texts.CONTEXT, texts.NEXT)]]
    shown += [await two.click(shown[-1], texts.CONTEXT), await two.follow_up(answer, QUESTION)]
    shown.append(await two.mention(QUESTION, where=answer.channel, to=answer))
    for message in shown:
        is_of(name, seen(message))
    asked = len(two.services[name].asked)
    assert (await two.click(answer, texts.WHY)).title == texts.REASONS
    assert len(two.services[name].asked) == asked + 1


async def test_every_way_keeps_to_the_collection_of_its_channel_and_an_answer_to_its_own(two: Two) -> None:
    async with two.both():
        assert two.gateway.presences[-1] == texts.PRESENCE.format(6)
        assert "Articles that are asked: harbour" in (await two.bind("harbour", two.channels["harbour"])).text
        answers = []
        for name, channel in two.channels.items():
            for shown in await use_every_way(two, channel):
                is_of(name, shown)
            for ask in (two.ask, two.mention):
                answers.append((name, await ask(ABSENT, where=channel)))
                await press_all(two, *answers[-1])
        is_of("", seen(await two.direct(QUESTION)))
        await two.bind("harbour")  # the whole server
        is_of("harbour", seen(await two.ask(QUESTION)))
        await two.bind("default", two.channels[""])  # a channel's own wins
        is_of("", seen(await two.ask(QUESTION)))
        await two.bind("inherit", two.channels["harbour"])
        is_of("harbour", seen(await two.ask(QUESTION, where=two.channels["harbour"])))
        # An answer's buttons and follow-ups stay with the collection that it is from.
        await two.bind("harbour", two.channels[""])
        await two.bind("default", two.channels["harbour"])
        for name, answer in answers[::2]:
            await press_all(two, name, answer)
        await two.ask("Who kept it?", where=two.channels["harbour"])
        assert two.services[""].latest() == ("Who kept it?", None, None)  # the latest there was of the other
    async with two.both():  # which remembers no answer
        for name, answer in answers:
            await press_all(two, name, answer)


async def test_records_are_of_one_collection_and_a_swap_asks_its_own_questions_again(two: Two) -> None:
    async with two.both() as bot:
        await two.bind("harbour", two.channels["harbour"])
        await two.configure("gaps", tell=True)
        for name, channel in two.channels.items():
            two.services[name].verdict = "not_found"
            answer = await two.ask(QUESTION, where=channel)
            await eventually(partial(_gaps, two, channel), lambda text: "asked once" in text)
            await two.click(answer, texts.HELPFUL)
            await two.fill_in(answer, texts.NOT_HELPFUL, f"from {channel.name}")
            two.services[name].reset()
        records, guild = bot.client.assistant.records, two.guild.id
        for name, channel in two.channels.items():
            assert [row.reason for row in await records.feedback(guild, name)] == [f"from {channel.name}"]
        (other,) = await records.gaps(guild, "")
        await two.use("gaps drop", where=two.channels["harbour"], number=other.id)
        two.services["harbour"].swap()
        (post,) = await two.log.until(lambda: two.posts(two.channels["harbour"]), "a late answer")
        is_of("harbour", seen(post))
        assert await _gaps(two, two.channels["harbour"]) == texts.NONE
        assert "asked once" in await _gaps(two, two.channels[""])
        assert two.services[""].asked == []
        exported = await two.use("gaps export", where=two.channels["harbour"])
        assert exported.files[0].decode("utf-8-sig").count(QUESTION) == 1
        await two.bind("harbour", two.channels[""])  # which then hears of no late answer from the default
        two.services[""].swap()
        await eventually(lambda: records.gaps(guild, "", answered=True), bool)
        await settle()
        assert two.posts(two.channels[""]) == []


async def _gaps(chat: Two, where: Channel) -> str:
    return (await chat.use("gaps list", where=where)).text


async def test_operators_see_and_change_the_index_and_sources_of_the_channel(two: Two) -> None:
    async with two.both():
        where = two.channels["harbour"]
        await two.bind("harbour", where)
        before = {name: await service.status() for name, service in two.services.items()}
        for name, channel in two.channels.items():
            status = await two.use("index status", where=channel)
            assert status.title == (f"{texts.INDEX} (harbour)" if name else texts.INDEX)
            assert before[name].generation in str(status.fields)
            assert before[name].generation in (await two.use("index history", where=channel)).text
        Path("harbour/bell.txt").write_text(BELL, encoding="utf-8")
        await two.ended(await two.slash(two.ann, "index rebuild", where))
        assert [(await service.status()).articles for service in two.services.values()] == [3, 4]
        for name, channel in two.channels.items():
            choices = await two.complete(two.ann, "index rollback", channel, "generation", "")
            kept = [before[name].generation] if name else []
            assert [choice["value"] for choice in choices] == kept
        assert (await two.use("index rollback", where=where)).title == texts.ROLLED_BACK
        assert {name: await service.status() for name, service in two.services.items()} == before
        await two.use("sources add", where=where, address="https://docs.example/guide")
        assert "docs.example" in (await two.use("sources list", where=where)).text
        assert (await two.use("sources list")).text == texts.NO_SOURCES
        for name, channel in two.channels.items():
            choices = await two.complete(two.ann, "sources remove", channel, "name", "")
            assert [choice["value"] for choice in choices] == (["docs-example"] if name else [])
        await two.use("sources remove", where=where, name="docs-example")
        assert (await two.use("sources list", where=where)).text == texts.NO_SOURCES
        two.services["harbour"].report_damage("a hole")
        alert = (await two.log.until(lambda: two.posts(two.ann), "an alert"))[0]
        assert alert.title == f"{texts.DAMAGED} (harbour)"
        await two.log.until(lambda: two.gateway.presences[-1] == texts.PRESENCE.format(3), "a presence")


async def test_a_collection_that_is_no_longer_listed_is_named_and_no_other_asked(two: Two) -> None:
    where = two.channels["harbour"]
    async with two.both():
        offered = await two.complete(two.ann, "settings collection", where, "collection", "")
        assert [choice["value"] for choice in offered] == ["inherit", "default", "harbour"]
        assert await two.complete(two.bob, "settings collection", where, "collection", "") == []
        await two.bind("harbour", where)
        assert (await two.bind("attic", where)).title == texts.NO_COLLECTION
        answer = await two.ask(ABSENT, where=where)
    two.services[""].reset()
    async with two.both(""):
        message = await two.say(two.bob, where, QUESTION, webhook=True)
        uses = [two.menu(two.ann, name, message) for name in (texts.ANSWER_THIS, texts.CHECK_THIS)]
        uses += [two.press(two.ann, answer, label) for label in answer.buttons]
        commands: dict[str, dict[str, Any]] = {
            "ask": {"question": QUESTION}, "verify": {"text": IN_BOTH}, "gaps list": {}, "gaps export": {},
            "gaps drop": {"number": 1}, "index status": {}, "index rebuild": {}, "index history": {},
            "index rollback": {}, "index articles": {}, "sources list": {}, "sources refresh": {},
            "sources add": {"address": "https://a.example/"}, "sources remove": {"name": "a"},
        }  # fmt: skip
        uses += [two.slash(two.ann, command, where, **options) for command, options in commands.items()]
        notices = [await two.answer(await use) for use in uses]
        notices += [await two.mention(QUESTION, where=where, to=to) for to in (None, answer)]
        named = {(notice.title, "harbour" in notice.text) for notice in notices}
        assert named == {(texts.NO_COLLECTION, True)}
        assert await two.complete(two.ann, "ask", where, "article", "") == []
        assert (two.services[""].asked, two.services[""].verified) == ([], [])
        assert "harbour" in (await two.configure("show")).text
        await two.bind("inherit", where)
        is_of("", seen(await two.ask(QUESTION, where=where)))
