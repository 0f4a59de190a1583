"""Settings: every one is documented, has an option, and refuses what it cannot use."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from pydantic_core import PydanticUndefined

from bot.cli import main
from bot.settings import BotSettings
from index.errors import SettingsError

ROOT = Path(__file__).parents[2]
FIELDS = BotSettings.model_fields
VARIABLES = {f"FOOTNOTE_{name.upper()}" for name in FIELDS}
SECRET = "MTE5.s3cret-t0ken.value"


def example_lines() -> dict[str, tuple[str, str]]:
    """Return each variable of `.env.example` with its value and the comment right above it."""
    found: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"#?(FOOTNOTE_[A-Z0-9_]+)=(.*)", line):
            assert match[1] not in found, f"{match[1]} stands there twice"
            found[match[1]] = (match[2], " ".join(comment))
            comment = []
        elif line.startswith("# "):
            comment.append(line[2:])
        else:
            comment = []
    return found


def as_written(value: object) -> str:
    """Return a default as it is written in `.env`."""
    if value is None or value == frozenset():
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def options_of(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


@pytest.fixture
def commands() -> dict[str, click.Command]:
    """Return the program's commands by name."""
    from bot.cli import footnote

    found: dict[str, click.Command] = {}
    for name, command in footnote.commands.items():
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": one for below, one in command.commands.items()}
    return found


def test_env_example_lists_every_setting_and_nothing_else() -> None:
    assert set(example_lines()) == VARIABLES


@pytest.mark.parametrize("name", FIELDS)
def test_env_example_gives_each_default_and_a_sentence(name: str) -> None:
    default = FIELDS[name].default
    assert default is not PydanticUndefined
    value, sentence = example_lines()[f"FOOTNOTE_{name.upper()}"]
    assert value == as_written(default)
    assert sentence[:1].isupper()
    assert sentence.endswith(".")


def test_env_example_as_it_stands_is_accepted(tmp_path: Path) -> None:
    lines = [f"{name}={value}" for name, (value, _) in example_lines().items()]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    assert BotSettings.load() == BotSettings.model_validate({})


def test_readme_names_every_setting_in_its_table_and_no_other_anywhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(FOOTNOTE_[A-Z0-9_]+)` \|", text, re.MULTILINE)) == VARIABLES
    assert set(re.findall(r"FOOTNOTE_[A-Z0-9_]+", text)) <= VARIABLES


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"discord_token", "discord_api_url"}))
def test_readme_gives_each_default(name: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    default = as_written(FIELDS[name].default)
    cell = f"`{default}`" if default else "none"
    assert f"| `FOOTNOTE_{name.upper()}` | {cell} |" in text


def test_every_setting_but_the_token_is_an_option_and_the_token_is_none(
    commands: dict[str, click.Command],
) -> None:
    wanted = {"--" + name.replace("_", "-") for name in FIELDS if name != "discord_token"}
    for name in ("discord", "doctor"):
        assert wanted <= options_of(commands[name]), name
    everywhere = set().union(*map(options_of, commands.values()))
    assert "--discord-token" not in everywhere


@pytest.mark.parametrize("option", ["--articles", "--index", "--model", "--language"])
def test_every_command_takes_the_options_of_the_index(
    commands: dict[str, click.Command], option: str
) -> None:
    lacking = [name for name, command in commands.items() if option not in options_of(command)]
    assert lacking in ([], ["eval"])


def test_every_setting_and_option_says_what_it_is(commands: dict[str, click.Command]) -> None:
    for name, field in FIELDS.items():
        assert field.description, name
    for name, command in commands.items():
        assert command.help, name
        options = [one for one in command.params if isinstance(one, click.Option)]
        assert [one.name for one in options if not one.help] == []


def test_ids_read_the_same_with_commas_and_spaces() -> None:
    assert BotSettings.load(discord_admin_users="12, 34 56,").discord_admin_users == {12, 34, 56}


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:3001/api/v10/", "http://localhost/api", "http://[::1]:8/x", "https://chat.example"],
)
def test_an_address_of_this_machine_or_with_https_is_accepted(url: str) -> None:
    assert BotSettings.load(discord_api_url=url).discord_api_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://discord.example/api",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "https://",
        "https://u:p@chat.example",
        "https://chat.example?x=1",
        "http://[::1",
        "",
        "discord",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"--discord-api-url: .* is not accepted"):
        BotSettings.load(discord_api_url=url)


def test_the_token_is_in_no_repr_and_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_DISCORD_TOKEN", SECRET)
    settings = BotSettings.load()
    assert settings.discord_token is not None
    assert settings.discord_token.get_secret_value() == SECRET
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    with pytest.raises(SettingsError) as raised:
        BotSettings.load(waiting=0)
    assert SECRET not in str(raised.value)
    with pytest.raises(SettingsError) as raised:
        BotSettings.load(discord_token=["not", SECRET])
    assert SECRET not in str(raised.value)


def test_an_empty_variable_is_as_if_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert BotSettings.load() == BotSettings.model_validate({})


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        BotSettings.load().__setattr__("waiting", 3)


def test_the_help_of_a_command_lists_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["discord", "--help"])
    shown = capsys.readouterr().out
    for name in set(FIELDS) - {"discord_token"}:
        assert "--" + name.replace("_", "-") in shown


def test_unknown_name_in_the_env_file_is_refused_with_the_nearest() -> None:
    Path(".env").write_text("FOOTNOTE_ARTICLE=x\n")
    with pytest.raises(SettingsError, match=r"FOOTNOTE_ARTICLE in \.env .* did you mean FOOTNOTE_ARTICLES"):
        BotSettings.load()
    Path(".env").write_text("FOOTNOTE_XYZZY=x\n")
    with pytest.raises(SettingsError, match=r"FOOTNOTE_XYZZY .*\.env\.example"):
        BotSettings.load()
