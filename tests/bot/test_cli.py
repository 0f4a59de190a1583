"""The program: exit statuses, what it imports, how it is interrupted, and one question asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bot.conftest import WAIT, Footnote, Outcome, environment, finish, start
from tests.index.encoding.model_folders import copy_default

QUESTION = "Who kept the lamp on Gull Rock?"
SECRET = "MTE5.s3cret-t0ken.value"

# Runs the program in a process of its own that tells, last of all, which heavy packages it imported.
_WATCHED = """
import atexit, sys
heavy = ("torch", "discord", "sentence_transformers", "transformers")
atexit.register(lambda: print("imported:", *[name for name in heavy if name in sys.modules], file=sys.stderr))
from bot.cli import main
main(sys.argv[1:])
"""


def run_watched(*arguments: str, **more: str) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
        env=environment(**more),
    )
    assert done.stderr.splitlines()[-1].strip() == "imported:", "torch or discord was imported"
    return Outcome(done.returncode, done.stdout, done.stderr.rpartition("imported:")[0])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--help"], "quoted word for word"),
        (["ask", "--help"], "--questions FILE"),
        (["discord", "-h"], "--discord-admin-servers"),
        (["eval", "--help"], "--compare RUN.json"),
        (["index", "build", "--help"], "--dry-run"),
        (["--version"], "footnote, version"),
    ],
)
def test_help_is_printed_without_torch_or_discord(arguments: list[str], told: str) -> None:
    outcome = run_watched(*arguments)
    assert (outcome.status, outcome.err) == (0, "")
    assert told in outcome.out


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([], 2, "Usage: footnote"),
        (["tell"], 2, "No such command 'tell'"),
        (["ask"], 2, "give one QUESTION, or --questions FILE"),
        (["ask", QUESTION, "--questions", "-"], 2, "give one QUESTION, or --questions FILE"),
        (["ask", "--loud", QUESTION], 2, "No such option"),
        (["ask", "--questions", "none.jsonl"], 2, "none.jsonl"),
        (["ask", "--answer-at", "lots", QUESTION], 2, "--answer-at"),
        (["ask", "--answer-at", "1.5", QUESTION], 2, "--answer-at: 1.5 is not accepted"),
        (["discord", "--waiting", "0"], 2, "--waiting: 0 is not accepted"),
        (["discord", "--discord-token", SECRET], 2, "No such option"),
        (["ask", QUESTION], 69, "run `footnote index build`"),
        (["chat"], 69, "run `footnote index build`"),
        (["discord"], 69, "run `footnote index build`"),
        (["index", "status"], 69, "run `footnote index build`"),
        (["index", "build"], 69, "no articles at articles"),
        (["ask", "--without", "moon", QUESTION], 2, "--without: 'moon' is not accepted"),
        (["eval"], 2, "name a SET to ask"),
        (["eval", "none"], 69, "no question set at none"),
    ],
)
def test_errors_are_told_with_their_status_without_torch_or_discord(
    arguments: list[str], status: int, told: str
) -> None:
    outcome = run_watched(*arguments)
    assert outcome.status == status
    assert told in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""


def test_status_of_an_index_needs_neither_torch_nor_discord(home: Path) -> None:
    outcome = run_watched("index", "status")
    assert outcome.status == 0
    assert "articles    3" in outcome.out


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("FOOTNOTE_ANSWER_AT", "sure", "valid number"),
        ("FOOTNOTE_ANSWER_AT", "-0.1", "greater than or equal to 0"),
        ("FOOTNOTE_WAITING", "many", "valid integer"),
        ("FOOTNOTE_WITHOUT", "moon", "'dense', 'lexical'"),
        ("FOOTNOTE_LANGUAGE", "English", "pattern"),
        ("FOOTNOTE_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("FOOTNOTE_DISCORD_API_URL", "http://discord.example/api", "use https"),
        ("FOOTNOTE_DISCORD_ADMIN_USERS", "ann", "valid integer"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_wrong_setting_names_the_variable_the_value_and_what_is_accepted(
    footnote: Footnote, monkeypatch: pytest.MonkeyPatch, place: str, variable: str, value: str, accepted: str
) -> None:
    if place == ".env":
        Path(".env").write_text(f"{variable}={value}\nFOOTNOTE_DISCORD_TOKEN={SECRET}\n", encoding="utf-8")
    else:
        monkeypatch.setenv(variable, value)
        monkeypatch.setenv("FOOTNOTE_DISCORD_TOKEN", SECRET)
    outcome = footnote("ask", QUESTION)
    assert outcome.status == 2
    assert outcome.err.startswith(f"footnote: {variable}: {value!r} is not accepted: ")
    assert accepted in outcome.err
    assert SECRET not in outcome.err + outcome.out


def test_every_wrong_setting_is_told_at_once(footnote: Footnote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_WAITING", "many")
    outcome = footnote("ask", "--answer-at", "2", QUESTION)
    assert "FOOTNOTE_WAITING: 'many'" in outcome.err
    assert "--answer-at: 2.0" in outcome.err


def test_a_name_in_env_file_that_is_no_setting_is_refused_with_a_hint(footnote: Footnote) -> None:
    Path(".env").write_text(f"FOOTNOTE_DISCORD_TOKN={SECRET}\n", encoding="utf-8")
    outcome = footnote("index", "status")
    assert outcome.status == 2
    assert "FOOTNOTE_DISCORD_TOKN in .env" in outcome.err
    assert "did you mean FOOTNOTE_DISCORD_TOKEN?" in outcome.err
    assert SECRET not in outcome.err


def test_an_env_file_that_cannot_be_read_is_refused(footnote: Footnote) -> None:
    Path(".env").write_bytes(b"FOOTNOTE_MODEL=\xff\n")
    outcome = footnote("index", "status")
    assert (outcome.status, outcome.err[:28]) == (2, "footnote: .env cannot be rea")


def test_an_option_wins_over_the_environment_and_that_over_the_env_file(
    footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text("FOOTNOTE_INDEX=from-file\n", encoding="utf-8")
    assert "no index at from-file" in footnote("index", "status").err
    monkeypatch.setenv("FOOTNOTE_INDEX", "from-environment")
    assert "no index at from-environment" in footnote("index", "status").err
    assert "no index at from-option" in footnote("index", "status", "--index", "from-option").err


def test_a_damaged_index_is_refused_with_65_and_what_to_run(home: Path, footnote: Footnote) -> None:
    (path,) = (home / ".footnote/index").glob("*/dense.faiss")
    path.write_bytes(path.read_bytes()[:-1])
    for arguments in (["ask", QUESTION], ["index", "status"], ["index", "verify"], ["index", "show"]):
        outcome = footnote(*arguments)
        assert outcome.status == 65, arguments
        assert "dense.faiss is damaged" in outcome.err
        assert "footnote index build" in outcome.err


def test_debug_shows_where_an_error_came_from(footnote: Footnote) -> None:
    with pytest.raises(Exception, match="no index at") as raised:
        footnote("--debug", "index", "status")
    assert raised.traceback


def test_ask_for_people_shows_the_quote_its_source_and_how_sure_it_is(home: Path, footnote: Footnote) -> None:
    outcome = footnote("ask", QUESTION)
    quote, source, sure = outcome.out.splitlines()
    assert outcome.status == 0
    assert quote == "“Ebba Lind kept the lamp on Gull Rock for thirty-one years.”"
    assert source == "  [1] The lamp on Gull Rock · Mara Holt · paragraph 2"
    assert sure.startswith("  how sure: ")


def test_ask_leaves_out_the_parts_that_are_named(
    home: Path, footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("ask", "--json", "How much oil did the lamp burn a night?")
    whole = json.loads(footnote(*asked).out)["quotes"][0]
    monkeypatch.setenv("FOOTNOTE_WITHOUT", "context, highlight")
    short = json.loads(footnote(*asked).out)["quotes"][0]
    assert short["text"] == "Its lamp burned 40 litres of colza oil a night."
    assert whole["text"].endswith(f" {short['text']}")
    assert (whole["start"] < short["start"], short["highlight"]) == (True, None)
    only = json.loads(footnote(*asked, "--without", "context").out)["quotes"][0]
    assert (only["text"], only["highlight"]) == (short["text"], whole["highlight"])
    assert whole["highlight"] is not None


def test_ask_with_a_higher_bar_says_that_the_articles_may_not_answer(home: Path, footnote: Footnote) -> None:
    outcome = footnote("ask", "--answer-at", "1", QUESTION)
    assert outcome.status == 0
    assert outcome.out.startswith("The articles may not answer this.")


def test_ask_refuses_an_index_of_another_encoder(home: Path, footnote: Footnote) -> None:
    folder = copy_default(home / "other-model")
    (folder / "extra.json").write_text("{}", encoding="utf-8")
    outcome = footnote("ask", "--model", str(folder), QUESTION)
    assert outcome.status == 65
    assert "made with the encoder all-MiniLM-L6-v2" in outcome.err


def test_ask_refuses_an_index_of_an_encoder_that_is_not_the_pinned_one(
    home: Path, footnote: Footnote
) -> None:
    outcome = footnote("ask", "--model-sha256", "0" * 64, QUESTION)
    assert outcome.status == 65
    assert "not the one that FOOTNOTE_MODEL_SHA256 names" in outcome.err


def test_the_program_prints_one_json_object_for_a_question(home: Path) -> None:
    outcome = finish(start("ask", "--json", QUESTION))
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
    assert outcome.status == 130
    assert outcome.err.strip() == "footnote: interrupted"


@pytest.mark.parametrize(
    ("arguments", "feed", "status"),
    [
        (["ask", "--json", "--questions", "-"], f'{{"question": "{QUESTION}"}}\n', 130),
        (["chat"], f"{QUESTION}\n", 0),
    ],
    ids=["ask", "chat"],
)
def test_ctrl_c_ends_the_program_while_it_waits_for_its_next_line(
    home: Path, arguments: list[str], feed: str, status: int
) -> None:
    process = start(*arguments)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(feed.encode())
    process.stdin.flush()
    assert b"Ebba Lind" in process.stdout.readline()
    time.sleep(1)  # it is back at waiting, which nothing outside it can see
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(20) == status
    finally:
        finish_off(process)


def finish_off(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate(timeout=WAIT)


@pytest.mark.parametrize("arguments", [["doctor"], ["--help"], ["index", "show", "--json"]])
def test_a_reader_that_has_left_is_no_error(home: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [Path(sys.executable).with_name("footnote"), *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    os.close(writing)
    outcome = finish_errors(process)
    assert outcome.err == ""
    assert outcome.status == 0


def finish_errors(process: subprocess.Popen[bytes]) -> Outcome:
    _, err = process.communicate(timeout=WAIT)
    return Outcome(process.returncode, "", err.decode())
