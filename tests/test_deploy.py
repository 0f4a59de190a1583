"""The files to deploy with: they name real commands and settings, and give no more rights than needed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.chat.metrics import Metrics, health_server
from bot.settings import BotSettings

ROOT = Path(__file__).parents[1]
SETTINGS = {f"FOOTNOTE_{name.upper()}" for name in BotSettings.model_fields}
COMMANDS = {"ask", "chat", "discord", "doctor", "eval", "index"}
FILES = """Dockerfile compose.yaml deploy/footnote.service deploy/token-file.conf deploy/token-file.yaml
    deploy/milvus/compose.yaml deploy/README.md docs/discord.md docs/scale.md""".split()


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def assignments(name: str) -> dict[str, str]:
    """Return the keys of a systemd file, each with its last value."""
    lines = [line for line in text_of(name).splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def settings_from(environment: dict[str, str]) -> BotSettings:
    """Load the settings that an environment gives."""
    prefix = "FOOTNOTE_"
    names = [name for name in environment if name.startswith(prefix)]
    return BotSettings.load(**{name.removeprefix(prefix).lower(): environment[name] for name in names})


_DOCKERFILE = re.sub(r"^#.*\n", "", text_of("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
INSTRUCTIONS = [line.partition(" ")[::2] for line in _DOCKERFILE.splitlines() if line]
IMAGE = dict(INSTRUCTIONS)
"""The last instruction of each kind, which is the one that counts."""
SERVICE: dict[str, Any] = yaml.safe_load(text_of("compose.yaml"))["services"]["footnote"]
UNIT = assignments("deploy/footnote.service")


@pytest.mark.parametrize("name", FILES)
def test_files_name_only_settings_and_commands_that_exist(name: str) -> None:
    assert set(re.findall(r"FOOTNOTE_[A-Z0-9_]+[A-Z0-9]", text_of(name))) <= SETTINGS
    commands = re.findall(r"(?:bin/|run --rm |`)footnote ([a-z]+)", text_of(name))
    assert set(commands) <= COMMANDS


def test_image_runs_the_bot_as_a_user_without_rights_in_its_volume() -> None:
    assert all(int(number) >= 1000 for number in IMAGE["USER"].split(":"))
    assert IMAGE["WORKDIR"] == IMAGE["VOLUME"] == "/state"
    assert json.loads(IMAGE["ENTRYPOINT"]) + json.loads(IMAGE["CMD"]) == ["footnote", "discord"]
    settings = settings_from(dict(pair.split("=", 1) for pair in IMAGE["ENV"].split()))
    assert settings.health_port
    assert settings.articles == Path("/articles")
    assert not settings.index.is_absolute(), "it would not be in the volume"


def test_image_is_made_of_all_packages_and_of_nothing_that_is_private() -> None:
    rules = [line for line in text_of(".dockerignore").splitlines() if line and not line.startswith("#")]
    let_through = {rule[1:] for rule in rules if rule.startswith("!")}
    copies = [rest for word, rest in INSTRUCTIONS if word == "COPY" and "--from" not in rest]
    copied = {source for rest in copies for source in rest.split()[:-1]}
    assert rules[0] == "*"
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
    packages = tomllib.loads(text_of("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(packages["packages"]) <= copied
    assert not {".env", ".footnote", "articles", "."} & copied


def test_commands_of_the_image_are_shell_and_install_what_the_project_needs() -> None:
    commands = [rest for word, rest in INSTRUCTIONS if word == "RUN"]
    for command in commands:
        subprocess.run(["sh", "-n", "-c", command], check=True)
    (program,) = re.findall(r'python -c "(.*?)" > needed\.txt', "\n".join(commands))
    printed = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert printed.splitlines() == project["dependencies"] + project["optional-dependencies"]["build"]


async def test_health_check_passes_while_the_bot_is_alive_and_only_then() -> None:
    python, *check = json.loads(IMAGE["HEALTHCHECK"].partition(" CMD ")[2])
    assert python == "python"

    async def status(port: int) -> int:
        environment = {**os.environ, "FOOTNOTE_HEALTH_PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, *check, env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    async with health_server(0, Metrics(), lambda: ["not connected"]) as port:
        assert port
        assert await status(port) == 0
    assert await status(port) != 0


def test_container_can_do_and_write_as_little_as_it_needs() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert SERVICE["volumes"] == ["./articles:/articles:ro", f"state:{IMAGE['VOLUME']}"]
    assert [mount.partition(":")[0] for mount in SERVICE["tmpfs"]] == ["/tmp"]  # noqa: S108 - the container's
    assert not {"privileged", "user", "cap_add", "ports", "network_mode"} & set(SERVICE)
    settings = settings_from(SERVICE["environment"])  # these win over the .env file
    assert settings.articles == Path("/articles")
    assert all(path.parts[0] == ".footnote" for path in (settings.index, settings.records))
    assert {"FOOTNOTE_INDEX", "FOOTNOTE_RECORDS", "FOOTNOTE_HEALTH_PORT"} <= set(SERVICE["environment"])


def test_stopping_waits_for_the_answers_under_way() -> None:
    for patience in (SERVICE["stop_grace_period"], UNIT["TimeoutStopSec"]):
        assert int(patience.removesuffix("s")) > 30, "20 for the answers, and some for the rest"


def test_unit_runs_the_bot_as_a_user_with_one_folder_and_restarts_it_slowly() -> None:
    assert UNIT["User"] == "footnote"
    assert UNIT["WorkingDirectory"] == f"/var/lib/{UNIT['StateDirectory']}"
    assert UNIT["ProtectSystem"] == "strict"
    assert UNIT["CapabilityBoundingSet"] == ""
    assert UNIT["ExecStart"].endswith("/.venv/bin/footnote discord")
    # Discord takes a token away that connects more than a thousand times a day.
    assert 24 * 60 * 60 / int(UNIT["RestartSec"]) < 1000


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_accepts_the_unit_and_rates_it_as_hardened(tmp_path: Path) -> None:
    copy = tmp_path / "footnote.service"
    text = text_of("deploy/footnote.service").replace(UNIT["ExecStart"].split()[0], sys.executable)
    copy.write_text(text, encoding="utf-8")
    for command in ("verify", "security --offline=true --no-pager --threshold=12"):
        arguments = ["systemd-analyze", *command.split(), str(copy)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_no_memory_dump_and_no_checked_in_file_holds_the_token() -> None:
    assert SERVICE["ulimits"] == {"core": 0}
    assert UNIT["LimitCORE"] == "0"
    assert "TOKEN" not in text_of("compose.yaml") + text_of("deploy/footnote.service")
    assert "discord-token" in text_of(".gitignore").splitlines()


def test_token_files_are_the_ones_that_docker_and_systemd_pass_on() -> None:
    more = yaml.safe_load(text_of("deploy/token-file.yaml"))
    ((secret, source),) = more["secrets"].items()
    assert source == {"file": "./discord-token"}
    assert more["services"]["footnote"]["secrets"] == [secret]
    settings = settings_from(more["services"]["footnote"]["environment"])
    assert settings.discord_token_file == Path("/run/secrets") / secret
    keys = assignments("deploy/token-file.conf")
    name, _, path = keys["LoadCredential"].partition(":")
    assert keys["Environment"] == f"FOOTNOTE_DISCORD_TOKEN_FILE=%d/{name}"
    assert path in text_of("deploy/README.md")
