"""What the bot can be told; extends what indexing can be told."""

from __future__ import annotations

import difflib
import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import dotenv
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from index.errors import SettingsError
from index.settings import IndexSettings, split_list

__all__ = ["BotSettings", "SnowflakeSet", "is_loopback"]


def is_loopback(host: str | None) -> bool:
    """Tell whether a host name or address is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


SnowflakeSet = Annotated[frozenset[int], NoDecode]
"""Discord ids, written as numbers with commas or spaces between them."""


class BotSettings(IndexSettings):
    """How many may ask, what is kept of that, and how the bot meets Discord."""

    waiting: int = Field(
        256, ge=1, le=100_000, description="How many questions may wait before more are turned away."
    )
    drain: float = Field(
        20,
        ge=0,
        le=3600,
        description="Seconds in which a stopping bot answers what waits; the rest is asked to ask again.",
    )
    recording: bool = Field(
        True,
        description="Whether unanswered questions and feedback are kept; if not, nothing that people ask is.",
    )
    records: Path = Field(
        Path(".footnote/records.sqlite"),
        description="The file of what is kept: servers' settings, unanswered questions, feedback.",
    )
    record_days: int = Field(
        90, ge=0, le=36_500, description="Days after which an unanswered question or feedback is deleted."
    )
    discord_token: SecretStr | None = Field(None, description="The Discord bot's token; shown nowhere.")
    discord_token_file: Path | None = Field(
        None, description="A file with the token alone, in the place of FOOTNOTE_DISCORD_TOKEN."
    )
    discord_api_url: str = Field(
        "https://discord.com/api/v10",
        description="The Discord-compatible server to use; plain http only on this machine (loopback).",
    )
    discord_admin_users: SnowflakeSet = Field(
        frozenset(),
        description="Ids of Discord users who may rebuild, besides the application's owner or team.",
    )
    discord_admin_roles: SnowflakeSet = Field(
        frozenset(), description="Ids of Discord roles whose members may rebuild."
    )
    discord_admin_servers: SnowflakeSet = Field(
        frozenset(), description="Ids of the Discord servers in which Manage Server is enough to rebuild."
    )
    discord_message_content: bool = Field(
        False,
        description="Whether to ask for the message-content intent, for messages without a mention.",
    )
    discord_user_rate: int = Field(
        30, ge=0, le=100_000, description="Questions a minute from one Discord user; 0 is no limit."
    )
    discord_server_rate: int = Field(
        300, ge=0, le=1_000_000, description="Questions a minute from one Discord server; 0 is no limit."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much `footnote discord` writes to standard error."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Whether log lines are text for people or JSON for programs."
    )
    log_questions: bool = Field(
        False, description="Whether questions are written to the log; without it only their length is."
    )
    health_port: int | None = Field(
        None,
        ge=1,
        le=65_535,
        description="The loopback port for /healthz, /readyz and /metrics.",
    )

    _split_ids = field_validator(
        "discord_admin_users", "discord_admin_roles", "discord_admin_servers", mode="before"
    )(split_list)

    @classmethod
    def load(cls, **options: Any) -> Self:
        """Read the settings as `IndexSettings.load` does; these are all that there are.

        Raises:
            SettingsError: a value is not accepted, or `.env` holds a FOOTNOTE_ name that is no setting.
        """
        settings = super().load(**options)
        known = {f"FOOTNOTE_{name.upper()}" for name in cls.model_fields}
        for name in map(str.upper, dotenv.dotenv_values(".env", encoding="utf-8")):
            if name.startswith("FOOTNOTE_") and name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else "."
                raise SettingsError(f"{name} in .env is no setting{hint} .env.example lists them all.")
        return settings

    @field_validator("discord_api_url")
    @classmethod
    def _check_api_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected an address such as https://discord.com/api/v10")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("expected an address without user name, query or fragment")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("plain http is accepted for this machine only (127.0.0.1, localhost); use https")
        return value.rstrip("/")
