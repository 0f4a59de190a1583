"""Markdown to blocks: what a reader sees of CommonMark with tables, definition lists and footnotes.

Also understood: admonitions and tabs of the usual site generators, callouts, wiki links and MDX. Comments are
gone, raw HTML leaves its text, and links and images leave theirs. Emphasis, code and links to web addresses
become marks of the text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from index.articles.blocks import BlockKind, TextBuilder
from index.articles.marks import Mark, MarkKind, clip
from index.articles.plain_text import add_lines

__all__ = ["MarkdownWriter", "add_markdown", "parse_markdown", "split_title"]

_CALLOUT = re.compile(r"\[!(?P<kind>\w+)\][-+]?[^\S\n]*")
_ANCHOR = re.compile(r"(?<!\s)(?:\s*\{#[^{}]*\}\s*$|\s+#+$)")
_WIKI_LINK = re.compile(r"!?\[\[(?:[^\[\]|]*\\?\|)?([^\[\]|]+)\]\]")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_INDENTING = re.compile(
    r"(?P<indent> *)(?:!!!|\?\?\?\+?|===[!+]?)\s+(?:[\w-]+(?:\s+[\w-]+)*\s*)?(?:\"(?P<title>.*)\")?\s*$"
)
_CONTAINER = re.compile(
    r"\s*:{3,}\s*(?:\{?[\w-]+\}?)?\s*(?:\[(?P<bracketed>.*)\]|(?P<title>.*?))\s*(?:\{.*\})?\s*$"
)
_MDX_LINE = re.compile(
    r"(?:import\s.+\sfrom\s+['\"].*|import\s+['\"].*|export\s+(?:const|default|function)\b.*)$"
)
_MDX_COMMENT = re.compile(r"\{/\*.*?\*/\}", re.DOTALL)
_JSX_TAG = re.compile(r"^\s*</?[A-Z][\w.]*(?:\s[^<>]*)?/?>\s*$")
_LINE_BREAK = re.compile(r"<br\b", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\s{.]*([\w+#-]*).*", re.DOTALL)
_WEB = re.compile("https?://", re.IGNORECASE)
_MARKS: dict[str, MarkKind] = {
    "em": "emphasis", "strong": "strong", "s": "struck", "code_inline": "code", "link": "link",
}  # fmt: skip


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"])
    return parser.use(deflist_plugin).use(footnote_plugin)


def add_markdown(builder: TextBuilder, text: str, *, mdx: bool = False) -> None:
    """Add the text of a Markdown file, without its front matter, with line feeds for line ends."""
    MarkdownWriter(builder).add(parse_markdown(text, mdx=mdx))


def parse_markdown(text: str, *, mdx: bool = False) -> list[SyntaxTreeNode]:
    """Return the top nodes of the syntax tree of Markdown."""
    return SyntaxTreeNode(_parser().parse("\n".join(_plain_lines(text, mdx=mdx)))).children


def split_title(nodes: Sequence[SyntaxTreeNode]) -> tuple[str, Sequence[SyntaxTreeNode]]:
    """Split off a heading of level 1 that opens the text, but for images, comments and rules before it."""
    for at, node in enumerate(nodes):
        if node.type == "heading" and node.tag == "h1":
            return _ANCHOR.sub("", _text_of(node)).replace("\n", " ").strip(), nodes[at + 1 :]
        if node.type == "hr" or not _has_text(node):
            continue
        break
    return "", nodes


def _has_text(node: SyntaxTreeNode) -> bool:
    """Tell whether a node has text of its own, and not only images."""
    if node.type == "html_block":
        return bool(_html_text(node.content).strip())
    if node.type in {"text", "code_inline"}:
        return bool(node.content.strip())
    return node.type in {"fence", "code_block"} or any(
        map(_has_text, [] if node.type == "image" else node.children)
    )


def _plain_lines(text: str, *, mdx: bool) -> Iterator[str]:
    """Yield the lines without the marks of site generators that CommonMark does not know."""
    fence = ""
    indents: list[int] = []
    for line in (_MDX_COMMENT.sub("", text) if mdx else text).split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        while indents and line.strip() and indent < indents[-1]:
            indents.pop()
            yield ""
        shown = line[4 * len(indents) :]
        fence = _fence_after(shown, fence)
        if fence or _FENCE.match(shown):
            yield shown
        elif match := _INDENTING.match(shown):
            indents.append(4 * len(indents) + len(match["indent"]) + 4)
            yield from ("", match["title"] or "", "")
        elif match := _CONTAINER.match(shown):
            yield from ("", match["bracketed"] or match["title"] or "", "")
        elif mdx and (_MDX_LINE.match(shown) or _JSX_TAG.match(shown)):
            yield ""
        else:
            yield shown


def _fence_after(line: str, fence: str) -> str:
    """Return the fence of code that is open after a line, given the one that is open before it."""
    match = _FENCE.match(line)
    if not match:
        return fence
    if not fence:
        return match[1]
    return "" if match[1].startswith(fence) and not line.strip().strip(fence[0]) else fence


class MarkdownWriter:
    """Adds the nodes of one document's syntax tree to a builder."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder

    def add(self, nodes: Sequence[SyntaxTreeNode], quoted: BlockKind | None = None) -> None:
        """Add nodes; `quoted` is what their paragraphs are inside of a block quote."""
        for node in nodes:
            add = getattr(self, f"_add_{node.type}", None)
            if node.type == "paragraph":
                self._add_paragraph(node, quoted)
            elif add is not None:
                add(node)
            else:
                self.add(node.children, quoted)

    def _add_heading(self, node: SyntaxTreeNode) -> None:
        title = _ANCHOR.sub("", _text_of(node)).replace("\n", " ")
        self._builder.add(BlockKind.HEADING, title, level=int(node.tag[1]))

    def _add_dt(self, node: SyntaxTreeNode) -> None:
        self._builder.add(BlockKind.QUESTION, _text_of(node))

    def _add_html_block(self, node: SyntaxTreeNode) -> None:
        for text in _html_text(node.content).split("\n\n"):
            add_lines(self._builder, text.strip(), _flow)

    def _add_paragraph(self, node: SyntaxTreeNode, quoted: BlockKind | None) -> None:
        text, marks = _inline_of(node)
        if not _has_text(node):
            return
        with self._builder.marking(text, marks):
            if quoted:
                self._builder.add(quoted, _flow(text))
            else:
                add_lines(self._builder, text, _flow)

    def _add_blockquote(self, node: SyntaxTreeNode) -> None:
        """Add a quotation, or a callout ("> [!NOTE]"), which is the author's own text."""
        children = node.children
        text, marks = _inline_of(children[0]) if children else ("", [])
        if match := _CALLOUT.match(text):
            with self._builder.marking(text, marks):
                add_lines(self._builder, text[match.end() :], _flow)
            self.add(children[1:])
        else:
            self.add(children, BlockKind.QUOTATION)

    def _add_bullet_list(self, node: SyntaxTreeNode) -> None:
        self._add_list(node, depth=1, begins=True)

    _add_ordered_list = _add_bullet_list

    def _add_list(self, node: SyntaxTreeNode, depth: int, *, begins: bool) -> None:
        indent = "  " * (depth - 1)
        for place, item in enumerate(node.children, int(node.attrs.get("start", 1))):
            label, number = indent, f"{place}{item.markup} "
            if node.type == "bullet_list":
                label, number = indent + "- ", ""
            for child in item.children:
                if child.type in {"bullet_list", "ordered_list"}:
                    self._add_list(child, depth + 1, begins=begins)
                elif child.type in {"fence", "code_block"}:
                    self._add_fence(child, begins=begins)
                elif child.type not in {"paragraph", "heading"}:
                    self.add([child])
                else:
                    text, marks = _inline_of(child)
                    with self._builder.marking(number + text, clip(marks, 0, len(text), len(number))):
                        text = number + _flow(text)
                        self._builder.add(BlockKind.ITEM, text, level=depth, label=label, begins=begins)
                label, number, begins = indent, "", False

    def _add_table(self, node: SyntaxTreeNode) -> None:
        rows = [row for part in node.children for row in part.children]
        begins = True
        for number, row in enumerate(rows):
            kind = BlockKind.ROW if number else BlockKind.HEADER
            text, marks = _inline_of(row, between=" | ")
            if text.strip("| \n"):
                with self._builder.marking(text, marks):
                    self._builder.add(kind, text.replace("\n", " "), begins=begins)
                begins = False

    def _add_fence(self, node: SyntaxTreeNode, *, begins: bool = True) -> None:
        directive = re.match(r"\{(\w+)\}", node.info.strip()) if node.type == "fence" else None
        if directive and directive[1] in _ADMONITIONS:
            add_markdown(self._builder, node.content)
        else:
            mark = Mark("code block", 0, len(node.content), _LANGUAGE.sub(r"\1", node.info))
            with self._builder.marking(node.content, [mark]):
                self._builder.add(BlockKind.CODE, node.content, begins=begins)

    _add_code_block = _add_fence


