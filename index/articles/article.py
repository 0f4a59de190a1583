"""An article, and the one place where its fields, heading and text are put together and checked.

A reader parses a file into `ParsedArticle`; `assemble` makes the `Article` of it, or refuses it.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from index.articles.blocks import Block, BlockKind, TextBuilder
from index.articles.marks import Mark, clip
from index.articles.plain_text import add_plain_text
from index.terminal import one_line

__all__ = ["HEADING_PARTS", "Article", "DraftError", "Paragraph", "ParsedArticle", "RefusedError", "assemble"]

HEADING_PARTS = ("title", "author", "publisher", "published")  # the lines of a heading, in this order
_FIELDS = ("title", "author", "publisher", "url", "published")
_MAX_FIELD, _MAX_ID = 10_000, 1_000  # characters


class RefusedError(Exception):
    """Why a file, or the article at a line of it (from 1), cannot be indexed; with its id, if it is known."""

    def __init__(self, reason: str, line: int | None = None, identity: str = "") -> None:
        super().__init__(reason)
        self.line = line
        self.id = identity


class DraftError(RefusedError):
    """The author does not want the article read: it is passed over, and nothing has to be put right."""

    def __init__(self, reason: str = "a draft; skipped") -> None:
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's number, from 1, and its span in the article's text."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One document. `text` is its paragraphs, joined by blank lines, without the heading.

    `heading` is searched and quoted as paragraph 0; it is empty where the article has none. `description`,
    with any keywords, is searched and never quoted. Absent fields are empty strings, but for `title`, which
    is then the last part of the id. `marks` are those of the text as JSON, since only a few are read. `file`
    is the path of its file below the article folder.

    `pages` are the offsets into `text` at which each page begins, where the format has pages. `also` are
    other addresses of the same text. `dropped` are the parts of the file that a reader held to be no part of
    the article, such as share buttons; they are not in the index.
    """

    id: str
    title: str
    author: str
    publisher: str
    url: str
    published: str
    heading: str
    text: str
    blocks: tuple[Block, ...] = ()
    marks: str = "[]"
    description: str = ""
    file: str = ""
    pages: tuple[int, ...] = ()
    also: tuple[str, ...] = ()
    dropped: tuple[str, ...] = field(default=(), compare=False)

    @property
    def subject(self) -> str:
        """The title and the description, by whose words every passage is found."""
        return f"{self.title}\n{self.description}"

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """The paragraphs of `text`, in order."""
        groups = itertools.groupby(self.blocks, lambda block: block.paragraph)
        firsts = [(number, next(group).start) for number, group in groups]
        starts = [self.text.rfind("\n\n", 0, start) + 2 if number > 1 else 0 for number, start in firsts]
        ends = [*(start - 2 for start in starts[1:]), len(self.text)]
        return tuple(map(Paragraph, (number for number, _ in firsts), starts, ends))

    def block_at(self, offset: int) -> Block:
        """Return the block at an offset into `text`, or else the one before it."""
        place = bisect.bisect_right(self.blocks, offset, key=lambda block: block.start)
        return self.blocks[max(place - 1, 0)]

    def section_at(self, offset: int) -> tuple[str, ...]:
        """Return the path to an offset into `text`: the title, then the headings above it."""
        above = [self.blocks[place] for place in self.block_at(offset).above]
        headings = [block for block in above if block.kind is BlockKind.HEADING]
        return (self.title, *(self.text[block.start : block.end] for block in headings))

    def paragraph_at(self, offset: int) -> int:
        """Return the number of the paragraph at an offset into `text`."""
        return self.block_at(offset).paragraph

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page, from 1, at an offset into `text`; None without pages."""
        return max(bisect.bisect_right(self.pages, offset), 1) if self.pages else None

    def header_at(self, offset: int) -> str:
        """Return the header of the table whose row is at an offset into `text`; "" elsewhere."""
        above = self.block_at(offset).above
        lead = self.blocks[above[-1]] if above else None
        return self.text[lead.start : lead.end] if lead and lead.kind is BlockKind.HEADER else ""

    def marks_in(self, start: int, end: int) -> tuple[Mark, ...]:
        """Return the inline marks of a span of `text`, with their places in the span."""
        return tuple(clip(itertools.starmap(Mark, json.loads(self.marks)), start, end))

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of everything but id and file: articles with equal hashes have equal vectors."""
        fields = (self.title, self.author, self.publisher, self.url, self.published, self.description)
        blocks = [(block.kind, block.start, block.end, block.level, block.above) for block in self.blocks]
        content = json.dumps([fields, self.heading, self.text, blocks, self.marks, self.pages, self.also])
        return hashlib.sha256(content.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class ParsedArticle:
    """An article as a reader found it in a file, unchecked.

    `fields` maps title, author, publisher, url and published to text, a number, a list of these, or None;
    a description is text.
    `body` is plain text, with any line ends, or what a reader built. `heading` is as it stands in the file;
    None makes it from the fields. `line` is where the article begins, in a file that can hold several.
    `dropped` are the parts of the file that are no part of the article.
    """

    id: str
    fields: Mapping[str, object]
    body: str | TextBuilder
    heading: str | None = None
    line: int | None = None
    dropped: tuple[str, ...] = ()


def assemble(parsed: ParsedArticle) -> Article:
    """Put an article together from what a reader parsed; raises `RefusedError` if it cannot be indexed."""
    heading = parsed.heading
    # Fields that come from a heading in the file keep its white space, so that they can be found in it.
    is_verbatim = heading is not None
    fields = {name: _field_text(name, parsed.fields.get(name), is_verbatim) for name in _FIELDS}
    if heading is None:
        heading = "\n".join(fields[name] for name in HEADING_PARTS if fields[name])
    body = parsed.body
    if isinstance(body, str):
        plain, body = body, TextBuilder()
        add_plain_text(body, plain.replace("\r\n", "\n").replace("\r", "\n"))
    text, description = body.text, parsed.fields.get("description")
    description = description if isinstance(description, str) else ""
    if not text:
        raise RefusedError("has no text")
    try:
        "\n".join((parsed.id, *fields.values(), description, heading, text)).encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        raise RefusedError(f"contains an unpaired surrogate (\\u{code:04x}); remove it") from error
    if len(parsed.id) > _MAX_ID:
        raise RefusedError(f"the id has more than {_MAX_ID:,} characters; shorten it")
    if one_line(parsed.id, _MAX_ID) != parsed.id:
        raise RefusedError("the id (or the file name) has a control character; rename it")
    fields["title"] = fields["title"] or parsed.id.rsplit("/", 1)[-1]
    marks = json.dumps([*map(astuple, body.marks)], separators=(",", ":"))
    content = {"heading": heading, "text": text, "marks": marks, "description": description}
    more: dict[str, Any] = {"blocks": body.blocks, "pages": tuple(body.pages), "dropped": parsed.dropped}
    return Article(parsed.id, **{**fields, **content, **more})


def _field_text(name: str, value: object, is_verbatim: bool) -> str:
    """Return a field's value as one line of text; several authors are joined with commas."""
    joined = ""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, bool) or not isinstance(item, str | int | float | None):
            raise RefusedError(f'"{name}" is not text')
        text = "" if item is None else str(item)
        if not is_verbatim:
            text = " ".join(text.split())
        joined += f", {text}" if joined and text else text
        # Checked here, not at the end: thousands of YAML aliases can stand for one long value.
        if len(joined) > _MAX_FIELD:
            raise RefusedError(f'"{name}" has more than {_MAX_FIELD:,} characters; shorten it')
    return joined
