"""The chat: typed at a terminal, and fed through a pipe."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from index.storage.manifest import TOKENS, read_pointer
from tests.bot.conftest import Footnote, finish, start
from tests.bot.tampering import damage
from tests.bot.terminals import terminal
from tests.bot.test_explaining import NOTHING, assert_adds_up
from tests.graphs import copy_index_file

WHO = "Who kept the lamp on Gull Rock?"
QUOTE = "“Ebba Lind kept the lamp on Gull Rock for thirty-one years.”"
TURBINE = "When was the turbine at Wexholm painted red?"
ANSWER = re.compile(r"\x1b\[1;4(?:;32)?m([^\x1b]*)\x1b\[0m")
"""What is bold and underlined."""

COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")


def test_a_typed_chat_answers_and_knows_its_commands(home: Path) -> None:
    with terminal("chat") as person:
        person.wait_for("Ask about 3 article(s). /help lists the commands.")
        person.type("/sources\r")
        person.wait_for("Nothing is cited yet; ask a question first.")
        person.type("/more\r")
        person.wait_for("There is nothing more.")
        person.type("/why\r")
        person.wait_for("Nothing is answered yet; ask a question first.")
        person.type(f"{WHO}\r")
        shown = person.wait_for("how sure: ")
        assert QUOTE in shown
        assert "[1] The lamp on Gull Rock · Mara Holt · paragraph 2" in shown
        assert COLOUR.search(person.raw), "the quote is not highlighted"
        assert ANSWER.findall(person.raw) == ["Ebba Lind"]
        person.type("/why\r")
        assert "asked for: person" in person.wait_for("word Rock: ")
        person.type("/sources\r")
        shown = person.wait_for("[3] ")
        assert "The lamp was replaced by an electric one in 1954." in shown
        person.type("/more\r")
        person.wait_for("[4] ")
        person.type("/more\r")
        person.wait_for("There is nothing more.")
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


def test_a_chat_goes_back_to_the_last_good_generation_and_says_so_and_forth_by_command(
    built_twice: Path, tmp_path: Path
) -> None:
    shutil.copytree(built_twice, tmp_path, dirs_exist_ok=True, copy_function=copy_index_file)
    index = tmp_path / ".footnote/index"
    second = read_pointer(index).generation
    (first,) = (one.name for one in index.glob("0*") if one.name != second)
    with terminal("chat") as person:
        person.type("/history\r")
        shown = person.wait_for("articles: 3")
        assert re.search(rf"{second}\s+serving", shown)
        assert re.search(rf"{first}\s+kept", shown)
        person.type("/rollback\r")
        person.wait_for(f"Answers now come from {first}.")
        person.type(f"/rollback  {second}\r")
        person.wait_for(f"Answers now come from {second}.")
        person.type("/rollback 7\r")
        person.wait_for("no generation '7'")
        damage(index / second / TOKENS)
        person.type(f"{WHO}\r")
        assert QUOTE in person.wait_for("how sure: ")
        assert f"The generation {second} is damaged" in person.wait_for("Rebuild the index.")
        person.type("/status\r")
        assert first in person.wait_for("Rebuild the index.")
        person.type("/rebuild force\r")
        person.wait_for("The index is whole again.")
        person.type("/quit\r")
        assert person.wait_for_end() == 0
    assert "Traceback" not in person.plain


def test_the_words_that_answer_are_styled_on_a_terminal_and_nothing_in_an_article_steers_it(
    home: Path,
) -> None:
    asked = (WHO, TURBINE, "Why does sourdough rise slowly?")
    Path("some.jsonl").write_text("\n".join(json.dumps({"question": one}) for one in asked), encoding="utf-8")
    with terminal("ask", "--explain", "--questions", "some.jsonl") as person:
        assert person.wait_for_end() == 0
    assert ANSWER.findall(person.raw) == ["Ebba Lind", "1988"]
    assert QUOTE in person.plain
    assert "“The turbine \ufffd]0;owned\ufffd at Wexholm was painted red in 1988.”" in person.plain
    assert "\x1b]0;owned" not in person.raw
    assert "\x1b[31mred" not in person.raw
    assert "\u202e" not in person.raw


def test_what_may_not_be_the_answer_is_not_styled_as_one(
    home: Path, footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert ANSWER.findall(footnote("ask", WHO).out) == ["Ebba Lind"]
    outcome = footnote("ask", "--answer-at", "1", WHO)
    assert "The articles may not answer this." in outcome.out
    assert QUOTE in outcome.out
    assert ANSWER.findall(outcome.out) == []


def test_without_a_terminal_the_words_that_answer_stand_as_they_are(home: Path, footnote: Footnote) -> None:
    assert footnote("ask", WHO).out.startswith(f"{QUOTE}\n")
    told = footnote("ask", TURBINE).out
    assert told.startswith("“The turbine \ufffd]0;owned\ufffd at Wexholm was painted red in 1988.”\n")
    assert "\x1b" not in told


def test_a_typed_chat_has_history_no_colours_with_no_color_and_ctrl_c_leaves_it(home: Path) -> None:
    with terminal("chat", NO_COLOR="1") as person:
        person.type(f"{WHO}\r")
        person.wait_for("how sure: ")
        person.type("\x1b[A\r")
        person.wait_for("how sure: ")
        assert person.plain.count(QUOTE) == 2
        person.type("\x03")
        assert person.wait_for_end() == 0
    assert not COLOUR.search(person.raw)
    assert ANSWER.findall(person.raw) == ["Ebba Lind"] * 2  # weight and line are no colours
    assert WHO in (home / ".footnote/history").read_text(encoding="utf-8")
    assert "Traceback" not in person.plain


def test_a_piped_chat_answers_line_by_line_until_it_is_told_to_quit(home: Path) -> None:
    (home / "articles/bad.txt").write_bytes(b"\xff")
    lines = [WHO, "", "/rebuild", "\x1b[31mWhen was the turbine painted red?", "/sources", "/status", "/nope"]
    feed = "\n".join([*lines, "/quit", "Why does sourdough rise slowly?"]).encode()
    outcome = finish(start("chat"), b"\xff \xc3\n" + feed)
    assert outcome.status == 0
    assert "\x1b" not in outcome.out + outcome.err
    assert outcome.out.count(QUOTE) == 1
    assert "bad.txt, line 1: not UTF-8" in outcome.out
    assert "The turbine \ufffd]0;owned\ufffd at Wexholm was painted red in 1988." in outcome.out
    assert "articles    3" in outcome.out
    assert "No such command" in outcome.out
    assert "Sourdough" not in outcome.out


def test_a_piped_chat_explains_rebuilds_swaps_and_ends_with_its_input(home: Path) -> None:
    (home / "articles/bell.txt").write_text("The bell was cast by Tove Dahl in Bergen.\n", encoding="utf-8")
    asked = ["/why", "Who kept the lihgthouse lamp?", "/why", "?!", "/why", "/rebuild", "Who cast the bell?"]
    outcome = finish(start("chat"), "\n".join(asked).encode())
    assert outcome.status == 0
    before, out = outcome.out.split("\n", 1)
    assert before == "Nothing is answered yet; ask a question first."
    explained, after = out.split(NOTHING)
    assert "  read: lihgthouse read as lighthouse\n" in explained
    assert_adds_up(explained.splitlines())
    assert "log-odds" not in after
    assert "1 article encoded, 3 reused" in after
    assert "“The bell was cast by Tove Dahl in Bergen.”\n  [1] bell · paragraph 1" in after
    assert "writing: 4 of 4" in outcome.err


@pytest.mark.parametrize("question", ["", " \t "])
def test_an_empty_question_is_told_apart_from_one_without_an_answer(
    home: Path, footnote: Footnote, question: str
) -> None:
    outcome = footnote("ask", question)
    assert (outcome.status, outcome.out) == (0, "That is empty. Ask a question about the articles.\n")


def test_what_is_in_an_article_or_a_question_cannot_steer_the_terminal(
    home: Path, footnote: Footnote
) -> None:
    outcome = footnote("ask", "\x1b]0;me\x07 \u202e \x9b31m What was painted red: the turbine at Wexholm?")
    assert outcome.status == 0
    assert "owned" in outcome.out
    shown = outcome.out + footnote("index", "show").out + footnote("index", "show", "--passages").out
    assert [one for one in shown if not one.isprintable() and one != "\n"] == []
    assert "The \ufffd[31mred\ufffd[0m \ufffd turbine" in shown


def test_a_question_without_an_answer_gets_no_quote(home: Path, footnote: Footnote) -> None:
    outcome = footnote("ask", "Which football club won the cup final in Lisbon?")
    assert outcome.out == "The articles do not seem to say.\n"
