"""Text and Markdown files: titles, author lines, front matter, drafts."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.articles.formats import read_articles
from tests.index.articles.reading import BODY, article_in, put

FRONT_MATTER = f"""---
title: Line nine goes north
author: [Petra Holm, Samir Aziz]
Publisher: The Evening Rail
published: 2021-03-09
url: https://trams.example/nine
---
{BODY}

---

The end.
"""


@pytest.mark.parametrize(
    ("content", "title", "author", "heading", "text"),
    [
        ("The title\n\nBody.", "The title", "", "The title", "Body."),
        ("The title\r\n\r\nBody.\r\n", "The title", "", "The title", "Body."),
        ("The title\rAuthor: Ann\rBody.", "The title", "Ann", "The title\nAuthor: Ann", "Body."),
        ("The title\nAuthor: Ann Lee\nBody.", "The title", "Ann Lee", "The title\nAuthor: Ann Lee", "Body."),
        ("The title\n\nAuthor: Ann\n\nBody.", "The title", "Ann", "The title\nAuthor: Ann", "Body."),
        ("\ufeffThe title\n\n\n\nauthor:Ann\n\nBody.", "The title", "Ann", "The title\nauthor:Ann", "Body."),
        ("The  –  title \n\nBody.", "The  –  title", "", "The  –  title ", "Body."),
        ("Author: Ann |\n\nBody.", "file", "Ann", "Author: Ann |", "Body."),
        ("x" * 150 + "\n\nBody.", "x" * 150, "", "x" * 150, "Body."),
        ("x" * 151 + "\n\nBody.", "file", "", "", "x" * 151 + "\n\nBody."),
        ("It began here.\n\nBody.", "file", "", "", "It began here.\n\nBody."),
        ("We need:\n\nBody.", "file", "", "", "We need:\n\nBody."),
        ("A first line\nthat goes on.", "file", "", "", "A first line\nthat goes on."),
        ("Only a line", "file", "", "", "Only a line"),
        ("Only a line\n", "file", "", "", "Only a line"),
        ("# Not Markdown\n\nBody.", "# Not Markdown", "", "# Not Markdown", "Body."),
    ],
)
def test_heading_of_a_text_file(
    tmp_path: Path, content: str, title: str, author: str, heading: str, text: str
) -> None:
    """The heading is exactly what stands in the file, and none of it is in the text."""
    article = article_in(tmp_path, "file.txt", content)
    assert (article.id, article.title, article.author) == ("file", title, author)
    assert (article.heading, article.text) == (heading, text)


@pytest.mark.parametrize(
    ("content", "title", "text"),
    [
        ("# The *title*\n\nBody.", "The title", "Body."),
        ("# The title\nBody.", "The title", "Body."),
        ("The title\n=========\n\nBody.", "The title", "Body."),
        ("The\ntitle\n===\nBody.", "The title", "Body."),
        ("# The title {#top}\n\nBody.", "The title", "Body."),
        ("[![Build](b.svg)](ci)\n\n<!-- note -->\n\n***\n\n# The title\n\nBody.", "The title", "Body."),
        ("---\ntitle: The title\n---\n# The title\n\nBody.", "The title", "Body."),
        ("---\ntitle: Other\n---\n# The title\n\nBody.", "Other", "The title\n\nBody."),
        ("Intro.\n\n# The title\n\nBody.", "file", "Intro.\n\nThe title\n\nBody."),
        ("## The title\n\nBody.", "file", "The title\n\nBody."),
        ("    # The title\n\nBody.", "file", "# The title\n\nBody."),
    ],
)
def test_title_of_a_markdown_file(tmp_path: Path, content: str, title: str, text: str) -> None:
    article = article_in(tmp_path, "file.md", content)
    assert (article.title, article.heading) == (title, title if title != "file" else "")
    assert article.text == text


@pytest.mark.parametrize("name", ["tram.md", "tram.txt"])
def test_front_matter_gives_the_fields_and_a_heading_made_of_them(tmp_path: Path, name: str) -> None:
    article = article_in(tmp_path, name, FRONT_MATTER)
    assert article.title == "Line nine goes north"
    assert article.author == "Petra Holm, Samir Aziz"
    assert article.published == "2021-03-09"
    assert article.url == "https://trams.example/nine"
    assert article.heading == "Line nine goes north\nPetra Holm, Samir Aziz\nThe Evening Rail\n2021-03-09"
    rule = "---\n\n" if name.endswith(".txt") else ""
    assert article.text == f"{BODY}\n\n{rule}The end."


@pytest.mark.parametrize("middle", ["plain words", "Note: this matters", "Note: this: matters"])
def test_rules_further_down_a_page_are_no_front_matter(tmp_path: Path, middle: str) -> None:
    content = f"The title\n\nIntro.\n\n---\n\n{middle}\n\n---\n\nEnd."
    assert article_in(tmp_path, "file.txt", content).text == content.partition("\n\n")[2]
    assert article_in(tmp_path, "file.md", content).text == content.replace("\n\n---", "")


@pytest.mark.parametrize(
    "content", ["---\n\nBody.", "--- x\n---\nBody.", "---\n- a\n---\nBody.", "---\n---\nBody."]
)
def test_rules_without_fields_between_them_are_no_front_matter(tmp_path: Path, content: str) -> None:
    article = article_in(tmp_path, "file.txt", content)
    assert article.heading + article.text == content.replace("---\n\n", "---")
    assert article_in(tmp_path, "file.md", content).text.endswith("Body.")


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize(
    ("metadata", "is_draft"),
    [
        ("---\ndraft: true\n---\n", True),
        ("---\nDraft: Yes\ntitle: [broken\n---\n", True),
        ("---\npublished: false\n---\n", True),
        ("+++\ndraft = true\n+++\n", True),
        ('{"draft": true}\n', True),
        ("---\ndraft: false\n---\n", False),
        ("---\npublished: true\ndate: 2021\n---\n", False),
        ("---\npublished: 2021\n---\n", False),
    ],
)
def test_drafts_are_passed_over_with_a_note(tmp_path: Path, name: str, metadata: str, is_draft: bool) -> None:
    put(tmp_path, {name: metadata + BODY, "b.txt": "Other."})
    source = read_articles(tmp_path, strict=True)
    assert [article.id for article in source.articles] == ["b"] if is_draft else ["a", "b"]
    assert source.notes == ((f"{tmp_path}/{name}: a draft; skipped",) if is_draft else ())
    assert not source.refused


@pytest.mark.parametrize(
    "emphasis", ["*a _b " * 2_000 + "_ *" * 2_000, "```{note}\n" * 3 + "> " * 2_000 + "x"]
)
def test_markdown_nested_too_deeply_is_refused_or_read(tmp_path: Path, emphasis: str) -> None:
    put(tmp_path, {"a.md": emphasis, "b.md": BODY})
    source = read_articles(tmp_path)
    assert source.articles[-1].text == BODY
    assert len(source.articles) + len(source.problems) == 2


BASE = "https://site.example/docs"


@pytest.mark.parametrize(
    ("field", "url", "completed"),
    [
        ("url: https://trams.example/a", "https://trams.example/a", "https://trams.example/a"),
        ("permalink: /a/", "/a/", "https://site.example/docs/a/"),
        ("url: a.html#b", "a.html#b", "https://site.example/docs/a.html#b"),
        ("slug: a", "", "https://site.example/docs/posts/a"),
        ("slug: /a", "", "https://site.example/docs/a"),
        ("slug: a\nurl: /b", "/b", "https://site.example/docs/b"),
        ("title: A", "", ""),
    ],
)
def test_relative_address_is_completed_with_the_base_url(
    tmp_path: Path, field: str, url: str, completed: str
) -> None:
    put(tmp_path, {"posts/tram.md": f"---\n{field}\n---\nIt runs."})
    for base_url, expected in (("", url), *((base, completed) for base in (BASE, f"{BASE}/"))):
        (article,) = read_articles(tmp_path, base_url=base_url).articles
        assert article.url == expected
