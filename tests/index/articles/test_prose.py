"""Plain text and Markdown: title and author lines, and YAML front matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.index.articles.reading import BODY, article_in, problems, put

ROOT = Path(__file__).parents[3]
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


def test_markdown_title_loses_its_hashes_and_the_heading_keeps_them(tmp_path: Path) -> None:
    article = article_in(tmp_path, "file.md", "## The title\n\nAuthor: Ann\n\nBody.")
    assert (article.title, article.author) == ("The title", "Ann")
    assert article.heading == "## The title\nAuthor: Ann"


@pytest.mark.parametrize("name", ["tram.md", "tram.txt"])
def test_front_matter_gives_the_fields_and_a_heading_made_of_them(tmp_path: Path, name: str) -> None:
    article = article_in(tmp_path, name, FRONT_MATTER)
    assert article.title == "Line nine goes north"
    assert article.author == "Petra Holm, Samir Aziz"
    assert article.published == "2021-03-09"
    assert article.url == "https://trams.example/nine"
    assert article.heading == "Line nine goes north\nPetra Holm, Samir Aziz\nThe Evening Rail\n2021-03-09"
    assert article.text == f"{BODY}\n\n---\n\nThe end."


@pytest.mark.parametrize("middle", ["plain words", "Note: this matters", "Note: this: matters"])
def test_rules_further_down_a_page_are_no_front_matter(tmp_path: Path, middle: str) -> None:
    article = article_in(tmp_path, "file.md", f"The title\n\nIntro.\n\n---\n\n{middle}\n\n---\n\nEnd.")
    assert article.title == "The title"
    assert article.text == f"Intro.\n\n---\n\n{middle}\n\n---\n\nEnd."


@pytest.mark.parametrize(
    "content", ["---\n\nBody.", "--- x\n---\nBody.", "---\n- a\n---\nBody.", "---\n---\nBody."]
)
def test_rules_without_fields_between_them_stay_in_the_text(tmp_path: Path, content: str) -> None:
    article = article_in(tmp_path, "file.md", content)
    assert article.text.endswith("Body.")
    assert (article.heading + article.text).startswith("---")


@pytest.mark.parametrize(
    ("yaml", "title"),
    [
        ("title: 1984", "1984"),
        ("title: 2024-02-31", "2024-02-31"),
        ("title: !!timestamp soon", "soon"),
        ("title: !!bool perhaps", "perhaps"),
        ("title: !!python/object:os.system x", "x"),
        ("title: null and void", "null and void"),
        ("title: ~", "file"),
        ("title:", "file"),
        ("title: []", "file"),
    ],
)
def test_front_matter_is_text_whatever_it_looks_like(tmp_path: Path, yaml: str, title: str) -> None:
    article = article_in(tmp_path, "file.md", f"---\n{yaml}\nauthor: Ann\n---\nBody.")
    assert (article.title, article.author, article.text) == (title, "Ann", "Body.")


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("title: [unclosed", ", line 3: invalid front matter"),
        ("title: 'open", ", line 3: invalid front matter"),
        ("ok: x\ntitle: *nowhere", ", line 3: invalid front matter"),
        ("title: {a: b}", ': "title" is not text'),
        (LAUGHS + "title: *i", ': "title" is not text'),
        ("title: &a [*a]", ": invalid front matter"),
        (f"long: &a {'x' * 9_000}\ntitle: [{', '.join(['*a'] * 9_000)}]", ': "title" has more than 10,000'),
        ("title: " + "[" * 30_000, ": invalid front matter"),
        ("title: " + "{a: " * 10_000, ": invalid front matter"),
        ("- " * 30_000, ": invalid front matter"),
        ("title: " + "x" * 100_000, ": the front matter has more than 64,000 characters"),
        ("a: b\n" * 2_000_000, ": the front matter has more than 64,000 characters"),
    ],
    ids="open quote alias map laughs itself aliases lists maps dashes long megabytes".split(),
)
def test_front_matter_that_cannot_be_read_is_refused(tmp_path: Path, yaml: str, problem: str) -> None:
    (refusal,) = problems(put(tmp_path, {"a.md": f"---\n{yaml}\n---\n{BODY}"}))
    assert refusal.startswith("a.md")
    assert problem in refusal


def test_merge_keys_and_laughs_beside_the_fields_change_nothing(tmp_path: Path) -> None:
    article = article_in(tmp_path, "a.md", f"---\n{LAUGHS}<<: {{title: no}}\ntitle: T\n---\n{BODY}")
    assert (article.title, article.author, article.text) == ("T", "", BODY)
