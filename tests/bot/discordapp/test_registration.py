"""Commands are sent to Discord when they differ, and only then; for every server or for one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any

import discord
import pytest
from aiohttp import web
from discord import app_commands

from bot.discordapp.connection import logged_in
from bot.discordapp.registration import (
    canonical,
    register_if_changed,
    remove,
    sync,
    sync_commands,
)
from bot.errors import DiscordRefusedError
from bot.settings import BotSettings
from index.errors import FootnoteError
from tests.bot.discordapp.conftest import TOKEN, MakeBotSettings, running
from tests.bot.discordapp.fake_service import FakeService
from tests.wire.interactions import Interactions
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json, RefusedError
from tests.wire.schema import as_stored, check_commands

AnyTree = app_commands.CommandTree[Any]
_EVERYWHERE = "/applications/{application}/commands"
_IN_ONE = "/applications/{application}/guilds/{guild}/commands"
_TRANSLATIONS = ("name_localizations", "description_localizations")


class Registry(Interactions):
    """The commands of every scope, kept as Discord does; translations are given back on demand alone."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.of: dict[str | None, list[Json]] = {None: self.commands}
        self.members: set[str] = set()
        """The servers that the bot is in."""

    def routes(self) -> Iterable[web.RouteDef]:
        others = [one for one in super().routes() if one.path != _EVERYWHERE]
        own = [
            maker(path, handler)
            for path in (_EVERYWHERE, _IN_ONE)
            for maker, handler in ((web.get, self._given), (web.put, self._replaced))
        ]
        return [*own, *others]

    def _scope(self, request: web.Request) -> str | None:
        assert request.match_info["application"] == str(self.world.application_id)
        server = request.match_info.get("guild")
        if server is not None and server not in self.members:
            raise RefusedError(403, 50001, "Missing Access", violation=False)
        return server

    async def _given(self, request: web.Request) -> Any:
        stored = self.of.get(self._scope(request), [])
        if request.query.get("with_localizations") == "true":
            return stored
        return [without_translations(one) for one in stored]

    async def _replaced(self, request: web.Request) -> Any:
        scope, body = self._scope(request), await request.json()
        check_commands(body)
        self.of[scope] = [
            as_stored(one, self.world.new_id(), self.world.application_id)
            | {key: one.get(key) or None for key in _TRANSLATIONS}
            for one in body
        ]
        return self.of[scope]


def without_translations(command: Json) -> Json:
    kept = {key: value for key, value in command.items() if key not in _TRANSLATIONS}
    if "options" in kept:
        kept["options"] = [without_translations(one) for one in kept["options"]]
    return kept


@pytest.fixture
async def wire() -> AsyncIterator[LoopbackDiscord]:
    server = LoopbackDiscord(TOKEN)
    server.interactions = Registry(server.world, server.log, server.gateway, server.channels)
    async with server:
        yield server
        assert server.log.violations == []


@pytest.fixture
def registry(wire: LoopbackDiscord) -> Registry:
    assert isinstance(wire.interactions, Registry)
    return wire.interactions


@pytest.fixture
def settings(wire: LoopbackDiscord) -> BotSettings:
    return BotSettings.load(discord_token=TOKEN, discord_api_url=wire.url)


class German(app_commands.Translator):
    """Knows one word."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        return "frage" if locale is discord.Locale.german and string.message == "question" else None


def make_tree(client: discord.Client) -> AnyTree:
    """Make a tree with a command of each kind: slash, group, and in a message's menu."""
    everywhere = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
    installs = app_commands.AppInstallationType(guild=True, user=False)
    tree: AnyTree = app_commands.CommandTree(client, allowed_contexts=everywhere, allowed_installs=installs)

    @tree.command(name="ask", description="Ask")
    @app_commands.describe(question="What")
    async def ask(interaction: discord.Interaction, question: app_commands.Range[str, 1, 100]) -> None: ...

    @tree.context_menu(name="Check this quote")
    async def check(interaction: discord.Interaction, message: discord.Message) -> None: ...

    group = app_commands.Group(
        name="index", description="The index", default_permissions=discord.Permissions(manage_guild=True)
    )

    @group.command(name="status", description="Show it")
    async def status(interaction: discord.Interaction) -> None: ...

    tree.add_command(group)
    return tree


@pytest.fixture
async def tree(settings: BotSettings) -> AsyncIterator[AnyTree]:
    async with logged_in(settings) as client:
        yield make_tree(client)


def puts(wire: LoopbackDiscord) -> int:
    return len(wire.log.seen("PUT", "/commands$"))


