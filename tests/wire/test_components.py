"""Buttons and menus: what Discord refuses in them, and how people find and use them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.bare import callback
from tests.wire.limits import check_message
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json, RefusedError
from tests.wire.world import Guild, User


def button(**more: Any) -> Json:
    made = {"type": 2, "style": 1, "label": "More", "custom_id": "more"} | more
    return {key: value for key, value in made.items() if value is not None}


def link(**more: Any) -> Json:
    return button(**{"style": 5, "custom_id": None, "url": "https://a.example", **more})


def option(value: str = "a", **more: Any) -> Json:
    return {"label": value.upper(), "value": value} | more


def menu(*options: Json, **more: Any) -> Json:
    return {"type": 3, "custom_id": "menu", "options": list(options or [option()])} | more


def rows(*of: list[Json]) -> list[Json]:
    return [{"type": 1, "components": parts} for parts in of]


def named(*names: str) -> list[Json]:
    return [button(custom_id=name, label=name) for name in names]


@pytest.mark.parametrize(
    "components",
    [
        [button()],
        rows([]),
        rows(named(*"abcdef")),
        rows(*[named(letter) for letter in "abcdef"]),
        rows([menu(), button()]),
        rows([menu(), menu(custom_id="other")]),
        rows([{"type": 4, "custom_id": "t", "style": 1, "label": "T"}]),
        rows([{"type": 1, "components": named("a")}]),
        rows([button(custom_id=None)]),
        rows([button(custom_id="")]),
        rows([button(custom_id="x" * 101)]),
        rows([button(label="x" * 81)]),
        rows([button(label=None)]),
        rows([button(label="")]),
        rows([button(style=None)]),
        rows([button(style=7)]),
        rows([button(url="https://a.example")]),
        rows([button(), button(label="Same id")]),
        rows(named("a"), named("a")),
        rows([link(url=None)]),
        rows([link(url="javascript:x")]),
        rows([link(url="https://a.example/" + "x" * 500)]),
        rows([link(custom_id="x")]),
        rows([menu(*[option(str(number)) for number in range(26)])]),
        rows([menu() | {"options": []}]),
        rows([menu(option("x" * 101))]),
        rows([menu(option(description="x" * 101))]),
        rows([menu(option(), option())]),
        rows([menu(placeholder="x" * 151)]),
        rows([menu(max_values=2)]),
        rows([menu(min_values=2, max_values=1)]),
        rows([{"type": 10, "content": "text"}]),
        [{"type": 17, "components": []}],
    ],
)
def test_components_that_discord_would_not_take_are_refused(components: list[Json]) -> None:
    with pytest.raises(RefusedError) as caught:
        check_message({"content": "x", "components": components})
    assert "components" in caught.value.body["errors"]


def test_components_at_the_limits_pass() -> None:
    many = [named(*(f"{row}{column}" for column in range(5))) for row in range(5)]
    check_message({"content": "x", "components": rows(*many)})
    check_message({"components": rows([link(url="https://a.example/" + "x" * 494), link(), link()])})
    check_message({"components": rows([button(label="x" * 80, custom_id="x" * 100)])})
    check_message({"components": rows([button(label=None, emoji={"name": "👍"})])})
    most = [option(str(number), description="x" * 100) for number in range(25)]
    check_message({"components": rows([menu(*most, placeholder="x" * 150, max_values=25)])})


def test_second_version_holds_forty_components_and_no_content() -> None:
    flags = 1 << 15
    text = {"type": 10, "content": "x"}
    check_message({"flags": flags, "components": [text] * 40})
    container = {"type": 17, "components": [text, {"type": 1, "components": [button()]}]}
    check_message({"flags": flags, "components": [container]})
    for body in (
        {"components": [text] * 41},
        {"components": [text | {"content": "x" * 4001}]},
        {"components": [text], "content": "x"},
        {"components": [{"type": 17, "components": [{"type": 1, "components": [button(label=None)]}]}]},
    ):
        with pytest.raises(RefusedError):
            check_message({"flags": flags, **body})


async def shown(wire: LoopbackDiscord, user: User, where: Any, *of: list[Json]) -> Json:
    used = await wire.slash("ask", user, where)
    await callback(wire, used, 4, content="x", components=rows(*of))
    return await wire.response_to(used)


async def test_buttons_are_found_by_what_stands_on_them(wire: LoopbackDiscord) -> None:
    ann = wire.world.user("ann")
    thumb = button(custom_id="up", label=None, emoji={"name": "👍"})
    message = await shown(wire, ann, None, [button(), thumb, link(label="Read")])
    assert wire.buttons(message) == ["More", "👍", "Read"]
    assert [wire.custom_id_of(message, one) for one in ("More", "👍", "Read")] == [
        "more",
        "up",
        "https://a.example",
    ]
    used = await wire.press(ann, message, "👍")
    assert (used.data["custom_id"], used.name) == ("up", "button '👍'")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [("Less", "no button"), ("Off", "disabled"), ("Read", "is a link"), ("Twice", "2 buttons")],
)
async def test_what_cannot_be_pressed_fails(wire: LoopbackDiscord, wanted: str, says: str) -> None:
    ann = wire.world.user("ann")
    twice = [button(label="Twice", custom_id="1"), button(label="Twice", custom_id="2")]
    off = button(label="Off", custom_id="off", disabled=True)
    message = await shown(wire, ann, None, [button(), off, link(label="Read"), *twice])
    with pytest.raises(AssertionError, match=says):
        await wire.press(ann, message, wanted)


async def test_menu_gives_values_of_what_is_chosen(wire: LoopbackDiscord) -> None:
    ann = wire.world.user("ann")
    parts = [menu(option("a"), option("b"), option("c"), placeholder="Which?", max_values=2)]
    message = await shown(wire, ann, None, parts)
    used = await wire.choose(ann, message, "Which?", ["A", "c"])
    assert used.data == {"custom_id": "menu", "component_type": 3, "values": ["a", "c"]}
    for wrong in (["z"], ["a", "b", "c"], []):
        with pytest.raises(AssertionError):
            await wire.choose(ann, message, "menu", wrong)


async def test_menu_of_channels_and_roles_resolves_them(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    role = wire.world.role(guild, "helper")
    channels = {"type": 8, "custom_id": "where", "channel_types": [0]}
    message = await shown(wire, ann, guild, [channels], [{"type": 6, "custom_id": "who"}])
    used = await wire.choose(ann, message, "where", guild.channels[0])
    assert list(used.data["resolved"]["channels"]) == used.data["values"] == [str(guild.channels[0].id)]
    used = await wire.choose(ann, message, "who", role)
    assert used.data["resolved"]["roles"][str(role.id)]["name"] == "helper"
    with pytest.raises(AssertionError, match="of types"):
        await wire.choose(ann, message, "where", wire.world.forum(guild))
