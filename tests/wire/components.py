"""Buttons and select menus of messages: what Discord refuses, and how a person finds one."""

from __future__ import annotations

from collections.abc import Iterator

from tests.wire.faults import Fault, address, amount, text
from tests.wire.records import Json

__all__ = [
    "BUTTON",
    "COMPONENTS_V2",
    "LABEL",
    "ROW",
    "SELECTS",
    "TEXT_DISPLAY",
    "TEXT_INPUT",
    "buttons_of",
    "check_components",
    "check_custom_id",
    "check_select",
    "find_button",
    "find_select",
]

ROW, BUTTON, STRING_SELECT, TEXT_INPUT, TEXT_DISPLAY, LABEL = 1, 2, 3, 4, 10, 18
SELECTS = (3, 5, 6, 7, 8)
COMPONENTS_V2 = 1 << 15
_CONTAINERS = (9, 10, 12, 13, 14, 17)  # what only a message of the second version may hold
_LINK, _PREMIUM = 5, 6
_MOST = 40
_MOST_TEXT = 4000


def _walk(components: list[Json], path: str) -> Iterator[tuple[str, Json]]:
    """Yield every component with its place, those inside others too."""
    for number, component in enumerate(components):
        here = f"{path}.{number}"
        yield here, component
        yield from _walk(component.get("components", []), f"{here}.components")
        if "accessory" in component:
            yield f"{here}.accessory", component["accessory"]


def check_custom_id(component: Json, path: str, seen: set[str]) -> Iterator[Fault]:
    """Find what is wrong with the custom id; `seen` holds those of the components before it."""
    name = component.get("custom_id")
    yield from text(name, f"{path}.custom_id", 100, required=True)
    if isinstance(name, str):
        if name in seen:
            message = "Component custom id cannot be duplicated"
            yield f"{path}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", message
        seen.add(name)


def _check_button(button: Json, path: str, seen: set[str]) -> Iterator[Fault]:
    style = button.get("style")
    if style not in range(1, _PREMIUM + 1):
        yield f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of 1 to 6."
    if not button.get("label") and not button.get("emoji"):
        yield path, "BUTTON_COMPONENT_INVALID", "A button must have a label or an emoji"
    yield from text(button.get("label"), f"{path}.label", 80)
    if style == _LINK:
        if button.get("custom_id") is not None:
            yield path, "BUTTON_COMPONENT_URL_CUSTOM_ID", "A custom id and url cannot both be specified"
        if not button.get("url"):
            yield f"{path}.url", "BASE_TYPE_REQUIRED", "This field is required"
        yield from address(button.get("url"), f"{path}.url", 512, schemes=("discord",))
    else:
        if button.get("url") is not None:
            yield path, "BUTTON_COMPONENT_URL_CUSTOM_ID", "Only a link button may have a url"
        yield from check_custom_id(button, path, seen)


def check_select(menu: Json, path: str, seen: set[str]) -> Iterator[Fault]:
    """Find what is wrong with a select menu."""
    yield from check_custom_id(menu, path, seen)
    yield from text(menu.get("placeholder"), f"{path}.placeholder", 150)
    fewest, most = menu.get("min_values", 1), menu.get("max_values", 1)
    if not 0 <= fewest <= most <= 25 or most < 1:
        yield f"{path}.max_values", "NUMBER_TYPE_MAX", "min_values and max_values must be between 0 and 25."
    if menu["type"] != STRING_SELECT:
        return
    options = menu.get("options", [])
    yield from amount(len(options), f"{path}.options", 1, 25)
    for number, option in enumerate(options):
        for key in ("label", "value"):
            yield from text(option.get(key), f"{path}.options.{number}.{key}", 100, required=True)
        yield from text(option.get("description"), f"{path}.options.{number}.description", 100)
    if len({option.get("value") for option in options}) < len(options):
        message = "The specified option value is already used"
        yield f"{path}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message
    if most > len(options) or sum(bool(option.get("default")) for option in options) > most:
        yield f"{path}.max_values", "BASE_TYPE_MAX_LENGTH", "More values than options."


def _check_row(row: Json, path: str) -> Iterator[Fault]:
    kinds = [part.get("type") for part in row.get("components", [])]
    yield from amount(len(kinds), f"{path}.components", 1, 5)
    if not (set(kinds) <= {BUTTON} or (len(kinds) == 1 and kinds[0] in SELECTS)):
        message = "A row holds up to five buttons, or one select menu"
        yield f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message


def check_components(components: list[Json], path: str, flags: int = 0) -> Iterator[Fault]:
    """Find what is wrong with the components of a message."""
    second = bool(flags & COMPONENTS_V2)
    if not second and len(components) > 5:
        yield path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length."
    if any(one.get("type") not in (ROW, *(_CONTAINERS if second else ())) for one in components):
        yield path, "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).'
    seen: set[str] = set()
    everything = list(_walk(components, path))
    if len(everything) > _MOST:
        yield path, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", f"At most {_MOST} components."
    for here, component in everything:
        kind = component.get("type")
        if kind == ROW:
            yield from _check_row(component, here)
        elif kind == BUTTON:
            yield from _check_button(component, here, seen)
        elif kind in SELECTS:
            yield from check_select(component, here, seen)
        elif kind not in _CONTAINERS or not second:
            yield f"{here}.type", "UNION_TYPE_CHOICES", "No component of a message."
    shown = sum(len(str(one.get("content", ""))) for _, one in everything if one.get("type") == TEXT_DISPLAY)
    if shown > _MOST_TEXT:
        yield path, "BASE_TYPE_MAX_LENGTH", f"At most {_MOST_TEXT} characters of text."


def _parts(message: Json, *kinds: int) -> list[Json]:
    everything = _walk(message.get("components", []), "components")
    return [one for _, one in everything if one.get("type") in kinds]


def _visible(button: Json) -> str:
    return str(button.get("label") or button.get("emoji", {}).get("name"))


def buttons_of(message: Json) -> list[str]:
    """Return what stands on the message's buttons, in order."""
    return [_visible(button) for button in _parts(message, BUTTON)]


def find_button(message: Json, wanted: str) -> Json:
    """Return the one button that has this text or custom id; fail where there is none, or more than one."""
    found = [one for one in _parts(message, BUTTON) if wanted in (_visible(one), one.get("custom_id"))]
    assert found, f"no button {wanted!r}; there are {buttons_of(message)}"
    assert len(found) == 1, f"{len(found)} buttons {wanted!r}"
    return found[0]


def find_select(message: Json, wanted: str) -> Json:
    """Return the one select menu that has this custom id or placeholder."""
    menus = _parts(message, *SELECTS)
    found = [one for one in menus if wanted in (one["custom_id"], one.get("placeholder"))]
    assert len(found) == 1, f"{len(found)} select menus {wanted!r} of {len(menus)}"
    return found[0]
