"""`footnote index build | status | verify | show | history | rollback | prune`, by hand in a shell."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from index.encoding.encoder import Encoder
from index.files import locked
from index.storage.inspection import index_status, verify
from tests.bot.conftest import BREAD, LAMP, ODD, Footnote, finish, start
from tests.bot.services import add_many_articles
from tests.index.shelf import contents

INDEX = Path(".footnote/index")
STATUS = "generation built encoder encoder_fingerprint articles passages sentences bytes confidence"


def test_build_says_what_it_reused_and_removed(home: Path, footnote: Footnote) -> None:
    Path("articles/lamp.txt").write_text(LAMP.replace("40 litres", "41 litres"), encoding="utf-8")
    Path("articles/odd.jsonl").unlink()
    gold = {"id": "q", "question": "Who kept the lamp?", "answers": ["Ebba Lind"], "answerable": True}
    Path("articles/questions.jsonl").write_text(json.dumps(gold), encoding="utf-8")
    outcome = footnote("index", "build")
    assert outcome.status == 0
    assert "2 articles in " in outcome.out
    assert "1 article encoded, 1 reused, 1 removed" in outcome.out
    assert "questions.jsonl: a question set, not articles; skipped" in outcome.err
    assert "encoding: " in outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    name = index_status(INDEX).generation
    outcome = footnote("index", "build")
    assert outcome.out == f"Nothing has changed: generation {name} holds 2 articles.\n"
    assert index_status(INDEX).generation == name


def test_history_rollback_and_prune(home: Path, footnote: Footnote) -> None:
    first = index_status(INDEX).generation
    Path("articles/new.txt").write_text("Something new.\n", encoding="utf-8")
    footnote("index", "build")
    second = index_status(INDEX).generation
    rows = [json.loads(line) for line in footnote("index", "history", "--json").out.splitlines()]
    assert [(row["generation"], row["state"], row["articles"]) for row in rows] == [
        (second, "serving", 4),
        (first, "kept", 3),
    ]
    outcome = footnote("index", "rollback")
    assert (outcome.status, outcome.out) == (0, f"generation {first} now serves\n")
    assert index_status(INDEX).generation == first
    assert footnote("index", "history").out.splitlines()[1].startswith(f"* {first}  ")
    unknown = footnote("index", "rollback", "7")
    assert (unknown.status, "no generation '7'" in unknown.err) == (69, True)
    pruned = footnote("index", "prune", "--keep", "1")
    assert pruned.out == f"removed  {second}\n1 removed; {first} serves\n"
    assert footnote("index", "rollback").status == 69
    assert footnote("index", "prune", "--keep", "0").status == 2
    (database,) = INDEX.glob("*/passages.sqlite")
    database.write_bytes(database.read_bytes() + b"\0")
    assert footnote("index", "prune").status == footnote("index", "rollback", first).status == 65


def test_far_fewer_articles_need_force(home: Path, footnote: Footnote) -> None:
    before = index_status(INDEX)
    for name in ("bread.md", "odd.jsonl"):
        Path("articles", name).unlink()
    planned = footnote("index", "build", "--dry-run")
    assert (planned.status, "note: would be refused: " in planned.err) == (0, True)
    refused = footnote("index", "build")
    assert refused.status == 65
    assert "1 article at articles, but the index at .footnote/index holds 3" in refused.err
    assert "--force" in refused.err
    assert index_status(INDEX) == before
    assert footnote("index", "build", "--shrink", "0.7", "--dry-run").err == ""
    assert footnote("index", "build", "--force").status == 0
    assert index_status(INDEX).articles == 1


def test_dry_run_shows_what_would_change_and_changes_nothing(home: Path, footnote: Footnote) -> None:
    Path("articles/lamp.txt").write_text(LAMP.replace("40 litres", "41 litres"), encoding="utf-8")
    Path("articles/bread.md").unlink()
    Path("articles/new.txt").write_text("Something new.\n", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in INDEX.rglob("*")}
    outcome = footnote("index", "build", "--dry-run")
    assert outcome.status == 0
    assert outcome.out.splitlines() == [
        "added    new",
        "changed  lamp",
        "removed  bread",
        "1 added, 1 changed, 1 removed, 1 unchanged; nothing was written",
    ]
    assert {path: path.stat().st_mtime_ns for path in INDEX.rglob("*")} == before


def test_build_waits_for_no_other_and_names_it(home: Path, footnote: Footnote, encoder: Encoder) -> None:
    Path("articles/new.txt").write_text("Something new.\n", encoding="utf-8")
    with locked(INDEX):
        outcome = footnote("index", "build")
    assert outcome.status == 75
    assert f"process {os.getpid()}, since 20" in outcome.err
    assert footnote("index", "build").status == 0


def test_build_prints_json_lines_for_other_programs(home: Path, footnote: Footnote) -> None:
    Path("articles/new.txt").write_text("Something new.\n", encoding="utf-8")
    planned = json.loads(footnote("index", "build", "--json", "--dry-run").out)
    assert planned["changes"]["added"] == ["new"]
    outcome = footnote("index", "build", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    *steps, last = map(json.loads, outcome.out.splitlines())
    assert all(list(step) == ["progress"] for step in steps)
    assert steps[-1]["progress"] == {"stage": "writing", "done": 4, "total": 4}
    report = last["report"]
    assert (report["generation"], report["encoded"]) == (index_status(INDEX).generation, 1)
    assert report["changes"] == planned["changes"]


@pytest.mark.parametrize(
    ("arguments", "kind", "message", "status"),
    [
        (["--articles", "none"], "MissingError", "no articles at none", 69),
        (["--articles", "bad", "--strict"], "ArticleError", "a.txt, line 2: not UTF-8", 65),
        (["--articles", "bad", "--strict"], "ArticleError", "b.jsonl, line 2: not JSON", 65),
        (["--articles", "bad", "--strict", "--dry-run"], "ArticleError", "b.jsonl, line 2: not JSON", 65),
        (["--articles", "bad/a.txt"], "ArticleError", "a.txt, line 2: not UTF-8", 65),
        (["--language", "?"], "SettingsError", "--language: '?' is not accepted", 2),
        (["--index", "bad/a.txt"], "NotWritableError", "the index at bad/a.txt cannot be written", 69),
        (["--articles", "few"], "ShrunkError", "found 1 article at few, but the index at .footnote", 65),
    ],
)
def test_refused_build_says_why_as_json_too_and_changes_nothing(
    home: Path, footnote: Footnote, arguments: list[str], kind: str, message: str, status: int
) -> None:
    Path("bad").mkdir()
    Path("bad/a.txt").write_bytes(b"One.\n\xff\x00\n")
    Path("bad/b.jsonl").write_text('{"id": "b", "text": "x"}\n{"id": \n', encoding="utf-8")
    Path("few").mkdir()
    Path("few/a.txt").write_text("Something new.\n", encoding="utf-8")
    before = contents(INDEX)
    outcome = footnote("index", "build", "--json", *arguments)
    error = json.loads(outcome.out)["error"]
    assert (outcome.status, error["class"]) == (status, kind)
    assert message in error["message"]
    assert message in outcome.err
    assert contents(INDEX) == before


def test_file_that_cannot_be_indexed_is_named_and_passed_over(home: Path, footnote: Footnote) -> None:
    Path("articles/lamp.txt").write_bytes(b"One.\n\xff\x00\n")
    Path("articles/empty.md").touch()
    Path("articles/new.txt").write_text("Something new.\n", encoding="utf-8")
    notes = [
        "articles/empty.md: empty; passed over",
        "articles/lamp.txt, line 2: not UTF-8 (byte 0xff); save it as UTF-8; passed over",
        "lamp: the previous version stays",
    ]
    planned = footnote("index", "build", "--dry-run")
    assert planned.out.splitlines()[-1] == "1 added, 0 changed, 0 removed, 3 unchanged; nothing was written"
    before = footnote("index", "show", "lamp").out
    outcome = footnote("index", "build")
    assert outcome.status == 0
    assert "1 article encoded, 3 reused" in outcome.out
    for err in (planned.err, outcome.err):
        assert [line for line in err.splitlines() if "note" in line] == [f"note: {note}" for note in notes]
    assert footnote("index", "show", "lamp").out == before
    again = json.loads(footnote("index", "build", "--json").out)
    assert again["report"]["changes"]["notes"] == notes


def test_ctrl_c_in_a_build_ends_with_130_and_leaves_the_index_whole(home: Path) -> None:
    add_many_articles(home)
    before = index_status(INDEX)
    process = start("index", "build")
    assert process.stderr is not None
    while not (line := process.stderr.readline()).startswith(b"encoding:"):
        assert line, "the build ended before it encoded anything"
    process.send_signal(signal.SIGINT)
    assert finish(process).status == 130
    assert index_status(INDEX) == before
    assert [problem for problem in verify(INDEX) if "left by an interrupted build" not in problem] == []


def test_status_has_the_figures_of_the_generation(home: Path, footnote: Footnote) -> None:
    fields = json.loads(footnote("index", "status", "--json").out)
    assert list(fields) == STATUS.split()
    assert (fields["articles"], fields["encoder"]) == (3, "all-MiniLM-L6-v2")
    files = [path for path in (INDEX / fields["generation"]).rglob("*") if path.is_file()]
    assert fields["bytes"] == sum(file.stat().st_size for file in files if file.name != "manifest.json")
    assert "articles    3\n" in footnote("index", "status").out


def test_verify_finds_every_file_as_written_or_names_the_others(home: Path, footnote: Footnote) -> None:
    assert footnote("index", "verify").out == f"every file in {INDEX} is intact\n"
    (INDEX / "notes.txt").write_text("?", encoding="utf-8")
    (database,) = INDEX.glob("*/passages.sqlite")
    database.write_bytes(database.read_bytes() + b"\0")
    outcome = footnote("index", "verify")
    assert outcome.status == 65
    assert "notes.txt: not a file of the index" in outcome.err
    assert f"{database} is damaged" in outcome.err


def test_show_as_json_is_that_of_the_design(home: Path, footnote: Footnote) -> None:
    rows = [json.loads(line) for line in footnote("index", "show", "--json").out.splitlines()]
    assert [row["id"] for row in rows] == ["bread", "lamp", "odd/1"]
    for row in rows:
        fields = "id title author publisher url published heading text blocks marks description file"
        assert list(row) == [*fields.split(), "pages", "also", "paragraphs"]
        pieces = [row["text"][span["start"] : span["end"]] for span in row["paragraphs"]]
        assert "\n\n".join(pieces) == row["text"]
        assert [span["number"] for span in row["paragraphs"]] == list(range(1, len(pieces) + 1))
        assert {block["section"][0] for block in row["blocks"]} == {row["title"]}
        assert [row["text"][block["start"] : block["end"]] for block in row["blocks"]] == pieces
    bread, lamp, odd = rows
    assert [bread["marks"], lamp["marks"]] == [[], []]
    assert bread["heading"] == "Bread without a clock\nJon Vass\nThe Oven Letter\n2019-03-02"
    assert bread["text"] == BREAD.partition("---\n\n")[2].rstrip()
    assert lamp["heading"] == "The lamp on Gull Rock\nAuthor: Mara Holt"
    assert lamp["text"] == LAMP.partition("Holt\n\n")[2].rstrip()
    assert (odd["title"], odd["text"]) == (ODD["title"], ODD["text"])


def test_show_prints_one_article_with_the_numbers_of_its_paragraphs(home: Path, footnote: Footnote) -> None:
    shown = footnote("index", "show", "lamp").out
    begins = "# lamp\n\n[heading] The lamp on Gull Rock\nAuthor: Mara Holt\n\n[1] The lighthouse"
    assert shown.startswith(begins)
    assert "\n\n[3] The lamp was replaced" in shown
    assert "Sourdough" not in shown
    unknown = footnote("index", "show", "nobody")
    assert (unknown.status, "no article has the id 'nobody'" in unknown.err) == (2, True)


def test_passages_cover_the_sentences_in_order(home: Path, footnote: Footnote) -> None:
    (row,) = [json.loads(footnote("index", "show", "lamp", "--json", "--passages").out)]
    heading, *body = row["passages"]
    assert heading["paragraphs"] == [0]
    assert row["heading"][heading["start"] : heading["end"]] == row["heading"]
    sentences = [row["text"][start:end] for passage in body for start, end in passage["sentences"]]
    assert " ".join(sentences) == row["text"].replace("\n\n", " ")
    assert footnote("index", "show", "lamp", "--passages").out.count("passage ") == 1 + len(body)
