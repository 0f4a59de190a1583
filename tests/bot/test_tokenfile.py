"""The token's own file: what is taken, what is refused with advice, and who else can read it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot import redaction as hiding
from bot.settings import BotSettings
from bot.token_file import exposed, with_token
from index.errors import SettingsError

SECRET = "MTE5NDQ4.s3cret.t0ken-value"


@pytest.fixture(autouse=True)
def unhidden() -> Iterator[None]:
    """Take back what hiding a token changes in the whole process."""
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    hiding.hide()
    sys.excepthook, threading.excepthook, sys.unraisablehook = before


def written(content: bytes, mode: int = 0o600) -> Path:
    file = Path("discord-token")
    file.write_bytes(content)
    file.chmod(mode)
    return file


def token(settings: BotSettings) -> str | None:
    return settings.discord_token.get_secret_value() if settings.discord_token else None


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f" \t{SECRET}\r\n\n"])
def test_token_is_taken_from_its_file_without_the_space_around_it(content: str) -> None:
    settings = with_token(BotSettings.load(discord_token_file=written(content.encode())))
    assert token(settings) == SECRET
    assert SECRET not in repr(settings)


def test_file_may_be_a_link_as_secrets_are() -> None:
    Path("link").symlink_to(written(SECRET.encode()))
    assert token(with_token(BotSettings.load(discord_token_file="link"))) == SECRET


def test_without_a_file_the_settings_are_as_they_were() -> None:
    assert token(with_token(BotSettings.load())) is None
    assert token(with_token(BotSettings.load(discord_token=SECRET))) == SECRET


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def nothing(path: Path) -> None:
    pass


def long(path: Path) -> None:
    path.write_bytes(SECRET.encode() * 100)


def empty(path: Path) -> None:
    path.write_bytes(b" \n")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (folder, "is no file"),
        (pipe, "is no file"),
        (nothing, "cannot be read: No such file"),
        (long, "longer than any token"),
        (empty, "is empty"),
    ],
)
def test_what_holds_no_token_is_refused_at_once_by_file_and_reason(
    make: Callable[[Path], None], reason: str
) -> None:
    make(Path("here"))
    with pytest.raises(SettingsError) as raised:
        with_token(BotSettings.load(discord_token_file="here"))
    assert str(raised.value).startswith("here, for the token, ")
    assert reason in str(raised.value)
    assert "FOOTNOTE_DISCORD_TOKEN_FILE" in str(raised.value)
    assert SECRET[:8] not in str(raised.value)


def test_token_and_file_together_are_refused_since_nobody_can_tell_which_is_meant() -> None:
    both = BotSettings.load(discord_token=SECRET, discord_token_file=written(b"another"))
    with pytest.raises(SettingsError, match="are both set"):
        with_token(both)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
def test_env_file_with_the_token_that_others_can_read_is_told_of(mode: int, warned: bool) -> None:
    Path(".env").write_text(f"footnote_discord_token={SECRET}\n", encoding="utf-8")
    Path(".env").chmod(mode)
    told = list(exposed(BotSettings.load()))
    assert bool(told) == warned
    assert all("chmod 600 .env" in line and SECRET not in line for line in told)


def test_env_file_without_the_token_is_nobodys_business() -> None:
    Path(".env").write_text("FOOTNOTE_DISCORD_TOKEN=\n", encoding="utf-8")
    assert list(exposed(BotSettings.load())) == []


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o440, False), (0o444, True)])
def test_token_file_that_everybody_can_read_is_told_of(mode: int, warned: bool) -> None:
    told = list(exposed(BotSettings.load(discord_token_file=written(SECRET.encode(), mode))))
    assert bool(told) == warned
    assert all("chmod o= discord-token" in line for line in told)


def test_hooks_of_others_hear_of_what_shows_no_token_and_of_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: heard.append(error))
    with_token(BotSettings.load(discord_token=SECRET))
    with_token(BotSettings.load(discord_token=SECRET))  # once more is no other guard before it
    harmless, telling = ValueError("harmless"), ValueError(f"Bot {SECRET}")
    sys.excepthook(ValueError, harmless, None)
    sys.excepthook(ValueError, telling, None)
    assert heard == [harmless]
    assert capsys.readouterr().err == f"ValueError: Bot {hiding.HIDDEN}\n"
