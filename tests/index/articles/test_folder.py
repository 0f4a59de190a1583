"""The walk over a folder: what is found, what is skipped, and that nothing outside it can be slipped in."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.articles.article import RefusedError
from index.articles.folder import FolderWalk
from index.articles.formats import READERS, read_articles
from index.errors import ArticleError
from tests.index.articles.reading import BODY, FORMATS, article_in, problems, put


def test_folder_is_walked_in_order_and_what_is_skipped_is_noted(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "b.txt": BODY,
            "a/note.md": BODY,
            "b/note.md": BODY,
            "rows.jsonl/x.txt": BODY,
            "UPPER.TXT": BODY,
            "questions.jsonl": "not json",
            "a/some.questions.jsonl": b"\xff",
            "cover.png": b"\x89",
            "old.RST": b"",
            "notes.txt": "El niño comió piñas en la mañana. ¿Cuánto cuesta?".encode("cp1252"),
            ".hidden/a.txt": b"\xff",
            ".hidden.txt": b"\xff",
        },
    )
    (tmp_path / "alias.txt").symlink_to("b.txt")
    (tmp_path / "a" / "up").symlink_to("..", target_is_directory=True)
    source = read_articles(tmp_path)
    assert [(article.id, article.title) for article in source.articles] == [
        ("UPPER", "UPPER"), ("b", "b"), ("notes", "notes"),
        ("a/note", "note"), ("b/note", "note"), ("rows.jsonl/x", "x"),
    ]  # fmt: skip
    assert [note.removeprefix(f"{tmp_path}/") for note in source.notes] == [
        "alias.txt: a link inside the article folder, not followed; skipped",
        f"cover.png: not an article file ({FORMATS}); skipped",
        "notes.txt: read as Windows-1252",
        "old.RST: convert it to .md or .txt, for example with pandoc or pdftotext; skipped",
        "questions.jsonl: a question set, not articles; skipped",
        "a/some.questions.jsonl: a question set, not articles; skipped",
        "a/up: a link inside the article folder, not followed; skipped",
    ]


def test_named_file_is_read_even_as_a_question_set_by_name_or_through_a_link(tmp_path: Path) -> None:
    row = json.dumps({"id": "one", "text": BODY})
    assert article_in(tmp_path, "questions.jsonl", row).id == "one"
    (tmp_path / "link.jsonl").symlink_to("questions.jsonl")
    assert read_articles(tmp_path / "link.jsonl").articles[0].id == "one"


def test_named_folder_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path, {"in/a.txt": BODY})
    (tmp_path / "link").symlink_to("in", target_is_directory=True)
    assert [article.id for article in read_articles(tmp_path / "link").articles] == ["a"]


@given(st.text(st.characters(), max_size=40))
@example(".b '\"$(x);&|")
@example("\n")
@example("\x1b[31m")
@example("\u202e\x7f\udcff")
def test_any_file_name_gives_an_article_or_a_harmless_problem(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    home = tmp_path_factory.mktemp("named")
    try:
        (home / f"x{name}.txt").write_text(BODY)
    except (OSError, ValueError):
        return  # not a file name here
    try:
        assert [article.id for article in read_articles(home).articles] == [f"x{name}"]
    except ArticleError as error:
        (problem,) = error.problems
        assert not set(problem) & set("\n\x00\x1b\x7f\u202e\udcff")


def test_links_out_of_the_folder_and_broken_links_are_refused(tmp_path: Path) -> None:
    put(tmp_path, {"outside/secret.txt": "Secret.", "in/a.txt": BODY})
    (tmp_path / "in" / "b.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    (tmp_path / "in" / "c").symlink_to(tmp_path / "outside", target_is_directory=True)
    (tmp_path / "in" / "d.txt").symlink_to("nothing")
    (tmp_path / "in" / "e.txt").symlink_to("e.txt")
    out = "a link out of the article folder; copy its target here"
    broken = "a broken link; remove it"
    assert problems(tmp_path / "in") == [f"b.txt: {out}", f"c: {out}", f"d.txt: {broken}", f"e.txt: {broken}"]


def test_pipes_sockets_and_devices_are_refused_and_nothing_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(tmp_path)  # the path of a socket must be short
        listening.bind("b.txt")
        assert problems(tmp_path) == ["a.jsonl: not a regular file", "b.txt: not a regular file"]
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    for name in ("a.jsonl", "zero.txt"):
        assert problems(tmp_path / name) == [f"{tmp_path}/{name}: not a regular file"]


@pytest.mark.parametrize("moment", ["found", "looked at"])
@pytest.mark.parametrize("kind", ["link", "pipe", "nothing"])
def test_file_exchanged_before_it_is_opened_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, moment: str
) -> None:
    put(tmp_path, {"out/secret.txt": "Secret.", "in/a.txt": BODY})
    path, real = tmp_path / "in" / "a.txt", os.open

    def exchange() -> None:
        path.unlink()
        if kind == "link":
            path.symlink_to(tmp_path / "out" / "secret.txt")
        elif kind == "pipe":
            os.mkfifo(path)

    def exchange_and_open(name: str | Path, flags: int, *more: int, dir_fd: int | None = None) -> int:
        exchange()
        return real(name, flags, *more, dir_fd=dir_fd)

    for file in FolderWalk(tmp_path / "in", READERS).files():
        with monkeypatch.context() as patch:
            if moment == "looked at":
                patch.setattr(os, "open", exchange_and_open)
            else:
                exchange()
            with pytest.raises(RefusedError, match=r"^(not a regular file|cannot be read: .*)$"):
                file.open()


def test_folder_exchanged_for_a_link_while_it_is_read_is_read_as_it_was(tmp_path: Path) -> None:
    put(tmp_path, {"out/a.txt": "Secret.", "home/in/a.txt": BODY})
    texts = []
    for file in FolderWalk(tmp_path / "home", READERS).files():
        (tmp_path / "home" / "in").rename(tmp_path / "moved")
        (tmp_path / "home" / "in").symlink_to(tmp_path / "out", target_is_directory=True)
        texts.append(file.text())
    assert texts == [BODY]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_without_access_is_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": BODY, "in/b.txt": BODY})
    (tmp_path / "in").chmod(0)
    assert problems(tmp_path) == ["in: cannot be read: Permission denied"]


def test_folders_more_than_64_deep_are_refused(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": BODY, "d/" * 64 + "b.txt": BODY})
    assert len(read_articles(tmp_path).articles) == 2
    put(tmp_path, {"d/" * 65 + "c.txt": BODY})
    assert problems(tmp_path) == ["d/" * 64 + "d: more than 64 folders deep; move it up"]


def test_ignored_files_and_other_peoples_code_are_passed_over(tmp_path: Path) -> None:
    rules = "drafts/\n*.tmp.md\n!keep.tmp.md\n"
    names = ("a.md", "drafts/b.md", "c.tmp.md", "keep.tmp.md", "node_modules/p/d.md")
    put(tmp_path, {".footnoteignore": rules, **dict.fromkeys(names, BODY)})
    source = read_articles(tmp_path)
    assert ([article.id for article in source.articles], source.problems) == (["a", "keep.tmp"], ())


def test_an_ignore_file_that_is_a_pipe_does_not_block(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": BODY, "package.json": "{}"})
    os.mkfifo(tmp_path / ".footnoteignore")
    source = read_articles(tmp_path)
    assert ([article.id for article in source.articles], source.problems) == (["a"], ())
