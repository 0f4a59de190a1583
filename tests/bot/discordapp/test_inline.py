"""Links, emphasis and code in quotes: shown as such where Discord can, and the text always to the letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discordapp.inline import web_address
from bot.discordapp.markdown import blockquote, printable, shorten
from index.articles.blocks import TextBuilder
from index.articles.markdown import add_markdown
from index.articles.marks import Mark, MarkKind
from tests.strategies import hostile_text
from tests.wire.renderer import render


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            "See the [tide *table*](https://a.example/t_(1)) or <https://b.example/x_y>.",
            "See the [tide *table*](https://a.example/t_%281%29) or <https://b.example/x_y>.",
        ),
        ("**Never** run `rm *` ~~twice~~.", "**Never** run `rm *` ~~twice~~."),
        ("**Use `pip`**, not [`npm i`](https://n.example).", "**Use `pip`**, not [`npm i`](https://n.example)."),
        ("[**Docs**](https://d.example) **[now](https://n.example)**", "[**Docs**](https://d.example) **[now](https://n.example)**"),
        # What is no web address stays text.
        ("[a](./b.md) [c](#d) [e](mailto:f@g.example) [h](ftp://i.example)", "a c e h"),
        # What Discord would show otherwise stays text.
        ("[see \\[1\\]](https://a.example) [x://y](https://a.example)", r"see \[1\] x\://y"),
        ("`` a`b `` and **`*`** and ***both*** and **a *b* c**", r"a\`b and **\*** and *both* and **a b c**"),
        ("**a***b* `c``d`", r"**a**b c\`\`d"),
        # Code blocks, with what stands around them.
        ("Run:\n\n```sh\necho *a*\n\n> `c`\n```\n\nEnd.", "Run:\n\n```sh\necho *a*\n\n> `c`\n```\n\nEnd."),
        ("````\n```\nx\n```\n````", "\\`\\`\\`\nx\n\\`\\`\\`"),
        ("```a b\nx = 1\n```", "```a\nx = 1\n```"),
        ("```c++\nint* p;\n```", "```c++\nint* p;\n```"),
    ],
)  # fmt: skip
def test_markup_of_an_article_is_shown_as_discord_writes_it(source: str, shown: str) -> None:
    builder = TextBuilder()
    add_markdown(builder, source)
    block = blockquote(builder.text, 2000, marks=builder.marks)
    assert "\n".join(line.removeprefix("> ") for line in block.split("\n")) == shown
    assert (render(block).quotes, render(block).constructs) == ([builder.text], [])


_ADDRESSES = ["https://a.example/b_(c)*d", "http://a.example", "https://a.example/[1] 2", "javascript:x", "b"]
_KINDS = st.sampled_from(["link", "link", "emphasis", "strong", "struck", "code"])
_SPANS = st.lists(st.integers(0, 40), min_size=2, max_size=2, unique=True).map(sorted)
_MARKS = st.lists(st.tuples(_KINDS, _SPANS, st.sampled_from(_ADDRESSES)), max_size=6)
_PIECES = (
    "`",
    "```",
    "[",
    "](",
    "*",
    "**",
    "~~",
    "\n",
    "\n- ",
    "\u202b",
    "\u05d0",
    "http://a.example",
    "a b",
)


@given(hostile_text(*_PIECES, most=20), _MARKS, st.booleans(), st.integers(20, 400))
def test_any_marks_leave_any_text_to_the_letter(
    text: str, drawn: list[tuple[MarkKind, list[int], str]], in_block: bool, room: int
) -> None:
    """The marks may even cross, which those of articles do not."""
    marks = [Mark(kind, start, end, value) for kind, (start, end), value in drawn]
    marks = [Mark("code block", 0, len(text), "py")] if in_block else marks
    block = blockquote(text, 4000, marks=marks)
    shown = render(block)
    assert "\n".join(shown.quotes).strip() == printable(text.strip()).strip()
    assert shown.constructs == []
    assert {address for _, address in shown.links} <= {web_address(mark.value) for mark in marks}
    assert all(label in printable(text) for label, _ in shown.links)
    assert render(shorten(block, room)).constructs == []
    assert render(blockquote(text, room, marks=marks)).constructs == []
