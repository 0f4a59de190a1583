"""Forms (modals): what Discord refuses in one, and a person filling it in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.wire.components import (
    LABEL,
    ROW,
    SELECTS,
    TEXT_DISPLAY,
    TEXT_INPUT,
    check_custom_id,
    check_select,
)
from tests.wire.faults import Fault, amount, invalid_form, text, units
from tests.wire.records import Json

__all__ = ["Texts", "check_modal", "fields_of", "filled"]

_MOST = 4000

Texts = Mapping[str, Any] | Sequence[Any]


def _check_input(part: Json, path: str, seen: set[str], *, in_row: bool) -> Iterator[Fault]:
    yield from check_custom_id(part, path, seen)
    if in_row:
        yield from text(part.get("label"), f"{path}.label", 45, required=True)
    elif part.get("label") is not None:
        yield f"{path}.label", "BASE_TYPE_INVALID", "The label is that of the Label component"
    yield from text(part.get("placeholder"), f"{path}.placeholder", 100)
    yield from text(part.get("value"), f"{path}.value", _MOST)
    if part.get("style") not in {1, 2}:
        yield f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of 1, 2."
    fewest, most = part.get("min_length"), part.get("max_length")
    if fewest is not None and not 0 <= fewest <= _MOST:
        yield f"{path}.min_length", "NUMBER_TYPE_MAX", f"Must be between 0 and {_MOST}."
    if most is not None and not max(1, fewest or 0) <= most <= _MOST:
        yield (
            f"{path}.max_length",
            "NUMBER_TYPE_MAX",
            f"Must be between 1 and {_MOST}, and not below min_length.",
        )
    value = part.get("value")
    if isinstance(value, str) and most is not None and units(value) > most:
        yield f"{path}.value", "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def _check_part(part: Json, path: str, seen: set[str]) -> Iterator[Fault]:
    kind = part.get("type")
    if kind == ROW:
        inner = part.get("components", [])
        yield from amount(len(inner), f"{path}.components", 1, 1)
        for one in inner:
            if one.get("type") == TEXT_INPUT:
                yield from _check_input(one, f"{path}.components.0", seen, in_row=True)
            else:
                yield (
                    f"{path}.components.0.type",
                    "UNION_TYPE_CHOICES",
                    "A row of a form holds one text input",
                )
    elif kind == LABEL:
        yield from text(part.get("label"), f"{path}.label", 45, required=True)
        yield from text(part.get("description"), f"{path}.description", 100)
        one = part.get("component") or {}
        if one.get("type") == TEXT_INPUT:
            yield from _check_input(one, f"{path}.component", seen, in_row=False)
        elif one.get("type") in SELECTS:
            yield from check_select(one, f"{path}.component", seen)
            if one.get("disabled"):
                yield f"{path}.component.disabled", "BASE_TYPE_INVALID", "Not in a form"
        else:
            yield f"{path}.component.type", "UNION_TYPE_CHOICES", "This server knows text inputs and selects"
    elif kind != TEXT_DISPLAY:
        yield f"{path}.type", "UNION_TYPE_CHOICES", "A form holds rows, labels and texts"


def check_modal(modal: Json) -> None:
    """Refuse the form where Discord would.

    Raises:
        RefusedError: 50035 with each fault at its place.
    """
    faults = [
        *text(modal.get("custom_id"), "data.custom_id", 100, required=True),
        *text(modal.get("title"), "data.title", 45, required=True),
    ]
    parts = modal.get("components") or []
    faults += amount(len(parts), "data.components", 1, 5)
    seen: set[str] = set()
    for number, part in enumerate(parts):
        faults += _check_part(part, f"data.components.{number}", seen)
    if faults:
        raise invalid_form(faults)


def fields_of(modal: Json) -> list[tuple[str, Json]]:
    """Return the fields to fill in, each with the label that a person sees."""
    found: list[tuple[str, Json]] = []
    for part in modal["components"]:
        if part["type"] == ROW:
            found += [(one["label"], one) for one in part["components"]]
        elif part["type"] == LABEL:
            found.append((part["label"], part["component"]))
    return found


def _value(label: str, field: Json, given: Any) -> Json:
    """Return what goes out for one field; fail where Discord's form would not let it through."""
    answer: Json = {"type": field["type"], "id": field.get("id", 1), "custom_id": field["custom_id"]}
    required = field.get("required", True)
    if field["type"] in SELECTS:
        values = [given] if isinstance(given, str) else list(given or ())
        known = {one["value"] for one in field.get("options", [])}
        assert field["type"] != SELECTS[0] or set(values) <= known, f"{label!r} offers {sorted(known)}"
        fewest = field.get("min_values", 1) if required else 0
        assert fewest <= len(values) <= field.get("max_values", 1), f"{len(values)} chosen in {label!r}"
        return answer | {"values": values}
    value = field.get("value", "") if given is None else given
    assert value or not required, f"{label!r} is required"
    fewest, most = field.get("min_length", 0), field.get("max_length", _MOST)
    assert not value or fewest <= units(value) <= most, f"{label!r} takes {fewest} to {most} characters"
    return answer | {"value": value}


def filled(modal: Json, texts: Texts) -> list[Json]:
    """Return the submitted components: `texts` by label or custom id, or in order; the rest as it stands.

    Fails where there is no such field, and where the client would not let the person submit.
    """
    fields = fields_of(modal)
    if not isinstance(texts, Mapping):
        assert len(texts) <= len(fields), f"the form has {len(fields)} fields"
        texts = {field["custom_id"]: given for (_, field), given in zip(fields, texts, strict=False)}
    known = {name for label, field in fields for name in (label, field["custom_id"])}
    assert set(texts) <= known, f"the form has no field {sorted(set(texts) - known)}; it has {sorted(known)}"
    values = {
        field["custom_id"]: _value(label, field, texts.get(label, texts.get(field["custom_id"])))
        for label, field in fields
    }
    sent: list[Json] = []
    for number, part in enumerate(modal["components"], 1):
        answer: Json = {"type": part["type"], "id": part.get("id", number)}
        if part["type"] == ROW:
            answer["components"] = [values[one["custom_id"]] for one in part["components"]]
        elif part["type"] == LABEL:
            answer["component"] = values[part["component"]["custom_id"]]
        sent.append(answer)
    return sent
