"""`make audit`: known vulnerabilities of the packages in requirements.lock, as pip-audit finds them.

pip-audit runs in an environment of its own, which is thrown away. A database that cannot be reached is
reported and is no failure: an audit that could not be made proves nothing in either direction.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

__all__ = ["judge", "main"]

_AUDITOR = "pip-audit==2.10.1"
_LOCK = Path(__file__).parents[1] / "requirements.lock"


def judge(report: str) -> tuple[int, list[str]]:
    """Return the exit status and the lines for a report of pip-audit in JSON; "" is no report."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, ["pip-audit or its database cannot be reached: nothing was audited"]
    audited = [one for one in packages if "skip_reason" not in one]
    lines = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in {flaw['fix_versions'] or 'no release'}"
        for one in audited
        for flaw in one["vulns"]
    ]
    unknown = len(packages) - len(audited)
    counts = f"{len(audited)} packages audited, {len(lines)} vulnerabilities, {unknown} not in the database"
    return int(bool(lines)), [*lines, counts]


def main() -> int:
    """Audit, print what was found, and return the exit status: 1 where there are vulnerabilities."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True, symlinks=True)
        python, report = str(Path(folder, "bin", "python")), Path(folder, "report.json")
        subprocess.run([python, "-m", "pip", "install", "--quiet", _AUDITOR], check=False)
        options = ["--disable-pip", "--no-deps", "--format", "json", "--output", str(report)]
        audit = [python, "-m", "pip_audit", *options, "--requirement", str(_LOCK)]
        subprocess.run(audit, check=False, stderr=subprocess.DEVNULL)
        status, lines = judge(report.read_text(encoding="utf-8") if report.exists() else "")
    print("\n".join(f"audit: {line}" for line in lines), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