async def test_second_time_sends_nothing_and_force_does(wire: LoopbackDiscord, tree: AnyTree) -> None:
    first = await sync(tree)
    assert (first.changed, puts(wire)) == (True, 1)
    again = await sync(tree)
    assert (again.changed, puts(wire)) == (False, 1)
    forced = await sync(tree, force=True)
    assert (forced.changed, puts(wire)) == (True, 2)
    assert first.tree == again.tree == forced.tree
    assert set(first.commands) == {"/ask", "/index", "Check this quote"}


async def test_order_and_fields_of_discords_own_make_no_difference(registry: Registry, tree: AnyTree) -> None:
    await sync(tree)
    registry.of[None].reverse()
    for command in registry.of[None]:
        command |= {"handler": 1, "nsfw": False, "contexts": command["contexts"][::-1]}
        del command["dm_permission"]
    assert not (await sync(tree)).changed


@pytest.mark.parametrize("name", ["ask", "index", "Check this quote"])
@pytest.mark.parametrize(
    "change",
    [
        {"description": "Another one"},
        {"contexts": [0]},
        {"integration_types": [0, 1]},
        {"default_member_permissions": "8"},
        {"nsfw": True},
        {"options": [{"name": "why", "description": "Why", "type": 3}]},
        {"name": "query"},
        {"name_localizations": {"de": "fragen"}},
        {"description_localizations": {"de": "Fragen"}},
    ],
)
async def test_any_difference_is_put_right(
    wire: LoopbackDiscord, registry: Registry, tree: AnyTree, name: str, change: dict[str, Any]
) -> None:
    await sync(tree)
    command = next(one for one in registry.of[None] if one["name"] == name)
    command |= change
    assert (await sync(tree)).changed
    assert not (await sync(tree)).changed
    assert puts(wire) == 2


async def test_command_of_an_older_version_is_removed(registry: Registry, tree: AnyTree) -> None:
    await sync(tree)
    registry.of[None].append({**registry.of[None][0], "name": "old", "id": "1"})
    assert (await sync(tree)).changed
    assert {one["name"] for one in registry.of[None]} == {"ask", "index", "Check this quote"}


async def test_translations_are_registered_and_compared(registry: Registry, tree: AnyTree) -> None:
    plain = await sync(tree)
    await tree.set_translator(German())
    tree.add_command(translated())
    first = await sync(tree)
    (option,) = next(one for one in registry.of[None] if one["name"] == "why")["options"]
    assert option["name_localizations"] == {"de": "frage"}
    assert first.changed
    assert first.tree != plain.tree
    assert not (await sync(tree)).changed
    option["name_localizations"] = {"de": "Wort"}
    assert (await sync(tree)).changed


def translated() -> app_commands.Command[Any, ..., None]:
    @app_commands.rename(question=app_commands.locale_str("question"))
    async def why(interaction: discord.Interaction, question: str) -> None: ...

    return app_commands.Command(name="why", description="Why", callback=why)


async def test_one_server_gets_the_commands_when_they_differ_and_loses_them_on_demand(
    wire: LoopbackDiscord, registry: Registry, tree: AnyTree
) -> None:
    registry.members.add("77")
    first = await sync(tree, 77)
    assert (first.changed, first.server) == (True, 77)
    assert {one["name"] for one in registry.of["77"]} == {"ask", "index", "Check this quote"}
    assert registry.of[None] == []
    assert not (await sync(tree, 77)).changed
    assert (await sync(tree, 77, force=True)).changed
    await sync(tree)
    before = puts(wire)
    assert (await remove(tree, 77)).changed
    assert registry.of["77"] == []
    assert len(registry.of[None]) == 3
    assert not (await remove(tree, 77)).changed
    assert puts(wire) == before + 1


async def test_starting_registers_and_logs_the_hash_of_the_tree(
    tree: AnyTree, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert await register_if_changed(tree)
    assert not await register_if_changed(tree)
    report = await sync(tree)
    said = [record.getMessage() for record in caplog.records if record.name.endswith("registration")]
    assert said == [
        f"The commands changed and were registered with Discord (tree {report.tree}).",
        f"The commands are registered already (tree {report.tree}).",
    ]


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("GET", {"status": 403}),
        ("GET", {"status": 200, "body": b"[1]"}),
        ("GET", {"status": 200, "body": b"null"}),
        ("GET", {"status": 200, "content_type": "text/html", "body": b"<html>"}),
        ("PUT", {"status": 400}),
        ("PUT", {"status": 200, "body": b"[{}]"}),
        ("PUT", {"status": 200, "body": b"null"}),
    ],
)
async def test_start_goes_on_although_commands_cannot_be_registered(
    wire: LoopbackDiscord,
    tree: AnyTree,
    caplog: pytest.LogCaptureFixture,
    method: str,
    answer: dict[str, Any],
) -> None:
    wire.fault(method, "/commands$", **answer)
    assert not await register_if_changed(tree)
    assert "could not be registered" in caplog.text


