"""The program: help, exit statuses, what it imports, how it is interrupted, and one question asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bot.conftest import FOOTNOTE, WAIT, Footnote, environment, finish, start
from tests.index.encoding.model_folders import copy_default

QUESTION = "Who kept the lamp on Gull Rock?"
SECRET = "MTE5.s3cret-t0ken.value"

HEAVY = "torch transformers sentence_transformers onnx sklearn scipy discord rich pydantic".split()

HELP = [
    (["--help"], "quoted word for word"),
    (["--version"], "footnote, version"),
    (["ask", "--help"], "--questions FILE"),
    (["discord", "-h"], "--discord-admin-servers IDS"),
    (["discord", "-h"], "--log-level debug|info|warning|error"),
    (["eval", "--help"], "--report FOLDER"),
    (["index", "build", "--help"], "[default: articles]"),
]
ERRORS: list[tuple[list[str], int, str]] = [
    ([], 2, "Usage: footnote"),
    (["tell"], 2, "No such command 'tell'"),
    (["ask"], 2, "give one QUESTION, or --questions FILE"),
    (["ask", QUESTION, "--questions", "-"], 2, "give one QUESTION, or --questions FILE"),
    (["ask", "--loud", QUESTION], 2, "No such option"),
    (["ask", "--questions", "none.jsonl"], 2, "none.jsonl"),
    (["ask", "--answer-at", "1.5", QUESTION], 2, "footnote: --answer-at: '1.5' is not accepted"),
    (["discord", "--keep", "0", "sync", "--keep", "2"], 69, "FOOTNOTE_DISCORD_TOKEN"),
    (["discord", "--keep", "0", "sync"], 2, "--keep: '0' is not accepted"),
    (["discord", "sync", "--remove"], 2, "--remove needs --server ID"),
    (["discord", "--discord-token", SECRET], 2, "No such option"),
    (["ask", QUESTION], 69, "run `footnote index build`"),
    (["chat"], 69, "run `footnote index build`"),
    (["discord"], 69, "run `footnote index build`"),
    (["index", "status", "--index", "elsewhere"], 69, "no index at elsewhere"),
    (["index", "build"], 69, "no articles at articles"),
    (["eval"], 2, "name a SET to ask"),
    (["eval", "rock", "--fit"], 2, "'--fit' requires an argument"),
    (["eval", "--fit", "rock", "--report", "page"], 2, "--report needs one"),
    (["eval", "rock", "--fit-out", "fit.json"], 2, "--fit-out needs"),
    (["eval", "none"], 69, "no question set at none"),
]


@pytest.mark.parametrize(("arguments", "text"), HELP)
def test_help_is_printed(footnote: Footnote, arguments: list[str], text: str) -> None:
    outcome = footnote(*arguments)
    assert (outcome.status, outcome.err) == (0, "")
    assert text in outcome.out


@pytest.mark.parametrize(("arguments", "status", "message"), ERRORS)
def test_error_has_its_status_and_one_message(
    footnote: Footnote, arguments: list[str], status: int, message: str
) -> None:
    outcome = footnote(*arguments)
    assert (outcome.status, outcome.out) == (status, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def imports_of(*lines: list[str], feed: str = "") -> list[set[str]]:
    """Run command lines in one process; return which heavy packages were imported by the end of each."""
    code = (
        "import json, sys\n"
        "from bot.cli import main\n"
        "for arguments in json.loads(sys.argv[1]):\n"
        "    try: main(arguments)\n"
        "    except SystemExit: pass\n"
        "    print('imported:', *sys.modules.keys() & set(sys.argv[2:]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(lines), *HEAVY],
        env=environment(), input=feed, capture_output=True, text=True, timeout=WAIT, check=True,
    )  # fmt: skip
    shown = [line for line in done.stderr.splitlines() if line.startswith("imported:")]
    assert len(shown) == len(lines), done.stderr
    return [set(line.split()[1:]) for line in shown]


def test_help_imports_no_settings_and_no_error_imports_torch_or_discord() -> None:
    *before, last = imports_of(["--help"], ["--version"], [], ["tell"], ["index", "--help"])
    assert not last.union(*before)
    lines = [arguments for arguments, _ in HELP]
    lines += [arguments for arguments, _, text in ERRORS if text != "FOOTNOTE_DISCORD_TOKEN"]
    assert set().union(*imports_of(*lines)) <= {"pydantic", "rich"}


def test_answering_and_rebuilding_import_no_torch(home: Path) -> None:
    Path("articles/new.txt").write_text("The kiln was lit by Ada Quay.\n", encoding="utf-8")
    lines = (["index", "build"], ["index", "status"], ["ask", "--json", QUESTION], ["chat"])
    assert imports_of(*lines, feed=f"{QUESTION}\n")[-1] <= {"pydantic", "rich"}


def test_wrong_settings_are_all_reported_without_secrets(
    footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text(f"FOOTNOTE_KEEP=many\nFOOTNOTE_DISCORD_TOKEN={SECRET}\n", encoding="utf-8")
    outcome = footnote("ask", "--answer-at", "2", QUESTION)
    assert (outcome.status, outcome.out) == (2, "")
    assert "FOOTNOTE_KEEP: 'many' is not accepted" in outcome.err
    assert "--answer-at: '2' is not accepted" in outcome.err
    assert SECRET not in outcome.err


def test_damaged_index_is_65_with_what_to_run(home: Path, footnote: Footnote) -> None:
    (path,) = (home / ".footnote/index").glob("*/dense.faiss")
    path.write_bytes(path.read_bytes()[:-1])
    for arguments in (["ask", QUESTION], ["index", "status"], ["index", "verify"], ["index", "show"]):
        outcome = footnote(*arguments)
        assert outcome.status == 65, arguments
        assert "dense.faiss is damaged" in outcome.err
        assert "footnote index build" in outcome.err


def test_debug_shows_the_traceback_and_keeps_the_status(footnote: Footnote) -> None:
    outcome = footnote("--debug", "index", "status")
    assert outcome.status == 69
    assert outcome.err.startswith("Traceback")
    assert outcome.err.splitlines()[-1].startswith("footnote: no index at")


def test_index_of_another_encoder_is_refused(home: Path, footnote: Footnote) -> None:
    folder = copy_default(home / "other-model")
    (folder / "extra.json").write_text("{}", encoding="utf-8")
    outcome = footnote("ask", "--model", str(folder), QUESTION)
    assert (outcome.status, "made with the encoder all-MiniLM-L6-v2" in outcome.err) == (65, True)
    outcome = footnote("ask", "--model-sha256", "0" * 64, QUESTION)
    assert (outcome.status, "FOOTNOTE_MODEL_SHA256 names another" in outcome.err) == (65, True)


def test_program_prints_one_json_object_even_without_a_home_folder(home: Path) -> None:
    outcome = finish(start("ask", "--json", QUESTION, HOME="/nonexistent"))
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.count("\n") == 1
    answer = json.loads(outcome.out)
    assert (answer["question"], answer["verdict"]) == (QUESTION, "answered")


def test_ctrl_c_ends_a_running_batch_with_130(home: Path) -> None:
    Path("many.jsonl").write_text(f'{{"question": "{QUESTION}"}}\n' * 50_000, encoding="utf-8")
    process = start("ask", "--json", "--questions", "many.jsonl")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["verdict"] == "answered"
    process.send_signal(signal.SIGINT)
    outcome = finish(process)
    assert (outcome.status, outcome.err.strip()) == (130, "footnote: interrupted")


@pytest.mark.parametrize(
    ("arguments", "feed", "status"),
    [
        (["ask", "--json", "--questions", "-"], f'{{"question": "{QUESTION}"}}\n', 130),
        (["chat"], f"{QUESTION}\n", 0),
    ],
    ids=["ask", "chat"],
)
def test_ctrl_c_ends_the_program_while_it_waits_for_the_next_line(
    home: Path, arguments: list[str], feed: str, status: int
) -> None:
    process = start(*arguments)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(feed.encode())
    process.stdin.flush()
    assert b"Ebba Lind" in process.stdout.readline()
    time.sleep(0.5)  # until it waits again, which nothing outside it can see
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(20) == status
    finally:
        process.kill()
        process.communicate(timeout=WAIT)


@pytest.mark.parametrize("arguments", [["ask", QUESTION], ["index", "show", "--json"]])
def test_reader_that_has_left_is_no_error(home: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [FOOTNOTE, *arguments], stdout=writing, stderr=subprocess.PIPE, env=environment()
    )
    os.close(writing)
    _, err = process.communicate(timeout=WAIT)
    assert (process.returncode, err) == (0, b"")
