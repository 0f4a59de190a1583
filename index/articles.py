"""A file to articles: text, Markdown and JSON Lines, with their headings.

Nothing here reads a model or writes anything. Whatever cannot be indexed is refused with its file, line
and reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import ArticleError, MissingError

__all__ = ["HEADING_PARTS", "Article", "ArticleSource", "Paragraph", "read_articles"]

_SUFFIXES = {".txt", ".md", ".jsonl"}
_TITLE_LENGTH = 150
_BLANK = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_AUTHOR = re.compile(r"author:\s*(?P<author>.*)", re.IGNORECASE)
_FIELDS = ("title", "author", "publisher", "url", "published")
HEADING_PARTS = ("title", "author", "publisher", "published")
# What is not quoted at a paragraph's edge: white space, and a byte order mark left inside a text.
_EDGES = "\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))


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


class _RefusedError(Exception):
    """One file or line that cannot be indexed: where, and why."""


def read_articles(path: Path) -> ArticleSource:
    """Read the article file `path`, or every article file below the folder `path`, in order of name.

    Raises:
        MissingError: nothing is there.
        ArticleError: something in it cannot be indexed; every problem is listed.
    """
    if not path.exists():
        raise MissingError(
            f"no articles at {path}: name a file or a folder with --articles or FOOTNOTE_ARTICLES."
        )
    problems: list[str] = []
    notes: list[str] = []
    files = list(_walk(path, problems, notes)) if path.is_dir() else [path]
    articles: list[Article] = []
    origin: dict[str, str] = {}
    for file in files:
        for where, found in _read_file(file, path):
            if isinstance(found, _RefusedError):
                problems.append(str(found))
            elif found.id in origin:
                problems.append(f"{where}: the id {found.id!r} is taken by {origin[found.id]}")
            else:
                origin[found.id] = where
                articles.append(found)
    if not problems and not articles:
        problems.append(f"{path}: holds no article (.txt, .md or .jsonl)")
    if problems:
        raise ArticleError(problems)
    return ArticleSource(tuple(articles), tuple(notes))


def _walk(root: Path, problems: list[str], notes: list[str]) -> Iterator[Path]:
    """Yield the article files below `root` by name; hidden ones and question sets are passed over."""
    home = root.resolve()

    def unreadable(error: OSError) -> None:
        problems.append(f"{error.filename}: cannot be read: {error.strerror}")

    for folder, folders, names in os.walk(root, onerror=unreadable):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in links)
        for name in sorted([*names, *links]):
            file = Path(folder, name)
            if name.startswith("."):
                continue
            if file.is_symlink():
                _check_link(file, home, problems, notes)
            elif name == "questions.jsonl" or name.endswith(".questions.jsonl"):
                notes.append(f"{file}: a question set, not articles; skipped")
            elif file.suffix.lower() not in _SUFFIXES:
                notes.append(f"{file}: neither .txt, .md nor .jsonl; skipped")
            else:
                yield file


def _check_link(file: Path, home: Path, problems: list[str], notes: list[str]) -> None:
    """Refuse a link that leaves the folder; one that stays inside names what is read anyway."""
    try:
        inside = file.resolve(strict=True).is_relative_to(home)
    except (OSError, RuntimeError):
        problems.append(f"{file}: a link that leads nowhere; remove it")
        return
    if inside:
        notes.append(f"{file}: a link to a file that is read anyway; skipped")
    else:
        problems.append(f"{file}: a link out of the articles' folder; copy the file there instead")


def _read_file(file: Path, root: Path) -> Iterator[tuple[str, Article | _RefusedError]]:
    """Yield each article of a file, or why it is none, with where it stands (file, or file and line)."""
    try:
        suffix = file.suffix.lower()
        if suffix not in _SUFFIXES:
            raise _RefusedError(f"{file}: neither .txt, .md nor .jsonl")
        text = _decode(file)
        if suffix != ".jsonl":
            relative = file.relative_to(root) if root != file else Path(file.name)
            yield str(file), _read_prose(file, relative.with_suffix("").as_posix(), text)
            return
    except _RefusedError as refused:
        yield str(file), refused
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"{file}, line {number}"
            try:
                yield where, _article_of_json(line, where)
            except _RefusedError as refused:
                yield where, refused


def _decode(file: Path) -> str:
    if not file.is_file():
        raise _RefusedError(f"{file}: not a regular file")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _RefusedError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{data[error.start]:02x}"
        raise _RefusedError(f"{file}, line {line}: not UTF-8 ({byte}); save it as UTF-8") from error
    if not text.strip(_EDGES):
        raise _RefusedError(f"{file}: empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _article_of_json(line: str, where: str) -> Article:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise _RefusedError(f"{where}: not JSON: {error.msg} (column {error.colno})") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deep, or a number too long"
        raise _RefusedError(f"{where}: not JSON: {reason}") from error
    if not isinstance(row, dict):
        raise _RefusedError(f"{where}: not a JSON object")
    identity, body = row.get("id"), row.get("text")
    if isinstance(identity, bool) or not isinstance(identity, str | int) or not str(identity).strip():
        raise _RefusedError(f'{where}: has no "id" (a string)')
    if not isinstance(body, str):
        raise _RefusedError(f'{where}: has no "text" (a string)')
    return _article(str(identity), _fields(row, where), None, body, where)


def _read_prose(file: Path, identity: str, text: str) -> Article:
    where = str(file)
    metadata, body = _split_front_matter(text, where)
    if metadata:
        return _article(identity, _fields(metadata, where), None, body, where)
    title_line, author_line, body = _split_heading(text)
    fields = dict.fromkeys(_FIELDS, "")
    if title_line is not None:
        fields["title"] = title_line.strip(_EDGES)
        if file.suffix.lower() == ".md":
            fields["title"] = fields["title"].lstrip("#").strip(_EDGES)
    if author_line is not None and (match := _AUTHOR.match(author_line.strip(_EDGES))):
        fields["author"] = match["author"].strip(_EDGES + "|")
    heading = "\n".join(line for line in (title_line, author_line) if line is not None)
    return _article(identity, fields, heading, body, where)


def _split_front_matter(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Split off a YAML block between two `---` lines at the start; without one, the mapping is empty."""
    if not text.startswith("---"):
        return {}, text
    from index.frontmatter import FrontMatterError, split_front_matter

    try:
        return split_front_matter(text)
    except FrontMatterError as error:
        line = f", line {error.line}" if error.line else ""
        raise _RefusedError(f"{where}{line}: the front matter cannot be read: {error}") from error


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
        raise _RefusedError(f'{where}: "{name}" is not text')
    lines = (" ".join(str(one).split()) for one in values if one is not None)
    return ", ".join(line for line in lines if line)


def _article(identity: str, fields: dict[str, str], heading: str | None, body: str, where: str) -> Article:
    """Put an article together; `heading` None takes the values of the fields, one a line."""
    text = "\n\n".join(_paragraphs(body))
    if not text:
        raise _RefusedError(f"{where}: an article without text")
    if heading is None:
        heading = "\n".join(fields[name] for name in HEADING_PARTS if fields[name])
    title = fields["title"] or identity.rsplit("/", 1)[-1]
    _refuse_surrogates((identity, *fields.values(), heading, text), where)
    return Article(**{**fields, "id": identity, "title": title, "heading": heading, "text": text})


def _paragraphs(body: str) -> Iterable[str]:
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    return (piece for part in _BLANK.split(body) if (piece := part.strip(_EDGES)))


def _refuse_surrogates(values: Iterable[str], where: str) -> None:
    for value in values:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _RefusedError(
                f"{where}: holds half a character (\\u{ord(value[error.start]):04x})"
            ) from error
