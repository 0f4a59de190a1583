"""Initial responses: which kind of use takes which, and what Discord refuses in them."""

from __future__ import annotations

from tests.wire.faults import invalid_form
from tests.wire.forms import check_modal
from tests.wire.interaction import (
    CHOICES,
    DEFERRED,
    DEFERRED_UPDATE,
    FORM,
    MESSAGE,
    UPDATE,
    Interaction,
    Kind,
)
from tests.wire.limits import check_message
from tests.wire.records import Json
from tests.wire.schema import check_choices

__all__ = ["check_answer"]

_TAKEN: dict[Kind, set[int]] = {
    "command": {MESSAGE, DEFERRED, FORM},
    "component": {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, FORM},
    "autocomplete": {CHOICES},
    "modal": {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE},
}


def check_answer(interaction: Interaction, kind: object, data: Json, *, files: int = 0) -> None:
    """Refuse an initial response where Discord would.

    Raises:
        RefusedError: it is not of a kind that this use takes, or what it carries is refused.
    """
    taken = _TAKEN[interaction.kind_of_use]
    if interaction.message is None:  # there is nothing to update
        taken = taken - {DEFERRED_UPDATE, UPDATE}
    if kind not in taken:
        message = f"{interaction.name} may be answered with types {sorted(taken)}"
        raise invalid_form([("type", "BASE_TYPE_CHOICES", message)])
    if kind == CHOICES:
        option = next(one for one in _leaves(interaction.data["options"]) if one.get("focused"))
        if faults := list(check_choices(data.get("choices") or [], option["type"], "data.choices")):
            raise invalid_form(faults)
    elif kind == FORM:
        check_modal(data)
    elif kind in {MESSAGE, UPDATE}:
        check_message(data, editing=kind == UPDATE, files=files)


def _leaves(options: list[Json]) -> list[Json]:
    """Return the options below any sub-commands."""
    found: list[Json] = []
    for option in options:
        found += _leaves(option["options"]) if "options" in option else [option]
    return found
