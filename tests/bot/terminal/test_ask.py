"""`footnote ask`: for people, and a line in, a line out, with `--questions FILE --json`."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.answering.quoting import make_answer
from bot.terminal.ask import cite, marked, show
from index.articles.blocks import BlockKind
from index.articles.marks import Mark, MarkKind
from index.terminal import printable
from tests.bot.answering.hits import FIT, found, make_hit
from tests.bot.conftest import Footnote, finish, start
from tests.strategies import hostile_text

Row = dict[str, Any]

WHO = "Who kept the lamp on Gull Rock?"
QUOTE = "“Ebba Lind kept the lamp on Gull Rock for thirty-one years.”"
SEPARATORS = "Who kept\u2028the\u0085lamp\non Gull Rock?\r\x0b\x1c"
OURS = "question verdict confidence quotes citations generation elapsed_ms".split()

# Each line of the file, a name for it, and the error that it gets, if any.
LINES: list[tuple[bytes | str, str, str]] = [
    (
        b'{"id": 7, "question": "Who kept the lamp on Gull Rock?", "more": {"a": [1, null, "\xc3\xa9"]}}\n',
        "lamp",
        "",
    ),
    (b"\n", "", ""),
    (b"  \t \r\n", "", ""),
    (b'{"question": "Who kept\n', "cut", "line 4: not JSON"),
    (b'[{"question": "x"}]\n', "list", "line 5: not a JSON object"),
    (b'{"id": "no question"}\n', "none", 'line 6: has no "question"'),
    (b'{"question": 5, "id": "number"}\n', "number", 'line 7: has no "question"'),
    (b'{"question": "\xff"}\n', "bytes", "line 8: not UTF-8"),
    (json.dumps({"question": "Why does sourdough rise?", **dict.fromkeys(OURS[1:], "mine")}), "ours", ""),
    ("\n" + json.dumps({"question": SEPARATORS, "id": SEPARATORS}, ensure_ascii=False), "separators", ""),
    ('\n{"question": "\\ud800 lamp \\udfff", "id": "\\ud800"}\n', "surrogates", ""),
    (b'{"question": "", "id": "empty"}\n', "empty", ""),
    (json.dumps({"question": "lamp " * 20_000}) + "\n", "long", ""),
    (b'{"question": "lamp\\u0000?", "id": 1.5}\r\n', "nul", ""),
    (b'{"question": "x", "id": NaN}\n', "nan", "line 15: not JSON"),
    (b'{"question": "x", "id": 1e999}\n', "infinite", "line 16: not JSON"),
    (b'{"question": "x", "id": ' + b"[" * 5000 + b"]" * 5000 + b"}\n", "deep", "line 17: not JSON"),
    (b"[" * 3_000_000 + b"\n", "deeper", "line 18: not JSON"),
    (b'{"question": "x", "id": ' + b"1" * 5000 + b"}\n", "digits", "line 19: not JSON"),
    (b"null\n", "null", "line 20: not a JSON object"),
    (b'{"question": "When was the turbine painted red?", "error": "mine"}', "last", ""),
]
NAMES = [name for _, name, _ in LINES if name]
BAD = {name: error for _, name, error in LINES if error}


@dataclass(frozen=True)
class Batch:
    """What the program made of the file."""

    home: Path
    status: int
    lines: list[str]
    err: str

    def row(self, name: str) -> Row:
        row: Row = json.loads(self.lines[NAMES.index(name)])
        return row


@pytest.fixture(scope="module")
def batch(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """Run the file through the real program, once."""
    file = tmp_path_factory.mktemp("batch") / "questions.jsonl"
    file.write_bytes(b"".join(line.encode() if isinstance(line, str) else line for line, *_ in LINES))
    index = str(built / ".footnote/index")
    outcome = finish(start("ask", "--json", "--index", index, "--questions", str(file)))
    return Batch(built, outcome.status, outcome.out.split("\n"), outcome.err)


def test_each_line_gets_one_line_of_strict_ascii_json_in_order(batch: Batch) -> None:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    *lines, last = batch.lines
    assert (len(lines), last) == (len(NAMES), "")
    for line in lines:
        assert line.splitlines() == [line]
        assert line.isascii()
        assert isinstance(json.loads(line, parse_constant=refuse), dict)
    ids = [batch.row(name).get("id") for name in ("lamp", "number", "separators", "surrogates", "nul")]
    assert ids == [7, "number", SEPARATORS, "\ud800", 1.5]


@pytest.mark.parametrize(("name", "error"), BAD.items())
def test_bad_line_gets_an_error_object_with_its_number_and_keys(batch: Batch, name: str, error: str) -> None:
    row = batch.row(name)
    assert row["error"].startswith(error)
    assert set(row) - {"id"} == {"question", "error"}
    if name in {"none", "number"}:
        assert (row["id"], row["question"]) in {("no question", None), ("number", 5)}


def test_bad_lines_end_the_run_with_65_once_the_others_are_answered(batch: Batch) -> None:
    assert batch.status == 65
    expected = f"footnote: {len(BAD)} lines could not be asked; the others were answered."
    assert batch.err.startswith(expected)
    assert batch.row("last")["verdict"] == "answered"


def test_keys_of_the_line_come_back_and_ours_win(batch: Batch) -> None:
    assert batch.row("lamp")["more"] == {"a": [1, None, "é"]}
    assert batch.row("last")["error"] == "mine"
    assert "mine" not in batch.row("ours").values()
    assert set(batch.row("ours")) == set(OURS)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("separators", SEPARATORS),
        ("surrogates", "\ud800 lamp \udfff"),
        ("empty", ""),
        ("long", "lamp " * 20_000),
        ("nul", "lamp\x00?"),
    ],
)
def test_odd_questions_come_back_to_the_letter(batch: Batch, name: str, question: str) -> None:
    row = batch.row(name)
    assert row["question"] == question
    assert row["verdict"] in {"answered", "related", "not_found"}
    assert name != "separators" or row["quotes"][0]["text"] == QUOTE.strip("“”")


def test_quotes_and_passages_are_slices_of_what_index_show_prints(
    batch: Batch, footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(batch.home)
    articles = {
        row["id"]: row for row in map(json.loads, footnote("index", "show", "--json").out.splitlines())
    }
    answers = [row for row in map(batch.row, NAMES) if row.get("citations")]
    assert len(answers) >= 6
    for answer in answers:
        for quote, citation in zip(answer["quotes"], answer["citations"], strict=True):
            assert quote["citation"] == citation["number"]
            article = articles[citation["article"]]
            text = article["heading"] if quote["paragraph"] == 0 else article["text"]
            assert text[quote["start"] : quote["end"]] == quote["text"]
            assert text[citation["start"] : citation["end"]] == citation["passage"]
            assert article["title"] == citation["title"]
            if quote["paragraph"]:
                paragraph = article["paragraphs"][quote["paragraph"] - 1]
                assert paragraph["start"] <= quote["start"] < quote["end"] <= paragraph["end"]


# ---- for people


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ([WHO], [QUOTE, "  [1] The lamp on Gull Rock · Mara Holt · paragraph 2", "  confidence: "]),
        (["--answer-at", "1", WHO], ["The articles may not answer this. Closest passages:", QUOTE]),
        (["Which football club won the cup final in Lisbon?"], ["The articles do not seem to say."]),
        ([" \t "], ["Footnote answers from its articles"]),
        (["--explain", "hi there!"], ["Footnote answers from its articles"]),
        (["Thank you!"], ["Ask whenever you like."]),
        (["list all articles"], ["Footnote can only quote", "The articles do not seem to say."]),
        (
            ["Wo ist der Verein?"],
            ["Diese Artikel sind auf Englisch.", "The articles do not seem to say."],
        ),
    ],
)
def test_answer_for_people_begins_with_what_its_verdict_says(
    home: Path, footnote: Footnote, arguments: list[str], lines: list[str]
) -> None:
    outcome = footnote("ask", *arguments)
    assert (outcome.status, outcome.err) == (0, "")
    shown = outcome.out.splitlines()
    assert [line[: len(start)] for line, start in zip(shown, lines, strict=False)] == lines
    assert len(lines) == 2 or len(shown) == len(lines)


def test_batch_for_people_has_each_question_as_a_heading_and_bad_lines_as_errors(
    home: Path, footnote: Footnote
) -> None:
    lines = f'\ufeff{{"question": "\\u001b[31m{WHO}"}}\n[]\n{{"question": " "}}\n'
    Path("mixed.jsonl").write_text(lines, encoding="utf-8")
    outcome = footnote("ask", "--questions", "mixed.jsonl")
    assert outcome.status == 65
    assert outcome.err.splitlines()[0] == "footnote: line 2: not a JSON object"
    shown = outcome.out.splitlines()
    assert shown[1:3] == [f"\ufffd[31m{WHO}", QUOTE]
    assert shown[-1].startswith("Footnote answers from its articles")


def test_explanation_is_part_of_the_json_where_it_is_asked_for(home: Path, footnote: Footnote) -> None:
    row = json.loads(footnote("ask", "--json", "--explain", WHO).out)
    assert list(row) == [*OURS, "explanation"]
    assert row["explanation"]["hits"][0]["citation"] == 1


def test_json_has_the_parts_of_a_question_and_the_remark_on_a_message(home: Path, footnote: Footnote) -> None:
    row = json.loads(footnote("ask", "--json", f"{WHO} And why does sourdough rise slowly?").out)
    assert list(row) == [*OURS, "parts"]
    assert [part["verdict"] for part in row["parts"]] == ["answered", "answered"]
    assert [
        (quote["citation"], row["citations"][at]["number"]) for at, quote in enumerate(row["quotes"])
    ] == [
        (1, 1),
        (2, 2),
    ]
    assert [citation["article"] for citation in row["citations"]] == ["lamp", "bread"]
    row = json.loads(footnote("ask", "--json", "Hello!").out)
    assert (row["verdict"], row["quotes"], row["remark"]) == ("not_found", [], "help")


def test_a_citation_has_the_headings_above_the_quote() -> None:
    heading, text = (BlockKind.HEADING, "0 Recovery \x1b codes"), "0.9 Print them."
    answer = make_answer(WHO, found(make_hit("0 Codes.", heading, text)), FIT, "1")
    assert cite(answer.citations[0]) == (
        "[1] One › Recovery \ufffd codes · Ann · Press · paragraph 3 · https://one.example"
    )


def test_a_citation_has_its_page_before_the_paragraph() -> None:
    hit = make_hit("0 Fog.", "0.9 Oil.")
    article = replace(hit.article, pages=(0, 6))
    answer = make_answer(WHO, found(replace(hit, article=article)), FIT, "1")
    assert (
        cite(answer.citations[0])
        == "[1] One · Ann · Press · page 2, paragraph 2 · https://one.example#page=2"
    )


def _printed(show_on: Callable[[Console], None], *, is_terminal: bool = False) -> str:
    colours: Literal["truecolor", "auto"] = "truecolor" if is_terminal else "auto"
    console = Console(file=(file := io.StringIO()), force_terminal=is_terminal, color_system=colours)
    show_on(console)
    return file.getvalue()


def test_rows_have_their_header_above_and_what_is_left_out_below() -> None:
    rows = [(BlockKind.ROW, f"0 {number} {'rope ' * 18}end") for number in range(10, 20)]
    hit = make_hit((BlockKind.HEADING, "0.9 Ropes"), (BlockKind.HEADER, "0 Rope / End\x1b"), *rows)
    answer = make_answer(WHO, found(hit), FIT, "1")
    header, first, *_, left_out, _, _ = _printed(lambda console: show(console, answer)).splitlines()
    assert (header, left_out) == ("  Rope / End\ufffd", "  and 1 more item")
    assert first.startswith("“10 rope")


_MARKS = st.tuples(st.sampled_from(get_args(MarkKind)), st.integers(0, 40), st.integers(0, 40))


@given(hostile_text(most=20), st.lists(_MARKS, max_size=5), st.booleans())
def test_marks_are_styles_and_links_on_a_terminal_only(
    text: str, drawn: list[tuple[MarkKind, int, int]], is_terminal: bool
) -> None:
    address = "https://a.example/%20"
    styled = marked(text, [Mark(kind, start, end, address) for kind, start, end in drawn], 0)
    shown = _printed(lambda console: console.print(styled, soft_wrap=True, end=""), is_terminal=is_terminal)
    assert is_terminal or "\x1b" not in shown
    plain = re.sub(rf"\x1b\[[\d;]*m|\x1b\]8;[^;]*;(?:{address})?\x1b\\", "", shown)
    # A tab reaches to the next stop, which counts the columns that letters take.
    spaced, expected = (re.sub(r"[\t ]+", " ", each) for each in (plain, printable(text)))
    assert spaced == expected


def test_nothing_in_an_article_or_a_question_can_control_the_terminal(home: Path, footnote: Footnote) -> None:
    outcome = footnote("ask", "\x1b]0;me\x07 \u202e \x9b31m What was painted red: the turbine at Wexholm?")
    assert outcome.status == 0
    assert "owned" in outcome.out
    shown = outcome.out + footnote("index", "show").out + footnote("index", "show", "--passages").out
    assert [letter for letter in shown if not letter.isprintable() and letter != "\n"] == []
    assert "The \ufffd[31mred\ufffd[0m \ufffd turbine" in shown
