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
        ("a.txt", b"One.\nTwo\x00 \xe9.", "a.txt, line 2", "0xe9"),
        ("a.jsonl", b'{"id": "a", "text": "x"}\n\n{"\xc3"}', "a.jsonl, line 3", "0xc3"),
        ("a.jsonl", b"\xff\xff\n", "a.jsonl, line 1", "0xff"),
        ("a.md", " \n\t\u3000\ufeff".encode(), "a.md", "empty"),
        ("a.jsonl", "\ufeff\n \n", "a.jsonl", "empty"),
        ("a.txt", "The title\n\n", "a.txt", "has no text"),
        ("a.txt", "The title\nAuthor: Ann\n", "a.txt", "has no text"),
        ("a.md", "---\ntitle: T\n---\n", "a.md", "has no text"),
        ("a.jsonl", '{"id": "a", "text": "x"}\n{"id": "b",', "a.jsonl, line 2", "not JSON"),
        ("a.jsonl", "{}" + "[" * 100_000, "a.jsonl, line 1", "not JSON"),
        ("a.jsonl", "[" * 100_000, "a.jsonl", "not JSON"),
        ("a.jsonl", '[{"id": "a",\n"text" "x"}]', "a.jsonl, line 2", "not JSON"),
        ("a.jsonl", "[]", "a.jsonl", "empty"),
        ("a.jsonl", "[1]", "a.jsonl", "object"),
        ("a.jsonl", '{"id": ' + "9" * 5000 + ', "text": "x"}', "a.jsonl, line 1", "not JSON"),
        ("a.jsonl", "1", "a.jsonl, line 1", "object"),
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
    put(tmp_path, {"a.jsonl": f"1\n{row}\nnonsense\n{row}", "a.md": BODY, "b.txt": b"", "c.txt": b"\xff\x00"})
    assert [problem.split(": ")[0] for problem in problems(tmp_path)] == [
        "a.jsonl, line 1", "a.jsonl, line 3", "a.jsonl, line 4", "b.txt", "c.txt, line 1"
    ]  # fmt: skip
    assert problems(tmp_path)[2] == "a.jsonl, line 4: the id 'a' is already used by a.jsonl, line 2"


def test_what_cannot_be_read_is_passed_over_and_named(tmp_path: Path) -> None:
    row = json.dumps({"id": "row", "text": BODY})
    put(
        tmp_path,
        {"a.md": b"", "b.txt": BODY, "c.jsonl": f'{{"id": "cut"\n{row}', "d/e.md": "---\ntitle: T\n---\n"},
    )
    source = read_articles(tmp_path)
    assert [article.id for article in source.articles] == ["b", "row"]
    assert [problem.removeprefix(f"{tmp_path}/") for problem in source.problems] == [
        "a.md: empty",
        "c.jsonl, line 1: not JSON: Expecting ',' delimiter (column 1)",
        "d/e.md: has no text",
    ]
    assert source.refused >= {"a.md", "cut", "d/e.md"}


def test_files_of_one_name_are_articles_of_their_own(tmp_path: Path) -> None:
    rows = json.dumps([{"id": "a", "text": BODY}, {"id": "b", "text": BODY}, {"id": "b", "text": "Twice."}])
    put(tmp_path, {"a.md": BODY, "a.mdx": BODY, "a.txt": BODY, "rows.jsonl": rows})
    source = read_articles(tmp_path)
    assert [article.id for article in source.articles] == ["a", "a.mdx", "a.txt", "b"]
    assert [problem.partition(": ")[2] for problem in source.problems] == [
        f"the id 'a' is already used by {tmp_path}/a.md",
        f"the id 'b' is already used by {tmp_path}/rows.jsonl",
    ]


@pytest.mark.parametrize(
    ("content", "is_read"),
    [
        ([{"id": "one", "text": BODY}], True),
        ([{"id": "one", "content": BODY}], True),
        ([{"id": "one", "body": BODY, "content": None}], True),
        ({"id": "one", "body": BODY, "text": ["x"]}, True),
        ({"id": "one", "html": BODY}, False),
    ],
)
def test_json_is_read_as_an_array_or_lines_with_the_usual_names(
    tmp_path: Path, content: object, is_read: bool
) -> None:
    put(tmp_path, {"a.jsonl": json.dumps(content), "b.txt": "Other."})
    texts = {article.id: article.text for article in read_articles(tmp_path).articles}
    assert texts == {"b": "Other."} | ({"one": BODY} if is_read else {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_the_encodings_that_people_save(tmp_path: Path, encoding: str) -> None:
    body = "Die Fähre nach Skarholm fährt täglich um zwölf. Das Café öffnet früh, das Büro später.\n\nGrüße."
    for name in ("a.txt", "a.md"):
        assert article_in(tmp_path, name, body.encode(encoding)).text == body


def test_section_is_the_title_and_the_headings_above(tmp_path: Path) -> None:
    article = article_in(
        tmp_path, "a.md", "# Ferry\n\nIt runs.\n\n## Fares\n\n- 4 euros\n\n### Dogs\n\nFree."
    )
    sections = [article.section_at(block.start) for block in article.blocks]
    assert sections == [
        ("Ferry",), ("Ferry",), ("Ferry", "Fares"), ("Ferry", "Fares"), ("Ferry", "Fares", "Dogs")
    ]  # fmt: skip
    assert [article.text[one.start : one.end] for one in article.paragraphs] == [
        "It runs.", "Fares", "- 4 euros", "Dogs", "Free."
    ]  # fmt: skip


def test_long_list_of_problems_is_cut_in_the_message_only(tmp_path: Path) -> None:
    put(tmp_path, {f"{number:02}.txt": b"" for number in range(30)})
    with pytest.raises(ArticleError, match="and 10 more") as caught:
        read_articles(tmp_path)
    assert len(caught.value.problems) == 30
    assert str(caught.value).startswith("30 problems")


@pytest.mark.parametrize(
    ("names", "content", "reason"),
    [
        ("", "", f"no article file ({FORMATS})"),
        ("picture.png questions.jsonl .a.txt", "x", f"no article file ({FORMATS})"),
        ("a.rst b/c.ODT d.rst", "x", f"no article file ({FORMATS}); convert .odt, .rst to .md or .txt, "),
        ("a.md b.rst", "---\ndraft: true\n---\nx", "only drafts (`draft: true` or `published: false`)"),
    ],
)
def test_folder_without_articles_is_refused(tmp_path: Path, names: str, content: str, reason: str) -> None:
    (problem,) = problems(put(tmp_path, dict.fromkeys(names.split(), content)))
    assert problem.startswith(f"{tmp_path}: contains {reason}")


def test_named_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(put(tmp_path, {"cover.png": b""}) / "cover.png")
    assert problem == f"{tmp_path}/cover.png: not an article file ({FORMATS})"


@pytest.mark.parametrize("name", ["nowhere", "x" * 300])
def test_missing_path_is_an_error_that_names_the_setting(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingError, match=f"/{name[:20]}.*FOOTNOTE_ARTICLES"):
        read_articles(tmp_path / name)
