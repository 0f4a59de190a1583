"""The links that add the bot: exactly the scopes and permissions that it needs."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord
import pytest

from bot.discordapp.invitation import NEEDED, PERMISSIONS, invitation, invite_url, user_install_url
from bot.errors import DiscordRefusedError
from tests.bot.discordapp.conftest import MakeBotSettings
from tests.wire.loopback import LoopbackDiscord

DOCS = Path(__file__).parents[3] / "docs" / "discord.md"


def query(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://discord.com/oauth2/authorize"
    return {name: value for name, (value,) in parse_qs(parts.query, strict_parsing=True).items()}


def test_link_asks_for_two_scopes_and_the_six_permissions() -> None:
    asked = query(invite_url(123))
    assert asked == {
        "client_id": "123",
        "scope": "bot applications.commands",
        "permissions": "274878024704",
        "integration_type": "0",
    }
    permissions = discord.Permissions(int(asked["permissions"]))
    assert permissions == PERMISSIONS
    assert sum(given for _, given in permissions) == len(NEEDED)


def test_link_for_one_server_names_it() -> None:
    assert query(invite_url(123, guild=45)) == query(invite_url(123)) | {"guild_id": "45"}


def test_link_for_a_user_asks_for_the_commands_alone() -> None:
    assert query(user_install_url(123)) == {
        "client_id": "123",
        "scope": "applications.commands",
        "integration_type": "1",
    }


async def test_id_of_the_application_is_learnt_without_connecting(
    wire: LoopbackDiscord, bot_settings: MakeBotSettings, caplog: pytest.LogCaptureFixture
) -> None:
    assert await invitation(bot_settings()) == invite_url(wire.world.application_id)
    assert await invitation(bot_settings(), guild=5) == invite_url(wire.world.application_id, guild=5)
    assert wire.gateway.connections == []
    assert wire.log.seen("PUT", "/commands$") == []
    assert caplog.text == ""  # nothing beside the link, which another program may read


async def test_refused_token_is_explained(wire: LoopbackDiscord, bot_settings: MakeBotSettings) -> None:
    with pytest.raises(DiscordRefusedError, match="refused the token"):
        await invitation(bot_settings(discord_token="another.token"))


def test_docs_give_the_reason_for_each_permission_and_for_no_other() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    flags = {name.lower().replace(" ", "_").replace("channels", "channel"): reason for name, reason in rows}
    assert set(flags) == set(NEEDED)
    assert all(len(reason.split()) > 2 for reason in flags.values())


def test_docs_have_the_link_for_a_user_as_it_is() -> None:
    made = user_install_url(123).replace("123", "APPLICATION-ID")
    assert made in DOCS.read_text(encoding="utf-8").splitlines()
