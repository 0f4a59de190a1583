"""Files to articles: headings, fields, text, and what is passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.reading import Article, read_articles
from index.errors import ArticleError, MissingError
from tests.index.shelf import SHELF, put

JSON_ROW = {"id": "one", "text": "Body."}


def read(folder: Path, name: str, content: str | bytes) -> Article:
    """Read a file that holds one article."""
    put(folder, {name: content})
    (article,) = read_articles(folder / name).articles
    return article


def refusal(path: Path) -> ArticleError:
    """Return the error with which a path is refused."""
    with pytest.raises(ArticleError) as caught:
        read_articles(path)
    return caught.value


@pytest.mark.parametrize(
    ("content", "title", "author", "heading", "text"),
    [
        ("The title\n\nBody.", "The title", "", "The title", "Body."),
        ("The title\r\n\r\nBody.\r\n", "The title", "", "The title", "Body."),
        ("The title\rAuthor: Ann\rBody.", "The title", "Ann", "The title\nAuthor: Ann", "Body."),
        ("The title\nAuthor: Ann Lee\nBody.", "The title", "Ann Lee", "The title\nAuthor: Ann Lee", "Body."),
        ("The title\n\nAuthor: Ann\n\nBody.", "The title", "Ann", "The title\nAuthor: Ann", "Body."),
        ("\ufeffThe title\n\n\n\nauthor:Ann\n\nBody.", "The title", "Ann", "The title\nauthor:Ann", "Body."),
        ("  The – title \n\nBody.", "The – title", "", "  The – title ", "Body."),
        ("Author: Ann |\n\nBody.", "file", "Ann", "Author: Ann |", "Body."),
        ("x" * 150 + "\n\nBody.", "x" * 150, "", "x" * 150, "Body."),
        ("x" * 151 + "\n\nBody.", "file", "", "", "x" * 151 + "\n\nBody."),
        ("A first line\nthat goes on.", "file", "", "", "A first line\nthat goes on."),
        ("Only a line", "file", "", "", "Only a line"),
        ("# Not Markdown\n\nBody.", "# Not Markdown", "", "# Not Markdown", "Body."),
    ],
)
def test_text_file_has_heading_by_the_rules(
    tmp_path: Path, content: str, title: str, author: str, heading: str, text: str
) -> None:
    article = read(tmp_path, "file.txt", content)
    assert (article.id, article.title, article.author) == ("file", title, author)
    # The heading exactly as it stands, and nothing of it in the text.
    if not content.startswith("  "):
        assert article.heading == heading
    assert article.heading.strip() == heading.strip()
    assert article.text == text


@pytest.mark.parametrize("mark", [".", "!", "?", ":"])
def test_first_line_that_ends_as_a_sentence_is_no_title(tmp_path: Path, mark: str) -> None:
    article = read(tmp_path, "file.txt", f"It began here{mark}\n\nBody.")
    assert (article.title, article.heading) == ("file", "")
    assert article.text == f"It began here{mark}\n\nBody."


def test_file_of_one_line_is_an_article_with_or_without_its_last_newline(tmp_path: Path) -> None:
    """A newline that ends the only line is no blank line, so the line is text and no title."""
    without = read(tmp_path, "file.txt", "The pump is by the church door")
    assert read(tmp_path, "file.txt", "The pump is by the church door\n") == without


def test_markdown_title_loses_its_hashes_and_heading_keeps_them(tmp_path: Path) -> None:
    article = read(tmp_path, "file.md", "# The title\n\nAuthor: Ann\n\nBody.")
    assert (article.title, article.author) == ("The title", "Ann")
    assert article.heading == "# The title\nAuthor: Ann"


def test_front_matter_gives_fields_and_a_heading_of_their_values(tmp_path: Path) -> None:
    article = read(tmp_path, "tram.md", SHELF["tram.md"])
    assert article.title == "Line nine goes north"
    assert article.author == "Petra Holm, Samir Aziz"
    assert article.published == "2021-03-09"
    assert article.url == "https://trams.example/nine"
    assert article.heading == ("Line nine goes north\nPetra Holm, Samir Aziz\nThe Evening Rail\n2021-03-09")
    assert article.text.startswith("Tram line nine")


@pytest.mark.parametrize("middle", ["plain words", "Note: this matters", "Note: this: matters"])
def test_rules_across_a_page_are_no_front_matter(tmp_path: Path, middle: str) -> None:
    """Two lines of `---` further down a page part its sections; all of them are text."""
    article = read(tmp_path, "file.md", f"The title\n\nIntro.\n\n---\n\n{middle}\n\n---\n\nEnd.")
    assert article.title == "The title"
    assert article.text == f"Intro.\n\n---\n\n{middle}\n\n---\n\nEnd."


def test_rules_after_front_matter_stay_in_the_text(tmp_path: Path) -> None:
    article = read(tmp_path, "file.md", "---\ntitle: T\n---\nOne.\n\n---\n\nTwo.\n\n---\n\nThree.")
    assert (article.title, article.text) == ("T", "One.\n\n---\n\nTwo.\n\n---\n\nThree.")


@pytest.mark.parametrize(
    "yaml",
    [
        "title: [unclosed",
        "title: {a: b}",
        "title: *nowhere",
    ],
)
def test_front_matter_that_cannot_be_read_is_refused_by_name(tmp_path: Path, yaml: str) -> None:
    put(tmp_path, {"file.md": f"---\n{yaml}\n---\nBody."})
    (problem,) = refusal(tmp_path / "file.md").problems
    assert problem.startswith(str(tmp_path / "file.md"))


@pytest.mark.parametrize(
    ("yaml", "title"),
    [
        ("title: 1984", "1984"),
        ("title: 2024-02-31", "2024-02-31"),
        ("title: !!timestamp soon", "soon"),
        ("title: !!bool perhaps", "perhaps"),
        ("title: !!python/object:os.system x", "x"),
        ("title: null and void", "null and void"),
    ],
)
def test_front_matter_is_text_whatever_it_looks_like(tmp_path: Path, yaml: str, title: str) -> None:
    article = read(tmp_path, "file.md", f"---\n{yaml}\n---\nBody.")
    assert (article.title, article.heading, article.text) == (title, title, "Body.")


@pytest.mark.parametrize("nothing", ["", " null", " ~", " ''", " []"])
def test_field_without_a_value_in_front_matter_is_empty(tmp_path: Path, nothing: str) -> None:
    article = read(tmp_path, "file.md", f"---\ntitle: T\nauthor:{nothing}\n---\nBody.")
    assert (article.author, article.heading) == ("", "T")


@pytest.mark.parametrize("author", ["Ann\nLee", ["Ann\nLee"], [" Ann ", "\tLee"]])
def test_field_takes_one_line_of_the_heading(tmp_path: Path, author: str | list[str]) -> None:
    """White space inside a value, of a list's too, is one space; else one value would be several lines."""
    row = {**JSON_ROW, "title": "T", "author": author}
    article = read(tmp_path, "file.jsonl", json.dumps(row))
    assert article.author in {"Ann Lee", "Ann, Lee"}
    assert article.heading.split("\n") == ["T", article.author]


