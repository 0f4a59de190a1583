"""A file to articles: text, Markdown and JSON Lines, with their headings.

Nothing here reads a model or writes anything. Whatever cannot be indexed is refused with its file, line
and reason.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from index.articles.folder import SUFFIXES, ArticleFile, RefusedError, article_files
from index.errors import ArticleError, MissingError
from index.printing import one_line

__all__ = ["ARTICLE_BYTES", "HEADING_PARTS", "Article", "ArticleSource", "Paragraph", "read_articles"]

ARTICLE_BYTES = 64_000_000
"""Bytes of one article, at most, where no setting says otherwise: a library of some 40 books."""

_LONGEST_FIELD, _LONGEST_ID = 10_000, 1_000
"""Characters of a field of a heading, and of an id; longer ones name nothing."""

_TITLE_LENGTH = 150
_BLANK = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_AUTHOR = re.compile(r"author:\s*(?P<author>.*)", re.IGNORECASE)
_FIELDS = ("title", "author", "publisher", "url", "published")
HEADING_PARTS = ("title", "author", "publisher", "published")
# What is not quoted at a paragraph's edge: white space, and a byte order mark left inside a text.
_EDGES = "\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))


# How Python keeps a byte that is no UTF-8: half a character, which no text has.
_BYTES_FROM = 0xDC00
_BYTE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's number, from 1, and its span in the article's text."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One document. `text` is its paragraphs joined by one blank line; the heading is not in it.

    `heading` is searched and quoted as paragraph 0; empty where the article has none.
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
        """The spans of the paragraphs in `text`, in order."""
        spans = []
        start = 0
        for number, piece in enumerate(self.text.split("\n\n"), 1):
            spans.append(Paragraph(number, start, start + len(piece)))
            start += len(piece) + 2
        return tuple(spans)

    def paragraph_at(self, offset: int) -> int:
        """Return the number of the paragraph of `text` that an offset is in."""
        return self.text.count("\n\n", 0, offset) + 1

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of everything but the id: equal hashes need no second encoding."""
        parts = (self.title, self.author, self.publisher, self.url, self.published, self.heading, self.text)
        return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class ArticleSource:
    """What a path held: its articles, and a line on each thing that was passed over."""

    articles: tuple[Article, ...]
    notes: tuple[str, ...]


def read_articles(path: Path, most: int = ARTICLE_BYTES) -> ArticleSource:
    """Read the article file `path`, or every article file below the folder `path`, in order of name.

    An article may have `most` bytes: a file of prose, or a line of JSON.

    Raises:
        MissingError: nothing is there.
        ArticleError: something in it cannot be indexed; every problem is listed.
    """
    try:
        there = path.exists()
    except OSError as error:  # no access to a folder above, or a name too long to be one
        raise MissingError(f"{one_line(path)} cannot be looked at: {error.strerror}.") from error
    if not there:
        raise MissingError(
            f"no articles at {one_line(path)}: name a file or a folder with --articles or FOOTNOTE_ARTICLES."
        )
    problems: list[str] = []
    notes: list[str] = []
    articles: list[Article] = []
    origin: dict[str, str] = {}
    for file in article_files(path, problems, notes):
        for where, found in _read_file(file, path, most):
            if isinstance(found, RefusedError):
                problems.append(str(found))
            elif found.id in origin:
                problems.append(f"{where}: the id {found.id!r} is taken by {origin[found.id]}")
            else:
                origin[found.id] = where
                articles.append(found)
    if not problems and not articles:
        problems.append(f"{one_line(path)}: holds no article (.txt, .md or .jsonl)")
    if problems:
        raise ArticleError(problems)
    return ArticleSource(tuple(articles), tuple(notes))


