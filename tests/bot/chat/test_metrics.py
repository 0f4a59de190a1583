"""Where the server for health checks and metrics listens; the Discord tests read what it serves."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bot.chat.metrics import Metrics, health_server
from index.errors import MissingError


async def test_no_other_address_of_this_machine_answers() -> None:
    async with health_server(0, Metrics(), list[str]) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            await asyncio.open_connection("127.0.0.2", port)


async def test_taken_port_is_refused_with_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MissingError, match=f"Port {port} of 127.0.0.1 is taken.*FOOTNOTE_HEALTH_PORT"):
            async with health_server(port, Metrics(), list[str]):
                pass
