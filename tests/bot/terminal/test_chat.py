"""`footnote chat`: typed at a terminal, and fed through a pipe."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from index.storage.manifest import read_pointer
from tests.bot.conftest import Footnote, finish, start
from tests.bot.services import damage
from tests.bot.terminal.pseudo_terminal import terminal
from tests.graphs import copy_index_file

WHO = "Who kept the lamp on Gull Rock?"
QUOTE = "“Ebba Lind kept the lamp on Gull Rock for thirty-one years.”"
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")


def test_typed_chat_answers_and_knows_its_commands(home: Path) -> None:
    with terminal("chat") as person:
        person.wait_for("Ask about 3 articles. /help lists the commands.")
        for command in ("/sources", "/more", "/why"):
            person.type(f"{command}\r")
            person.wait_for("Ask a question first.")
        person.type(f"{WHO}\r")
        shown = person.wait_for("confidence: ")
        assert QUOTE in shown
        assert "[1] The lamp on Gull Rock · Mara Holt · paragraph 2" in shown
        assert COLOUR.search(person.raw), "the quote is not coloured"
        person.type("/why\r")
        person.wait_for("word Rock: ")
        person.type("/sources\r")
        shown = person.wait_for("[3] ")
        assert "The lamp was replaced by an electric one in 1954." in shown
        person.type("/more\r")
        person.wait_for("[4] ")
        person.type("/more\r")
        person.wait_for("There are no more passages.")
        person.type("/status\r")
        assert "articles    3" in person.wait_for("size ")
        person.type("/help\r")
        shown = person.wait_for("/quit ")
        assert all(name in shown for name in ("/sources", "/more", "/why", "/rebuild", "/status", "/help"))
        person.type("/dance\r")
        person.wait_for("No such command; /help lists them.")
        person.type("\x04")
        assert person.wait_for_end() == 0
    assert "Traceback" not in person.plain


def test_chat_rolls_back_by_command_and_falls_back_from_damage_and_says_so(
    built_twice: Path, tmp_path: Path
) -> None:
    shutil.copytree(built_twice, tmp_path, dirs_exist_ok=True, copy_function=copy_index_file)
    index = tmp_path / ".footnote/index"
    second = read_pointer(index)
    (first,) = (home.name for home in index.glob("0*") if home.name != second)
    with terminal("chat") as person:
        person.type("/history\r")
        assert f"* {second}" in person.wait_for(": serving")
        assert f"  {first}" in person.wait_for(": kept")
        person.type("/rollback\r")
        person.wait_for(f"Answers now come from {first}.")
        person.type(f"/rollback  {second}\r")
        person.wait_for(f"Answers now come from {second}.")
        person.type("/rollback 7\r")
        person.wait_for("no generation '7'")
        damage(index / second / "passages.sqlite")
        person.type(f"{WHO}\r")
        assert QUOTE in person.wait_for("confidence: ")
        assert f"Generation {second} is damaged" in person.wait_for("Rebuild the index.")
        person.type("/status\r")
        assert first in person.wait_for("Rebuild the index.")
        person.type("/rebuild force\r")
        person.wait_for("The index is whole again.")
        person.type("/quit\r")
        assert person.wait_for_end() == 0
    assert "Traceback" not in person.plain


def test_typed_chat_has_history_no_colours_with_no_color_and_ctrl_c_leaves_it(home: Path) -> None:
    with terminal("chat", NO_COLOR="1") as person:
        person.type("When was the turbine at Wexholm painted red?\r")
        person.wait_for("confidence: ")
        person.type("\x1b[A\r")
        person.wait_for("confidence: ")
        assert (
            person.plain.count("“The turbine \ufffd]0;owned\ufffd at Wexholm was painted red in 1988.”") == 2
        )
        person.type("\x03")
        assert person.wait_for_end() == 0
    assert not COLOUR.search(person.raw)
    assert not re.search("\x1b]0;owned|\u202e", person.raw)
    assert "turbine at Wexholm" in (home / ".footnote/history").read_text(encoding="utf-8")
    assert "Traceback" not in person.plain


def test_piped_chat_answers_explains_rebuilds_and_swaps_until_it_is_told_to_quit(home: Path) -> None:
    (home / "articles/bell.txt").write_text("The bell was cast by Tove Dahl in Bergen.\n", encoding="utf-8")
    lines = ["/why", "Who kept the lihgthouse lamp?", "/why", "", "/rebuild", "Who cast the bell?"]
    lines += [
        "\x1b[31mWhen was the turbine painted red?",
        "/rebuild  now",
        "/quit",
        "Why does sourdough rise?",
    ]
    outcome = finish(start("chat"), b"\xff \xc3\n" + "\n".join(lines).encode())
    assert outcome.status == 0
    assert "\x1b" not in outcome.out + outcome.err
    for text in (
        "  read: lihgthouse read as lighthouse\n",
        "1 article encoded, 3 reused",
        "“The bell was cast by Tove Dahl in Bergen.”\n  [1] bell · paragraph 1",
        "The turbine \ufffd]0;owned\ufffd at Wexholm was painted red in 1988.",
        "No such command; /help lists them.",
    ):
        assert text in outcome.out, text
    assert "writing: 4 of 4" in outcome.err
    assert "Sourdough" not in outcome.out


def test_small_talk_and_requests_in_chat_leave_the_last_answer_as_it_is(home: Path) -> None:
    outcome = finish(start("chat"), f"{WHO}\nthanks!!\nno\nare you sure?\nWhen was it lit?\n".encode())
    assert "Ask whenever you like." in outcome.out
    assert "read together with: Gull Rock kept lamp" in outcome.out
    assert "read together with: no" not in outcome.out


def test_piped_chat_reports_errors_and_ends_with_its_input(home: Path) -> None:
    for name in ("lamp.txt", "bread.md"):
        (home / "articles" / name).unlink()
    outcome = finish(start("chat"), b"/rebuild\n/status")
    assert outcome.status == 0
    assert "FOOTNOTE_SHRINK" in outcome.out
    assert "articles    3" in outcome.out


def test_chat_names_the_files_that_a_rebuild_passed_over(home: Path) -> None:
    (home / "articles/bad.jsonl").write_bytes(b"{")
    outcome = finish(start("chat"), b"/rebuild")
    assert outcome.status == 0
    assert re.search(r"^note: .*bad\.jsonl, line 1: .*; passed over$", outcome.out, re.MULTILINE)


def test_only_an_answer_is_coloured(home: Path, footnote: Footnote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    green = f"\x1b[32m{QUOTE}"
    assert green in footnote("ask", WHO).out
    assert green not in footnote("ask", "--answer-at", "1", WHO).out
