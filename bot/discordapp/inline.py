"""A text's links, emphasis and code as Discord's Markdown, where that changes no letter of the text.

Discord reads Markdown with regular expressions, which mistake signs that meet ("***a** b*"), brackets in the
text of a link and backticks in code. Such a mark is left out; its text stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

from index.articles.marks import Mark, MarkKind

__all__ = ["BREAKS_LABEL", "SIGNS", "web_address", "with_marks"]

SIGNS: dict[MarkKind, str] = {"strong": "**", "emphasis": "*", "struck": "~~", "code": "`"}
"""What stands before and after the text of a mark."""

BREAKS_LABEL = re.compile(r"[\[\]]|://")
"""What keeps Discord from making a link, in its text."""

_URL_ROOM = 320
_UNSAFE = r"""\s\x00-\x1f\x7f()<>"\\^`{|}*\[\]\ud800-\udfff"""
_UNSAFE_IN_URL = re.compile(f"[{_UNSAFE}]")
_UNSAFE_IN_HOST = re.compile(f"[{_UNSAFE}@]|^:")
_LANGUAGE = re.compile(r"[\w+#-]*", re.ASCII)
_ACTS_UNESCAPED = re.compile(r"[*~\\]")


def web_address(url: str | None, room: int = _URL_ROOM) -> str | None:
    """Return a URL that can stand in a Markdown link; None where it is no plain web address, or too long."""
    scheme, _, rest = (url or "").strip().partition("://")
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    if scheme.lower() not in {"http", "https"} or not host.strip(":") or _UNSAFE_IN_HOST.search(host):
        return None
    whole = f"{scheme.lower()}://{rest}"  # Discord only knows the scheme in lower case
    try:
        urlsplit(whole)
    except ValueError:
        return None
    clean = _UNSAFE_IN_URL.sub(lambda match: percent_encoded(match[0], safe="", errors="replace"), whole)
    return clean if len(clean.encode("utf-16-le")) <= 2 * room else None


def with_marks(letters: str, escaped: Sequence[str], marks: Sequence[Mark], newline: str) -> list[str]:
    """Return the escaped letters with the signs of marks around them; `newline` stands for a line feed."""
    signed: list[tuple[Mark, str, str]] = []
    for mark in marks:
        signs = _signs(mark, letters[mark.start : mark.end], newline)
        if signs and all(_go_together(letters, *other[:2], mark, signs[0]) for other in signed):
            signed.append((mark, *signs))
    shown = list(escaped)
    for mark, opening, closing in reversed(signed):  # the inner ones first
        if _is_raw(opening):
            text = letters[mark.start : mark.end]
            shown[mark.start : mark.end] = [newline if letter == "\n" else letter for letter in text]
        shown[mark.start] = opening + shown[mark.start]
        shown[mark.end - 1] += closing
    return shown


def _signs(mark: Mark, text: str, newline: str) -> tuple[str, str] | None:
    """Return the signs before and after a mark's text; None where it would not be shown to the letter."""
    if not text or text != text.strip() or ("\n" in text and mark.kind not in {"strong", "code block"}):
        return None
    if mark.kind == "code block":
        language = mark.value if _LANGUAGE.fullmatch(mark.value) else ""
        return None if "```" in text else (f"```{language}{newline}", f"{newline}```")
    if mark.kind == "link":
        if (url := web_address(mark.value)) == text:
            return "<", ">"
        return None if url is None or BREAKS_LABEL.search(text) else ("[", f"]({url})")
    sign = SIGNS[mark.kind]
    return None if sign == "`" and sign in text else (sign, sign)


def _is_raw(opening: str) -> bool:
    """Tell whether Discord reads no escapes after a sign."""
    return opening.startswith(("`", "<"))


def _go_together(letters: str, first: Mark, first_sign: str, second: Mark, sign: str) -> bool:
    """Tell whether two marks can be shown: apart, or a link or code in another, or another in a link."""
    if second.end < first.start or first.end < second.start:
        return True
    kinds = {first.kind, second.kind}
    is_inside = first.start <= second.start and second.end <= first.end
    is_mistaken = _is_raw(sign) and _ACTS_UNESCAPED.search(letters, second.start, second.end)
    nests = len(kinds) == 2 and ("link" in kinds or second.kind == "code")
    return nests and is_inside and not is_mistaken and not _is_raw(first_sign)
