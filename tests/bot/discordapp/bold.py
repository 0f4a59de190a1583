"""What stands in bold in text for Discord, and the text without those marks for the strict renderer."""

from __future__ import annotations

import re

__all__ = ["read_bold"]

_TOKEN = re.compile(r"\\[^0-9A-Za-z\s]|\*+|[\s\S]")


def read_bold(source: str) -> tuple[str, list[str]]:
    """Return `source` without the marks of bold, and the letters of each bold part; other asterisks fail."""
    kept: list[str] = []
    parts: list[str] = []
    opened: int | None = None
    for token in _TOKEN.findall(source):
        if not token.startswith("*"):
            kept.append(token)
            continue
        assert token == "**", f"{token!r} is no mark of bold in {source!r}"
        if opened is None:
            opened = len(kept)
            continue
        # In a block quote each further line begins with a mark that is not of the text.
        letters = re.sub(r"\n> ", "\n", "".join(kept[opened:]))
        parts.append(re.sub(r"\\([^0-9A-Za-z\s])", r"\1", letters))
        assert parts[-1], f"nothing is bold between two marks in {source!r}"
        opened = None
    assert opened is None, f"bold never ends in {source!r}"
    return "".join(kept), parts
