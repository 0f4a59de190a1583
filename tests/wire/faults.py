"""How Discord names what is wrong in a form: each fault at its place, with a code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from tests.wire.records import Json, RefusedError

__all__ = ["Fault", "address", "amount", "invalid_form", "text", "units"]

Fault = tuple[str, str, str]  # path, code, message


def units(value: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def invalid_form(faults: Iterable[Fault], *, violation: bool = True) -> RefusedError:
    """Return Discord's "Invalid Form Body" with each fault at its place."""
    errors: Json = {}
    for path, code, message in faults:
        place = errors
        for part in path.split("."):
            place = place.setdefault(part, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})
    return RefusedError(400, 50035, "Invalid Form Body", errors, violation=violation)


def text(value: object, path: str, most: int, *, required: bool = False) -> Iterator[Fault]:
    """Find what is wrong with a text of at most `most` units."""
    if value is None and not required:
        return
    if not isinstance(value, str) or (required and not value.strip()):
        yield path, "BASE_TYPE_REQUIRED", "This field is required"
    elif units(value) > most:
        yield path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def address(value: object, path: str, most: int = 2048, *, schemes: Iterable[str] = ()) -> Iterator[Fault]:
    """Find what is wrong with the address of a page, or with one of further schemes."""
    if value is None:
        return
    parts = urlsplit(str(value))
    if parts.scheme not in {"http", "https", *schemes} or not parts.hostname:
        yield path, "URL_TYPE_INVALID_URL", "Not a well formed URL."
    elif units(str(value)) > most:
        yield path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def amount(found: int, path: str, low: int, high: int) -> Iterator[Fault]:
    """Find whether there are too few or too many of something."""
    if not low <= found <= high:
        yield path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length."
