"""`make licences`: what everything that requirements.lock names may be used under, as its metadata says."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

__all__ = ["COPYLEFT", "licence_of", "locked", "page", "surprises"]

LOCK = Path(__file__).parents[1] / "requirements.lock"
_COPYLEFT = re.compile(r"GPL|MPL|Mozilla|EPL|Eclipse|CDDL|EUPL|OSL|SSPL|Affero|ShareAlike|CC-BY-SA")
_LONGEST = 70

COPYLEFT = {
    "hypothesis": "used by the tests alone",
    "pathspec": "used to check types and to build the package alone",
    "tqdm": "used as it is, by transformers, which makes an encoder's graph",
}
"""Packages whose licence asks something of those who change them, each with what it is used for."""

_HEAD = """\
# Licences

What `requirements.lock` names, as the packages say themselves. Written by `make licences`; do not edit.
Footnote is under the MIT licence. The weights of the default encoder, all-MiniLM-L6-v2, are under the Apache
2.0 licence (the package that carries them says MIT of itself).

These are under a licence that asks those who change the package to publish the change:

{copyleft}

| package | version | licence |
| --- | --- | --- |
"""


def locked() -> dict[str, str]:
    """Return the packages of the lock with their versions, in its order."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def licence_of(name: str) -> str:
    """Return a package's licence as its metadata says: the expression, a short line, or its class."""
    about = metadata.metadata(name)
    # By `get_all`, as the protocol has it in all versions of Python.
    expression, line = (str((about.get_all(key) or [""])[0]) for key in ("License-Expression", "License"))
    kinds = [one for one in about.get_all("Classifier", []) if one.startswith("License :: ")]
    if expression:
        return expression
    if line.strip() and "\n" not in line and len(line) <= _LONGEST:
        return line
    return ", ".join(kind.rpartition(" :: ")[2] for kind in kinds) or "not said"


def surprises(licences: dict[str, str]) -> list[str]:
    """Return the packages whose licence is no permissive one, or is not said, and that nobody looked at."""
    return [
        name
        for name, licence in licences.items()
        if name not in COPYLEFT and (_COPYLEFT.search(licence) or licence == "not said")
    ]


def page() -> str:
    """Return docs/licences.md."""
    copyleft = "\n".join(f"- {name}: {licence_of(name)}; {use}." for name, use in sorted(COPYLEFT.items()))
    rows = [f"| {name} | {version} | {licence_of(name)} |" for name, version in locked().items()]
    return _HEAD.format(copyleft=copyleft) + "\n".join(rows) + "\n"


if __name__ == "__main__":
    if found := surprises({name: licence_of(name) for name in locked()}):
        sys.exit(f"licences: look at {', '.join(found)}: no permissive licence, and not in tools/licences.py")
    sys.stdout.write(page())