_ADMONITIONS = frozenset(
    "note tip warning important danger caution hint attention error seealso admonition".split()
)


def _flow(text: str) -> str:
    """Join the lines of a paragraph; a hyphen at the end of a line may belong to the word, so it stays."""
    return re.sub(r"(?<!\w-)\n", " ", text)


def _text_of(node: SyntaxTreeNode) -> str:
    return _inline_of(node)[0]


def _inline_of(node: SyntaxTreeNode, between: str = "") -> tuple[str, list[Mark]]:
    """Return the text of a node's inline content, with line ends as in the source, and its marks.

    `between` stands between the texts of its children.
    """
    parts: list[str] = []
    marks: list[Mark] = []
    start = 0
    for child in node.children:
        inside: list[Mark] = []
        if child.type in {"text", "code_inline", "text_special"}:
            text = child.content.replace("\r", "\n")  # from "&#13;"
            text = _WIKI_LINK.sub(r"\1", text) if child.type == "text" else text
        elif child.type in {"softbreak", "hardbreak"} or _LINE_BREAK.match(child.content):
            text = "\n"
        else:
            text, inside = _inline_of(child)
        start += len(between) * bool(parts)
        parts.append(text)
        address = str(child.attrs.get("href", ""))
        if child.type in _MARKS and text.strip() and (child.type != "link" or _WEB.match(address)):
            blank = len(text) - len(text.lstrip())
            marks.append(Mark(_MARKS[child.type], start + blank, start + len(text.rstrip()), address))
        marks += clip(inside, 0, len(text), start)
        start += len(text)
    return between.join(parts), marks


class _HtmlText(HTMLParser):
    """The text of raw HTML: blocks stand apart, scripts, styles and comments are gone."""

    _BLOCKS = frozenset(
        "p div section summary details table tr ul ol li dl dt dd h1 h2 h3 h4 h5 h6 pre blockquote".split()
    )
    _HIDDEN = frozenset("script style template".split())

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self._HIDDEN
        if tag in self._BLOCKS:
            self.parts.append("\n\n")
        elif tag == "br":
            self.parts.append("\n")
        elif tag in {"td", "th"}:
            self.parts.append(" | " if self.parts and self.parts[-1].strip() else "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self._HIDDEN
        if tag in self._BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def _html_text(html: str) -> str:
    parser = _HtmlText()
    parser.feed(html)
    parser.close()
    return re.sub(r"\n{2,}", "\n\n", "".join(parser.parts))
