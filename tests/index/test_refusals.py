"""What cannot be indexed is refused with file, line and reason, all at once, and nothing is changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from index.articles.reading import read_articles
from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import ArticleError
from index.storage.local import open_generation
from tests.conftest import MakeSettings
from tests.index.shelf import contents, put, shelve


def problems(path: Path) -> list[str]:
    """Return the lines with which a path is refused, without the folder before them."""
    with pytest.raises(ArticleError) as caught:
        read_articles(path)
    assert len(caught.value.problems) <= str(caught.value).count("\n")
    return [problem.replace(f"{path}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "content", "start", "reason"),
    [
        ("a.txt", b"One.\nTwo \xe9.", "a.txt, line 2: ", "0xe9"),
        ("a.md", b"\xff\xfeO\x00", "a.md, line 1: ", "UTF-8"),
        ("a.jsonl", b'{"id": "a", "text": "x"}\n\n{"\xc3"}', "a.jsonl, line 3: ", "0xc3"),
        ("a.txt", b"", "a.txt: ", "empty"),
        ("a.md", " \n\t\u3000\ufeff".encode(), "a.md: ", "empty"),
        ("a.jsonl", "\n", "a.jsonl: ", "empty"),
        ("a.txt", "The title\n\n", "a.txt: ", "without text"),
        ("a.txt", "The title\nAuthor: Ann\n", "a.txt: ", "without text"),
        ("a.md", "---\ntitle: T\n---\n", "a.md: ", "without text"),
        ("a.jsonl", '{"id": "a", "text": "x"}\n{"id": "b",', "a.jsonl, line 2: ", "not JSON"),
        ("a.jsonl", "[" * 100_000, "a.jsonl, line 1: ", "not JSON"),
        ("a.jsonl", '{"id": ' + "9" * 5000 + ', "text": "x"}', "a.jsonl, line 1: ", "not JSON"),
        ("a.jsonl", "[]", "a.jsonl, line 1: ", "object"),
        ("a.jsonl", '{"text": "x"}', "a.jsonl, line 1: ", '"id"'),
        ("a.jsonl", '{"id": true, "text": "x"}', "a.jsonl, line 1: ", '"id"'),
        ("a.jsonl", '{"id": " ", "text": "x"}', "a.jsonl, line 1: ", '"id"'),
        ("a.jsonl", '{"id": "a"}', "a.jsonl, line 1: ", '"text"'),
        ("a.jsonl", '{"id": "a", "text": ["x"]}', "a.jsonl, line 1: ", '"text"'),
        ("a.jsonl", '{"id": "a", "text": " \\n "}', "a.jsonl, line 1: ", "without text"),
        ("a.jsonl", '{"id": "a", "text": "x", "title": {}}', "a.jsonl, line 1: ", '"title"'),
        ("a.jsonl", '{"id": "a", "text": "\\ud83d"}', "a.jsonl, line 1: ", "half a character"),
        ("a.jsonl", '{"id": "\\udc00", "text": "x"}', "a.jsonl, line 1: ", "half a character"),
        ("a.md", "---\ntitle: 'open\n---\nBody.", "a.md, line ", "front matter"),
    ],
)
def test_bad_file_is_refused_with_place_and_reason(
    tmp_path: Path, name: str, content: str | bytes, start: str, reason: str
) -> None:
    (problem,) = problems(put(tmp_path, {name: content}))
    assert problem.startswith(start)
    assert reason in problem


@pytest.mark.parametrize("files", [{}, {"picture.png": b"x"}, {"questions.jsonl": b"{}"}, {".a.txt": b"x"}])
def test_folder_with_nothing_to_index_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    (problem,) = problems(put(tmp_path, files))
    assert "no article" in problem


def test_one_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(put(tmp_path, {"page.html": "<p>"}) / "page.html")
    assert problem == f"{tmp_path / 'page.html'}: neither .txt, .md nor .jsonl"


def test_links_that_leave_and_links_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    put(tmp_path, {"outside/secret.txt": "Secret.", "in/a.txt": "Body."})
    (tmp_path / "in" / "b.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    (tmp_path / "in" / "c").symlink_to(tmp_path / "outside", target_is_directory=True)
    (tmp_path / "in" / "d.txt").symlink_to("nothing")
    (tmp_path / "in" / "e.txt").symlink_to("e.txt")
    found = problems(tmp_path / "in")
    assert [problem.split(":")[0] for problem in found] == ["b.txt", "c", "d.txt", "e.txt"]
    assert ["out of" in problem for problem in found] == [True, True, False, False]


def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (problem,) = problems(tmp_path)
    assert problem == "pipe.txt: not a regular file"
    (named,) = problems(tmp_path / "pipe.txt")
    assert "not a regular file" in named


def test_duplicate_ids_are_refused_and_both_places_named(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": "Body.", "b.jsonl": '{"id": "c", "text": "x"}\n{"id": "a", "text": "x"}'})
    put(tmp_path, {"a.md": "Body."})
    first, second = problems(tmp_path)
    assert first.startswith("a.txt: the id 'a' is taken by ")
    assert second.startswith("b.jsonl, line 2: the id 'a' is taken by ")
    assert all(problem.endswith("a.md") for problem in (first, second))


def test_every_problem_has_a_line_of_its_own(tmp_path: Path) -> None:
    """`problems` counts what is wrong, also where one file has several bad lines."""
    rows = ["[]", json.dumps({"id": "a", "text": "x"}), "nonsense", json.dumps({"id": "a", "text": "x"})]
    put(tmp_path, {"a.jsonl": "\n".join(rows), "b.txt": b"", "c.txt": b"\xff"})
    found = problems(tmp_path)
    places = sorted(problem.split(": ")[0] for problem in found)
    assert places == ["a.jsonl, line 1", "a.jsonl, line 3", "a.jsonl, line 4", "b.txt", "c.txt, line 1"]


def test_long_list_of_problems_is_shortened_in_the_message_only(tmp_path: Path) -> None:
    put(tmp_path, {f"{number:02}.txt": b"" for number in range(30)})
    with pytest.raises(ArticleError, match="and 10 more") as caught:
        read_articles(tmp_path)
    assert len(caught.value.problems) == 30
    assert str(caught.value).startswith("30 problems")


def test_refused_build_leaves_the_old_index_serving_byte_for_byte(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    shelve(settings, encoder)
    before = contents(settings.index)
    put(settings.articles, {"bad.txt": b"\xff", "new.txt": "New and good."})
    with pytest.raises(ArticleError, match=r"bad\.txt, line 1"):
        build_index(settings, encoder=encoder)
    assert contents(settings.index) == before
    open_generation(settings.index).close()


def test_refused_first_build_leaves_no_index_behind(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    put(settings.articles, {"bad.txt": b""})
    with pytest.raises(ArticleError):
        build_index(settings, encoder=encoder)
    assert not settings.index.exists()
