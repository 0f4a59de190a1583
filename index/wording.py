"""The one place that knows a language's words: what people call the parts of a heading.

A heading is a few bare values ("Jonathan Doe"); a question about it names the part ("who wrote it?"). The
words here are added to what the encoder and the lexical index read of a heading, and are never quoted.
"""

from __future__ import annotations

from index.articles import Article

__all__ = ["heading_line_text", "heading_words"]

_PARTS = {
    "en": {
        "title": "title, headline or name of this article",
        "author": "author who wrote this article, written by",
        "publisher": "publisher of this article, published by",
        "published": "date when this article was published",
    },
    "es": {
        "title": "título o titular de este artículo",
        "author": "autor que escribió este artículo, escrito por",
        "publisher": "editor de este artículo, publicado por",
        "published": "fecha en que se publicó este artículo",
    },
}


def heading_line_text(article: Article, line: str, language: str) -> str:
    """Return what the encoder reads of one line of a heading: the part's words, then the line."""
    part = _part_of(article, line)
    words = _PARTS.get(language, {}).get(part, part)
    return f"{words}: {line}"


def heading_words(article: Article, lines: list[str], language: str) -> str:
    """Return what the lexical index reads of a heading: the words of its parts, not their values.

    The values are left out because a title repeats its article's subject, and so would be found before the
    sentences that say something of it.
    """
    parts = dict.fromkeys(_part_of(article, line) for line in lines)
    return " ".join(_PARTS.get(language, {}).get(part, part) for part in parts)


def _part_of(article: Article, line: str) -> str:
    for part in ("title", "author", "publisher", "published"):
        value = getattr(article, part)
        if value and value in line:
            return part
    return "title"
