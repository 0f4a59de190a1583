"""The files to deploy with, as far as they can be checked without a container engine."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import discord
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord import app_commands

from bot.chat.metrics import Metrics, health_server
from bot.discordapp.client import make_tree
from bot.settings import BotSettings

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "deploy" / "footnote.service"
FILES = (
    "Dockerfile",
    "compose.yaml",
    "deploy/footnote.service",
    "deploy/token-file.conf",
    "deploy/token-file.yaml",
    "deploy/README.md",
    "docs/discord.md",
)
SETTINGS = {f"FOOTNOTE_{name.upper()}" for name in BotSettings.model_fields}
WRITTEN = ("index", "records")
"""The settings that name what is written."""

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def instructions() -> list[list[tuple[str, str]]]:
    """Return the Dockerfile's instructions, a list a stage; what comes before the first stage is left out."""
    lines = [line for line in text_of("Dockerfile").splitlines() if not line.lstrip().startswith("#")]
    stages: list[list[tuple[str, str]]] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        if word and stages:
            stages[-1].append((word, rest.strip()))
    return stages


def last(word: str) -> str:
    """Return the last such instruction of the last stage: the one that counts."""
    return [rest for name, rest in instructions()[-1] if name == word][-1]


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in last("ENV").split())


def compose() -> dict[str, object]:
    """Return the one service of the compose file."""
    ((name, service),) = yaml.safe_load(text_of("compose.yaml"))["services"].items()
    assert name == "footnote"
    assert isinstance(service, dict)
    return service


def compose_environment() -> dict[str, str]:
    given = compose()["environment"]
    assert isinstance(given, dict)
    return given


def as_options(environment: dict[str, str]) -> dict[str, str]:
    return {
        name.removeprefix("FOOTNOTE_").lower(): value
        for name, value in environment.items()
        if name.startswith("FOOTNOTE_")
    }


