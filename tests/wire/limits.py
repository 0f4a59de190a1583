"""What Discord refuses in a message: lengths, empty parts, addresses; with Discord's own error codes.

Lengths are counted in UTF-16 code units, the strictest of the ways in which Discord counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.wire.records import Json, RefusedError
from tests.wire.world import User

__all__ = ["check_message", "invalid_form", "pinged", "units"]

_EMBED = {"title": 256, "description": 4096}
_EMBED_TOTAL = 6000
_MAX_CONTENT = 2000
_MAX_CUSTOM_ID = 100
_SUPPRESS_NOTIFICATIONS = 1 << 12

_Fault = tuple[str, str, str]  # path, code, message


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def invalid_form(faults: list[_Fault]) -> RefusedError:
    """Return Discord's "Invalid Form Body" with each fault at its place."""
    errors: Json = {}
    for path, code, message in faults:
        place = errors
        for part in path.split("."):
            place = place.setdefault(part, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})
    return RefusedError(400, 50035, "Invalid Form Body", errors)


def _text(value: object, path: str, most: int, *, required: bool = False) -> Iterator[_Fault]:
    if value is None and not required:
        return
    if not isinstance(value, str) or (required and not value.strip()):
        yield path, "BASE_TYPE_REQUIRED", "This field is required"
    elif units(value) > most:
        yield path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def _address(value: object, path: str) -> Iterator[_Fault]:
    if value is None:
        return
    parts = urlsplit(str(value))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield path, "URL_TYPE_INVALID_URL", "Not a well formed URL."
    elif units(str(value)) > 2048:
        yield path, "BASE_TYPE_MAX_LENGTH", "Must be 2048 or fewer in length."


def _embed(embed: Json, path: str) -> Iterator[_Fault]:
    for key, most in _EMBED.items():
        yield from _text(embed.get(key), f"{path}.{key}", most)
    yield from _text(embed.get("footer", {}).get("text"), f"{path}.footer.text", 2048)
    yield from _text(embed.get("author", {}).get("name"), f"{path}.author.name", 256)
    yield from _address(embed.get("url"), f"{path}.url")
    for part in ("author", "thumbnail", "image"):
        yield from _address(embed.get(part, {}).get("url"), f"{path}.{part}.url")
    fields = embed.get("fields", [])
    if len(fields) > 25:
        yield f"{path}.fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length."
    for number, field in enumerate(fields):
        yield from _text(field.get("name"), f"{path}.fields.{number}.name", 256, required=True)
        yield from _text(field.get("value"), f"{path}.fields.{number}.value", 1024, required=True)
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


def _components(components: list[Json], path: str) -> Iterator[_Fault]:
    if len(components) > 5:
        yield path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length."
    seen: set[str] = set()
    for row, component in enumerate(components):
        for column, part in enumerate(component.get("components", [])):
            here = f"{path}.{row}.components.{column}"
            name = part.get("custom_id")
            yield from _text(name, f"{here}.custom_id", _MAX_CUSTOM_ID)
            yield from _text(part.get("label"), f"{here}.label", 80)
            yield from _address(part.get("url"), f"{here}.url")
            if name in seen:
                yield (
                    f"{here}.custom_id",
                    "COMPONENT_CUSTOM_ID_DUPLICATED",
                    "Component custom id cannot be duplicated",
                )
            seen |= {name} if name else set()


def check_message(body: Json, *, editing: bool = False) -> None:
    """Refuse the message where Discord would.

    Raises:
        RefusedError: 50035 with each fault at its place, or 50006 for a message with nothing in it.
    """
    faults = list(_text(body.get("content"), "content", _MAX_CONTENT))
    embeds = body.get("embeds") or []
    if len(embeds) > 10:
        faults.append(("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length."))
    for number, embed in enumerate(embeds):
        faults += _embed(embed, f"embeds.{number}")
    if sum(map(_embed_units, embeds)) > _EMBED_TOTAL:
        faults.append(("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000"))
    faults += _components(body.get("components") or [], "components")
    if faults:
        raise invalid_form(faults)
    if not editing and not (body.get("content") or embeds or body.get("components")):
        raise RefusedError(400, 50006, "Cannot send an empty message")


def pinged(body: Json, replied_to: User | None = None) -> list[str]:
    """Return whom this message would notify, by `allowed_mentions` as Discord reads it."""
    if body.get("flags", 0) & _SUPPRESS_NOTIFICATIONS:
        return []
    content = body.get("content") or ""
    allowed = body.get("allowed_mentions")
    parse = ["users", "roles", "everyone"] if allowed is None else allowed.get("parse", [])
    listed = allowed or {}
    whom = []
    for kind, pattern in (("users", r"<@!?(\d+)>"), ("roles", r"<@&(\d+)>")):
        named = re.findall(pattern, content)
        whom += [one for one in named if kind in parse or one in map(str, listed.get(kind, []))]
    if "everyone" in parse:
        whom += re.findall(r"@everyone|@here", content)
    if replied_to and (allowed is None or listed.get("replied_user", False)):
        whom.append(str(replied_to.id))
    return whom
