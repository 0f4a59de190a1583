"""Messages: what Discord refuses in text and embeds, and whom a message notifies."""

from __future__ import annotations

import pytest

from tests.wire.bare import call
from tests.wire.limits import check_message, pinged
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json, RefusedError


def _field(name: str = "n", value: str = "v") -> Json:
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2001},
        {"content": "😀" * 1001},
        {"embeds": [{"title": "x" * 257}]},
        {"embeds": [{"description": "x" * 4097}]},
        {"embeds": [{"title": "t", "fields": [_field()] * 26}]},
        {"embeds": [{"fields": [_field(name="x" * 257)]}]},
        {"embeds": [{"fields": [_field(value="x" * 1025)]}]},
        {"embeds": [{"fields": [_field(value=" ")]}]},
        {"embeds": [{"title": "t", "footer": {"text": "x" * 2049}}]},
        {"embeds": [{"title": "t", "author": {"name": "x" * 257}}]},
        {"embeds": [{"title": "t", "url": "javascript:x"}]},
        {"embeds": [{"title": "t", "url": "https://"}]},
        {"embeds": [{}]},
        {"embeds": [{"title": "t"}] * 11},
        {"embeds": [{"description": "x" * 3001}] * 2},
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        {"content": ""},
        {},
    ],
)
def test_messages_over_a_limit_are_refused(body: Json) -> None:
    with pytest.raises(RefusedError):
        check_message(body)


def test_messages_at_the_limits_pass() -> None:
    check_message({"content": "😀" * 1000})
    check_message({"embeds": [{"description": "x" * 3000}] * 2})
    check_message({"embeds": [{"title": "x" * 256, "fields": [_field("x" * 100, "y" * 100)] * 25}]})
    check_message({"embeds": []}, editing=True)
    check_message({}, files=1)
    check_message({"content": "x", "allowed_mentions": {"parse": ["users"], "users": [], "roles": ["1"]}})


@pytest.mark.parametrize(
    ("body", "whom"),
    [
        ({"content": "<@1> <@!2> <@&3> @everyone"}, ["1", "2", "3", "@everyone"]),
        ({"content": "<@1> @here", "allowed_mentions": {"parse": []}}, []),
        ({"content": "<@1> <@2>", "allowed_mentions": {"parse": [], "users": ["2"]}}, ["2"]),
        ({"content": "<@1> @here", "allowed_mentions": {"parse": ["everyone"]}}, ["@here"]),
        ({"embeds": [{"title": "<@1>"}]}, []),
    ],
)
def test_pings_follow_allowed_mentions(body: Json, whom: list[str]) -> None:
    assert pinged(body) == whom


async def test_reply_pings_its_author_unless_told_not_to(wire: LoopbackDiscord) -> None:
    ann = wire.world.user("ann")
    asked = await wire.say(wire.world.dm(ann), ann, "Why?")
    path = f"/channels/{asked['channel_id']}/messages"
    body: Json = {"content": "x", "message_reference": {"message_id": asked["id"]}}
    await call(wire, "POST", path, body)
    assert [ping.whom for ping in wire.log.pings] == [str(ann.id)]
    await call(wire, "POST", path, body | {"allowed_mentions": {"parse": [], "replied_user": False}})
    assert len(wire.log.pings) == 1