def unit() -> dict[str, list[str]]:
    """Return the unit's keys, each with all of its values."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def seconds(value: str) -> int:
    return int(value.removesuffix("s"))


@pytest.mark.parametrize("name", FILES)
def test_files_name_only_settings_that_there_are(name: str) -> None:
    assert set(re.findall(r"FOOTNOTE_[A-Z0-9_]+[A-Z0-9]", text_of(name))) <= SETTINGS


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "deploy/footnote.service"])
def test_files_name_no_host_to_fetch_from(name: str) -> None:
    assert not re.search(r"https?://|\+cpu|index-url[ =][^\"]", text_of(name))


# The chapter about Discord


def test_chapter_has_ten_steps_in_order() -> None:
    steps = re.findall(r"^### (\d+)\. ", text_of("docs/discord.md"), re.MULTILINE)
    assert steps == [str(number) for number in range(1, 11)]


def test_chapter_names_every_command_and_no_other() -> None:
    tree = make_tree(discord.Client(intents=discord.Intents(guilds=True)))
    commands = {one.qualified_name for one in tree.walk_commands() if isinstance(one, app_commands.Command)}
    menus = {one.name for one in tree.get_commands(type=discord.AppCommandType.message)}
    text = text_of("docs/discord.md")
    who_may = text.partition("## Who may do what")[2].partition("\n- ")[0]
    assert set(re.findall(r"`/([a-z ]+)`", who_may)) == commands
    groups = {name.split()[0] for name in commands}
    assert {name.split()[0] for name in re.findall(r"`/([a-z ]+)", text)} == groups
    assert set(re.findall(r"\*\*Apps\*\*, \*\*(.+?)\*\*", text)) == menus


def test_chapter_has_what_the_program_says_as_it_says_it() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("[bi]*/**/*.py"))
    words = text_of("bot/chat/texts/en.toml")
    table = text_of("docs/discord.md").partition("| symptom |")[2]
    symptoms = "\n".join(re.findall(r"^\| (.*?) \| ", table, re.MULTILINE))
    errors = re.findall(r"`((?:[A-Z][a-z]+|no) [^`/]+)`", symptoms)
    assert len(errors) == 5
    for one in errors:
        said = one.replace("8080", "{port}").replace("127.0.0.1", "{HOST}").replace(" ...", " {folder}")
        assert said.replace(" is taken", " {why}") in code, one
    notices = set(re.findall(r'"([A-Z].+?)"', symptoms)) - {"The application did not respond"}
    assert len(notices) == 6
    for one in notices:
        assert one in words, one


# The image


def test_image_runs_as_a_user_without_rights_in_a_folder_that_is_a_volume() -> None:
    user, group = last("USER").split(":")
    assert int(user) >= 1000
    assert int(group) >= 1000
    assert last("WORKDIR") == last("VOLUME") == "/state"
    assert json.loads(last("ENTRYPOINT")) + json.loads(last("CMD")) == ["footnote", "discord"]


def test_everything_copied_into_the_image_is_there_and_let_through() -> None:
    rules = [line for line in text_of(".dockerignore").splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_through = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source
        for stage in instructions()
        for word, rest in stage
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert copied == let_through
    assert not {one for one in copied if not (ROOT / one).exists()}
    assert not {".env", ".footnote", "articles", "."} & let_through


def test_image_holds_what_the_project_needs_to_build_and_when_it_runs() -> None:
    (program,) = re.findall(r'RUN python -c "(.*?)" > needed\.txt', text_of("Dockerfile"))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert done.stdout.splitlines() == project["dependencies"] + project["optional-dependencies"]["build"]


def test_commands_of_the_image_are_shell() -> None:
    commands = [rest for stage in instructions() for word, rest in stage if word == "RUN"]
    assert commands
    for command in commands:
        subprocess.run(["sh", "-n", "-c", command], check=True)


async def test_health_check_passes_while_the_bot_is_alive_and_only_then() -> None:
    check = json.loads(last("HEALTHCHECK").partition(" CMD ")[2])
    assert check[0] == "python"

    async def status(port: int) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *check[1:],
            env={**os.environ, "FOOTNOTE_HEALTH_PORT": str(port), "http_proxy": "http://127.0.0.1:1"},
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await process.wait()

    async with health_server(0, Metrics(), lambda: ["not connected"]) as port:
        assert port
        assert await status(port) == 0
    assert await status(port) != 0
    stranger = TestServer(web.Application(), host="127.0.0.1")  # some other program on that port
    async with stranger:
        assert stranger.port
        assert await status(stranger.port) != 0


def test_image_sets_what_the_settings_accept() -> None:
    settings = BotSettings.load(**as_options(image_environment()))
    assert settings.health_port
    assert settings.articles == Path("/articles")
    for name in WRITTEN:
        assert not getattr(settings, name).is_absolute(), f"{name} would not be in the working folder"


# The compose file


def test_container_can_do_and_write_as_little_as_it_needs() -> None:
    service = compose()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["env_file"] == ".env"
    assert service["volumes"] == ["./articles:/articles:ro", f"state:{last('VOLUME')}"]
    assert [str(one).partition(":")[0] for one in service["tmpfs"]] == ["/tmp"]  # type: ignore[attr-defined]  # noqa: S108
    assert not {"privileged", "user", "cap_add", "ports", "network_mode"} & set(service)
    assert yaml.safe_load(text_of("compose.yaml"))["volumes"] == {"state": None}


def test_container_writes_to_its_volume_whatever_the_env_file_says() -> None:
    environment = compose_environment()
    assert {f"FOOTNOTE_{name.upper()}" for name in (*WRITTEN, "articles", "health_port")} <= set(environment)
    settings = BotSettings.load(**as_options(environment))
    assert settings.health_port == int(image_environment()["FOOTNOTE_HEALTH_PORT"])
    assert str(settings.articles) == "/articles"
    assert all(getattr(settings, name).parts[0] == ".footnote" for name in WRITTEN)


def test_stopping_waits_for_the_answers_under_way() -> None:
    waiting = 20  # seconds for which a bot that is stopped answers waiting questions
    assert seconds(str(compose()["stop_grace_period"])) > waiting + 10
    assert seconds(unit()["TimeoutStopSec"][0]) > waiting + 10


# The systemd unit


def test_service_has_a_user_and_one_folder_of_its_own() -> None:
    keys = unit()
    assert keys["User"] == ["footnote"]
    assert keys["WorkingDirectory"] == [f"/var/lib/{keys['StateDirectory'][0]}"]
    assert keys["ProtectSystem"] == ["strict"]
    assert keys["CapabilityBoundingSet"] == [""]
    (start,) = keys["ExecStart"]
    assert start.endswith("/.venv/bin/footnote discord")


def test_failing_starts_are_too_few_for_discord_to_take_the_token_away() -> None:
    assert 24 * 60 * 60 / seconds(unit()["RestartSec"][0]) < 1000


@needs_systemd
def test_unit_is_accepted_by_systemd_without_a_word(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    program = unit()["ExecStart"][0].split()[0]
    copy.write_text(text_of("deploy/footnote.service").replace(program, sys.executable), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_unit_is_exposed_no_more_than_it_must_be() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=12", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# The token


def test_neither_writes_a_dump_of_its_memory() -> None:
    assert compose()["ulimits"] == {"core": 0}
    assert unit()["LimitCORE"] == ["0"]


def test_token_file_of_the_container_is_the_secret_that_it_is_given() -> None:
    more = yaml.safe_load(text_of("deploy/token-file.yaml"))
    ((name, service),) = more["services"].items()
    assert (name, service["secrets"]) == ("footnote", list(more["secrets"]))
    (secret,) = more["secrets"]
    settings = BotSettings.load(**as_options(service["environment"]))
    assert settings.discord_token_file == Path("/run/secrets") / secret
    assert more["secrets"][secret] == {"file": "./discord-token"}
    assert "discord-token" in text_of(".gitignore").splitlines()
    assert "TOKEN" not in text_of("compose.yaml") + text_of("deploy/footnote.service")


def test_token_file_of_the_service_is_the_credential_that_it_is_given() -> None:
    keys = dict(
        line.split("=", 1) for line in text_of("deploy/token-file.conf").splitlines() if line[:1].isalpha()
    )
    name, _, path = keys["LoadCredential"].partition(":")
    assert Path(path).is_absolute()
    assert keys["Environment"] == f"FOOTNOTE_DISCORD_TOKEN_FILE=%d/{name}"
    assert path in text_of("deploy/README.md")
