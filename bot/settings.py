"""The bot's settings: those of the index, and how the bot meets Discord and what it stores."""

from __future__ import annotations

import ipaddress
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from index.errors import SettingsError
from index.settings import PREFIX, IndexSettings, read_variables

if TYPE_CHECKING:
    from index.build_report import Gate

__all__ = ["RETIRED", "BotSettings", "is_loopback"]

_LOG = logging.getLogger(__name__)

RETIRED = {
    "article_mb": "an article may have 64 MB",
    "check_mb": "every file is checked when the index is opened",
    "discord_server_rate": "a server may ask ten times as much as FOOTNOTE_DISCORD_USER_RATE",
    "drain": "a bot that is stopped answers waiting questions for 20 seconds",
    "encode_with": "a GPU is used if there is one",
    "fit_file": "the fit is read from fit.json beside the index folder",
    "recording": "FOOTNOTE_RECORD_DAYS=0 keeps no questions or feedback (which is how `false` is read)",
    "waiting": "256 questions may wait",
    "without": "every part of the search is used",
}
"""Settings of earlier versions, with what holds now; one that is still set is reported and has no effect."""
_TRUE = {"1", "on", "t", "true", "y", "yes"}


def is_loopback(host: str | None) -> bool:
    """Tell whether a host name or address is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


class BotSettings(IndexSettings):
    """All settings: those of the index, how the bot meets Discord, and what it stores."""

    records: Path = Path(".footnote/records.sqlite")
    """The file of per-server settings, unanswered questions and feedback."""
    record_days: int = Field(90, ge=0, le=36_500)
    """Days for which unanswered questions and feedback are kept; 0 keeps no new ones."""
    discord_token: SecretStr | None = None
    """The bot's token, from the Discord developer portal; it is shown nowhere."""
    discord_token_file: Path | None = None
    """A file with only the token, as Docker and systemd provide secrets."""
    discord_api_url: str = "https://discord.com/api/v10"
    """The Discord-compatible server to use; plain http only on this machine."""
    discord_admin_users: frozenset[int] = frozenset()
    """Ids of users who may rebuild, besides the application's owner or team."""
    discord_admin_roles: frozenset[int] = frozenset()
    """Ids of roles whose members may rebuild."""
    discord_admin_servers: frozenset[int] = frozenset()
    """Ids of servers where Manage Server is enough to rebuild; one index serves all servers."""
    discord_message_content: bool = False
    """Use the message-content intent, to answer messages without a mention; switch it on in the developer
    portal first."""
    discord_news_channel: int | None = None
    """The id of a channel that is told what a scheduled refresh of the sources changed, or why it failed."""
    discord_user_rate: int = Field(30, ge=0, le=100_000)
    """Questions a minute from one user, and ten times as many from one server; 0: no limit."""
    web_url: str = Field("", pattern=r"^(https?://[^\s/?#]+/?)?$")
    """The address, without a path, at which people reach `footnote web`; citations everywhere then link to
    it."""
    web_token: SecretStr | None = None
    """What a browser gives as its password, and a program as its bearer token, to ask and read."""
    web_admin_token: SecretStr | None = None
    """What opens the pages for operators: rebuild, roll back, sources, gaps. Without it they are closed."""
    web_user_header: str = Field("", pattern=r"^[A-Za-z0-9-]*$")
    """The header in which a proxy names who is signed in, for example X-Forwarded-User."""
    web_proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    """The addresses of proxies, whose FOOTNOTE_WEB_USER_HEADER and X-Forwarded-For are believed."""
    web_origins: frozenset[str] = frozenset()
    """Web sites whose scripts may use the HTTP API (CORS), such as https://docs.example.org."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much `footnote discord` writes to standard error."""
    log_format: Literal["text", "json"] = "text"
    """Log lines as text for people, or as JSON for programs."""
    log_questions: bool = False
    """Write questions to the log, and not only their length."""
    health_port: int | None = Field(None, ge=1, le=65_535)
    """The port on 127.0.0.1 for /healthz, /readyz and /metrics."""

    @property
    def recording(self) -> bool:
        """Whether unanswered questions and feedback are stored."""
        return self.record_days > 0

    def find_gate(self) -> Gate | None:
        """Return the gate of gold questions, if there are any."""
        from evaluation.gate import find_gate

        return find_gate(self)

    @classmethod
    def load(cls, **options: Any) -> Self:
        """Read the settings as `IndexSettings.load` does, and report retired names.

        Raises:
            SettingsError: a value is not accepted, or `.env` sets a FOOTNOTE_ name that is not a setting.
        """
        in_file, in_environment = read_variables()
        for name in sorted(in_file.keys() - cls.model_fields.keys() - RETIRED.keys()):
            import difflib

            near = difflib.get_close_matches(name, cls.model_fields, 1)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else "."
            raise SettingsError(
                f"{PREFIX}{name.upper()} in .env is not a setting{hint} .env.example lists them all."
            )
        variables = {**in_file, **in_environment}
        for name in sorted(RETIRED.keys() & variables.keys()):
            _LOG.warning("%s%s is retired: %s. Remove it.", PREFIX, name.upper(), RETIRED[name])
        if variables.get("recording", "on").strip().lower() not in _TRUE:
            options["record_days"] = 0  # never record against the operator's will
        return super().load(**options)

    @field_validator(
        "discord_admin_users",
        "discord_admin_roles",
        "discord_admin_servers",
        "web_proxies",
        "web_origins",
        mode="before",
    )
    @classmethod
    def _split_list(cls, value: object) -> object:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("web_token", "web_admin_token")
    @classmethod
    def _check_length(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value) < 8:
            raise ValueError("use at least 8 characters, better 24")
        return value

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
