"""`footnote doctor`: what it finds, what it says to do, and its exit status."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from index.encoding.models import find_model
from tests.bot.conftest import LAMP, Footnote, Outcome
from tests.graphs import lend_graph
from tests.index.encoding.model_folders import copy_default

SECRET = "MTE5.s3cret-t0ken.value"


def finding(outcome: Outcome, subject: str, mark: str) -> str:
    """Return the one line with this mark on a subject."""
    lines = [line for line in outcome.out.splitlines() if line.split()[:2] == [mark, subject]]
    assert len(lines) == 1, outcome.out
    return lines[0]


def test_where_all_is_well_every_subject_is_looked_at_and_the_status_is_0(
    home: Path, footnote: Footnote
) -> None:
    outcome = footnote("doctor")
    assert (outcome.status, outcome.err) == (0, "")
    for subject in ("python", "packages", "settings", "weights", "articles", "index", "graph", "confidence"):
        finding(outcome, subject, "ok")
    assert "only the terminal can ask" in finding(outcome, "discord", "warn")
    assert "as published" in finding(outcome, "weights", "ok")
    assert "3 in articles" in finding(outcome, "articles", "ok")
    assert "3 article(s), whole" in finding(outcome, "index", "ok")


def test_no_index_is_69_with_what_to_run(home: Path, footnote: Footnote) -> None:
    outcome = footnote("doctor", "--index", "elsewhere")
    assert outcome.status == 69
    assert "no index at elsewhere: run `footnote index build`" in finding(outcome, "index", "FAIL")


def test_articles_changed_since_the_build_are_a_warning(home: Path, footnote: Footnote) -> None:
    Path("articles/lamp.txt").write_text(LAMP.replace("1871", "1872"), encoding="utf-8")
    outcome = footnote("doctor")
    assert outcome.status == 0
    told = finding(outcome, "index", "warn")
    assert "the articles have changed since: run `footnote index build`" in told


def test_a_damaged_index_is_65_by_the_name_of_the_file(home: Path, footnote: Footnote) -> None:
    (path,) = Path(".footnote/index").glob("*/tokens.i8")
    path.write_bytes(b"")
    outcome = footnote("doctor")
    assert outcome.status == 65
    assert f"{path} is damaged" in finding(outcome, "index", "FAIL")
    finding(outcome, "articles", "ok")


def test_a_graph_is_told_of_with_how_near_it_is_and_damage_by_the_name_of_the_file(
    home: Path, footnote: Footnote
) -> None:
    assert "all-MiniLM-L6-v2, whole" in finding(footnote("doctor"), "graph", "ok")
    assert "none of all-MiniLM-L6-v2" in finding(footnote("doctor", "--index", "new"), "graph", "warn")
    (path,) = Path(".footnote/index/encoders").glob("*/tokenizer.json")
    path.write_bytes(b"{}")
    outcome = footnote("doctor")
    assert outcome.status == 65
    assert f"{path} is damaged" in finding(outcome, "graph", "FAIL")


def test_weights_that_are_not_here_are_made_up_for_by_the_graph(
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
    assert f"{folder}, whole" in finding(outcome, "graph", "ok")


def test_bad_articles_are_65_with_file_and_reason_and_the_index_is_looked_at_all_the_same(
    home: Path, footnote: Footnote
) -> None:
    Path("articles/empty.txt").write_text(" \n", encoding="utf-8")
    outcome = footnote("doctor")
    assert outcome.status == 65
    finding(outcome, "articles", "FAIL")
    assert "empty.txt: empty" in outcome.out
    finding(outcome, "index", "ok")


def test_the_status_is_the_highest_of_the_findings(home: Path, footnote: Footnote) -> None:
    Path("articles/empty.txt").write_text("", encoding="utf-8")
    outcome = footnote("doctor", "--index", "elsewhere")
    assert outcome.status == 69
    finding(outcome, "articles", "FAIL")
    finding(outcome, "index", "FAIL")


def test_articles_that_are_not_there_are_69(home: Path, footnote: Footnote) -> None:
    outcome = footnote("doctor", "--articles", "nowhere")
    assert outcome.status == 69
    assert "no articles at nowhere" in finding(outcome, "articles", "FAIL")


def test_a_wrong_setting_is_2_and_named(
    home: Path, footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_WAITING", "many")
    monkeypatch.setenv("FOOTNOTE_DISCORD_TOKEN", SECRET)
    outcome = footnote("doctor")
    assert outcome.status == 2
    assert "FOOTNOTE_WAITING: 'many' is not accepted" in finding(outcome, "settings", "FAIL")
    assert SECRET not in outcome.out + outcome.err


def test_a_variable_that_is_no_setting_is_a_warning_with_its_name_and_not_its_value(
    home: Path, footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_DISCORD_TOKN", SECRET)
    outcome = footnote("doctor")
    assert outcome.status == 0
    assert "FOOTNOTE_DISCORD_TOKN" in finding(outcome, "settings", "warn")
    assert SECRET not in outcome.out + outcome.err


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o600, False)])
def test_an_env_file_that_others_can_read_is_a_warning(
    home: Path, footnote: Footnote, mode: int, warned: bool
) -> None:
    Path(".env").write_text("FOOTNOTE_WAITING=3\n", encoding="utf-8")
    Path(".env").chmod(mode)
    outcome = footnote("doctor")
    assert outcome.status == 0
    assert ("chmod 600 .env" in outcome.out) == warned


def test_an_encoder_that_is_not_there_is_69(home: Path, footnote: Footnote) -> None:
    Path("hollow").mkdir()
    outcome = footnote("doctor", "--model", str(Path("hollow").resolve()))
    assert outcome.status == 69
    assert "no .safetensors weights" in finding(outcome, "weights", "FAIL")


def test_a_discord_that_cannot_be_reached_is_69_and_the_token_is_not_shown(
    home: Path, footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("FOOTNOTE_DISCORD_TOKEN", SECRET)
    outcome = footnote("doctor", "--discord-api-url", f"http://127.0.0.1:{port}/api/v10")
    assert outcome.status == 69
    finding(outcome, "discord", "FAIL")
    assert SECRET not in outcome.out + outcome.err


def test_a_part_left_out_that_the_confidence_was_fitted_with_is_a_warning(
    home: Path, footnote: Footnote
) -> None:
    told = finding(footnote("doctor", "--without", "late, spelling"), "confidence", "warn")
    assert "does not leave out late" in told
    assert "footnote eval --fit" in told
    finding(footnote("doctor", "--without", "spelling"), "confidence", "ok")


def test_fingerprint_is_told_and_another_one_that_was_pinned_is_69(home: Path, footnote: Footnote) -> None:
    fingerprint = find_model("all-MiniLM-L6-v2").fingerprint
    assert f"fingerprint {fingerprint} (to pin it" in finding(footnote("doctor"), "weights", "ok")
    pinned = footnote("doctor", "--model-sha256", fingerprint)
    assert f"fingerprint {fingerprint} (pinned)" in finding(pinned, "weights", "ok")
    outcome = footnote("doctor", "--model-sha256", "0" * 64)
    assert outcome.status == 69
    assert f"{fingerprint}, which is not the one in FOOTNOTE_MODEL_SHA256" in finding(
        outcome, "weights", "FAIL"
    )


def test_what_others_could_read_or_change_is_a_warning_with_what_to_do(
    home: Path, footnote: Footnote
) -> None:
    assert "nobody else can read what is secret" in finding(footnote("doctor"), "files", "ok")
    Path(".footnote/records.sqlite").write_bytes(b"")
    Path(".footnote/records.sqlite").chmod(0o644)
    Path(".footnote/index").chmod(0o777)
    told = finding(footnote("doctor"), "files", "warn")
    assert "chmod 600 .footnote/records.sqlite" in told
    assert "anybody on this machine can change .footnote/index, and so what is quoted" in told
