"""`make licences`: the licence of every package in requirements.lock, as its own metadata says.

Fails where a licence is not permissive, or is not stated, and nobody has looked at it yet.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

__all__ = ["REVIEWED", "licence_of", "main"]

_LOCK = Path(__file__).parents[1] / "requirements.lock"
_COPYLEFT = re.compile(
    r"GPL|MPL|Mozilla|EPL|Eclipse|CDDL|EUPL|OSL|SSPL|Affero|ShareAlike|CC-BY-SA|not stated"
)

REVIEWED = {"certifi", "fpdf2", "hypothesis", "orjson", "pathspec", "tld", "tqdm"}
"""Packages whose licence asks to publish changes to them, which nobody makes: used as they are."""


def licence_of(name: str) -> str:
    """Return a package's licence: the SPDX expression, a short line, or its class."""
    about = metadata.metadata(name)
    expression, line = (str((about.get_all(key) or [""])[0]) for key in ("License-Expression", "License"))
    kinds = [str(kind) for kind in about.get_all("Classifier", []) if kind.startswith("License :: ")]
    short = line if line.strip() and "\n" not in line and len(line) <= 70 else ""
    return expression or short or ", ".join(kind.rpartition(" :: ")[2] for kind in kinds) or "not stated"


def main() -> int:
    """Print the licences, and return the exit status: 1 where one has to be looked at."""
    names = re.findall(r"^([^#=\s]+)==", _LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    licences = {name: licence_of(name) for name in names}
    print("\n".join(f"{name:<32} {licence}" for name, licence in licences.items()))
    found = [name for name, text in licences.items() if name not in REVIEWED and _COPYLEFT.search(text)]
    if found:
        print(f"licences: look at {', '.join(found)}, and add them to REVIEWED", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
