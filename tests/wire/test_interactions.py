"""Interactions: when they may be answered, with what, and what may follow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.wire.bare import call, callback, code_of, hook, register
from tests.wire.conftest import ASK
from tests.wire.interactions import Interaction
from tests.wire.loopback import LoopbackDiscord
from tests.wire.permissions import SEND_MESSAGES, VIEW_CHANNEL
from tests.wire.records import Json
from tests.wire.world import Guild, User

BUTTON: Json = {"type": 2, "style": 1, "label": "More", "custom_id": "more:1"}
ROW: Json = {"type": 1, "components": [BUTTON]}
FORM: Json = {
    "custom_id": "why", "title": "Why?",
    "components": [{"type": 1, "components": [{"type": 4, "custom_id": "t", "label": "Text", "style": 1}]}],
}  # fmt: skip


async def answered(wire: LoopbackDiscord, user: User, where: Any = None, **data: Any) -> Json:
    used = await wire.slash("ask", user, where)
    await callback(wire, used, 4, **{"content": "x", "components": [ROW], **data})
    return await wire.response_to(used)


async def test_second_initial_response_is_refused(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    assert (await callback(wire, used))[0] == 200
    status, error = await callback(wire, used)
    assert (status, error["code"]) == (400, 40060)
    assert len(wire.log.violations) == 1


async def test_late_acknowledgement_is_refused_and_noted(wire: LoopbackDiscord) -> None:
    wire.interactions.acknowledge_within = 0.05
    used = await wire.slash("ask", wire.world.user("ann"))
    await asyncio.sleep(0.1)
    assert "not acknowledged within" in wire.log.violations[0]
    status, error = await callback(wire, used)
    assert (status, error["code"]) == (404, 10062)


async def test_nothing_can_follow_before_the_initial_response(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    for method, rest in (("POST", ""), ("PATCH", "/messages/@original")):
        assert await code_of(wire, method, hook(wire, used, rest), {"content": "x"}) == (404, 10015)
    assert wire.interactions.unfinished() == ["/ask (not acknowledged)"]


async def test_token_of_an_interaction_dies_after_fifteen_minutes(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    await callback(wire, used)
    wire.interactions.clock_ahead = 15 * 60
    path = hook(wire, used, "/messages/@original")
    assert await code_of(wire, "PATCH", path, {"content": "x"}) == (401, 50027)


async def test_first_follow_up_takes_the_deferred_messages_place(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    await callback(wire, used, flags=64)
    assert wire.interactions.unfinished() == ["/ask (thinking)"]
    await call(wire, "POST", hook(wire, used), {"content": "x"})
    assert (await wire.response_to(used))["flags"] == 64
    assert used.followups == []
    assert wire.interactions.unfinished() == []


async def test_what_follows_is_held_to_the_limits_too(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    await callback(wire, used)
    original = hook(wire, used, "/messages/@original")
    assert await code_of(wire, "PATCH", original, {"content": "x" * 2001}) == (400, 50035)
    assert await code_of(wire, "PATCH", original, {"content": ""}) == (400, 50006)
    assert used.loading
    assert (await call(wire, "PATCH", original, {"content": "x"}))[0] == 200
    assert await code_of(wire, "POST", hook(wire, used), {"content": "x" * 2001}) == (400, 50035)
    assert await code_of(wire, "POST", hook(wire, used), {}) == (400, 50006)
    assert used.followups == []


async def test_deferred_answer_that_somebody_deletes_is_gone_and_what_follows_is_new(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    used = await wire.slash("ask", ann, guild)
    await callback(wire, used)
    assert used.original is not None
    await wire.delete(used.original)
    assert wire.interactions.unfinished() == []
    for method, body in (("GET", None), ("PATCH", {"content": "x"}), ("DELETE", None)):
        path = hook(wire, used, "/messages/@original")
        assert await code_of(wire, method, path, body) == (404, 10008)
    assert wire.log.violations == []
    await call(wire, "POST", hook(wire, used), {"content": "x"})
    assert (await wire.response_to(used))["content"] == "x"


async def test_refused_initial_response_can_be_given_anew(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    assert (await callback(wire, used, 4, content="x" * 2001))[0] == 400
    assert (await callback(wire, used, 4, content="x"))[0] == 200


@pytest.fixture
async def standing(wire: LoopbackDiscord, guild: Guild, ann: User) -> Json:
    """Have the bot answer with a button."""
    return await answered(wire, ann, guild)


async def used_as(kind: str, wire: LoopbackDiscord, ann: User, guild: Guild, standing: Json) -> Interaction:
    """Make an interaction of a kind; a form from a command, or (form*) from a button."""
    if kind == "command":
        return await wire.slash("ask", ann, guild)
    if kind == "component":
        return await wire.press(ann, standing, "More")
    first = await used_as("component" if kind == "form*" else "command", wire, ann, guild, standing)
    await callback(wire, first, 9, **FORM)
    return await wire.submit(first, ["because"])


@pytest.mark.parametrize(
    ("kind", "taken"),
    [("command", {4, 5, 9}), ("component", {4, 5, 6, 7, 9}), ("form", {4, 5}), ("form*", {4, 5, 6, 7})],
)
async def test_each_kind_takes_its_own_responses(
    wire: LoopbackDiscord, ann: User, guild: Guild, standing: Json, kind: str, taken: set[int]
) -> None:
    found = set()
    for answer in (1, 4, 5, 6, 7, 8, 9, 10, 12):
        used = await used_as(kind, wire, ann, guild, standing)
        data = FORM if answer == 9 else {"content": "y"}
        status, error = await callback(wire, used, answer, **data)
        if status == 200:
            found.add(answer)
        else:
            assert (error["code"], list(error["errors"])) == (50035, ["type"])
    assert found == taken


async def test_update_changes_the_message_of_the_button(
    wire: LoopbackDiscord, ann: User, standing: Json
) -> None:
    used = await wire.press(ann, standing, "more:1")
    _, result = await callback(wire, used, 7, content="changed")
    assert (await wire.response_to(used)) is standing
    assert (standing["content"], standing["components"]) == ("changed", [ROW])
    assert result["resource"]["message"]["id"] == standing["id"]
    await call(wire, "PATCH", hook(wire, used, "/messages/@original"), {"components": []})
    assert wire.buttons(standing) == []


async def test_deferred_update_is_finished_though_nothing_is_shown(
    wire: LoopbackDiscord, ann: User, standing: Json
) -> None:
    used = await wire.press(ann, standing, "More")
    await callback(wire, used, 6)
    assert wire.interactions.unfinished() == []
    assert used.shown is None
    await call(wire, "POST", hook(wire, used), {"content": "thanks", "flags": 64})
    assert (await wire.response_to(used))["content"] == "thanks"


async def test_answer_to_a_button_is_a_message_of_its_own_that_points_to_it(
    wire: LoopbackDiscord, ann: User, standing: Json
) -> None:
    used = await wire.press(ann, standing, "More")
    await callback(wire, used, 4, content="more", flags=64)
    message = await wire.response_to(used)
    assert message["message_reference"]["message_id"] == standing["id"]
    assert message["interaction_metadata"]["interacted_message_id"] == standing["id"]
    assert (message["flags"], standing["content"]) == (64, "x")


async def test_deferring_does_not_give_the_message_away(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    _, result = await callback(wire, used)
    assert "message" not in result["resource"]
    assert result["interaction"]["response_message_loading"]


async def test_button_of_a_message_that_is_gone_cannot_be_pressed_or_updated(
    wire: LoopbackDiscord, ann: User, standing: Json
) -> None:
    used = await wire.press(ann, standing, "More")
    await wire.delete(standing)
    assert (await callback(wire, used, 7, content="y"))[1]["code"] == 10008
    assert (await callback(wire, used, 4, content="y"))[0] == 200
    with pytest.raises(AssertionError, match="gone"):
        await wire.press(ann, standing, "More")


async def test_private_message_is_seen_and_pressed_by_one_only(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    private = await answered(wire, ann, guild, flags=64)
    await wire.press(ann, private, "More")
    with pytest.raises(AssertionError, match="only another"):
        await wire.press(guild.owner, private, "More")
    path = f"/channels/{private['channel_id']}/messages/{private['id']}"
    for method in ("GET", "PATCH", "DELETE"):
        assert await code_of(wire, method, path, {"content": "y"} if method == "PATCH" else None) == (
            404,
            10008,
        )


async def test_who_is_not_there_cannot_press(wire: LoopbackDiscord, standing: Json) -> None:
    with pytest.raises(AssertionError, match="is not in"):
        await wire.press(wire.world.user("stranger"), standing, "More")
    private = await answered(wire, wire.world.user("bob"))
    with pytest.raises(AssertionError, match="another's"):
        await wire.press(wire.world.user("eve"), private, "More")


async def test_follow_ups_are_few_where_only_the_person_installed_it(wire: LoopbackDiscord) -> None:
    await register(wire, ASK | {"integration_types": [0, 1]})
    elsewhere = wire.world.guild(bot=False)
    used = await wire.slash("ask", elsewhere.owner, elsewhere, installed="user")
    await callback(wire, used, 4, content="x")
    for _ in range(5):
        assert (await call(wire, "POST", hook(wire, used), {"content": "x"}))[0] == 200
    assert await code_of(wire, "POST", hook(wire, used), {"content": "x"}) == (400, 40094)


async def test_languages_of_the_person_and_of_the_server_are_told(wire: LoopbackDiscord) -> None:
    guild = wire.world.guild()
    guild.locale = "fr"
    used = await wire.slash("ask", wire.world.join(guild, wire.world.user("ann", locale="de")), guild)
    event = used.payload(None, 1)
    assert (event["locale"], event["guild_locale"], event["guild"]["locale"]) == ("de", "fr", "fr")


async def test_answers_to_interactions_are_not_what_the_bot_said(
    wire: LoopbackDiscord, guild: Guild, standing: Json
) -> None:
    assert standing["channel_id"] == str(guild.channels[0].id)
    assert wire.said(guild) == []


async def test_application_may_nothing_where_the_bot_may_not_look(
    wire: LoopbackDiscord, guild: Guild, ann: User
) -> None:
    used = await wire.slash("ask", ann, guild)
    assert int(used.payload(None, 1)["app_permissions"]) & SEND_MESSAGES
    guild.channels[0].denied = VIEW_CHANNEL
    assert used.payload(None, 1)["app_permissions"] == "0"


async def test_response_pings_people_only_unless_told(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    await callback(wire, used, 4, content="<@1> <@&2> @everyone")
    assert [ping.whom for ping in wire.log.pings] == ["1"]
