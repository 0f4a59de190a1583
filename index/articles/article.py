"""An article, and the one place where its fields, heading and text are put together and checked.

A reader parses a file into `ParsedArticle`; `assemble` makes the `Article` of it, or refuses it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from index.terminal import one_line

__all__ = ["BLANKS", "HEADING_PARTS", "Article", "Paragraph", "ParsedArticle", "RefusedError", "assemble"]

HEADING_PARTS = ("title", "author", "publisher", "published")  # the lines of a heading, in this order
_FIELDS = ("title", "author", "publisher", "url", "published")
_MAX_FIELD, _MAX_ID = 10_000, 1_000  # characters
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
# What is stripped from texts: Unicode white space, and byte order marks, which some editors add.
BLANKS = "\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))


class RefusedError(Exception):
    """Why a file, or the article at a line of it (from 1), cannot be indexed."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's number, from 1, and its span in the article's text."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One document. `text` is its paragraphs, joined by blank lines, without the heading.

    `heading` is searched and quoted as paragraph 0; it is empty where the article has none. Absent fields are
    empty strings, but for `title`, which is then the last part of the id.
    """

    id: str
    title: str
    author: str
    publisher: str
    url: str
    published: str
    heading: str
    text: str

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """The paragraphs of `text`, in order."""
        paragraphs = []
        start = 0
        for number, piece in enumerate(self.text.split("\n\n"), 1):
            paragraphs.append(Paragraph(number, start, start + len(piece)))
            start += len(piece) + 2
        return tuple(paragraphs)

    def paragraph_at(self, offset: int) -> int:
        """Return the number of the paragraph at an offset into `text`."""
        return self.text.count("\n\n", 0, offset) + 1

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of everything but the id: articles with equal hashes have equal vectors."""
        parts = (self.title, self.author, self.publisher, self.url, self.published, self.heading, self.text)
        return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class ParsedArticle:
    """An article as a reader found it in a file, unchecked.

    `fields` maps title, author, publisher, url and published to text, a number, a list of these, or None.
    `body` is the text, with any line ends. `heading` is as it stands in the file; None makes it from the
    fields. `line` is where the article begins, in a file that can hold several.
    """

    id: str
    fields: Mapping[str, object]
    body: str
    heading: str | None = None
    line: int | None = None


def assemble(parsed: ParsedArticle) -> Article:
    """Put an article together from what a reader parsed; raises `RefusedError` if it cannot be indexed."""
    heading = parsed.heading
    # Fields that come from a heading in the file keep its white space, so that they can be found in it.
    is_verbatim = heading is not None
    fields = {name: _field_text(name, parsed.fields.get(name), is_verbatim) for name in _FIELDS}
    if heading is None:
        heading = "\n".join(fields[name] for name in HEADING_PARTS if fields[name])
    body = parsed.body.replace("\r\n", "\n").replace("\r", "\n")
    text = "\n\n".join(filter(None, (piece.strip(BLANKS) for piece in _BLANK_LINES.split(body))))
    if not text:
        raise RefusedError("has no text")
    try:
        "\n".join((parsed.id, *fields.values(), heading, text)).encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        raise RefusedError(f"contains an unpaired surrogate (\\u{code:04x}); remove it") from error
    if len(parsed.id) > _MAX_ID:
        raise RefusedError(f"the id has more than {_MAX_ID:,} characters; shorten it")
    if one_line(parsed.id, _MAX_ID) != parsed.id:
        raise RefusedError("the id (or the file name) has a control character; rename it")
    fields["title"] = fields["title"] or parsed.id.rsplit("/", 1)[-1]
    return Article(id=parsed.id, heading=heading, text=text, **fields)


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
