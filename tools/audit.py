"""`make audit`: the known vulnerabilities of what requirements.lock names, as pip-audit finds them.

pip-audit is installed in an environment of its own, which is thrown away. Where its database cannot be asked,
that is said and is no failure: an audit that cannot be made proves nothing, in either direction.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

__all__ = ["judge", "main"]

_AUDITOR = "pip-audit==2.10.1"
LOCK = Path(__file__).parents[1] / "requirements.lock"


def judge(report: str) -> tuple[int, list[str]]:
    """Return the exit status and the lines that pip-audit's report in JSON comes to; "" is no report."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, ["the database of vulnerabilities cannot be reached: nothing was audited"]
    asked = [one for one in packages if "skip_reason" not in one]
    lines = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}"
        for one in asked
        for flaw in one["vulns"]
    ]
    if not asked:
        return 0, ["the database knows none of these packages: nothing was audited"]
    missed = len(packages) - len(asked)
    rest = f"; {missed} are not in the database" if missed else ""
    return int(bool(lines)), [*lines, f"{len(asked)} packages audited, {len(lines)} vulnerabilities{rest}"]


def main() -> int:
    """Audit, print what was found, and return the exit status: 1 where there are vulnerabilities."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True, symlinks=True)
        python, report = str(Path(folder, "bin", "python")), Path(folder, "report.json")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _AUDITOR]
        if subprocess.run(install, check=False).returncode:
            print(f"audit: {_AUDITOR} cannot be installed: nothing was audited", file=sys.stderr)
            return 0
        audit = [python, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner", "off"]
        options = ["--format", "json", "--desc", "off", "--output", str(report), "--requirement", str(LOCK)]
        subprocess.run([*audit, *options], check=False, stderr=subprocess.DEVNULL)
        status, lines = judge(report.read_text(encoding="utf-8") if report.exists() else "")
    for line in lines:
        print(f"audit: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
