"""A loopback Discord that knows one command, and a bare client of its gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.wire.bare import TOKEN, GatewayClient, register
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json
from tests.wire.world import Guild, User

ASK: Json = {"name": "ask", "type": 1, "description": "Ask", "options": []}


@pytest.fixture
async def wire() -> AsyncIterator[LoopbackDiscord]:
    """Start a server that knows one command; what it refuses is looked at by the tests."""
    async with LoopbackDiscord(TOKEN) as server:
        await register(server, ASK)
        yield server


@pytest.fixture
async def client(wire: LoopbackDiscord) -> AsyncIterator[GatewayClient]:
    """Connect to the gateway without compression."""
    async with aiohttp.ClientSession() as session, session.ws_connect(wire.gateway_url + "?v=10") as socket:
        yield GatewayClient(socket)


@pytest.fixture
def guild(wire: LoopbackDiscord) -> Guild:
    """Make a server that the bot is in."""
    return wire.world.guild()


@pytest.fixture
def ann(wire: LoopbackDiscord, guild: Guild) -> User:
    """Make a member."""
    return wire.world.join(guild, wire.world.user("ann"))
