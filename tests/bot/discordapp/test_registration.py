"""Commands are sent to Discord when they differ, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from bot.discordapp.registration import canonical
from tests.bot.discordapp.conftest import MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.wire.loopback import LoopbackDiscord


async def puts(wire: LoopbackDiscord, make: MakeBotSettings, service: FakeService) -> int:
    """Start and stop the bot, and say how often it sent its commands."""
    before = len(wire.log.seen("PUT", "/commands$"))
    async with running(make(), service):
        pass
    return len(wire.log.seen("PUT", "/commands$")) - before


async def test_second_start_sends_nothing(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    assert await puts(wire, bot_settings, service) == 1
    assert {one["name"] for one in wire.interactions.commands} == {"ask", "index"}
    assert await puts(wire, bot_settings, service) == 0


async def test_order_and_fields_of_discords_own_make_no_difference(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    await puts(wire, bot_settings, service)
    wire.interactions.commands.reverse()
    for command in wire.interactions.commands:
        command |= {"handler": 1, "nsfw": False, "contexts": command["contexts"][::-1]}
        del command["dm_permission"]
    assert await puts(wire, bot_settings, service) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Another one"},
        {"contexts": [0]},
        {"integration_types": [0, 1]},
        {"default_member_permissions": "32"},
        {"nsfw": True},
        {"options": []},
        {"name": "query"},
    ],
)
async def test_any_difference_is_put_right(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService, change: dict[str, Any]
) -> None:
    await puts(wire, bot_settings, service)
    ask = next(one for one in wire.interactions.commands if one["name"] == "ask")
    ask |= change
    assert await puts(wire, bot_settings, service) == 1
    assert await puts(wire, bot_settings, service) == 0


async def test_command_of_an_older_version_is_removed(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    await puts(wire, bot_settings, service)
    wire.interactions.commands.append({**wire.interactions.commands[0], "name": "old", "id": "1"})
    assert await puts(wire, bot_settings, service) == 1
    assert {one["name"] for one in wire.interactions.commands} == {"ask", "index"}


async def test_bot_starts_although_commands_cannot_be_registered(
    wire: LoopbackDiscord,
    bot_settings: MakeBotSettings,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire.fault("GET", "/commands$", status=403)
    assert await puts(wire, bot_settings, service) == 0
    assert "could not be registered" in caplog.text


async def test_commands_are_for_servers_and_direct_messages(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    await puts(wire, bot_settings, service)
    for command in wire.interactions.commands:
        assert sorted(command["contexts"]) == [0, 1]
        assert command["integration_types"] == [0]


def test_canonical_form_of_a_removed_option_limit_differs() -> None:
    new = {"name": "ask", "type": 1, "options": [{"name": "q", "type": 3, "max_length": 1000}]}
    old = {"name": "ask", "type": 1, "options": [{"name": "q", "type": 3}]}
    assert canonical(new) != canonical(old)
