"""Markdown as a reader sees it: the text without markup, and its blocks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.blocks import TextBuilder
from index.articles.markdown import add_markdown
from tests.index.articles.reading import Shape, check_blocks, shapes
from tests.strategies import hostile_text


def read(text: str, *, mdx: bool = False) -> TextBuilder:
    """Read Markdown."""
    builder = TextBuilder()
    add_markdown(builder, text, mdx=mdx)
    return builder


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # inline markup
        (
            "It is *very* **bold**, ~~old~~, __a__ and `code_x *y*`.",
            "It is very bold, old, a and code_x *y*.",
        ),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("See [the *map*](https://x.example/a 'T') and [rules][r].\n\n[r]: /rules", "See the map and rules."),
        ("Go to <https://x.example>.", "Go to https://x.example."),
        ("An ![red fox](fox.png) ran.", "An red fox ran."),
        ("[![Build](b.svg)](ci)\n\nText.", "Text."),
        (
            "Fish &amp; chips &copy; caf&eacute; \\*star\\* 1986\\. &#x41;",
            "Fish & chips © café *star* 1986. A",
        ),
        ("One&#13;two&#10;three", "One two three"),
        ("One.<!-- hidden --> Two.\n\n<!-- all\n\nhidden -->\n\nThree.", "One. Two.\n\nThree."),
        (
            "A line\nthat goes  \non. Broken co-\noperation.\\\nEnd.",
            "A line that goes on. Broken co-\noperation. End.",
        ),
        # raw HTML
        ("Press <kbd>Ctrl</kbd>+<kbd>C</kbd>.<br>Go.", "Press Ctrl+C. Go."),
        ("<div class='x'>\n<p>Raw <b>bold</b> text.</p>\n<script>evil()</script></div>", "Raw bold text."),
        ("<h2>News</h2><ul><li>one</li><li>two &lt; 3</li></ul>", "News\n\none\n\ntwo < 3"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>", "A | B\n\n1 | 2"),
        ("<style>p {}</style>\n\nText.", "Text."),
        # what other tools write
        ("[[Home Page]], [[Rules#Dogs|the rules]], ![[map.png]].", "Home Page, the rules, map.png."),
        ("| [[Rules\\|the rules]] | b |\n|---|---|\n| 1 | 2 |", "the rules | b\n1 | 2"),
        ("> [!NOTE]\n> Mind the gap.\n>\n> - one", "Mind the gap.\n\n- one"),
        (
            '!!! note "Hours"\n    Nine to five.\n\n    - one\n\nAfter.',
            "Hours\n\nNine to five.\n\n- one\n\nAfter.",
        ),
        ("??? warning\n\n    Careful.\n\n        code\n\nAfter.", "Careful.\n\ncode\n\nAfter."),
        ("!!! a\n    !!! b\n        Deep.\n    Less.\n\nOut.", "Deep.\n\nLess.\n\nOut."),
        ("!!! a\n    In.\nOut.", "In.\n\nOut."),
        ("::: tip Good to know\nInner.\n:::\nAfter.", "Good to know\n\nInner.\n\nAfter."),
        (":::note[Good to know]\nInner.\n:::", "Good to know\n\nInner."),
        (":::: {.grid}\n::: a\nInner.\n:::\n::::", "Inner."),
        (
            '=== "Linux"\n\n    Use apt.\n\n=== "macOS"\n\n    Use brew.',
            "Linux\n\nUse apt.\n\nmacOS\n\nUse brew.",
        ),
        ("```{note}\nBe *careful*.\n```", "Be careful."),
        ("A claim.[^1] More.\n\n[^1]: The source.", "A claim. More.\n\nThe source."),
        ("- [ ] open\n- [x] done", "- [ ] open\n- [x] done"),
        # marks that are text in code
        ("```\n::: tip\n!!! note\n<!-- c --> [[x]] &amp;\n```", "::: tip\n!!! note\n<!-- c --> [[x]] &amp;"),
        ("````\n```\nimport x\n````\n\nText.", "```\nimport x\n\nText."),
        # headings
        (
            "# Top {#top}\n\nOne.\n\n## Sub ##\n\nTwo.\n\nSet\n---\n\nEnd.",
            "Top\n\nOne.\n\nSub\n\nTwo.\n\nSet\n\nEnd.",
        ),
        ("One.\n\n***\n\nTwo.", "One.\n\nTwo."),
        ("#\n\n- \n\n>\n\n&nbsp;\n\n[](x)", ""),
    ],
)
def test_readable_text_is_what_a_reader_sees(source: str, text: str) -> None:
    builder = read(source)
    assert builder.text == text
    check_blocks(builder.text, builder.blocks)


MDX = """import Tabs from '@theme/Tabs';
import './style.css'

