"""The generations that are kept, over the wire: listed, suggested, and gone back to; and forced rebuilds."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import NotServedError
from index.errors import DamagedIndexError, FootnoteError, GateError, MissingError, ShrunkError
from index.storage.generations import GenerationLine, State
from tests.bot.discordapp.fake_service import FakeService
from tests.bot.discordapp.stage import title_of
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json
from tests.wire.renderer import render

BUILT = "2026-01-31T12:00:00+00:00"


def line(number: int, state: State = State.KEPT, built: str = BUILT) -> GenerationLine:
    return GenerationLine(f"{number:06d}-{'ab' * 8}", state, built, "MiniLM", number, 41, 1_000_000)


LINES = (line(4, State.SERVING), line(3), line(2, State.DAMAGED, ""), line(1), line(9, State.REFUSED))


async def used(wire: LoopbackDiscord, command: str, **options: Any) -> Json:
    """Use a command as the owner; return the embed of what it comes to show."""
    interaction = await wire.slash(command, wire.world.owner, **options)
    (embed,) = (await wire.response_to(interaction))["embeds"]
    return dict(embed)


@pytest.mark.usefixtures("bot")
async def test_the_generations_are_listed_with_what_each_is_there_for(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.lines_kept = LINES
    text = render((await used(wire, "index history"))["description"]).text.splitlines()
    for one, says in zip(
        text, ("answers come from it", "kept", "damaged", "kept", "refused by the gate"), strict=True
    ):
        assert says in one
    for one, kept in zip(text, LINES, strict=True):
        assert kept.generation in one
    assert "2026-01-31 12:00 UTC; articles: 4; 1.0 MB" in text[0]


@pytest.mark.usefixtures("bot")
async def test_very_many_generations_are_cut_and_counted(wire: LoopbackDiscord, service: FakeService) -> None:
    service.lines_kept = tuple(line(number) for number in range(200))
    text = (await used(wire, "index history"))["description"]
    assert len(text) <= 4096
    assert text.splitlines()[-1] == f"and {200 - len(text.splitlines()) + 1} more"


@pytest.mark.usefixtures("bot")
async def test_only_what_can_be_gone_back_to_is_suggested_and_only_to_those_who_may(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.lines_kept = LINES
    guild = wire.world.guild(owner=wire.world.owner)
    await wire.gateway.announce(guild)

    async def suggested(typed: str) -> list[Json]:
        return await wire.autocomplete(
            "index rollback", wire.world.owner, guild, focused="generation", generation=typed
        )

    found = await suggested("")
    assert [one["value"] for one in found] == [line(3).generation, line(1).generation]
    assert found[0]["name"] == f"{line(3).generation} (2026-01-31 12:00 UTC, articles: 3)"
    assert [one["value"] for one in await suggested("000001")] == [line(1).generation]
    assert await suggested("nothing") == []
    ann = wire.world.user("ann")
    assert await wire.autocomplete("index rollback", ann, focused="generation", generation="") == []


@pytest.mark.usefixtures("bot")
async def test_going_back_says_from_where_answers_come(wire: LoopbackDiscord, service: FakeService) -> None:
    embed = await used(wire, "index rollback")
    assert embed["title"] == "Answers come from another generation"
    assert "g-0" in embed["description"]
    embed = await used(wire, "index rollback", generation=line(3).generation)
    assert line(3).generation in embed["description"]
    assert service.rolled_back == [None, line(3).generation]


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (DamagedIndexError("/i/tokens.i8 is *damaged*."), "That generation cannot be gone back to"),
        (MissingError("no generation '<@1>'"), "That generation cannot be gone back to"),
        (NotServedError("it is published, but"), "The rebuild is done, and answers still come from"),
    ],
)
@pytest.mark.usefixtures("bot")
async def test_going_back_that_is_refused_says_why_and_pings_nobody(
    wire: LoopbackDiscord, service: FakeService, error: FootnoteError, title: str
) -> None:
    service.rollback_error = error
    embed = await used(wire, "index rollback", generation="x")
    assert embed["title"].startswith(title)
    shown = render(embed["description"])
    assert shown.text == str(error)
    assert shown.constructs == []
    assert wire.log.pings == []


@pytest.mark.usefixtures("bot")
async def test_a_rebuild_that_is_refused_says_why_and_can_be_forced(
    wire: LoopbackDiscord, service: FakeService
) -> None:
    service.rebuild_error = ShrunkError("1 article where there were 9: `/index rebuild force:true`.")

    async def rebuilt(**options: Any) -> Json:
        interaction = await wire.slash("index rebuild", wire.world.owner, **options)
        ended = "The rebuild"
        await wire.log.until(
            lambda: interaction.edits and title_of(interaction.edits[-1]).startswith(ended), "its outcome"
        )
        return dict(interaction.edits[-1]["embeds"][0])

    refused = await rebuilt()
    assert render(refused["description"]).text == str(service.rebuild_error)
    service.rebuild_error = None
    assert (await rebuilt(force=True))["title"] == "The rebuild is done"
    assert service.forced == [False, True]
    service.rebuild_error = GateError("2 gold questions are lost:\n  Who *kept* <@1>?\n  @everyone when?")
    shown = render((await rebuilt())["description"])
    assert "Who *kept* <@1>?" in shown.text
    assert shown.constructs == []
    assert wire.log.pings == []
