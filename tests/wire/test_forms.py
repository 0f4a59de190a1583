"""Forms: what Discord refuses in one, and what a person can submit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.bare import callback
from tests.wire.forms import check_modal, filled
from tests.wire.loopback import LoopbackDiscord
from tests.wire.records import Json, RefusedError


def text_input(**more: Any) -> Json:
    made = {"type": 4, "custom_id": "text", "style": 1} | more
    return {key: value for key, value in made.items() if value is not None}


def row(**more: Any) -> Json:
    return {"type": 1, "components": [text_input(**{"label": "Text", **more})]}


def labelled(label: str = "Text", **more: Any) -> Json:
    return {"type": 18, "label": label, "component": text_input(**more)}


def form(*parts: Json, **more: Any) -> Json:
    return {"custom_id": "form", "title": "A form", "components": list(parts)} | more


MENU: Json = {"type": 3, "custom_id": "menu", "options": [{"label": "A", "value": "a"}]}


@pytest.mark.parametrize(
    "modal",
    [
        form(),
        form(*[row(custom_id=str(number)) for number in range(6)]),
        form(row(), title="x" * 46),
        form(row(), title=""),
        form(row(), custom_id="x" * 101),
        form(row(), custom_id=None),
        form(row(), row()),
        form(text_input(label="Text")),
        form({"type": 1, "components": []}),
        form({"type": 1, "components": [text_input(label="A"), text_input(label="B", custom_id="b")]}),
        form({"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "x"}]}),
        form(row(label=None)),
        form(row(label="x" * 46)),
        form(row(placeholder="x" * 101)),
        form(row(style=None)),
        form(row(style=3)),
        form(row(min_length=4001)),
        form(row(max_length=0)),
        form(row(max_length=4001)),
        form(row(min_length=5, max_length=4)),
        form(row(value="x" * 5, max_length=4)),
        form(row(custom_id=None)),
        form(labelled("x" * 46)),
        form(labelled("")),
        form({"type": 18, "label": "Text", "component": text_input(label="in both")}),
        form(labelled() | {"description": "x" * 101}),
        form({"type": 18, "label": "Nothing"}),
        form({"type": 18, "label": "Menu", "component": MENU | {"disabled": True}}),
        form({"type": 18, "label": "Menu", "component": MENU | {"options": []}}),
    ],
)
def test_forms_that_discord_would_not_take_are_refused(modal: Json) -> None:
    with pytest.raises(RefusedError):
        check_modal(modal)


def test_forms_at_the_limits_pass() -> None:
    long = {"label": "x" * 45, "placeholder": "x" * 100, "min_length": 0, "max_length": 4000}
    check_modal(form(*[row(custom_id=str(number), **long) for number in range(5)], title="x" * 45))
    check_modal(form({"type": 10, "content": "text"}, labelled("x" * 45), row(custom_id="other")))
    check_modal(form({"type": 18, "label": "Menu", "component": MENU}))


def test_submitted_form_mirrors_the_one_that_was_shown() -> None:
    modal = form({"type": 10, "content": "x"}, row(), labelled("Why?", custom_id="why", value="as before"))
    assert filled(modal, ["hello"]) == [
        {"type": 10, "id": 1},
        {"type": 1, "id": 2, "components": [{"type": 4, "id": 1, "custom_id": "text", "value": "hello"}]},
        {"type": 18, "id": 3, "component": {"type": 4, "id": 1, "custom_id": "why", "value": "as before"}},
    ]


@pytest.mark.parametrize(
    ("part", "texts", "says"),
    [
        (row(), {}, "is required"),
        (row(), {"Text": ""}, "is required"),
        (row(min_length=3), ["ab"], "takes 3 to"),
        (row(max_length=3), ["abcd"], "to 3 characters"),
        (row(max_length=3), ["😀😀"], "to 3 characters"),
        (row(), {"Other": "x"}, "no field"),
        (row(), ["a", "b"], "1 fields"),
        (labelled(min_length=3, required=False), {"Text": "ab"}, "takes 3 to"),
        ({"type": 18, "label": "Menu", "component": MENU}, {"menu": "b"}, "offers"),
        ({"type": 18, "label": "Menu", "component": MENU}, {}, "0 chosen"),
    ],
)
def test_what_the_client_would_not_submit_fails(part: Json, texts: Any, says: str) -> None:
    check_modal(form(part))
    with pytest.raises(AssertionError, match=says):
        filled(form(part), texts)


def test_optional_field_may_stay_empty_though_it_has_a_shortest_length() -> None:
    (sent,) = filled(form(row(required=False, min_length=3)), {})
    assert sent["components"][0]["value"] == ""


async def test_refused_form_is_no_acknowledgement(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    status, error = await callback(wire, used, 9, **form(row(label="x" * 46)))
    assert (status, error["code"]) == (400, 50035)
    assert (used.kind, used.modal) == (None, None)
    assert (await callback(wire, used, 9, **form(row())))[0] == 200
    assert wire.interactions.unfinished() == []


async def test_submitted_form_must_be_acknowledged_too(wire: LoopbackDiscord) -> None:
    used = await wire.slash("ask", wire.world.user("ann"))
    await callback(wire, used, 9, **form(row()))
    sent = await wire.submit(used, Text="because")
    assert wire.interactions.unfinished() == ["form 'A form' (not acknowledged)"]
    await callback(wire, sent, 4, content="thanks")
    message = await wire.response_to(sent)
    assert message["interaction_metadata"]["triggering_interaction_metadata"]["id"] == str(used.id)
    assert "interaction" not in message
