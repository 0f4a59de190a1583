"""The readers of plain text and Markdown: a file is an article, under a title, an `Author:` line, or YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.articles.article import DraftError, ParsedArticle, RefusedError
from index.articles.blocks import BLANKS, TextBuilder
from index.articles.folder import SourceFile
from index.articles.front_matter import FrontMatter, article_fields, is_draft, split_front_matter
from index.articles.markdown import MarkdownWriter, parse_markdown, split_title

__all__ = ["read_markdown", "read_text"]

_MAX_TITLE = 150  # characters; a longer first line is text
_AUTHOR = re.compile(r"author:\s*(?P<author>.*)", re.IGNORECASE)


def read_text(file: SourceFile) -> Iterator[ParsedArticle]:
    """Read a plain text file."""
    metadata, body = _split_published(file)
    if metadata:
        yield ParsedArticle(file.id, article_fields(metadata), body)
        return
    title_line, author_line, body = _split_heading(body)
    fields: dict[str, object] = {"title": title_line.strip(BLANKS)}
    if match := _AUTHOR.match(author_line.strip(BLANKS)):
        fields["author"] = match["author"].strip(BLANKS + "|")
    heading = "\n".join(filter(None, (title_line, author_line)))
    yield ParsedArticle(file.id, fields, body, heading=heading)


def read_markdown(file: SourceFile) -> Iterator[ParsedArticle]:
    """Read a Markdown file: the title is that of the front matter, else the heading that opens the text."""
    metadata, body = _split_published(file)
    fields = article_fields(metadata)
    builder = TextBuilder()
    try:
        nodes = parse_markdown(body, mdx=file.path.suffix.lower() == ".mdx")
        title, rest = split_title(nodes)
        if title and fields["title"] in {"", title}:
            fields["title"], nodes = title, list(rest)
        MarkdownWriter(builder).add(nodes)
    except RecursionError as error:
        raise RefusedError("emphasis or directives are nested too deeply; simplify it") from error
    yield ParsedArticle(file.id, dict(fields), builder)


def _split_published(file: SourceFile) -> tuple[FrontMatter, str]:
    metadata, body = split_front_matter(file.text())
    if is_draft(metadata):
        raise DraftError
    return metadata, body


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
