"""The renderer sees what Discord's client would act on."""

from __future__ import annotations

import pytest

from tests.wire.renderer import render


@pytest.mark.parametrize(
    "text",
    ["# a", "-# a", "- a", "1. a", "> a", "**a**", "_a_", "`a`", "||a||", "https://a.example", "<@1>",
     "<t:1>", ":cat:", "@here", "[a](https://a.example)", "~~a~~", "<:a:1>", "<#1>", "</ask:1>", "<id:home>"],
)  # fmt: skip
def test_renderer_sees_every_construct(text: str) -> None:
    shown = render(text)
    assert shown.constructs or shown.links or shown.quotes


def test_renderer_takes_escapes_for_letters() -> None:
    shown = render("\\# \\*a\\* https\\://a.example \\\\")
    assert (shown.text, shown.constructs) == ("# *a* https://a.example \\", [])


def test_quote_keeps_all_spaces_but_the_one_behind_its_mark() -> None:
    assert render("> a\n>  b\n>c").quotes == ["a\n b"]
