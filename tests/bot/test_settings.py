"""Settings: where a value comes from, how a wrong one is refused, and what is made from the fields."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from bot.cli import footnote
from bot.settings import RETIRED, BotSettings
from index.cli import load_settings
from index.errors import SettingsError
from index.settings import IndexSettings
from tools.settings import FILES

SECRET = "MTE5.s3cret-t0ken.value"
FIELDS = BotSettings.model_fields


def commands_in(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its path."""
    for name, command in group.commands.items():
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from commands_in(command, f"{path}{name} ")


def options_of(command: click.Command) -> dict[str, click.Option]:
    # With the program's own help options, since a command keeps those of its first context.
    context = click.Context(command, help_option_names=["-h", "--help"])
    params = command.get_params(context)
    return {name: param for param in params if isinstance(param, click.Option) for name in param.opts}


@pytest.mark.parametrize(("file", "make"), FILES.items(), ids=lambda value: getattr(value, "name", ""))
def test_env_example_and_settings_page_are_as_make_settings_writes_them(file: Path, make: Any) -> None:
    text = file.read_text(encoding="utf-8")
    assert text == make(text), "run `make settings`"


def test_there_are_at_most_38_settings_and_each_has_a_sentence() -> None:
    assert len(FIELDS) <= 40
    for name, field in FIELDS.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_env_example_uncommented_is_accepted_and_sets_the_defaults() -> None:
    example = next(file for file in FILES if file.name == ".env.example")
    Path(".env").write_text(example.read_text(encoding="utf-8").replace("#FOOTNOTE", "FOOTNOTE"))
    assert BotSettings.load() == BotSettings.model_validate({})


def test_every_command_has_an_option_for_each_of_its_settings_and_none_for_the_token() -> None:
    commands = dict(commands_in(footnote))
    assert {"ask", "chat", "discord sync", "doctor", "index build", "mcp", "web"} <= commands.keys()
    for path, command in commands.items():
        options = options_of(command)
        of_bot = path.startswith("discord") or path in {"doctor", "mcp", "web"}
        fields = FIELDS if of_bot else IndexSettings.model_fields
        secrets = {"--discord-token", "--web-token", "--web-admin-token"}
        expected = {"--" + name.replace("_", "-") for name in fields} - secrets
        assert expected <= options.keys() or path == "eval", path
        assert not secrets & options.keys()
        assert command.help, path
        assert all(option.help for option in options.values()), path


@pytest.mark.parametrize(("arguments", "logged"), [([], True), (["--no-log-questions"], False)])
def test_a_switch_that_is_not_given_leaves_the_environment_in_force(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], logged: bool
) -> None:
    monkeypatch.setenv("FOOTNOTE_LOG_QUESTIONS", "on")
    context = footnote.commands["doctor"].make_context("doctor", arguments, obj=BotSettings.load)
    assert load_settings(context).log_questions == logged


