"""`footnote doctor`: what it finds, what it says to do, and its exit status."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from index.encoding.models import find_model
from index.sources.archive import Archive, Refresh, archive_file
from tests.bot.conftest import LAMP, Footnote, Outcome
from tests.graphs import lend_graph
from tests.index.encoding.model_folders import copy_default

SECRET = "MTE5.s3cret-t0ken.value"


def finding(outcome: Outcome, subject: str, mark: str) -> str:
    """Return the one line with this mark on a subject."""
    lines = [line for line in outcome.out.splitlines() if line.split()[:2] == [mark, subject]]
    assert len(lines) == 1, outcome.out
    return lines[0]


def test_where_all_is_well_every_subject_is_checked_and_the_status_is_0(
    home: Path, footnote: Footnote
) -> None:
    outcome = footnote("doctor")
    assert (outcome.status, outcome.err) == (0, "")
    expected = {
        "python": "3.",
        "packages": "complete",
        "settings": "in order",
        "weights": f"as published; fingerprint {find_model('all-MiniLM-L6-v2').fingerprint} (to pin it",
        "articles": "3 in articles",
        "sources": "none in sources.toml",
        "index": "3 articles, encoder all-MiniLM-L6-v2, intact",
        "confidence": "fitted on",
        "files": "nobody else can read secrets",
    }
    for subject, text in expected.items():
        assert text in finding(outcome, subject, "ok")
    assert "only the terminal and the browser can ask" in finding(outcome, "discord", "warn")


@pytest.mark.parametrize(
    ("arguments", "status", "subject", "message"),
    [
        (["--index", "elsewhere"], 69, "index", "no index at elsewhere: run `footnote index build`"),
        (["--articles", "nowhere"], 69, "articles", "no articles at nowhere"),
        (["--model", "hollow"], 69, "weights", "no .safetensors weights"),
        (["--model-sha256", "0" * 64], 69, "weights", "not the one in FOOTNOTE_MODEL_SHA256"),
        (["--keep", "many"], 2, "settings", "--keep: 'many' is not accepted"),
        (["--articles", "bad"], 65, "articles", "1 problem in the articles"),
        (["--articles", "bad", "--index", "elsewhere"], 69, "articles", "1 problem in the articles"),
    ],
)
def test_problem_has_its_message_and_the_highest_status(
    home: Path, footnote: Footnote, arguments: list[str], status: int, subject: str, message: str
) -> None:
    Path("hollow").mkdir()
    Path("bad").mkdir()
    Path("bad/empty.txt").write_text(" \n", encoding="utf-8")
    arguments = [str(Path("hollow").resolve()) if one == "hollow" else one for one in arguments]
    outcome = footnote("doctor", *arguments)
    assert outcome.status == status
    assert message in finding(outcome, subject, "FAIL")


@pytest.mark.parametrize("pattern", ["*/tokens.u4", "encoders/*/tokenizer.json"])
def test_damaged_file_is_65_by_its_name_and_the_rest_is_checked(
    home: Path, footnote: Footnote, pattern: str
) -> None:
    (path,) = Path(".footnote/index").glob(pattern)
    path.write_bytes(b"{}")
    outcome = footnote("doctor")
    assert outcome.status == 65
    assert f"{path} is damaged" in finding(outcome, "index", "FAIL")
    finding(outcome, "articles", "ok")


def test_articles_changed_since_the_build_are_a_warning(home: Path, footnote: Footnote) -> None:
    Path("articles/lamp.txt").write_text(LAMP.replace("1871", "1872"), encoding="utf-8")
    outcome = footnote("doctor")
    assert outcome.status == 0
    message = "the articles have changed since: run `footnote index build`"
    assert message in finding(outcome, "index", "warn")


def test_sources_that_were_not_refreshed_are_a_warning_and_their_articles_are_counted(
    home: Path, footnote: Footnote
) -> None:
    Path("wiki").mkdir()
    Path("wiki/rope.md").write_text("The tow rope was spun by Nils Aker.", encoding="utf-8")
    listed = '[guide]\nurl = "https://a.example/"\n[wiki]\npath = "wiki"\n'
    Path("sources.toml").write_text(listed, encoding="utf-8")
    outcome = footnote("doctor")
    assert outcome.status == 0
    assert "4 in articles and the sources" in finding(outcome, "articles", "ok")
    assert "never refreshed: guide; run `footnote sources refresh`" in finding(outcome, "sources", "warn")
    for problem, mark, text in (
        ("the server failed (500)", "warn", "guide: the server failed (500); run `footnote sources refresh`"),
        ("", "ok", "2 in sources.toml, the last refreshes went well"),
    ):
        with Archive(archive_file(Path(".footnote/index")), writing=True) as archive:
            archive.note(Refresh("guide", "2026-01-01T00:00:00+00:00", "", problem))
        assert text in finding(footnote("doctor"), "sources", mark)
    Path("sources.toml").write_text("[guide\n", encoding="utf-8")
    outcome = footnote("doctor")
    assert (outcome.status, "cannot be read" in finding(outcome, "sources", "FAIL")) == (2, True)


def test_graph_makes_up_for_weights_that_are_not_here(
    home: Path, footnote: Footnote, graph_folder: Path
) -> None:
    folder = copy_default(home.resolve() / "model")
    (folder / "extra.json").write_text("{}", encoding="utf-8")
    lend_graph(graph_folder, Path(".footnote/index"), find_model(str(folder)))
    assert footnote("index", "build", "--model", str(folder)).status == 0
    (folder / "model.safetensors").unlink()
    outcome = footnote("doctor", "--model", str(folder))
    assert outcome.status == 0
    assert "encoded by its export in .footnote/index" in finding(outcome, "weights", "ok")
    assert f"encoder {folder}, intact" in finding(outcome, "index", "ok")


def test_variable_that_is_no_setting_is_a_warning_with_its_name_and_not_its_value(
    home: Path, footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_DISCORD_TOKN", SECRET)
    outcome = footnote("doctor")
    assert outcome.status == 0
    assert "FOOTNOTE_DISCORD_TOKN" in finding(outcome, "settings", "warn")
    assert SECRET not in outcome.out + outcome.err


def test_files_that_others_could_read_or_change_are_a_warning_with_what_to_do(
    home: Path, footnote: Footnote
) -> None:
    Path(".env").write_text(f"FOOTNOTE_DISCORD_TOKEN={SECRET}\n", encoding="utf-8")
    Path(".env").chmod(0o644)
    Path(".footnote/records.sqlite").write_bytes(b"")
    Path(".footnote/records.sqlite").chmod(0o644)
    Path(".footnote/index").chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = footnote("doctor", "--discord-api-url", f"http://127.0.0.1:{port}/api/v10")
    warning = finding(outcome, "files", "warn")
    for command in ("chmod 600 .env", "chmod 600 .footnote/records.sqlite", "chmod -R o-w .footnote/index"):
        assert command in warning
    assert outcome.status == 69
    finding(outcome, "discord", "FAIL")
    assert SECRET not in outcome.out + outcome.err