export const answer = 42

# Install

<Tabs>
  <TabItem value="apt">

Use apt. {/* not
shown */}

  </TabItem>
</Tabs>

Press <Button kind="x">Go</Button>.

```js
import x from 'y';
<Tabs>
```
"""


def test_imports_comments_and_components_of_mdx_are_gone() -> None:
    assert read(MDX, mdx=True).text == "Install\n\nUse apt.\n\nPress Go.\n\nimport x from 'y';\n<Tabs>"
    assert "import Tabs from" in read(MDX).text


BLOCKS: dict[str, list[Shape]] = {
    "# Ferry\n\nIt runs.\n\n## Fares\n\nFour euros.\n\n## Dogs\n\nFree.": [
        ("heading", "Ferry", ()), ("paragraph", "It runs.", (0,)), ("heading", "Fares", (0,)),
        ("paragraph", "Four euros.", (0, 2)), ("heading", "Dogs", (0,)), ("paragraph", "Free.", (0, 4)),
    ],
    "You need:\n\n- flour\n- water\n  - cold\n\nMix.": [
        ("lead-in", "You need:", ()), ("item", "flour", (0,)), ("item", "water", (0,)),
        ("item", "cold", (0,)), ("paragraph", "Mix.", ()),
    ],
    "3. three\n4. four\n   1) sub": [
        ("item", "3. three", ()), ("item", "4. four", ()), ("item", "1) sub", ()),
    ],
    "- One.\n\n  More\n  of it.\n\n  ```\n  code\n  ```\n- Two.": [
        ("item", "One.", ()), ("item", "More of it.", ()), ("code", "code", ()), ("item", "Two.", ()),
    ],
    "Prices:\n\n| Plan | Price |\n|---|---|\n| Seed | **2** euros |\n| Tree | 9 euros |": [
        ("lead-in", "Prices:", ()), ("header", "Plan | Price", (0,)),
        ("row", "Seed | 2 euros", (0, 1)), ("row", "Tree | 9 euros", (0, 1)),
    ],
    "| | |\n|---|---|\n| Seed | 2 |\n| | |": [("row", "Seed | 2", ())],
    "1. One.\n\n   | a | b |\n   |---|---|\n   | 1 | 2 |\n\n   > Words.\n   >\n   > More.\n2. Two.": [
        ("item", "1. One.", ()), ("header", "a | b", ()), ("row", "1 | 2", (1,)),
        ("quotation", "Words.", ()), ("quotation", "More.", ()), ("item", "2. Two.", ()),
    ],
    "- One.\n\n  <details><summary>Why</summary>So.</details>": [
        ("item", "One.", ()), ("paragraph", "Why", ()), ("paragraph", "So.", ()),
    ],
    "Run:\n\n```sh\nmake all\n\nmake test\n```\n\nDone.": [
        ("lead-in", "Run:", ()), ("code", "make all\n\nmake test", (0,)), ("paragraph", "Done.", ()),
    ],
    "~~~\n# no heading\n~~~\n\n    indented": [("code", "# no heading", ()), ("code", "indented", ())],
    "A claim.[^1]\n\n[^1]: Its source.\n\n    And more.": [
        ("paragraph", "A claim.", ()), ("paragraph", "Its source.", ()), ("paragraph", "And more.", ()),
    ],
    "> Words\n> go on.\n>\n> > deep": [("quotation", "Words go on.", ()), ("quotation", "deep", ())],
    "Term\n: Meaning.\n\nOther\n: One.\n: Two.": [
        ("question", "Term", ()), ("paragraph", "Meaning.", (0,)),
        ("question", "Other", ()), ("paragraph", "One.", (2,)), ("paragraph", "Two.", (2,)),
    ],
    "## Who keeps it?\n\nAnn.\n\n**Since when?**\n\nMay.\n\n**Q:** Why?\n**A:** So.": [
        ("heading", "Who keeps it?", ()), ("paragraph", "Ann.", (0,)), ("question", "Since when?", (0,)),
        ("paragraph", "May.", (0, 2)), ("question", "Why?", (0,)), ("paragraph", "So.", (0, 4)),
    ],
    "<details>\n<summary>Who keeps it?</summary>\n\nAnn.\n\n</details>": [
        ("question", "Who keeps it?", ()), ("paragraph", "Ann.", (0,)),
    ],
    "Price: 4 euros  \nColour: red": [("item", "Price: 4 euros", ()), ("item", "Colour: red", ())],
    "2.1 Dogs are led.\n\n2.2 Cats are not.": [
        ("item", "2.1 Dogs are led.", ()), ("item", "2.2 Cats are not.", ()),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("source", "blocks"), BLOCKS.items())
def test_markdown_as_blocks(source: str, blocks: list[Shape]) -> None:
    builder = read(source)
    assert shapes(builder) == blocks
    check_blocks(builder.text, builder.blocks)


# Each mark as the words that it is on, in brackets of its kind.
MARKS = {
    "It is *very* **bold `x`**, ~~old~~.": "It is <emphasis very> <strong bold <code x>>, <struck old>.",
    "See [the *map*][m] or <http://b.example>.\n\n[m]: https://a.example/ü":
        "See <link the <emphasis map>> or <link http://b.example>.",
    "[a](b.md) [c](#d) [e](mailto:f@g.example) [](https://a.example) ![h](https://a.example)": "a c e  h",
    "[[Home|the hall]], `[[ -f x ]]` and `<br>`": "the hall, <code [[ -f x ]]> and <code <br>>",
    "**Q:** Is *it*?\n**A:** Is it *not*?": "Q: Is <emphasis it>?\nA: Is it <emphasis not>?",
    "- **one**\n  goes *on*\n\n  and **on**\n- `two`\n  1. *three*":
        "- <strong one> goes <emphasis on>\nand <strong on>\n- <code two>\n  1. <emphasis three>",
    "| *a* | b |\n|---|---|\n| | **c** `d\\|e` |": "<emphasis a> | b\n| <strong c> <code d|e>",
    "> [!NOTE]\n> Mind *the*\n> **gap**.": "Mind <emphasis the> <strong gap>.",
    "> *Words*": "<emphasis Words>",
    "*&nbsp;a*  \n**b**": "<emphasis a> <strong b>",
    "*a*\n\n```py title=x\na\n\nb\n```\n\n    c\n": "<emphasis a>\n\n<code block a\n\nb>\n\n<code block c>",
}  # fmt: skip


@pytest.mark.parametrize(("source", "shown"), MARKS.items())
def test_links_emphasis_and_code_are_marks_of_the_text(source: str, shown: str) -> None:
    builder = read(source)
    pieces = list(builder.text)
    for mark in reversed(builder.marks):
        pieces[mark.start] = f"<{mark.kind} {pieces[mark.start]}"
        pieces[mark.end - 1] += ">"
    assert "".join(pieces) == shown


def test_a_link_has_its_address_and_a_code_block_its_language() -> None:
    builder = read(
        "[a](https://a.example/ü?b=c d)\n[b](<https://b.example/c d>)\n\n```{.py #x}\nz\n```\n~~~\nz\n~~~"
    )
    assert [mark.value for mark in builder.marks] == ["https://b.example/c%20d", "py", ""]


def test_lists_nested_deeply_are_read_to_the_end() -> None:
    source = "\n".join(f"{'  ' * depth}- level {depth}" for depth in range(40))
    assert [block.level for block in read(source).blocks] == list(range(1, 41))


@given(
    st.lists(
        st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1).map(" ".join),
        min_size=1,
    )
)
def test_words_without_markup_come_through_in_order(paragraphs: list[str]) -> None:
    builder = read("\n\n".join(paragraphs))
    assert builder.text == "\n\n".join(paragraphs)
    assert len(builder.blocks) == len(paragraphs)


def _indented(first: str, rest: str) -> Callable[[str], str]:
    """Return what puts one prefix before the first line of a text and another before the others."""
    return lambda text: first + text.replace("\n", f"\n{rest}")


LEAVES = (
    "word", "# word", "**word**", "```\nword\n```", "| word | word |\n|---|---|\n| word | word |",
    "<div>\n<p>word</p> word\n</div>", "word\n: word", "word:", "Q: word?", "[word](x)", "- word\n- word",
)  # fmt: skip
CONTAINERS = [
    _indented("- ", "  "),
    _indented("1. ", "   "),
    _indented("> ", "> "),
    _indented('!!! note "word"\n    ', "    "),
    lambda text: f"::: tip word\n\n{text}\n\n:::",
    lambda text: f"<details>\n<summary>word</summary>\n\n{text}\n\n</details>",
]
DOCUMENTS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.builds(
        lambda contain, parts: contain("\n\n".join(parts)),
        st.sampled_from(CONTAINERS),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@given(st.lists(DOCUMENTS, min_size=1, max_size=3).map("\n\n".join))
def test_no_word_is_lost_however_blocks_are_nested(template: str) -> None:
    first, *rest = template.split("word")
    source = first + "".join(f"w{number}{piece}" for number, piece in enumerate(rest))
    words = [f"w{number}" for number in range(len(rest))]
    assert re.findall(r"w\d+", read(source).text) == words


MARKUP = (
    "# ", "## ", "\n---\n", "> ", "[!NOTE] ", "- ", "  - ", "1. ", "    ", "| a | b |\n|---|---|\n| c |",
    "~~~", "**", "_", "[x](y)", "![", "](", "[^1]", "\n[^1]: ", "\n: ", "<div>", "</div>", "<!--", "-->",
    "<br>", "&amp;", "&#13;", '!!! note "x"\n    ', '=== "t"\n', "::: tip x\n", ":::\n", "[[a|b]]",
    "```{note}\n", "import a from 'b'\n", "<A>\n", "{/*", "*/}", "Q: ", "A: ", "?\n\n", ":\n\n", " {#a}",
    "<script>", "<td>",
)  # fmt: skip


@given(hostile_text(*MARKUP), st.booleans())
def test_any_markdown_gives_blocks_in_order(text: str, mdx: bool) -> None:
    builder = read(text, mdx=mdx)
    check_blocks(builder.text, builder.blocks)
    assert "\r" not in builder.text


@pytest.mark.parametrize(
    "source",
    [
        "# a" + " " * 30_000 + "b", "# " + "{#" * 20_000, "::: " + " " * 20_000 + "x{",
        "!!! " + "a " * 20_000 + "!", "[" * 9_000, "[[" * 5_000, "![" * 2_000 + "](" * 2_000,
        "<a " * 10_000, "<!--" * 5_000, "`` " * 10_000, "{/*" * 5_000, "Q: " * 10_000,
        "Q: [a](http://b)\n" * 5_000, "| a " * 5_000 + "\n" + "|---" * 5_000 + "\n| b",
    ],
)  # fmt: skip
def test_no_markup_takes_long(source: str) -> None:
    started = time.process_time()
    builder = read(source, mdx=True)
    assert time.process_time() - started < 5
    check_blocks(builder.text, builder.blocks)