@pytest.mark.parametrize("body", [b"[{}]", b"[{}, {}]"])
async def test_list_of_commands_that_says_nothing_is_overwritten(
    wire: LoopbackDiscord, tree: AnyTree, body: bytes
) -> None:
    wire.fault("GET", "/commands$", status=200, body=body)
    assert await register_if_changed(tree)


async def test_second_start_of_the_bot_with_all_its_commands_sends_nothing(
    wire: LoopbackDiscord, registry: Registry, bot_settings: MakeBotSettings, service: FakeService
) -> None:
    async with running(bot_settings(), service):
        assert puts(wire) == 1
    assert {"ask", "index"} <= {one["name"] for one in registry.of[None]}
    for command in registry.of[None]:
        assert command["contexts"], f"{command['name']} does not say where it is offered"
    async with running(bot_settings(), service):
        assert puts(wire) == 1


async def test_shell_registers_for_every_server_and_says_so_in_one_line(
    wire: LoopbackDiscord, settings: BotSettings
) -> None:
    said = await sync_commands(settings, make_tree)
    assert said.startswith("3 commands for every server were registered (tree ")
    assert said.endswith("): /ask, /index, Check this quote.")
    again = await sync_commands(settings, make_tree)
    assert "are registered already; nothing was sent" in again
    assert "\n" not in said + again
    assert "were registered" in await sync_commands(settings, make_tree, force=True)
    assert puts(wire) == 2
    assert wire.gateway.connections == []


async def test_shell_registers_for_one_server_and_takes_that_back(
    wire: LoopbackDiscord, registry: Registry, settings: BotSettings
) -> None:
    registry.members.add("77")
    said = await sync_commands(settings, make_tree, guild=77)
    assert said.startswith("3 commands for server 77 were registered (tree ")
    taken = await sync_commands(settings, make_tree, guild=77, removing=True)
    assert taken == "There are no commands for server 77 alone any more."
    assert await sync_commands(settings, make_tree, guild=77, removing=True) == (
        "There are no commands for server 77 alone."
    )
    assert registry.of[None] == []


async def test_server_that_the_bot_is_not_in_is_refused_with_what_to_do(settings: BotSettings) -> None:
    with pytest.raises(DiscordRefusedError, match=r"in server 78 \(status 403\).*footnote discord invite"):
        await sync_commands(settings, make_tree, guild=78)


async def test_refused_token_and_refused_list_are_explained(
    wire: LoopbackDiscord, settings: BotSettings
) -> None:
    other = settings.model_copy(update={"discord_api_url": wire.url, "discord_token": None})
    with pytest.raises(DiscordRefusedError, match="FOOTNOTE_DISCORD_TOKEN is not set"):
        await sync_commands(other, make_tree)
    wire.fault("GET", "/commands$", status=403)
    with pytest.raises(DiscordRefusedError, match="refused the bot"):
        await sync_commands(settings, make_tree)


async def test_commands_that_discord_does_not_accept_are_a_fault_of_ours(
    wire: LoopbackDiscord, settings: BotSettings
) -> None:
    body = (
        b'{"code": 50035, "message": "Invalid Form Body", "errors": {"0": {"name": {"_errors": '
        b'[{"code": "X", "message": "Command name is invalid"}]}}}}'
    )
    wire.fault("PUT", "/commands$", status=400, body=body)
    with pytest.raises(FootnoteError, match=r"(?s)^A fault of ours.*Command name is invalid") as raised:
        await sync_commands(settings, make_tree)
    assert raised.value.exit_status == 70


def test_canonical_form_of_a_removed_option_limit_differs() -> None:
    new = {"name": "ask", "type": 1, "options": [{"name": "q", "type": 3, "max_length": 1000}]}
    old = {"name": "ask", "type": 1, "options": [{"name": "q", "type": 3}]}
    assert canonical(new) != canonical(old)


def test_canonical_form_keeps_numbers_that_are_nought() -> None:
    option = {"name": "n", "type": 4, "min_value": 0, "description": "How many"}
    assert canonical(option)["min_value"] == 0
    assert canonical({"name": "x", "default_member_permissions": 0})["default_member_permissions"] == "0"
