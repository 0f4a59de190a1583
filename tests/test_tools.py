"""What maintainers run: the lock and its hashes, licences, and what an audit says it did not see."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tools import licences
from tools.audit import judge

ROOT = Path(__file__).parents[1]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


# The lock


def test_every_package_of_the_lock_but_torch_has_its_hashes_at_the_same_version() -> None:
    lock, hashed = named(text_of("requirements.lock")), named(text_of("requirements.hashes"))
    torch = lock.pop("torch")
    assert "+" not in torch
    assert hashed == lock


def test_every_release_has_the_hashes_of_files_for_more_than_one_platform() -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", text_of("requirements.hashes"), flags=re.MULTILINE)
    counts = {block.split("==")[0]: block.count("--hash=sha256:") for block in blocks if "==" in block}
    assert min(counts.values()) >= 1
    # Built for each platform and Python: of these a lock for one machine would have a file or two.
    for name in ("aiohttp", "faiss-cpu", "numpy", "onnxruntime", "pydantic-core", "tokenizers"):
        assert counts[name] >= 6, name


def test_setup_installs_by_hash_before_what_has_none() -> None:
    script = text_of("setup.sh")
    hashed = script.index("pip install --require-hashes --no-deps -r requirements.hashes")
    assert hashed < script.index("pip install -r requirements.lock")
    subprocess.run(["sh", "-n", str(ROOT / "setup.sh")], check=True)


def test_each_exception_from_the_rules_of_security_says_why() -> None:
    lines = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for folder in ("index", "bot")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"# noqa: [^#]*\bS\d{3}", line)
    ]
    unexplained = [line for line in lines if not re.search(r"# noqa: [A-Z0-9, ]+ --? .+", line)]
    assert unexplained == []
    assert not re.search(r'"(?:index|bot)/', text_of("pyproject.toml").partition("per-file-ignores")[2])


# Licences


def test_licences_are_listed_of_all_that_the_lock_names_and_of_nothing_else() -> None:
    rows = re.findall(r"^\| ([^ |]+) \| ([^ |]+) \| (.+) \|$", text_of("docs/licences.md"), re.MULTILINE)
    listed = {name: version for name, version, _ in rows if name not in {"package", "---"}}
    assert listed == licences.locked()
    assert licences.surprises({name: licence for name, _, licence in rows}) == []


def test_licence_that_asks_for_more_is_a_surprise_until_somebody_has_looked_at_it() -> None:
    told = {"a": "MIT", "b": "GPL-3.0-or-later", "c": "LGPLv2", "d": "not said", "hypothesis": "MPL-2.0"}
    assert licences.surprises(told) == ["b", "c", "d"]


# The audit


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


SOUND = {"name": "click", "version": "8.5.1", "vulns": []}
FLAWED = {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
UNKNOWN = {"name": "y", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("", 0, "cannot be reached: nothing was audited"),
        ("<html>", 0, "cannot be reached: nothing was audited"),
        (report(UNKNOWN), 0, "nothing was audited"),
        (report(SOUND), 0, "1 packages audited, 0 vulnerabilities"),
        (report(SOUND, UNKNOWN), 0, "1 packages audited, 0 vulnerabilities; 1 are not in the database"),
        (report(SOUND, FLAWED), 1, "x 1: PYSEC-1, mended in 2"),
    ],
)
def test_audit_fails_for_what_it_found_and_says_what_it_could_not_see(
    text: str, status: int, said: str
) -> None:
    found, lines = judge(text)
    assert found == status
    assert said in "\n".join(lines)