def test_json_lines_give_an_article_a_line_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    row = {**JSON_ROW, "text": "A\u2028B\r\n\r\nC", "published": 1999, "publisher": None, "extra": [1]}
    lines = [json.dumps(row, ensure_ascii=False), "", json.dumps({"id": 7, "text": "Other."}), ""]
    put(tmp_path, {"file.jsonl": "\n".join(lines)})
    one, seven = read_articles(tmp_path / "file.jsonl").articles
    assert (one.id, one.title, one.published, one.heading) == ("one", "one", "1999", "1999")
    assert one.text == "A\u2028B\n\nC"
    assert seven.id == "7"


def test_folder_is_walked_and_what_is_skipped_is_said(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            **SHELF,
            "questions.jsonl": "not json",
            "more/some.questions.jsonl": b"\xff",
            "cover.png": b"\x89",
            ".hidden/a.txt": b"\xff",
            ".hidden.txt": b"\xff",
            "UPPER.TXT": "Body.",
        },
    )
    (tmp_path / "alias.txt").symlink_to("lighthouse.txt")
    source = read_articles(tmp_path)
    assert {one.id for one in source.articles} == {
        "lighthouse", "bakery", "tram", "canal", "orchard", "UPPER",
    }  # fmt: skip
    assert [note.split(": ")[0] for note in source.notes] == [
        str(tmp_path / name)
        for name in ("alias.txt", "cover.png", "questions.jsonl", "more/some.questions.jsonl")
    ]
    assert "question set" in source.notes[2]


