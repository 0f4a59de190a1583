"""What every article reader promises, tried on each format in the registry.

A new format needs one thing here: its writer in `WRITERS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.article import Article, ParsedArticle, RefusedError
from index.articles.documents import pdf
from index.articles.folder import SourceFile
from index.articles.formats import READERS, ArticleReader, read_articles
from index.errors import ArticleError
from tests.index.articles.documents.pdfs import parse_here, write_pdf
from tests.index.articles.documents.zipped import write_docx, write_epub
from tests.index.articles.reading import BODY, article_in, check_blocks, problems, put
from tests.strategies import hostile_text


def _markdown(title: str, body: str) -> str:
    return f"# {title}\n\n{body}"


def _html(title: str, body: str) -> str:
    paragraphs = re.split(r"\r?\n\s*\n|\r\s*\r", body)
    return f"<title>{title}</title><h1>{title}</h1>" + "".join(f"<p>{text}</p>" for text in paragraphs)


WRITERS: dict[str, Callable[[str, str], str | bytes]] = {
    ".txt": lambda title, body: f"{title}\n\n{body}",
    **dict.fromkeys((".md", ".markdown", ".mdx"), _markdown),
    **dict.fromkeys((".html", ".htm", ".xhtml"), _html),
    ".docx": write_docx,
    ".epub": write_epub,
    ".pdf": write_pdf,
    ".jsonl": lambda title, body: json.dumps({"id": "file", "title": title, "text": body}),
}
"""Makes a file of each format from a title and a body; one that is not an object a line is called `file`."""

_FLOWING = {_markdown, _html, write_docx, write_epub, write_pdf}
PLAIN = [suffix for suffix, writer in WRITERS.items() if writer not in _FLOWING]
every_format = pytest.mark.parametrize("suffix", READERS)
plain_formats = pytest.mark.parametrize("suffix", PLAIN)

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9)
PROSE = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
LINES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
MARKUP = (
    "---\n", "# ", "> ", "| a |\n|-|\n", "[^1]: ", "<div>", "</p>", "&#13;", "*_", "- ", "Q: ", "::: x\n",
    "title: ", "draft: true\n", "Author: ", '{"id": 1, "text": "', '"}', "\\ud800", "&a *a", "!!int",
    "!!binary ",
)  # fmt: skip
HOSTILE = st.binary(max_size=300) | hostile_text(*MARKUP, surrogates=True, most=14).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)


@pytest.fixture(autouse=True)
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "run_parser", parse_here)


def test_every_format_is_under_contract() -> None:
    assert WRITERS.keys() == READERS.keys()
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in READERS)


@every_format
@given(data=st.data())
def test_title_and_paragraphs_come_through(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    """Plain formats keep any line to the letter, Markdown any line without markup."""
    lines = LINES.filter(lambda line: not line.startswith(">")) if suffix in PLAIN else PROSE
    title = data.draw(lines.filter(lambda title: title[-1] not in ".!?:" and title[0] != "#"))
    body = data.draw(st.lists(lines, min_size=1))
    article = article_in(tmp_path, f"file{suffix.upper()}", WRITERS[suffix](title, "\n\n".join(body)))
    assert (article.id, article.title, article.text) == ("file", title, "\n\n".join(body))
    pieces = [(one.number, article.text[one.start : one.end]) for one in article.paragraphs]
    assert pieces == list(enumerate(body, 1))
    assert [article.paragraph_at(one.end) for one in article.paragraphs] == [number for number, _ in pieces]


@plain_formats
@given(body=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_no_character_of_a_plain_body_is_lost(tmp_path: Path, suffix: str, body: str) -> None:
    """All but white space, byte order marks and the marks of quoted lines comes through, in order."""
    put(tmp_path, {f"file{suffix}": WRITERS[suffix]("The title", body)})
    if squeezed := _squeezed(body):
        (article,) = read_articles(tmp_path).articles
        assert _squeezed(article.text) == squeezed
        check_blocks(article.text, article.blocks)
    else:
        assert problems(tmp_path / f"file{suffix}")[0].endswith(": has no text")


def _squeezed(text: str) -> str:
    return "".join(text.replace("\ufeff", "").replace(">", "").split())


@every_format
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_line_feeds(tmp_path: Path, suffix: str, end: str) -> None:
    content = WRITERS[suffix]("The title", f"\u3000One{end}still one. {end}{end} \t{end}\xa0Two.{end}{end}")
    line_end = "\n" if suffix in PLAIN else " "  # of Markdown, wrapped lines are joined
    assert article_in(tmp_path, f"file{suffix}", content).text == f"One{line_end}still one.\n\nTwo."


@every_format
@given(data=HOSTILE)
def test_any_bytes_give_articles_or_problems_that_name_the_file(
    tmp_path: Path, suffix: str, data: bytes
) -> None:
    file = put(tmp_path, {f"any{suffix}": data}) / f"any{suffix}"
    articles: tuple[Article, ...] = ()
    problems: tuple[str, ...] = ()
    try:
        articles = read_articles(file, strict=True).articles
    except ArticleError as error:
        problems = error.problems
    assert bool(articles) != bool(problems)
    assert all(problem.startswith(f"{file}") and "\n" not in problem for problem in problems)
    for article in articles:
        assert article.text
        assert "\r" not in article.heading + article.text
        "".join((article.id, article.title, article.heading, article.text)).encode()
        check_blocks(article.text, article.blocks)


@every_format
def test_empty_and_oversized_files_are_refused_by_name(tmp_path: Path, suffix: str) -> None:
    put(tmp_path, {f"a{suffix}": b""})
    with (tmp_path / f"b{suffix}").open("wb") as file:
        file.truncate(200_000_000)  # of zeros that take no room
    empty, large = problems(tmp_path)
    assert empty == f"a{suffix}: empty"
    assert large.startswith(f"b{suffix}")
    assert "larger than 64 MB" in large


def read_verses(file: SourceFile) -> Iterator[ParsedArticle | RefusedError]:
    """Read a format of a stranger's, whose lines are `id: text`."""
    for number, line in enumerate(file.text().splitlines(), 1):
        identity, colon, body = line.partition(": ")
        if colon:
            yield ParsedArticle(identity, {"author": ["A", "B"]}, body, line=number)
        else:
            yield RefusedError("no colon", number)


