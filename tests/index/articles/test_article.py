"""What becomes of fields and bodies, what is refused, and how it is reported; mostly as JSON Lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.articles.formats import read_articles
from index.errors import ArticleError, MissingError
from tests.index.articles.reading import BODY, FORMATS, article_in, problems, put

ROW = {"id": "one", "text": "Body."}


def test_each_line_is_an_article_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    row = {**ROW, "text": "A\u2028B\r\n\r\nC\x85", "published": 1999, "publisher": None, "extra": [1]}
    lines = ["", json.dumps(row, ensure_ascii=False), " \u3000", json.dumps({"id": 7, "text": "Other."}), ""]
    put(tmp_path, {"file.jsonl": "\ufeff" + "\r\n".join(lines)})
    one, seven = read_articles(tmp_path / "file.jsonl").articles
    assert (one.id, one.title, one.published, one.heading) == ("one", "one", "1999", "1999")
    assert one.text == "A\u2028B\n\nC"
    assert seven.id == "7"


@pytest.mark.parametrize("author", ["Ann\nLee", ["Ann\nLee", ""], [" Ann ", None, "\tLee"]])
def test_field_takes_one_line_of_the_heading(tmp_path: Path, author: str | list[str]) -> None:
    article = article_in(tmp_path, "file.jsonl", json.dumps({**ROW, "title": "T", "author": author}))
    assert article.author in {"Ann Lee", "Ann, Lee"}
    assert article.heading.split("\n") == ["T", article.author]


def test_content_hash_depends_on_every_field_but_the_id(tmp_path: Path) -> None:
    row = {**ROW, **dict.fromkeys(("title", "author", "publisher", "url", "published"), "x")}
    rows = [row, *({**row, name: "y"} for name in row)]
    hashes = [article_in(tmp_path, "file.jsonl", json.dumps(each)).content_hash for each in rows]
    assert hashes[0] == hashes[1]  # the id
    assert len(set(hashes)) == len(row)


@pytest.mark.parametrize("identity", ["../../etc/passwd", "/", "..", "C:\\x", "@everyone", "<@1>", "--help"])
def test_id_like_a_path_is_only_a_name(tmp_path: Path, identity: str) -> None:
    assert article_in(tmp_path, "a.jsonl", json.dumps({"id": identity, "text": BODY})).id == identity


@pytest.mark.parametrize("field", ["title", "author", "publisher", "url", "published"])
def test_field_has_at_most_ten_thousand_characters(tmp_path: Path, field: str) -> None:
    article = article_in(tmp_path, "a.jsonl", json.dumps({**ROW, field: "x" * 10_000}))
    assert getattr(article, field) == "x" * 10_000
    for value in ("x" * 10_001, ["x"] * 4_000):
        put(tmp_path, {"a.jsonl": json.dumps({**ROW, field: value})})
        assert f'line 1: "{field}" has more than 10,000 characters' in problems(tmp_path)[0]


def test_limit_is_of_an_article_and_not_of_a_file(tmp_path: Path) -> None:
    rows = (json.dumps({"id": str(number), "text": "x" * 33_000_000}) for number in range(2))
    put(tmp_path, {"a.jsonl": "\n".join(rows)})
    assert [len(article.text) for article in read_articles(tmp_path).articles] == [33_000_000] * 2


@pytest.mark.parametrize(
    ("name", "content", "place", "reason"),
    [
        ("a.txt", b"One.\nTwo \xe9.", "a.txt, line 2", "0xe9"),
        ("a.md", b"\xff\xfeO\x00", "a.md, line 1", "UTF-8"),
        ("a.jsonl", b'{"id": "a", "text": "x"}\n\n{"\xc3"}', "a.jsonl, line 3", "0xc3"),
        ("a.jsonl", b"\xff\xff\n", "a.jsonl, line 1", "0xff"),
        ("a.md", " \n\t\u3000\ufeff".encode(), "a.md", "empty"),
        ("a.jsonl", "\ufeff\n \n", "a.jsonl", "empty"),
        ("a.txt", "The title\n\n", "a.txt", "has no text"),
        ("a.txt", "The title\nAuthor: Ann\n", "a.txt", "has no text"),
        ("a.md", "---\ntitle: T\n---\n", "a.md", "has no text"),
        ("a.jsonl", '{"id": "a", "text": "x"}\n{"id": "b",', "a.jsonl, line 2", "not JSON"),
        ("a.jsonl", "[" * 100_000, "a.jsonl, line 1", "not JSON"),
        ("a.jsonl", '{"id": ' + "9" * 5000 + ', "text": "x"}', "a.jsonl, line 1", "not JSON"),
        ("a.jsonl", "[]", "a.jsonl, line 1", "object"),
        ("a.jsonl", '{"text": "x"}', "a.jsonl, line 1", '"id"'),
        ("a.jsonl", '{"id": true, "text": "x"}', "a.jsonl, line 1", '"id"'),
        ("a.jsonl", '{"id": " ", "text": "x"}', "a.jsonl, line 1", '"id"'),
        ("a.jsonl", '{"id": "a"}', "a.jsonl, line 1", '"text"'),
        ("a.jsonl", '{"id": "a", "text": ["x"]}', "a.jsonl, line 1", '"text"'),
        ("a.jsonl", '{"id": "a", "text": "x", "title": {}}', "a.jsonl, line 1", '"title"'),
        ("a.jsonl", '{"id": "a", "text": "x", "title": [false]}', "a.jsonl, line 1", '"title"'),
        ("a.jsonl", '{"id": "a", "text": "\\ud83d"}', "a.jsonl, line 1", "unpaired surrogate (\\ud83d)"),
        ("a.jsonl", '{"id": "\\udc00", "text": "x"}', "a.jsonl, line 1", "unpaired surrogate"),
        ("a.jsonl", json.dumps({**ROW, "id": "x" * 1_001}), "a.jsonl, line 1", "the id has more than 1,000"),
        ("a.jsonl", json.dumps({**ROW, "id": "a\nb"}), "a.jsonl, line 1", "control character"),
        ("a.jsonl", json.dumps({**ROW, "id": "a\u2066b"}), "a.jsonl, line 1", "control character"),
    ],
)
def test_bad_article_is_refused_with_place_and_reason(
    tmp_path: Path, name: str, content: str | bytes, place: str, reason: str
) -> None:
    (problem,) = problems(put(tmp_path, {name: content}))
    assert problem.startswith(f"{place}: ")
    assert reason in problem
    assert problem.isprintable()


def test_every_problem_is_listed_and_every_use_of_an_id_named(tmp_path: Path) -> None:
    row = json.dumps({"id": "a", "text": "x"})
    put(tmp_path, {"a.jsonl": f"[]\n{row}\nnonsense\n{row}", "a.md": BODY, "b.txt": b"", "c.txt": b"\xff"})
    assert [problem.split(": ")[0] for problem in problems(tmp_path)] == [
        "a.jsonl, line 1", "a.jsonl, line 3", "a.jsonl, line 4", "a.md", "b.txt", "c.txt, line 1"
    ]  # fmt: skip
    assert problems(tmp_path)[2:4] == [
        "a.jsonl, line 4: the id 'a' is already used by a.jsonl, line 2",
        "a.md: the id 'a' is already used by a.jsonl, line 2",
    ]


def test_long_list_of_problems_is_cut_in_the_message_only(tmp_path: Path) -> None:
    put(tmp_path, {f"{number:02}.txt": b"" for number in range(30)})
    with pytest.raises(ArticleError, match="and 10 more") as caught:
        read_articles(tmp_path)
    assert len(caught.value.problems) == 30
    assert str(caught.value).startswith("30 problems")


@pytest.mark.parametrize("files", [{}, {"picture.png": b"x"}, {"questions.jsonl": b"{}"}, {".a.txt": b"x"}])
def test_folder_without_articles_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    (problem,) = problems(put(tmp_path, files))
    assert problem == f"{tmp_path}: contains no article file ({FORMATS})"


def test_named_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(put(tmp_path, {"cover.png": b""}) / "cover.png")
    assert problem == f"{tmp_path}/cover.png: not an article file ({FORMATS})"


@pytest.mark.parametrize("name", ["nowhere", "x" * 300])
def test_missing_path_is_an_error_that_names_the_setting(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingError, match=f"/{name[:20]}.*FOOTNOTE_ARTICLES"):
        read_articles(tmp_path / name)
