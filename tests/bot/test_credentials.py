"""The token: where it is read from, what is refused with advice, who else can read it, how it is hidden."""

from __future__ import annotations

import base64
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import credentials
from bot.credentials import HIDDEN, Redactor, exposed_files, redacted, with_token
from bot.settings import BotSettings
from index.errors import SettingsError

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"  # made up

pytestmark = pytest.mark.usefixtures("restored_hooks")


@pytest.fixture
def restored_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what hiding a token changes in the whole process."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(credentials, "_redactor", Redactor())


def write(content: bytes, mode: int = 0o600) -> Path:
    file = Path("discord-token")
    file.write_bytes(content)
    file.chmod(mode)
    return file


def token_of(settings: BotSettings) -> str | None:
    return settings.discord_token.get_secret_value() if settings.discord_token else None


@pytest.mark.parametrize("content", [TOKEN, f"{TOKEN}\n", f" \t{TOKEN}\r\n\n"])
def test_token_is_read_from_its_file_without_surrounding_space(content: str) -> None:
    Path("link").symlink_to(write(content.encode()))  # as secrets often are
    settings = with_token(BotSettings.load(discord_token_file="link"))
    assert token_of(settings) == TOKEN
    assert TOKEN not in repr(settings)


def test_without_a_file_the_settings_are_unchanged() -> None:
    assert token_of(with_token(BotSettings.load())) is None
    assert token_of(with_token(BotSettings.load(discord_token=TOKEN))) == TOKEN


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "is not a file"),
        (os.mkfifo, "is not a file"),
        (lambda path: None, "cannot be read: No such file"),
        (lambda path: path.write_bytes(TOKEN.encode() * 100), "is too long"),
        (lambda path: path.write_bytes(b" \n"), "is empty"),
    ],
)
def test_file_without_a_token_is_refused_at_once_by_its_name_and_the_reason(
    make: Callable[[Path], object], reason: str
) -> None:
    make(Path("here"))
    with pytest.raises(
        SettingsError, match=rf"^The token file here {reason}.*FOOTNOTE_DISCORD_TOKEN_FILE"
    ) as refused:
        with_token(BotSettings.load(discord_token_file="here"))
    assert TOKEN[:8] not in str(refused.value)


def test_token_and_file_together_are_refused() -> None:
    with pytest.raises(SettingsError, match="are both set"):
        with_token(BotSettings.load(discord_token=TOKEN, discord_token_file=write(b"another")))


@pytest.mark.parametrize(
    ("content", "mode", "exposed"),
    [
        (f"footnote_discord_token={TOKEN}", 0o600, False),
        (f"footnote_discord_token={TOKEN}", 0o640, True),
        (f"footnote_discord_token={TOKEN}", 0o604, True),
        ("FOOTNOTE_DISCORD_TOKEN=", 0o644, False),
    ],
)
def test_env_file_with_the_token_that_others_can_read_is_reported(
    content: str, mode: int, exposed: bool
) -> None:
    Path(".env").write_text(content, encoding="utf-8")
    Path(".env").chmod(mode)
    lines = list(exposed_files(BotSettings.load()))
    assert bool(lines) == exposed
    assert all("chmod 600 .env" in line and TOKEN not in line for line in lines)


@pytest.mark.parametrize(("mode", "exposed"), [(0o600, False), (0o440, False), (0o444, True)])
def test_token_file_that_everybody_can_read_is_reported(mode: int, exposed: bool) -> None:
    lines = list(exposed_files(BotSettings.load(discord_token_file=write(TOKEN.encode(), mode))))
    assert bool(lines) == exposed
    assert all("chmod o= discord-token" in line for line in lines)


@given(before=st.binary(max_size=7), after=st.binary(max_size=5))
def test_token_is_hidden_as_it_is_and_in_base64_whatever_surrounds_it(before: bytes, after: bytes) -> None:
    redact = Redactor(TOKEN)
    encoded = base64.b64encode(before + TOKEN.encode() + after).decode()
    assert redact(f"{before!r}{TOKEN}{after!r}") == f"{before!r}{HIDDEN}{after!r}"
    assert HIDDEN in redact(encoded)
    assert len(redact(encoded)) <= len(encoded) - len(TOKEN)
    assert Redactor(" ")(TOKEN) == TOKEN


def test_token_is_hidden_in_errors_of_threads_and_finalizers(capsys: pytest.CaptureFixture[str]) -> None:
    with_token(
        BotSettings.load(discord_token=f"{TOKEN}\n", web_token="visitors", web_admin_token="operators")
    )

    def fail() -> None:
        raise ValueError(f"Bot {TOKEN}")

    class Unfinished:
        def __del__(self) -> None:
            fail()

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    Unfinished()
    assert capsys.readouterr().err.count(f"ValueError: Bot {HIDDEN}\n") == 2
    assert redacted(f"Bot {TOKEN}") == f"Bot {HIDDEN}"
    assert redacted("of visitors or operators") == f"of {HIDDEN} or {HIDDEN}"
