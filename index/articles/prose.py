"""The readers of plain text and Markdown: a file is an article, under a title, an `Author:` line, or YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.articles.article import BLANKS, ParsedArticle, RefusedError
from index.articles.folder import SourceFile

__all__ = ["read_markdown", "read_text"]

_MAX_TITLE = 150  # characters; a longer first line is text
_AUTHOR = re.compile(r"author:\s*(?P<author>.*)", re.IGNORECASE)

_RULE = re.compile(r"^-{3,}\s*$", re.MULTILINE)
_MAX_FRONT_MATTER = 64_000  # characters; YAML is slow to parse
_YAML_NULLS = ("~", "null", "Null", "NULL")


def read_text(file: SourceFile) -> Iterator[ParsedArticle]:
    """Read a plain text file."""
    yield _read(file, title_marks="")


def read_markdown(file: SourceFile) -> Iterator[ParsedArticle]:
    """Read a Markdown file, whose title line may begin with `#`."""
    yield _read(file, title_marks="#")


def _read(file: SourceFile, title_marks: str) -> ParsedArticle:
    text = file.text()
    metadata, body = _split_front_matter(text)
    if metadata:
        return ParsedArticle(file.id, metadata, body)
    title_line, author_line, body = _split_heading(text)
    fields = {"title": title_line.strip(BLANKS).lstrip(title_marks).strip(BLANKS)}
    if match := _AUTHOR.match(author_line.strip(BLANKS)):
        fields["author"] = match["author"].strip(BLANKS + "|")
    return ParsedArticle(file.id, fields, body, heading="\n".join(filter(None, (title_line, author_line))))


def _split_heading(text: str) -> tuple[str, str, str]:
    """Split text into its title line, its author line, and the rest; a line that is not there is empty."""
    first, *rest = text.lstrip(BLANKS).removesuffix("\n").split("\n")
    title = first.strip(BLANKS)
    if _AUTHOR.match(title):
        return "", first, "\n".join(rest)
    if len(title) > _MAX_TITLE or title.endswith((".", "!", "?", ":")):
        return "", "", text
    following = next((number for number, line in enumerate(rest) if line.strip(BLANKS)), None)
    if following is not None and _AUTHOR.match(rest[following].strip(BLANKS)):
        return first, rest[following], "\n".join(rest[following + 1 :])
    if rest and not rest[0].strip(BLANKS):
        return first, "", "\n".join(rest)
    return "", "", text


def _split_front_matter(text: str) -> tuple[dict[str, object], str]:
    """Split off the YAML between two `---` lines at the start; every value is read as the text that it is."""
    opening = _RULE.match(text)
    closing = _RULE.search(text, opening.end()) if opening else None
    if not opening or not closing:
        return {}, text
    block, body = text[opening.end() : closing.start()], text[closing.end() :]
    if len(block) > _MAX_FRONT_MATTER:
        raise RefusedError(f"the front matter has more than {_MAX_FRONT_MATTER:,} characters; shorten it")
    import yaml

    try:
        found = yaml.load(block, Loader=yaml.BaseLoader)  # noqa: S506 - it makes only text, lists and dicts
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        is_deep = isinstance(error, RecursionError)
        reason = getattr(error, "problem", None) or ("nested too deeply" if is_deep else "not valid YAML")
        mark = getattr(error, "problem_mark", None)
        raise RefusedError(f"invalid front matter: {reason}", mark.line + 1 if mark else None) from error
    if not isinstance(found, dict):
        return {}, text
    named = {str(name).strip().lower(): value for name, value in found.items()}
    return {name: None if value in _YAML_NULLS else value for name, value in named.items()}, body
