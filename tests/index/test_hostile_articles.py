"""Articles that somebody wrote to do harm: refused with file and reason, or indexed within bounds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sentencex
from hypothesis import given
from hypothesis import strategies as st

from index.articles.folder import ArticleFile, RefusedError, article_files
from index.articles.reading import Article, ArticleSource, read_articles
from index.errors import ArticleError
from index.passages.splitting import split_article, split_sentences
from tests.index.shelf import put

WINDOW = 200
BODY = "The lamp burned oil."


def problems(path: Path, most: int = 1_000_000) -> list[str]:
    """Return the lines with which a path is refused, without the folder before them."""
    with pytest.raises(ArticleError) as caught:
        read_articles(path, most)
    return [problem.replace(f"{path}/", "") for problem in caught.value.problems]


def article(text: str, title: str = "T") -> Article:
    return Article("a", title, "", "", "", "", "", text)


# ---- what is opened


@pytest.mark.parametrize(
    "name",
    [
        "a\nb.txt",
        "a\x1b[31m.txt",
        "a\u202eb.txt",
        "a\x7f.txt",
        b"a\xff.txt".decode("utf-8", "surrogateescape"),
    ],
)
def test_a_file_whose_name_is_no_name_is_refused_in_one_harmless_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(BODY)
    (problem,) = problems(tmp_path)
    assert problem.isprintable()
    assert problem.startswith("a\ufffd")


@pytest.mark.parametrize(
    "name", ["-rf.txt", "--articles=x.txt", "x" * 251 + ".txt", "a b'\"$(x);&|.txt", "../x.txt"[3:]]
)
def test_a_file_of_any_printable_name_is_an_article_by_that_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(BODY)
    assert [one.id for one in read_articles(tmp_path).articles] == [name.removesuffix(".txt")]


def test_a_folder_called_as_a_file_is_a_folder(tmp_path: Path) -> None:
    put(tmp_path, {"rows.jsonl/a.txt": BODY})
    assert [one.id for one in read_articles(tmp_path).articles] == ["rows.jsonl/a"]


def test_pipes_sockets_and_devices_are_refused_and_nothing_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(tmp_path)  # a socket's path is short
        listening.bind("b.txt")
        (tmp_path / "c.txt").symlink_to("/dev/zero")
        found = problems(tmp_path)
    assert found[:2] == ["a.jsonl: not a regular file", "b.txt: not a regular file"]
    assert "c.txt: a link out of" in found[2]


@pytest.mark.parametrize("name", ["zero.txt", "zero.jsonl"])
def test_a_named_device_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ArticleError, match="not a regular file"):
        read_articles(tmp_path / name)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": BODY, "in/b.txt": BODY})
    (tmp_path / "in" / "up").symlink_to("..", target_is_directory=True)
    source = read_articles(tmp_path)
    assert [one.id for one in source.articles] == ["a", "in/b"]
    assert source.notes == (f"{tmp_path}/in/up: a link to what is read anyway; skipped",)


@pytest.mark.parametrize("target", [".hidden.txt", ".hidden/a.txt", "questions.jsonl", "cover.png"])
def test_a_link_to_what_is_not_read_is_not_said_to_be_read(tmp_path: Path, target: str) -> None:
    put(tmp_path, {"a.txt": BODY, target: BODY})
    (tmp_path / "link.txt").symlink_to(target)
    (note,) = [note for note in read_articles(tmp_path).notes if note.startswith(f"{tmp_path}/link.txt: ")]
    assert "not read" in note
    assert "anyway" not in note


def test_a_file_exchanged_for_a_link_after_it_was_found_is_not_read(tmp_path: Path) -> None:
    """The race: what was a file when the folder was listed leads out of it when it is opened."""
    put(tmp_path, {"out/secret.txt": "Secret.", "in/a.txt": BODY})
    (found,) = [_exchanged(file, tmp_path) for file in article_files(tmp_path / "in", [], [])]
    assert "regular file" in found or "cannot be read" in found


def _exchanged(file: ArticleFile, home: Path) -> str:
    path = home / "in" / "a.txt"
    path.unlink()
    path.symlink_to(home / "out" / "secret.txt")
    with pytest.raises(RefusedError) as caught:
        file.open()
    return str(caught.value)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_file_exchanged_between_being_looked_at_and_being_opened_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    put(tmp_path, {"out/secret.txt": "Secret.", "in/a.txt": BODY})
    real, path = os.open, tmp_path / "in" / "a.txt"

    def exchange(name: str | Path, flags: int, *more: int, dir_fd: int | None = None) -> int:
        if str(name).endswith("a.txt"):
            path.unlink()
            if kind == "link":
                path.symlink_to(tmp_path / "out" / "secret.txt")
            else:
                os.mkfifo(path)
        return real(name, flags, *more, dir_fd=dir_fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", exchange)
        (problem,) = problems(tmp_path / "in")
    assert problem in {
        "a.txt: not a regular file",
        "a.txt: cannot be read: Too many levels of symbolic links",
    }


def test_a_folder_exchanged_for_a_link_while_it_is_read_is_read_as_it_was(tmp_path: Path) -> None:
    put(tmp_path, {"out/a.txt": "Secret.", "home/in/a.txt": BODY})
    texts = []
    for file in article_files(tmp_path / "home", [], []):
        (tmp_path / "home" / "in").rename(tmp_path / "moved")
        (tmp_path / "home" / "in").symlink_to(tmp_path / "out", target_is_directory=True)
        with file.open() as opened:
            texts.append(opened.read().decode())
    assert texts == [BODY]


def test_a_file_that_vanishes_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": BODY})
    for file in article_files(tmp_path, [], []):
        (tmp_path / "a.txt").unlink()
        with pytest.raises(RefusedError, match=r"a\.txt: cannot be read: No such file"):
            file.open()


def test_folders_a_thousand_deep_are_refused_from_a_depth_on(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": BODY})
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_200):
        os.mkdir("d", dir_fd=at)
        inside = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inside
    os.close(at)
    try:
        (problem,) = problems(tmp_path)
    finally:  # too deep for Python's own ways
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)
    assert "more than 64 folders deep" in problem


# ---- how much is read


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.jsonl"])
def test_what_is_larger_than_an_article_may_be_is_refused_with_advice(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(200_000_000)  # of zeros that take no room
    (problem,) = problems(tmp_path, 64_000_000)
    assert problem.startswith(name)
    assert "larger than 64 MB" in problem
    assert "FOOTNOTE_ARTICLE_MB" in problem


def test_a_file_may_hold_many_articles_that_are_each_small_enough(tmp_path: Path) -> None:
    rows = [json.dumps({"id": str(number), "text": BODY * 40}) for number in range(20)]
    put(tmp_path, {"a.jsonl": "\n".join(rows)})
    assert len(read_articles(tmp_path, 1_000).articles) == 20
    assert problems(tmp_path, 500)[0].startswith("a.jsonl, line 1: larger than")


@pytest.mark.parametrize("field", ["title", "author", "publisher", "url", "published"])
def test_a_field_of_ten_thousand_characters_is_kept_and_a_longer_one_refused(
    tmp_path: Path, field: str
) -> None:
    def read(length: int) -> ArticleSource:
        put(tmp_path, {"a.jsonl": json.dumps({"id": "a", "text": BODY, field: "x" * length})})
        return read_articles(tmp_path)

    assert getattr(read(10_000).articles[0], field) == "x" * 10_000
    with pytest.raises(ArticleError, match=f'line 1: "{field}" has more than 10,000 characters'):
        read(10_001)


@pytest.mark.parametrize("identity", ["x" * 1_001, "a\nb", "a\x1b]0;b\x07", "a\u2066b", "\x00"])
def test_an_id_that_is_no_name_is_refused(tmp_path: Path, identity: str) -> None:
    put(tmp_path, {"a.jsonl": json.dumps({"id": identity, "text": BODY})})
    (problem,) = problems(tmp_path)
    assert problem.startswith("a.jsonl, line 1: its id ")
    assert problem.isprintable()


@pytest.mark.parametrize("identity", ["../../etc/passwd", "/", "..", "C:\\x", "@everyone", "<@1>", "--help"])
def test_an_id_like_a_path_is_only_a_name(tmp_path: Path, identity: str) -> None:
    put(tmp_path, {"a.jsonl": json.dumps({"id": identity, "text": BODY})})
    assert read_articles(tmp_path).articles[0].id == identity


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("yaml", "reason"),
    [
        (LAUGHS + "title: *i", "not text"),
        ("title: &a [*a]", "front matter"),
        (f"long: &a {'x' * 9_000}\ntitle: [{', '.join(['*a'] * 9_000)}]", "more than 10,000 characters"),
        ("title: " + "[" * 30_000, "front matter"),
        ("title: " + "{a: " * 10_000, "front matter"),
        ("- " * 30_000, "front matter"),
        ("? " * 30_000, "front matter"),
        ("title: " + "x" * 100_000, "more than 64,000 characters"),
        ("a: b\n" * 2_000_000, "more than 64,000 characters"),
    ],
    ids=["laughs", "itself", "aliases", "lists", "maps", "dashes", "keys", "long", "ten megabytes"],
)
def test_front_matter_that_is_no_heading_is_refused(tmp_path: Path, yaml: str, reason: str) -> None:
    put(tmp_path, {"a.md": f"---\n{yaml}\n---\n{BODY}"})
    (problem,) = problems(tmp_path, 64_000_000)
    assert problem.startswith("a.md")
    assert reason in problem


def test_merge_keys_and_laughs_beside_the_fields_change_nothing(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": f"---\n{LAUGHS}<<: {{title: no}}\ntitle: T\n---\n{BODY}"})
    (found,) = read_articles(tmp_path).articles
    assert (found.title, found.author, found.text) == ("T", "", BODY)


def test_control_characters_of_a_text_stay_in_it(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": "The \x00 lamp \x1b[31m burned\x07."})
    assert read_articles(tmp_path).articles[0].text == "The \x00 lamp \x1b[31m burned\x07."


def test_lines_end_as_anywhere_and_not_at_other_separators(tmp_path: Path) -> None:
    rows = [json.dumps({"id": str(n), "text": "A\u2028B\x85C"}, ensure_ascii=False) for n in range(3)]
    put(tmp_path, {"a.jsonl": ("\ufeff" + "\r".join(rows)).encode()})
    assert [one.id for one in read_articles(tmp_path).articles] == ["0", "1", "2"]


@given(st.text(st.characters(), max_size=40))
def test_any_name_of_a_file_gives_an_article_or_a_harmless_refusal(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    home = tmp_path_factory.mktemp("named")
    try:
        (home / f"x{name}.txt").write_text(BODY)
    except (OSError, ValueError):
        return  # no name of a file here
    refused: tuple[str, ...] = ()
    try:
        assert [one.id for one in read_articles(home).articles] == [f"x{name}"]
    except ArticleError as error:
        refused = error.problems
    assert not any(set(problem) & {"\n", "\x1b", "\u202e", "\x00"} for problem in refused)


# ---- how much work it makes


def test_sentences_are_told_apart_a_stretch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The segmenter takes time with the square of its text: a paragraph of megabytes would take days."""
    lengths: list[int] = []
    real: Callable[[str, str], Sequence[str]] = sentencex.segment

    def counted(language: str, text: str) -> Sequence[str]:
        lengths.append(len(text))
        return real(language, text)

    monkeypatch.setattr(sentencex, "segment", counted)
    text = "「海」。a `b “c. " * 2_000
    spans = split_sentences(text, "en")
    assert max(lengths) <= 8_000
    assert sum(lengths) <= 2 * len(text)
    assert "".join(text[a:b] for a, b in spans).replace(" ", "") == text.replace(" ", "")


