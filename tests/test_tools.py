"""The lock with its hashes, exceptions from the linter's security rules, and what an audit reports."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tools.audit import judge

ROOT = Path(__file__).parents[1]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def versions(text: str) -> dict[str, str]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_every_locked_package_but_torch_has_hashes_for_more_than_one_platform() -> None:
    lock, hashed = versions(text_of("requirements.lock")), versions(text_of("requirements.hashes"))
    assert "+" not in lock.pop("torch"), "a local build belongs to one machine"
    assert hashed == lock
    blocks = re.split(r"^(?=[A-Za-z0-9])", text_of("requirements.hashes"), flags=re.MULTILINE)
    counts = {block.split("==")[0]: block.count("--hash=sha256:") for block in blocks if "==" in block}
    assert min(counts.values()) >= 1
    # These are built for each platform and Python; a lock for one machine would have a file or two.
    assert min(counts[name] for name in ("aiohttp", "faiss-cpu", "numpy", "onnxruntime", "tokenizers")) >= 6


def test_setup_installs_by_hash_before_anything_without_one() -> None:
    script = text_of("setup.sh")
    hashed = script.index("pip install --require-hashes --no-deps -r requirements.hashes")
    assert hashed < script.index("pip install -r requirements.lock")
    subprocess.run(["sh", "-n", str(ROOT / "setup.sh")], check=True)


def test_each_exception_from_the_security_rules_says_why() -> None:
    lines = [
        line.strip()
        for folder in ("index", "bot", "evaluation")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"# noqa: [^#]*\bS\d{3}", line)
    ]
    assert [line for line in lines if not re.search(r"# noqa: [A-Z0-9, ]+ --? .+", line)] == []


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


SOUND = {"name": "click", "version": "8.5.1", "vulns": []}
FLAWED = {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
UNKNOWN = {"name": "y", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("", 0, "nothing was audited"),
        (report(UNKNOWN), 0, "0 packages audited, 0 vulnerabilities, 1 not in the database"),
        (report(SOUND, UNKNOWN), 0, "1 packages audited, 0 vulnerabilities, 1 not in the database"),
        (report(SOUND, FLAWED), 1, "x 1: PYSEC-1, fixed in ['2']"),
    ],
)
def test_audit_fails_for_what_it_found_and_reports_what_it_could_not_see(
    text: str, status: int, expected: str
) -> None:
    found, lines = judge(text)
    assert found == status
    assert expected in "\n".join(lines)
