"""Files: kept to the byte, within Discord's limits, with messages, follow-ups, edits and callbacks."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.wire.bare import AGENT, call, callback, hook, upload
from tests.wire.loopback import LoopbackDiscord
from tests.wire.uploads import MOST_BYTES
from tests.wire.world import Guild, User

HARD = b"a\r\n--boundary\r\n\r\n\x00\xff\n"
FILE = ("files[0]", "gaps.csv", HARD)


async def test_file_comes_with_every_kind_of_message(wire: LoopbackDiscord, guild: Guild, ann: User) -> None:
    posts = f"/channels/{guild.channels[0].id}/messages"
    _, sent = await upload(wire, "POST", posts, {}, FILE)
    assert wire.attachment(sent) == HARD
    assert (sent["attachments"][0]["filename"], sent["attachments"][0]["size"]) == ("gaps.csv", len(HARD))

    used = await wire.slash("ask", ann, guild)
    path = f"/interactions/{used.id}/{used.token}/callback"
    assert (await upload(wire, "POST", path, {"type": 4, "data": {"content": "x"}}, FILE))[0] == 204
    assert wire.attachment(await wire.response_to(used)) == HARD
    _, followed = await upload(wire, "POST", hook(wire, used), {"flags": 64}, FILE)
    assert wire.attachment(followed) == HARD

    late = await wire.slash("ask", ann, guild)
    await callback(wire, late)
    await upload(wire, "PATCH", hook(wire, late, "/messages/@original"), {"content": "x"}, FILE)
    assert wire.attachment(await wire.response_to(late)) == HARD


async def test_edit_keeps_the_files_it_names_and_adds_new_ones(wire: LoopbackDiscord, guild: Guild) -> None:
    posts = f"/channels/{guild.channels[0].id}/messages"
    _, sent = await upload(wire, "POST", posts, {}, ("files[0]", "a", b"a"), ("files[1]", "b", b"b"))
    path, first = f"{posts}/{sent['id']}", sent["attachments"][0]["id"]
    await call(wire, "PATCH", path, {"content": "x"})
    kept: list[dict[str, Any]] = [{"id": first}, {"id": 0, "filename": "c d.csv", "description": "C"}]
    _, edited = await upload(wire, "PATCH", path, {"attachments": kept}, ("files[0]", "x", b"c"))
    assert [wire.attachment(edited, number) for number in range(2)] == [b"a", b"c"]
    assert [one["filename"] for one in edited["attachments"]] == ["a", "c_d.csv"]
    _, edited = await call(wire, "PATCH", path, {"attachments": []})
    assert edited["attachments"] == []


@pytest.mark.parametrize(
    ("body", "files", "refusal"),
    [
        ({}, [("files[0]", "a", b"x" * (MOST_BYTES + 1))], (413, 40005)),
        ({}, [(f"files[{number}]", "a", b"x") for number in range(11)], (400, 30015)),
        ({}, [("files[0]", "a", b"x"), ("files[0]", "b", b"x")], (400, 50035)),
        ({}, [("file", "a", b"x")], (400, 50035)),
        ({"attachments": [{"id": 1}]}, [FILE], (400, 50035)),
        ({"content": "x" * 2001}, [FILE], (400, 50035)),
        ({}, [], (400, 50006)),
    ],
)
async def test_files_that_discord_would_not_take_are_refused(
    wire: LoopbackDiscord, guild: Guild, body: Any, files: list[Any], refusal: tuple[int, int]
) -> None:
    posts = f"/channels/{guild.channels[0].id}/messages"
    status, error = await upload(wire, "POST", posts, body, *files)
    assert (status, error["code"]) == refusal
    assert len(wire.log.violations) == 1


async def test_largest_file_passes(wire: LoopbackDiscord, guild: Guild) -> None:
    posts = f"/channels/{guild.channels[0].id}/messages"
    _, sent = await upload(wire, "POST", posts, {}, ("files[0]", "a", b"x" * MOST_BYTES))
    assert sent["attachments"][0]["size"] == MOST_BYTES


async def test_forms_are_for_messages_only(wire: LoopbackDiscord) -> None:
    path = f"/applications/{wire.world.application_id}/commands"
    assert (await upload(wire, "PUT", path, []))[0] == 400


async def test_form_without_readable_json_is_refused(wire: LoopbackDiscord, guild: Guild) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", "{broken", content_type="application/json")
    form.add_field("files[0]", b"x", filename="a")
    posts = f"{wire.url}/channels/{guild.channels[0].id}/messages"
    async with (
        aiohttp.ClientSession(headers=AGENT) as session,
        session.post(posts, data=form) as answer,
    ):
        assert (await answer.json())["code"] == 50109