def test_new_format_is_one_reader_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"a.verses": f"one: {BODY}\r\ntwo: x", "b.png": b"", "c.txt": BODY})
    assert [article.id for article in read_articles(tmp_path).articles] == ["c"]
    reader: ArticleReader = read_verses
    monkeypatch.setitem(READERS, ".verses", reader)
    source = read_articles(tmp_path)
    assert [(article.id, article.author, article.text) for article in source.articles] == [
        ("one", "A, B", BODY),
        ("two", "A, B", "x"),
        ("c", "", BODY),
    ]
    (note,) = source.notes
    assert "b.png: not an article file" in note
    assert ".verses" in note


def test_new_format_gets_its_checks_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, ".verses", read_verses)
    put(tmp_path, {"a.verses": f"one\ntwo: {BODY}\nthree:  \ntwo: x\nc: x\na\x1bb: x", "c.txt": BODY})
    assert problems(tmp_path) == [
        "a.verses, line 1: no colon",
        "a.verses, line 3: has no text",
        "a.verses, line 4: the id 'two' is already used by a.verses, line 2",
        "a.verses, line 6: the id (or the file name) has a control character; rename it",
    ]
    assert [article.id for article in read_articles(tmp_path).articles] == ["two", "c", "c.txt"]
    put(tmp_path, {"a.verses": f"one: {BODY}\ntwo:\x00 \xff".encode("latin-1")})
    assert problems(tmp_path / "a.verses") == [
        f"{tmp_path}/a.verses, line 2: not UTF-8 (byte 0xff); save it as UTF-8"
    ]