def _read_file(file: ArticleFile, root: Path, most: int) -> Iterator[tuple[str, Article | RefusedError]]:
    """Yield each article of a file, or why it is none, with where it stands (file, or file and line)."""
    suffix = file.path.suffix.lower()
    try:
        if suffix not in SUFFIXES:
            raise RefusedError(f"{file.where}: neither .txt, .md nor .jsonl")
        with file.open() as opened:
            if suffix == ".jsonl":
                yield from _read_rows(opened, file.where, most)
            else:
                text = _decode(opened, file.where, most)
                yield file.where, _read_prose(file, root, text)
    except RefusedError as refused:
        yield file.where, refused
    except OSError as error:
        yield file.where, RefusedError(f"{file.where}: cannot be read: {error.strerror}")


def _decode(file: BinaryIO, where: str, most: int) -> str:
    """Return a file's text, its lines with plain ends."""
    if os.fstat(file.fileno()).st_size > most or len(data := file.read(most + 1)) > most:
        raise RefusedError(f"{where}: {_too_large(most)}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RefusedError(f"{where}, line {line}: {_not_utf8(data[error.start])}") from error
    if not text.strip(_EDGES):
        raise RefusedError(f"{where}: empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _too_large(most: int) -> str:
    return (
        f"larger than {most / 1_000_000:g} MB, the most that an article may have; part it into several, or "
        "set FOOTNOTE_ARTICLE_MB higher"
    )


def _not_utf8(byte: int) -> str:
    return f"not UTF-8 (byte 0x{byte:02x}); save it as UTF-8"


def _read_rows(file: BinaryIO, path: str, most: int) -> Iterator[tuple[str, Article | RefusedError]]:
    """Yield the article of each line; one that is too long is read no further, nor is what follows it."""
    is_empty = True
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape") as lines:
        for number in itertools.count(1):
            line = lines.readline(most + 1)
            if not line:
                break
            where = f"{path}, line {number}"
            if len(line) > most:
                raise RefusedError(f"{where}: {_too_large(most)}")
            if line.strip(_EDGES):
                is_empty = False
                yield where, _read_row(line, where)
    if is_empty:
        raise RefusedError(f"{path}: empty")


def _read_row(line: str, where: str) -> Article | RefusedError:
    try:
        if escaped := _BYTE.search(line):
            raise RefusedError(f"{where}: {_not_utf8(ord(escaped[0]) - _BYTES_FROM)}")
        return _article_of_json(line, where)
    except RefusedError as refused:
        return refused


def _article_of_json(line: str, where: str) -> Article:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise RefusedError(f"{where}: not JSON: {error.msg} (column {error.colno})") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deep, or a number too long"
        raise RefusedError(f"{where}: not JSON: {reason}") from error
    if not isinstance(row, dict):
        raise RefusedError(f"{where}: not a JSON object")
    identity, body = row.get("id"), row.get("text")
    if isinstance(identity, bool) or not isinstance(identity, str | int) or not str(identity).strip():
        raise RefusedError(f'{where}: has no "id" (a string)')
    if not isinstance(body, str):
        raise RefusedError(f'{where}: has no "text" (a string)')
    return _article(str(identity), _fields(row, where), None, body, where)


def _read_prose(file: ArticleFile, root: Path, text: str) -> Article:
    where, path = file.where, file.path
    relative = path.relative_to(root) if root != path else Path(path.name)
    identity = relative.with_suffix("").as_posix()
    metadata, body = _split_front_matter(text, where)
    if metadata:
        return _article(identity, _fields(metadata, where), None, body, where)
    title_line, author_line, body = _split_heading(text)
    fields = dict.fromkeys(_FIELDS, "")
    if title_line is not None:
        fields["title"] = title_line.strip(_EDGES)
        if path.suffix.lower() == ".md":
            fields["title"] = fields["title"].lstrip("#").strip(_EDGES)
    if author_line is not None and (match := _AUTHOR.match(author_line.strip(_EDGES))):
        fields["author"] = match["author"].strip(_EDGES + "|")
    heading = "\n".join(line for line in (title_line, author_line) if line is not None)
    return _article(identity, fields, heading, body, where)


def _split_front_matter(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Split off a YAML block between two `---` lines at the start; without one, the mapping is empty."""
    if not text.startswith("---"):
        return {}, text
    from index.articles.front_matter import FrontMatterError, split_front_matter

    try:
        return split_front_matter(text)
    except FrontMatterError as error:
        line = f", line {error.line}" if error.line else ""
        raise RefusedError(f"{where}{line}: the front matter cannot be read: {error}") from error


def _split_heading(text: str) -> tuple[str | None, str | None, str]:
    """Split prose into its title line, its author line, and the rest; None for a line that is not there."""
    lines = text.lstrip(_EDGES).removesuffix("\n").split("\n")
    following = next((line for line in lines[1:] if line.strip(_EDGES)), "")
    title = lines[0].strip(_EDGES)
    blank_follows = len(lines) > 1 and not lines[1].strip(_EDGES)
    if _AUTHOR.match(title):
        return None, lines[0], "\n".join(lines[1:])
    if len(title) > _TITLE_LENGTH or title.endswith((".", "!", "?", ":")):
        return None, None, text
    author_follows = _AUTHOR.match(following.strip(_EDGES))
    if not blank_follows and not author_follows:
        return None, None, text
    if author_follows:
        return lines[0], following, "\n".join(lines[lines.index(following, 1) + 1 :])
    return lines[0], None, "\n".join(lines[1:])


def _fields(row: dict[str, Any], where: str) -> dict[str, str]:
    return {name: _as_text(row.get(name), name, where) for name in _FIELDS}


def _as_text(value: object, name: str, where: str) -> str:
    """Give a field's value as one line of text; several authors with commas between them."""
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, bool) or not isinstance(one, str | int | float | None) for one in values):
        raise RefusedError(f'{where}: "{name}" is not text')
    lines = (" ".join(str(one).split()) for one in values if one is not None)
    # As many as may be kept and one more: many may stand for one long value (YAML's aliases).
    kept: list[str] = []
    length = 0
    for line in filter(None, lines):
        kept.append(line)
        length += len(line)
        if length > _LONGEST_FIELD:
            raise _too_long(name, where)
    return ", ".join(kept)


def _too_long(name: str, where: str) -> RefusedError:
    return RefusedError(f'{where}: "{name}" has more than {_LONGEST_FIELD:,} characters; shorten it')


def _article(identity: str, fields: dict[str, str], heading: str | None, body: str, where: str) -> Article:
    """Put an article together; `heading` None takes the values of the fields, one a line."""
    text = "\n\n".join(_paragraphs(body))
    if not text:
        raise RefusedError(f"{where}: an article without text")
    for name, value in fields.items():
        if len(value) > _LONGEST_FIELD:
            raise _too_long(name, where)
    if heading is None:
        heading = "\n".join(fields[name] for name in HEADING_PARTS if fields[name])
    title = fields["title"] or identity.rsplit("/", 1)[-1]
    _refuse_odd_id(identity, where)
    _refuse_surrogates((*fields.values(), heading, text), where)
    return Article(**{**fields, "id": identity, "title": title, "heading": heading, "text": text})


def _paragraphs(body: str) -> Iterable[str]:
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    return (piece for part in _BLANK.split(body) if (piece := part.strip(_EDGES)))


def _refuse_odd_id(identity: str, where: str) -> None:
    """Refuse an id that is no name: it is shown, typed and linked by."""
    _refuse_surrogates([identity], where)
    if len(identity) > _LONGEST_ID:
        raise RefusedError(f"{where}: its id has more than {_LONGEST_ID:,} characters; shorten it")
    if one_line(identity, _LONGEST_ID) != identity:
        raise RefusedError(f"{where}: its id (or the file's name) has a control character; rename it")


def _refuse_surrogates(values: Iterable[str], where: str) -> None:
    for value in values:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise RefusedError(
                f"{where}: holds half a character (\\u{ord(value[error.start]):04x})"
            ) from error
