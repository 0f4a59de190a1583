"""Articles made of a text, for the tests of passages, and the forms that people give to texts."""

from __future__ import annotations

from hypothesis import strategies as st

from index.articles.article import Article, ParsedArticle, RefusedError, assemble
from index.articles.blocks import TextBuilder
from index.articles.markdown import add_markdown
from tests.strategies import hostile_text

__all__ = ["any_article", "article_of", "markdown_article"]

FORMS = (
    *("\n\n# Rivers\n\n", "\n\n## Weirs upstream\n\n", "\n\nThe mill\n\n", "\n\nYou may bring:\n\n"),
    *("\n\n| Plan | Price a month |\n|---|---|\n| Oak | 4 euros |\n", "| Elm | nothing at all |\n"),
    *("\n\nQ: Is it open?\nA: On Mondays.\n", "\n\nIs it free?\n\n", "\n\n> Come in.\n", "\nPhone: 112\n"),
    *("\n- a rope\n", "\n3. No dogs\n", "\n\n```\nmake all\n```\n\n", "It rains. ", "\ufb01rst", "\u00ad"),
)  # fmt: skip


def article_of(text: str, title: str = "T", heading: str = "") -> Article:
    """Make an article of plain text."""
    return assemble(ParsedArticle("a", {"title": title}, text, heading=heading))


def markdown_article(text: str, title: str = "T", description: str = "") -> Article:
    """Make an article of Markdown."""
    builder = TextBuilder()
    add_markdown(builder, text)
    return assemble(ParsedArticle("a", {"title": title, "description": description}, builder, heading=""))


def _article(is_markdown: bool, text: str, title: str, heading: str) -> Article:
    try:
        return markdown_article(text, title, heading) if is_markdown else article_of(text, title, heading)
    except RefusedError:  # only blanks, or only markup
        return article_of(text + "It rains.", title, heading)


def any_article() -> st.SearchStrategy[Article]:
    """Draw articles of hostile text in any of these forms, plain or Markdown."""
    return st.builds(_article, st.booleans(), hostile_text(*FORMS), hostile_text(), hostile_text())
