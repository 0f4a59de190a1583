"""What Discord refuses in a message: lengths, empty parts, addresses; with Discord's own error codes.

Lengths are counted in UTF-16 code units, the strictest of the ways in which Discord counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.wire.components import COMPONENTS_V2, check_components
from tests.wire.faults import Fault, address, invalid_form, text, units
from tests.wire.places import User
from tests.wire.records import Json, RefusedError

__all__ = ["check_message", "invalid_form", "pinged", "units"]

_EMBED = {"title": 256, "description": 4096}
_EMBED_TOTAL = 6000
_MAX_CONTENT = 2000
_SUPPRESS_NOTIFICATIONS = 1 << 12


def _embed(embed: Json, path: str) -> Iterator[Fault]:
    for key, most in _EMBED.items():
        yield from text(embed.get(key), f"{path}.{key}", most)
    yield from text(embed.get("footer", {}).get("text"), f"{path}.footer.text", 2048)
    yield from text(embed.get("author", {}).get("name"), f"{path}.author.name", 256)
    yield from address(embed.get("url"), f"{path}.url")
    for part in ("author", "thumbnail", "image"):
        yield from address(embed.get(part, {}).get("url"), f"{path}.{part}.url")
    fields = embed.get("fields", [])
    if len(fields) > 25:
        yield f"{path}.fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length."
    for number, field in enumerate(fields):
        yield from text(field.get("name"), f"{path}.fields.{number}.name", 256, required=True)
        yield from text(field.get("value"), f"{path}.fields.{number}.value", 1024, required=True)
    if not any(
        embed.get(key) for key in ("title", "description", "fields", "image", "thumbnail", "author", "footer")
    ):
        yield f"{path}.description", "BASE_TYPE_REQUIRED", "This field is required"


def _embed_units(embed: Json) -> int:
    pieces = [embed.get("title"), embed.get("description"), embed.get("footer", {}).get("text")]
    pieces.append(embed.get("author", {}).get("name"))
    for field in embed.get("fields", []):
        pieces += [field.get("name"), field.get("value")]
    return sum(units(piece) for piece in pieces if isinstance(piece, str))


def _mentions(allowed: Json) -> Iterator[Fault]:
    """Find whether a kind of mention is both allowed as a whole and listed one by one."""
    for kind in ("users", "roles"):
        if kind in allowed.get("parse", []) and allowed.get(kind):
            message = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            yield "allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message


def check_message(body: Json, *, editing: bool = False, files: int = 0) -> None:
    """Refuse the message where Discord would; `files` are uploaded with it.

    Raises:
        RefusedError: 50035 with each fault at its place, or 50006 for a message with nothing in it.
    """
    faults = list(text(body.get("content"), "content", _MAX_CONTENT))
    embeds, components = body.get("embeds") or [], body.get("components") or []
    if len(embeds) > 10:
        faults.append(("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length."))
    for number, embed in enumerate(embeds):
        faults += _embed(embed, f"embeds.{number}")
    if sum(map(_embed_units, embeds)) > _EMBED_TOTAL:
        faults.append(("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000"))
    flags = body.get("flags") or 0
    faults += check_components(components, "components", flags)
    if flags & COMPONENTS_V2 and (body.get("content") or embeds):
        fault = "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Only components"
        faults.append(fault)
    faults += _mentions(body.get("allowed_mentions") or {})
    if faults:
        raise invalid_form(faults)
    if not editing and not (body.get("content") or embeds or components or files):
        raise RefusedError(400, 50006, "Cannot send an empty message")


def pinged(body: Json, replied_to: User | None = None, *, response: bool = False) -> list[str]:
    """Return whom this message would notify, by `allowed_mentions` as Discord reads it.

    Where nothing is said, a message may mention all, the response to an interaction only people.
    """
    if (body.get("flags") or 0) & _SUPPRESS_NOTIFICATIONS:
        return []
    content = body.get("content") or ""
    allowed = body.get("allowed_mentions")
    default = ["users"] if response else ["users", "roles", "everyone"]
    parse = default if allowed is None else allowed.get("parse", [])
    listed = allowed or {}
    whom = []
    for kind, pattern in (("users", r"<@!?(\d+)>"), ("roles", r"<@&(\d+)>")):
        named = re.findall(pattern, content)
        whom += [one for one in named if kind in parse or one in map(str, listed.get(kind) or [])]
    if "everyone" in parse:
        whom += re.findall(r"@everyone|@here", content)
    if replied_to and (allowed is None or listed.get("replied_user", False)):
        whom.append(str(replied_to.id))
    return whom
