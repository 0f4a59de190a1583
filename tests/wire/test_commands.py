"""Commands: what Discord refuses of them, how it gives them back, where it offers them, what they take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.bare import call, callback, code_of, register
from tests.wire.conftest import ASK
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import MANAGE_GUILD, VIEW_CHANNEL
from tests.wire.records import Json, RefusedError
from tests.wire.schema import check_commands
from tests.wire.world import Guild, User

MENU: Json = {"name": "Answer this", "type": 3}


def options(*of: Json) -> Json:
    return ASK | {"options": list(of)}


def option(**more: Any) -> Json:
    return {"type": 3, "name": "q", "description": "d"} | more


def choices(count: int, **more: Any) -> list[Json]:
    return [{"name": f"n{number}", "value": f"v{number}"} | more for number in range(count)]


@pytest.mark.parametrize(
    "command",
    [
        ASK | {"name": "Ask"},
        ASK | {"name": "a b"},
        ASK | {"name": "x" * 33},
        ASK | {"name": ""},
        ASK | {"description": ""},
        ASK | {"description": "x" * 101},
        ASK | {"contexts": [3]},
        ASK | {"contexts": []},
        ASK | {"integration_types": [2]},
        ASK | {"default_member_permissions": "manage"},
        ASK | {"name_localizations": {"de": "Frage"}},
        ASK | {"name_localizations": {"xx": "frage"}},
        ASK | {"description_localizations": {"de": ""}},
        ASK | {"type": 5},
        MENU | {"name": "x" * 33},
        MENU | {"description": "d"},
        MENU | {"options": [option()]},
        options(*[option(name=f"q{number}") for number in range(26)]),
        options(option(), option()),
        options(option(), option(name="r", required=True)),
        options(option(), option(name="s", type=1)),
        options(option(max_length=6001)),
        options(option(type=4, max_length=5)),
        options(option(min_value=1)),
        options(option(type=12)),
        options(option(type=1, options=[option(type=1)])),
        options(option(choices=choices(26))),
        options(option(choices=choices(1, name="x" * 101))),
        options(option(choices=choices(1, value="x" * 101))),
        options(option(choices=choices(1, value=1))),
        options(option(type=4, choices=choices(1))),
        options(option(type=5, choices=choices(1))),
        options(option(autocomplete=True, choices=choices(1))),
        options(option(type=7, autocomplete=True)),
        options(option(channel_types=[0])),
        options(*[option(name=f"q{n}", description="d" * 100, choices=[
            {"name": f"{c}" + "x" * 98, "value": f"{c}" + "x" * 98} for c in range(3)]) for n in range(12)]),
    ],
)  # fmt: skip
def test_commands_that_discord_would_not_take_are_refused(command: Json) -> None:
    check_commands([ASK, MENU])
    with pytest.raises(RefusedError):
        check_commands([command])


def test_number_of_commands_is_bounded_by_kind() -> None:
    menus = [MENU | {"name": f"Menu {number}"} for number in range(16)]
    check_commands(menus[:15])
    with pytest.raises(RefusedError, match="Maximum"):
        check_commands(menus)
    with pytest.raises(RefusedError):
        check_commands([MENU, MENU])
    check_commands([MENU, MENU | {"type": 2}])


async def test_menus_may_have_spaces_and_capitals_and_are_given_back(wire: LoopbackDiscord) -> None:
    await register(wire, ASK, MENU)
    path = f"/applications/{wire.world.application_id}/commands"
    _, found = await call(wire, "GET", path)
    assert [(one["name"], one["type"], one["description"]) for one in found] == [
        ("ask", 1, "Ask"),
        ("Answer this", 3, ""),
    ]


async def test_menu_and_slash_command_may_share_a_name(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    await register(wire, MENU | {"name": "ask"}, ASK)
    said = await wire.say(guild, ann, "x")
    used = [await wire.slash("ask", ann, guild), await wire.menu("ask", ann, said)]
    assert [one.data["type"] for one in used] == [1, 3]
    assert [one.name for one in used] == ["/ask", "menu 'ask'"]


async def test_translations_are_given_back_only_when_asked_for(wire: LoopbackDiscord) -> None:
    await register(wire, ASK | {"name_localizations": {"de": "frage"}})
    path = f"/applications/{wire.world.application_id}/commands"
    assert (await call(wire, "GET", path))[1][0]["name_localizations"] is None
    (found,) = (await call(wire, "GET", path + "?with_localizations=true"))[1]
    assert found["name_localizations"] == {"de": "frage"}


async def test_ids_stay_when_commands_are_overwritten(wire: LoopbackDiscord) -> None:
    (first,) = (await register(wire, ASK))[1]
    changed, _ = (await register(wire, ASK | {"description": "Another"}, MENU))[1]
    assert (changed["id"], changed["description"]) == (first["id"], "Another")
    assert [one["name"] for one in wire.interactions.commands] == ["ask", "Answer this"]


async def test_commands_of_a_server_are_its_own(wire: LoopbackDiscord, guild: Guild, ann: User) -> None:
    other = wire.world.guild("other")
    _, (stored,) = await register(wire, ASK | {"name": "own", "contexts": [0]}, guild=guild.id)
    assert stored["guild_id"] == str(guild.id)
    assert not {"contexts", "integration_types", "dm_permission"} & set(stored)
    assert wire.interactions.guild_commands[guild.id] == [stored]
    used = await wire.slash("own", ann, guild)
    assert used.data["guild_id"] == str(guild.id)
    for where in (other, None):
        with pytest.raises(AssertionError, match="not registered"):
            await wire.slash("own", other.owner, where)
    await callback(wire, used, 4, content="x")


async def test_commands_of_a_server_without_the_bot_are_refused(wire: LoopbackDiscord) -> None:
    elsewhere = wire.world.guild(bot=False)
    base = f"/applications/{wire.world.application_id}/guilds"
    for guild_id in (elsewhere.id, 1):
        assert await code_of(wire, "PUT", f"{base}/{guild_id}/commands", [ASK]) == (403, 50001)
    assert await code_of(wire, "GET", "/applications/1/commands") == (403, 20012)


async def test_way_of_installing_that_the_application_has_not_is_refused(wire: LoopbackDiscord) -> None:
    wire.world.install_contexts = {0}
    status, error = await register(wire, ASK | {"integration_types": [0, 1]})
    assert (status, error["code"]) == (400, 50035)


# Where they are offered


async def test_commands_are_used_only_where_they_are_offered(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    elsewhere = wire.world.guild("elsewhere", bot=False)
    wire.world.join(elsewhere, ann)
    await register(
        wire,
        ASK | {"name": "servers", "contexts": [0]},
        ASK | {"name": "direct", "contexts": [1]},
        ASK | {"name": "mine", "integration_types": [1]},
        MENU | {"contexts": [0], "integration_types": [0, 1]},
    )
    group = wire.world.group_dm(ann)
    assert wire.commands_shown(ann, guild) == ["servers", "Answer this"]
    assert wire.commands_shown(ann) == ["direct"]
    assert wire.commands_shown(ann, elsewhere) == []
    assert wire.commands_shown(ann, elsewhere, installed="user") == ["mine", "Answer this"]
    assert wire.commands_shown(ann, group, installed="user") == ["mine"]
    for name, where, installed in (
        ("servers", None, "guild"),
        ("direct", guild, "guild"),
        ("mine", guild, "guild"),
        ("servers", elsewhere, "guild"),
        ("servers", elsewhere, "user"),
        ("servers", group, "user"),
    ):
        with pytest.raises(AssertionError, match="not offered"):
            await wire.slash(name, ann, where, installed=installed)  # type: ignore[arg-type]


async def test_default_member_permissions_hide_a_command_from_others(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    await register(wire, ASK | {"default_member_permissions": str(MANAGE_GUILD)}, MENU)
    manager = wire.world.join(guild, wire.world.user("m"), wire.world.role(guild, "managers", MANAGE_GUILD))
    assert wire.commands_shown(ann, guild) == ["Answer this"]
    assert wire.commands_shown(manager, guild) == ["ask", "Answer this"]
    assert wire.commands_shown(guild.owner, guild) == ["ask", "Answer this"]
    assert wire.commands_shown(ann) == ["ask", "Answer this"]
    await register(wire, ASK | {"default_member_permissions": "0"})
    assert wire.commands_shown(manager, guild) == []
    assert wire.commands_shown(guild.owner, guild) == ["ask"]


@pytest.mark.parametrize(
    ("kinds", "installed", "where", "owners"),
    [
        ([0], "guild", "guild", {"0"}),
        ([0, 1], "guild", "guild", {"0"}),
        ([0, 1], "user", "guild", {"0", "1"}),
        ([0, 1], "user", "elsewhere", {"1"}),
        ([0, 1], "user", "group", {"1"}),
        ([0], "guild", "dm", {"0"}),
    ],
)
async def test_owners_and_permissions_say_who_installed_it(
    wire: LoopbackDiscord, guild: Guild, ann: User, kinds: list[int], installed: Any, where: str,
    owners: set[str],
) -> None:  # fmt: skip
    await register(wire, ASK | {"integration_types": kinds})
    elsewhere = wire.world.guild("elsewhere", bot=False)
    wire.world.join(elsewhere, ann)
    places: dict[str, Any] = {
        "guild": guild,
        "elsewhere": elsewhere,
        "dm": None,
        "group": wire.world.group_dm(ann),
    }
    used = await wire.slash("ask", ann, places[where], installed=installed)
    event = used.payload(None, 1)
    assert set(used.owners) == owners
    assert used.owners.get("1", str(ann.id)) == str(ann.id)
    assert used.owners.get("0", "0") == ("0" if where != "guild" else str(guild.id))
    assert event["context"] == {"dm": 1, "group": 2}.get(where, 0)
    may_view = bool(int(event["app_permissions"]) & VIEW_CHANNEL)
    assert may_view is (where == "guild")
    assert ("member" in event) is (where in {"guild", "elsewhere"})
