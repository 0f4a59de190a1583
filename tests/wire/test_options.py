"""What a command's options take, and what the bot may suggest for one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.bare import callback, register
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json
from tests.wire.test_commands import choices, option, options
from tests.wire.world import Guild, User

TYPED: Json = options(
    option(name="text", min_length=2, max_length=4),
    option(name="whole", type=4, min_value=1, max_value=9),
    option(name="flag", type=5),
    option(name="who", type=6),
    option(name="channel", type=7, channel_types=[0]),
    option(name="role", type=8),
    option(name="share", type=10, max_value=1),
    option(name="tone", choices=[{"name": "Very plain", "value": "plain"}]),
    option(name="article", autocomplete=True),
)


async def test_options_are_sent_by_the_type_that_is_registered(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    await register(wire, TYPED)
    role, channel = wire.world.role(guild, "helper"), guild.channels[0]
    given: dict[str, Any] = {
        "text": "abc",
        "whole": 3,
        "flag": False,
        "who": ann,
        "channel": channel,
        "role": role.id,
    }
    used = await wire.slash("ask", ann, guild, **given, share=0.5, tone="Very plain")
    sent = {one["name"]: (one["type"], one["value"]) for one in used.data["options"]}
    assert sent == {
        "text": (3, "abc"), "whole": (4, 3), "flag": (5, False), "who": (6, str(ann.id)),
        "channel": (7, str(channel.id)), "role": (8, str(role.id)), "share": (10, 0.5), "tone": (3, "plain"),
    }  # fmt: skip
    resolved = used.data["resolved"]
    assert resolved["channels"][str(channel.id)]["permissions"] == str(guild.permissions_of(ann, channel))
    assert resolved["roles"][str(role.id)]["name"] == "helper"
    assert resolved["users"][str(ann.id)]["username"] == "ann"


@pytest.mark.parametrize(
    "options",
    [
        {"text": "a"}, {"text": "abcde"}, {"text": 3}, {"whole": 0}, {"whole": 10}, {"whole": True},
        {"whole": 1.5}, {"flag": "yes"}, {"share": 1.5}, {"tone": "rude"}, {"role": 1}, {"channel": 1},
        {"who": 1}, {"other": "x"},
    ],
)  # fmt: skip
async def test_options_that_discord_would_not_send_fail(
    wire: LoopbackDiscord, guild: Guild, ann: User, options: dict[str, Any]
) -> None:
    await register(wire, TYPED)
    with pytest.raises(AssertionError):
        await wire.slash("ask", ann, guild, **options)


async def test_channel_of_another_type_or_server_fails(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    await register(wire, TYPED)
    for channel in (wire.world.forum(guild), wire.world.guild("other").channels[0]):
        with pytest.raises(AssertionError):
            await wire.slash("ask", ann, guild, channel=channel)


@pytest.mark.parametrize(
    "wrong",
    [choices(26), choices(1, name=""), choices(1, name="x" * 101), choices(1, value="x" * 101),
     choices(1, value=1)],
)  # fmt: skip
async def test_suggestions_that_discord_would_not_take_are_refused(
    wire: LoopbackDiscord, ann: User, wrong: list[Json]
) -> None:
    await register(wire, TYPED)
    with pytest.raises(AssertionError, match="suggestions"):
        await wire.autocomplete("ask", ann, focused="article", article="sk", within=0.01)
    used = wire.interactions.all[-1]
    assert used.data["options"] == [{"name": "article", "type": 3, "value": "sk", "focused": True}]
    assert (await callback(wire, used, 8, choices=wrong))[0] == 400
    assert (await callback(wire, used, 4, content="x"))[0] == 400
    assert wire.interactions.unfinished() == ["autocomplete of /ask (not acknowledged)"]
    assert (await callback(wire, used, 8, choices=choices(25)))[0] == 200
    assert used.choices == choices(25)
    assert wire.interactions.unfinished() == []


async def test_only_options_that_suggest_can_be_typed_into(wire: LoopbackDiscord, ann: User) -> None:
    await register(wire, TYPED)
    with pytest.raises(AssertionError, match="suggests nothing"):
        await wire.autocomplete("ask", ann, focused="text", text="ab")