def test_option_comes_before_environment_before_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("FOOTNOTE_LANGUAGE=de\nFOOTNOTE_MODEL=from-file\nFOOTNOTE_INDEX=file\nPATHS=x\n")
    monkeypatch.setenv("FOOTNOTE_LANGUAGE", "fr")
    monkeypatch.setenv("footnote_model", "from-environment")
    monkeypatch.setenv("FOOTNOTE_ARTICLES", "")
    settings = BotSettings.load(language="es", articles=None)
    assert (settings.language, settings.model, settings.index) == ("es", "from-environment", Path("file"))
    assert settings.articles == Path("articles"), "an empty variable counts as not set"
    with pytest.raises(ValueError, match="frozen"):
        settings.__setattr__("keep", 3)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("answer_at", "sure", "valid number"),
        ("answer_at", "-0.1", "greater than or equal to 0"),
        ("keep", "many", "valid integer"),
        ("language", "English", "pattern"),
        ("language", "en-GB", "pattern"),
        ("model_sha256", "0123", "pattern"),
        ("record_days", "-1", "greater than or equal to 0"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("discord_admin_users", "ann", "valid integer"),
        ("discord_api_url", "http://discord.example/api", "use https"),
        ("discord_api_url", "http://127.0.0.1.evil.example/", "use https"),
        ("discord_api_url", "http://localhost@evil.example/", "without user name"),
        ("discord_api_url", "https://chat.example?x=1", "without user name, query"),
        ("discord_api_url", "ftp://127.0.0.1/", "expected an address"),
        ("discord_api_url", "http://[::1", "Invalid IPv6"),
    ],
)
@pytest.mark.parametrize("place", ["option", "environment", ".env"])
def test_wrong_value_is_refused_by_its_name_the_value_and_what_is_accepted(
    monkeypatch: pytest.MonkeyPatch, place: str, name: str, value: str, accepted: str
) -> None:
    monkeypatch.setenv("FOOTNOTE_DISCORD_TOKEN", SECRET)
    variable = f"FOOTNOTE_{name.upper()}"
    if place == "environment":
        monkeypatch.setenv(variable, value)
    elif place == ".env":
        Path(".env").write_text(f"{variable}={value}\n")
    with pytest.raises(SettingsError) as refused:
        BotSettings.load(**({name: value} if place == "option" else {}))
    shown = f"--{name.replace('_', '-')}" if place == "option" else variable
    assert str(refused.value).startswith(f"{shown}: ")
    assert value.rpartition("@")[2] in str(refused.value)
    assert "localhost@" not in str(refused.value), "a password may stand before the @"
    assert accepted in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:3001/api/v10/", "http://[::1]:8/x", "https://chat.example"]
)
def test_address_of_this_machine_or_with_https_is_accepted(url: str) -> None:
    assert BotSettings.load(discord_api_url=url).discord_api_url == url.rstrip("/")


def test_ids_are_separated_by_commas_or_spaces() -> None:
    assert BotSettings.load(discord_admin_users="12, 34 56,").discord_admin_users == {12, 34, 56}


def test_token_is_in_no_repr_and_no_message() -> None:
    settings = BotSettings.load(discord_token=SECRET)
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    with pytest.raises(SettingsError, match="secret, not shown") as refused:
        BotSettings.load(discord_token=["not", SECRET])
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"FOOTNOTE_ARTICLE=x", r"FOOTNOTE_ARTICLE in \.env .* did you mean FOOTNOTE_ARTICLES\?"),
        (b"footnote_xyzzy=x", r"FOOTNOTE_XYZZY in \.env is not a setting\. \.env\.example"),
        (b"FOOTNOTE_LANGUAGE=\xff", r"\.env cannot be read"),
    ],
)
def test_env_file_with_an_unknown_name_or_bad_bytes_is_refused(content: bytes, message: str) -> None:
    Path(".env").write_bytes(content + b"\n")
    with pytest.raises(SettingsError, match=message):
        BotSettings.load()


@pytest.mark.parametrize("place", ["environment", ".env"])
@pytest.mark.parametrize("name", RETIRED)
def test_retired_name_is_reported_with_what_holds_now(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str, name: str
) -> None:
    if place == "environment":
        monkeypatch.setenv(f"FOOTNOTE_{name.upper()}", "1")
    else:
        Path(".env").write_text(f"FOOTNOTE_{name.upper()}=1\n")
    assert BotSettings.load() == BotSettings.model_validate({})
    assert caplog.record_tuples == [
        ("bot.settings", logging.WARNING, f"FOOTNOTE_{name.upper()} is retired: {RETIRED[name]}. Remove it.")
    ]


@pytest.mark.parametrize(
    ("in_file", "in_environment", "days"),
    [
        ("false", "", 0),
        ("0", "", 0),
        ("maybe", "", 0),
        ("false", "TRUE", 30),
        ("true", "no", 0),
        ("", "", 30),
    ],
)
def test_nothing_is_recorded_where_an_earlier_version_was_told_not_to(
    monkeypatch: pytest.MonkeyPatch, in_file: str, in_environment: str, days: int
) -> None:
    Path(".env").write_text(f"FOOTNOTE_RECORDING={in_file}\nFOOTNOTE_RECORD_DAYS=30\n")
    monkeypatch.setenv("FOOTNOTE_RECORDING", in_environment)
    assert BotSettings.load().record_days == days
