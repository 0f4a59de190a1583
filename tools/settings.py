"""`make settings`: write `.env.example` and the table in docs/settings.md from the fields of the settings."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from bot.settings import BotSettings
from index.settings import PREFIX

__all__ = ["FILES", "main"]

_ROOT = Path(__file__).parents[1]
_HEAD = """\
# Footnote's settings with their defaults, written by `make settings`. Copy this file to .env and uncomment
# what you change. Options come first, then the environment, then .env. Paths are relative to the folder in
# which footnote is started.
"""
_BEGIN, _END = "<!-- written by `make settings` -->", "<!-- end -->"


def _default(value: Any) -> str:
    """Return a default as it is written in `.env`."""
    if value is None or isinstance(value, frozenset):
        return " ".join(sorted(value or ()))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _env_example(_: str) -> str:
    """Return `.env.example`: each setting below its description."""
    lines = [_HEAD]
    for name, field in BotSettings.model_fields.items():
        lines += [f"# {line}" for line in textwrap.wrap(field.description or "", 108, break_on_hyphens=False)]
        lines.append(f"#{PREFIX}{name.upper()}={_default(field.default)}\n")
    return "\n".join(lines)


def _settings_page(current: str) -> str:
    """Return docs/settings.md with a new table between the markers."""
    lines = ["| setting | default | what it is |", "| --- | --- | --- |"]
    for name, field in BotSettings.model_fields.items():
        default = f"`{_default(field.default)}`" if _default(field.default) else "none"
        described = " ".join((field.description or "").split())
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {described} |")
    before, after = current.partition(_BEGIN)[0], current.partition(_END)[2]
    return "\n".join([before + _BEGIN, "", *lines, "", _END + after])


FILES = {_ROOT / ".env.example": _env_example, _ROOT / "docs/settings.md": _settings_page}
"""The files to write, each with the function that makes its new text from its current one."""


def main() -> None:
    """Write the files."""
    for file, make in FILES.items():
        file.write_text(make(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
