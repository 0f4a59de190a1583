"""The loopback Discord's common part refuses what Discord refuses: it must be able to fail the bot."""

from __future__ import annotations

import aiohttp
import pytest

from tests.wire.bare import AGENT, call, callback
from tests.wire.loopback import LoopbackDiscord


async def test_requests_without_the_token_or_a_bots_name_are_refused(wire: LoopbackDiscord) -> None:
    assert (await call(wire, "GET", "/users/@me"))[0] == 200
    for key in AGENT:
        headers = {**AGENT, key: "x"}
        assert (await call(wire, "GET", "/users/@me", headers=headers))[0] in {401, 403}
    assert all("Authorization" not in request.headers for request in wire.log.requests)


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("text/plain", b"{}", 50035),
        ("application/json", b"{broken", 50109),
        ("application/json", b'{"content": "\\ud800"}', 50109),
    ],
)
async def test_bodies_that_are_no_json_are_refused(
    wire: LoopbackDiscord, kind: str, data: bytes, code: int
) -> None:
    where = f"{wire.url}/channels/{wire.world.dm(wire.world.user('ann')).id}/messages"
    async with (
        aiohttp.ClientSession(headers={**AGENT, "Content-Type": kind}) as session,
        session.post(where, data=data) as answer,
    ):
        assert (await answer.json())["code"] == code


async def test_route_that_there_is_not_is_noted(wire: LoopbackDiscord) -> None:
    assert (await call(wire, "GET", "/voice/regions"))[0] == 404
    assert wire.log.violations == ["GET /voice/regions: no such route"]


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_rate_limit_is_answered_as_documented(wire: LoopbackDiscord, scope: str) -> None:
    wire.rate_limit("GET", "^/users/@me$", retry_after=1.5, scope=scope)  # type: ignore[arg-type]
    async with (
        aiohttp.ClientSession(headers=AGENT) as session,
        session.get(wire.url + "/users/@me") as answer,
    ):
        body, headers = await answer.json(), answer.headers
    assert answer.status == 429
    assert (body["retry_after"], body["global"]) == (1.5, scope == "global")
    assert (headers["Retry-After"], headers["X-RateLimit-Scope"]) == ("2", scope)
    assert headers.get("X-RateLimit-Global") == ("true" if scope == "global" else None)
    assert headers.get("X-RateLimit-Remaining") == {"user": "0", "shared": "4"}.get(scope)
    assert wire.log.violations == []


async def test_rate_limit_holds_until_its_time_is_over(wire: LoopbackDiscord) -> None:
    wire.rate_limit("GET", "^/users/@me$", retry_after=0.8)
    assert (await call(wire, "GET", "/users/@me"))[0] == 429
    status, body = await call(wire, "GET", "/users/@me")
    assert status == 429
    assert 0 < body["retry_after"] < 0.8
    assert (await call(wire, "GET", "/applications/@me"))[0] == 200
    await wire.log.sleep(body["retry_after"])
    assert (await call(wire, "GET", "/users/@me"))[0] == 200


async def test_global_rate_limit_binds_all_but_interactions(wire: LoopbackDiscord) -> None:
    wire.rate_limit("GET", "^/users/@me$", retry_after=5, scope="global")
    assert (await call(wire, "GET", "/users/@me"))[0] == 429
    assert (await call(wire, "GET", "/applications/@me"))[0] == 429
    used = await wire.slash("ask", wire.world.user("ann"))
    assert (await callback(wire, used))[0] == 200


async def test_pause_excuses_what_could_not_be_acknowledged(wire: LoopbackDiscord) -> None:
    wire.interactions.acknowledge_within = 0.3
    before = await wire.slash("ask", wire.world.user("ann"))
    started = wire.log.now()
    wire.pause(0.7)
    meanwhile = await wire.slash("ask", wire.world.user("bob"))
    for used in (before, meanwhile):
        status, error = await callback(wire, used)
        assert (status, error["code"]) == (404, 10062)
    assert wire.log.requests[-2].at - started >= 0.7
    assert wire.log.violations == []
    assert wire.interactions.unfinished() == []


async def test_fault_on_the_callback_excuses_the_late_acknowledgement(wire: LoopbackDiscord) -> None:
    wire.interactions.acknowledge_within = 0.3
    wire.fault("POST", "/callback$", status=503)
    used = await wire.slash("ask", wire.world.user("ann"))
    assert (await callback(wire, used))[0] == 503
    await wire.log.sleep(0.35)
    assert (await callback(wire, used))[0] == 404
    assert wire.log.violations == []