@given(
    st.lists(
        st.sampled_from(
            ["The lamp burned oil. ", "“It is out,” she said. ", "Dr. A. Holt came! ", "No? ", "\n"]
        ),
        max_size=8,
    )
)
def test_a_long_paragraph_has_the_sentences_that_it_has_in_parts(pieces: list[str]) -> None:
    part = "".join(pieces) + "The end came. "
    spans = split_sentences(part, "en")
    times = 40_000 // len(part)
    long = split_sentences(part * times, "en")
    wanted = [part[a:b] for a, b in spans]
    assert sorted({(part * times)[a:b] for a, b in long} - set(wanted)) == sorted(
        {(part * 3)[a:b] for a, b in split_sentences(part * 3, "en")} - set(wanted)
    )


def no_tokens(texts: Sequence[str]) -> list[int]:
    """Count as an encoder does that drops all it is given."""
    return [0] * len(texts)


def test_a_passage_has_a_bounded_number_of_sentences_and_characters_whatever_the_encoder_drops() -> None:
    """A million paragraphs without a token would be one passage, put together in days."""
    passages = split_article(article("\n\n".join(["\u200b."] * 60_000)), no_tokens, WINDOW, "en")
    assert max(len(one.sentences) for one in passages) <= WINDOW
    assert sum(len(one.sentences) for one in passages) == 60_000


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a " * 500_000, "\u0301" * 1_000_000, "海" * 1_000_000])
def test_one_line_of_a_million_characters_is_cut_into_passages(text: str) -> None:
    passages = split_article(article(text), no_tokens, WINDOW, "en")
    assert max(one.end - one.start for one in passages) <= 16 * WINDOW
    whole = "".join(text[s.start : s.end] for one in passages for s in one.sentences)
    assert whole.replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.sampled_from(["a", "b c", "d\ne", "f"]), min_size=1, max_size=9), st.data())
def test_the_paragraph_at_an_offset_is_the_one_that_has_it(parts: list[str], data: st.DataObject) -> None:
    one = article("\n\n".join(parts))
    paragraph = data.draw(st.sampled_from(one.paragraphs))
    at = data.draw(st.integers(paragraph.start, paragraph.end))
    assert one.paragraph_at(at) == paragraph.number