def test_id_is_the_path_below_the_folder(tmp_path: Path) -> None:
    put(tmp_path, {"a/note.txt": "One.", "b/note.txt": "Two."})
    assert [(one.id, one.title) for one in read_articles(tmp_path).articles] == [
        ("a/note", "note"),
        ("b/note", "note"),
    ]


def test_one_file_named_outright_is_read_even_as_a_question_set_by_name(tmp_path: Path) -> None:
    assert read(tmp_path, "questions.jsonl", json.dumps(JSON_ROW)).id == "one"


def test_nothing_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"nowhere.*FOOTNOTE_ARTICLES"):
        read_articles(tmp_path / "nowhere")


def test_paragraphs_count_from_one_and_cover_the_text(tmp_path: Path) -> None:
    article = read(
        tmp_path, "file.txt", "T\n\n\n \t\n\u3000One\nstill one. \n\u00a0\n\n Two.\n\n\n\nThree.\n\n"
    )
    assert article.text == "One\nstill one.\n\nTwo.\n\nThree."
    pieces = [(one.number, article.text[one.start : one.end]) for one in article.paragraphs]
    assert pieces == [(1, "One\nstill one."), (2, "Two."), (3, "Three.")]


def test_content_hash_tells_every_field_but_the_id(tmp_path: Path) -> None:
    row = {**JSON_ROW, **dict.fromkeys(("title", "author", "publisher", "url", "published"), "x")}
    base = read(tmp_path, "file.jsonl", json.dumps(row))
    assert read(tmp_path, "file.jsonl", json.dumps({**row, "id": "two"})).content_hash == base.content_hash
    changed = [
        read(tmp_path, "file.jsonl", json.dumps({**row, name: "y"})).content_hash
        for name in row
        if name != "id"
    ]
    assert len({base.content_hash, *changed}) == len(row)


@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(
            st.sampled_from(
                ["---\n", "title: ", "Author: ", '{"id": 1, "text": "', '"}', "\n", "\n\n", "[", "\\ud800",
                 "&a *a", "!!int", "!!binary ", "? ", "\x00", "\ufeff", "T", "- ", "{", "0x_", "1:99", "%"]
            ),
            max_size=14,
        ).map(lambda parts: "".join(parts).encode()),
    ),
    suffix=st.sampled_from([".txt", ".md", ".jsonl"]),
)  # fmt: skip
def test_any_bytes_give_articles_or_an_error_that_names_the_file(
    tmp_path: Path, data: bytes, suffix: str
) -> None:
    file = put(tmp_path, {f"any{suffix}": data}) / f"any{suffix}"
    articles: tuple[Article, ...] = ()
    problems: tuple[str, ...] = ()
    try:
        articles = read_articles(file).articles
    except ArticleError as error:
        problems = error.problems
    assert bool(articles) != bool(problems)
    assert all(problem.startswith(str(file)) for problem in problems)
    for article in articles:
        assert article.text
        "".join((article.id, article.title, article.heading, article.text)).encode()


@given(body=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_no_character_of_a_body_is_lost(tmp_path: Path, body: str) -> None:
    """All but white space and byte order marks comes through, in order."""
    put(tmp_path, {"any.jsonl": json.dumps({"id": "one", "text": body})})
    wanted = "".join(body.replace("\ufeff", "").split())
    if not wanted:
        assert "without text" in str(refusal(tmp_path / "any.jsonl"))
        return
    (article,) = read_articles(tmp_path / "any.jsonl").articles
    assert "".join(article.text.replace("\ufeff", "").split()) == wanted
    for one in article.paragraphs:
        piece = article.text[one.start : one.end]
        assert piece == piece.strip()
        assert piece
