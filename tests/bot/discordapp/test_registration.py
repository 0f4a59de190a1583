"""The registration of commands with Discord, at a start and by `footnote discord sync`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bot.chat.messages import languages
from bot.discordapp.client import make_tree
from bot.discordapp.connection import sync_commands
from bot.errors import DiscordRefusedError
from index.errors import FootnoteError
from tests.bot.discordapp import texts
from tests.bot.discordapp.chat import Chat
from tests.wire.entities import Permission

EVERYBODYS = {"ask", "verify", "privacy", texts.ANSWER_THIS, texts.CHECK_THIS}
OPERATORS = {"index", "sources"}
MANAGERS = {*OPERATORS, "settings", "gaps"}
INVALID = (
    b'{"code": 50035, "message": "Invalid Form Body", "errors": {"0": {"name": {"_errors": '
    b'[{"code": "X", "message": "Command name is invalid"}]}}}}'
)


def _sent(chat: Chat) -> int:
    """Return how often commands were sent."""
    return len(chat.log.seen("PUT", "/commands$"))


async def _sync(chat: Chat, server: int | None = None, *, force: bool = False, remove: bool = False) -> str:
    """Run `footnote discord sync`; return the line that it prints."""
    line = await sync_commands(chat.settings(), make_tree, server, force=force, remove=remove)
    assert ("\n" in line, chat.gateway.connections) == (False, 0)
    return line


async def test_commands_are_offered_where_and_to_whom_they_are_meant(chat: Chat) -> None:
    offered = {command["name"]: command for command in chat.commands.of[0]}
    assert set(offered) == EVERYBODYS | MANAGERS
    for name, command in offered.items():
        contexts = {0, 1, 2} if name in EVERYBODYS else {0, 1} if name in OPERATORS else {0}
        permissions = None if name in EVERYBODYS else str(int(Permission.MANAGE_SERVER))
        installs = {0, 1} if name in EVERYBODYS else {0}
        assert (set(command["contexts"]), set(command["integration_types"])) == (contexts, installs)
        assert command["default_member_permissions"] == permissions


async def test_commands_are_not_sent_again_by_a_second_start(
    fresh: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        async with fresh.bot():
            assert (_sent(fresh), fresh.log.seen("GET", "/commands$")) == (1, [])
    assert caplog.text.count(texts.REGISTERED) == 1


@pytest.mark.parametrize(
    "answer", [{"status": 400, "body": INVALID}, {"status": 403}, {"status": 200, "body": b"null"}]
)
async def test_the_bot_works_without_its_commands_and_tries_again_at_the_next_start(
    fresh: Chat, caplog: pytest.LogCaptureFixture, answer: dict[str, Any]
) -> None:
    fresh.faults.answer("PUT", "/commands$", **answer)
    async with fresh.bot():
        assert (await fresh.mention()).title == texts.ANSWERED
    assert texts.NOT_REGISTERED in caplog.text
    async with fresh.bot():
        assert _sent(fresh) == 2


async def test_sync_says_in_one_line_what_was_sent(fresh: Chat) -> None:
    line = await _sync(fresh)
    assert all(part in line for part in ("9 commands for every server were registered", "/ask", "/index"))
    await _sync(fresh)
    assert _sent(fresh) == 1
    assert "were registered" in await _sync(fresh, force=True)
    assert _sent(fresh) == 2
    server = fresh.guild.id
    assert f"server {server}" in await _sync(fresh, server)
    assert (len(fresh.commands.of[server]), _sent(fresh)) == (9, 3)
    assert "no commands for server" in await _sync(fresh, server, remove=True)
    assert (fresh.commands.of[server], len(fresh.commands.of[0])) == ([], 9)
    with pytest.raises(DiscordRefusedError, match=r"in server 78 .*footnote discord invite"):
        await _sync(fresh, 78)


async def test_sync_explains_refusals(fresh: Chat) -> None:
    for method, path, status, message in (
        ("GET", "/users/@me$", 401, "refused the token"), ("PUT", "/commands$", 403, "refused the bot"),
    ):  # fmt: skip
        fresh.faults.answer(method, path, status=status)
        with pytest.raises(DiscordRefusedError, match=message):
            await _sync(fresh)
    fresh.faults.answer("PUT", "/commands$", status=400, body=INVALID)
    with pytest.raises(FootnoteError, match=r"(?s)bug in Footnote.*Command name is invalid") as error:
        await _sync(fresh)
    assert error.value.exit_status == 70


def _described(commands: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield commands and options that have a description, at any depth."""
    for command in commands:
        if command.get("description"):
            yield command
        yield from _described(command.get("options", []))


async def test_every_description_is_translated(chat: Chat) -> None:
    described = list(_described(chat.commands.of[0]))
    assert len(described) > 30
    for language in languages()[1:]:
        missing = [
            command["description"]
            for command in described
            if not any(code.startswith(language) for code in command.get("description_localizations") or {})
        ]
        assert missing == []
