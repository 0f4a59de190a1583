"""`footnote ask --questions FILE --json`: a line in, a line out."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.bot.conftest import FOOTNOTE, WAIT, Footnote, environment

Row = dict[str, Any]

SEPARATORS = "Who kept\u2028the\u0085lamp\non Gull Rock?\r\x0b\x1c"
OURS = "question verdict confidence quotes citations generation elapsed_ms".split()

# Each line of the file, and what its answer is looked up by in the tests.
LINES: list[tuple[bytes | str, str]] = [
    (
        b'{"id": 7, "question": "Who kept the lamp on Gull Rock?", "more": {"a": [1, null, "\xc3\xa9"]}}\n',
        "lamp",
    ),
    (b"\n", ""),
    (b"  \t \r\n", ""),
    (b'{"question": "Who kept\n', "cut"),
    (b'[{"question": "x"}]\n', "list"),
    (b'{"id": "no question"}\n', "none"),
    (b'{"question": 5, "id": "number"}\n', "number"),
    (b'{"question": "\xff"}\n', "bytes"),
    (json.dumps({"question": "Why does sourdough rise slowly?", **dict.fromkeys(OURS[1:], "mine")}), "ours"),
    ("\n" + json.dumps({"question": SEPARATORS, "id": SEPARATORS}, ensure_ascii=False), "separators"),
    ('\n{"question": "\\ud800 lamp \\udfff", "id": "\\ud800"}\n', "surrogates"),
    (b'{"question": "", "id": "empty"}\n', "empty"),
    (json.dumps({"question": "lamp " * 20_000}) + "\n", "long"),
    (b'{"question": "lamp\\u0000?", "id": 1.5}\r\n', "nul"),
    (b'{"question": "x", "id": NaN}\n', "nan"),
    (b'{"question": "x", "id": 1e999}\n', "infinite"),
    (b'{"question": "x", "id": ' + b"[" * 5000 + b"]" * 5000 + b"}\n", "deep"),
    (b'{"question": "x", "id": ' + b"1" * 5000 + b"}\n", "digits"),
    (b"null\n", "null"),
    (b'{"question": "When was the turbine painted red?", "error": "mine"}', "last"),
]
NAMES = [name for _, name in LINES if name]


@dataclass(frozen=True)
class Batch:
    """What the program made of the file."""

    home: Path
    status: int
    lines: list[str]
    err: str

    def row(self, name: str) -> Row:
        found: Row = json.loads(self.lines[NAMES.index(name)])
        return found


@pytest.fixture(scope="module")
def batch(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """Run the file through the real program, once."""
    file = tmp_path_factory.mktemp("batch") / "questions.jsonl"
    file.write_bytes(b"".join(line.encode() if isinstance(line, str) else line for line, _ in LINES))
    done = subprocess.run(
        [FOOTNOTE, "ask", "--json", "--questions", file],
        cwd=built,
        capture_output=True,
        timeout=WAIT,
        check=False,
        env=environment(),
    )
    return Batch(built, done.returncode, done.stdout.decode("ascii").split("\n"), done.stderr.decode())


def test_each_line_that_is_not_blank_gets_one_line_in_order(batch: Batch) -> None:
    assert len(batch.lines) == len(NAMES) + 1
    assert batch.lines[-1] == ""
    assert [batch.row(name).get("id") for name in ("lamp", "number", "separators", "empty", "nul")] == [
        7,
        "number",
        SEPARATORS,
        "empty",
        1.5,
    ]


def test_every_line_is_one_line_for_any_reader(batch: Batch) -> None:
    for line in batch.lines:
        assert len(line.splitlines()) <= 1
        assert line.isascii()


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_json_to_the_letter_of_the_standard(batch: Batch, name: str) -> None:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    assert isinstance(json.loads(batch.lines[NAMES.index(name)], parse_constant=refuse), dict)


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("cut", 4, "not JSON"),
        ("list", 5, "not a JSON object"),
        ("none", 6, 'has no "question"'),
        ("number", 7, 'has no "question"'),
        ("bytes", 8, "not UTF-8"),
        ("deep", 17, "not JSON"),
        ("digits", 18, "not JSON"),
        ("null", 19, "not a JSON object"),
    ],
)
def test_a_bad_line_gets_an_error_object_that_names_it(
    batch: Batch, name: str, line: int, reason: str
) -> None:
    row = batch.row(name)
    assert row["error"].startswith(f"line {line}: {reason}")
    assert set(row) - {"id"} == {"question", "error"}


def test_a_bad_line_keeps_the_keys_that_it_had(batch: Batch) -> None:
    assert (batch.row("none")["id"], batch.row("none")["question"]) == ("no question", None)
    assert (batch.row("number")["id"], batch.row("number")["question"]) == ("number", 5)


def test_bad_lines_end_the_run_with_65_once_the_others_are_answered(batch: Batch) -> None:
    assert batch.status == 65
    assert batch.err.startswith("footnote: ")
    assert "could not be asked; the others were answered" in batch.err
    assert batch.row("last")["verdict"] == "answered"


def test_keys_of_the_line_come_back_as_they_were(batch: Batch) -> None:
    assert batch.row("lamp")["more"] == {"a": [1, None, "é"]}
    assert batch.row("last")["error"] == "mine"


def test_a_key_of_ours_wins(batch: Batch) -> None:
    row = batch.row("ours")
    assert "mine" not in row.values()
    assert (row["verdict"], set(row)) == ("answered", set(OURS))


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
    assert "error" not in row
    assert row["verdict"] in {"answered", "related", "not_found"}


def test_separators_in_a_question_do_not_hide_the_answer(batch: Batch) -> None:
    assert (
        batch.row("separators")["quotes"][0]["text"]
        == "Ebba Lind kept the lamp on Gull Rock for thirty-one years."
    )


def test_types_are_those_of_the_design(batch: Batch) -> None:
    row = batch.row("lamp")
    assert type(row["confidence"]) is float
    assert type(row["elapsed_ms"]) is float
    assert [type(row["quotes"][0][key]) for key in ("citation", "paragraph", "start", "end")] == [int] * 4
    citation = row["citations"][0]
    assert [type(citation[key]) for key in ("number", "paragraph", "start", "end")] == [int] * 4
    assert (type(citation["score"]), citation["url"]) == (float, None)
    assert [one["number"] for one in row["citations"]] == [1, 2, 3]


def test_quotes_and_passages_slice_back_out_of_what_index_show_prints(
    batch: Batch, footnote: Footnote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(batch.home)
    shown = [json.loads(line) for line in footnote("index", "show", "--json").out.splitlines()]
    articles = {row["id"]: row for row in shown}
    rows = [batch.row(name) for name in NAMES]
    answers = [row for row in rows if row.get("citations") and row["citations"] != "mine"]
    assert len(answers) >= 6
    for answer in answers:
        for quote, citation in zip(answer["quotes"], answer["citations"], strict=True):
            assert quote["citation"] == citation["number"]
            article = articles[citation["article"]]
            text = article["heading"] if quote["paragraph"] == 0 else article["text"]
            assert text[quote["start"] : quote["end"]] == quote["text"]
            assert text[citation["start"] : citation["end"]] == citation["passage"]
            assert article["title"] == citation["title"]
            assert_in_paragraph(article, quote)


def assert_in_paragraph(article: Row, quote: Row) -> None:
    if quote["paragraph"]:
        paragraph = article["paragraphs"][quote["paragraph"] - 1]
        assert paragraph["number"] == quote["paragraph"]
        assert paragraph["start"] <= quote["start"] < quote["end"] <= paragraph["end"]


def test_a_file_without_bad_lines_ends_with_0(home: Path, footnote: Footnote) -> None:
    Path("good.jsonl").write_text(
        '\ufeff{"question": "Who kept the lamp on Gull Rock?"}\n\n', encoding="utf-8"
    )
    outcome = footnote("ask", "--json", "--questions", "good.jsonl")
    assert (outcome.status, outcome.err) == (0, "")
    assert json.loads(outcome.out)["verdict"] == "answered"


def test_for_people_each_question_stands_above_its_answer_and_bad_lines_on_standard_error(
    home: Path, footnote: Footnote
) -> None:
    Path("mixed.jsonl").write_text(
        '{"question": "\\u001b[31mWho kept the lamp on Gull Rock?"}\n[]\n{"question": " "}\n',
        encoding="utf-8",
    )
    outcome = footnote("ask", "--questions", "mixed.jsonl")
    assert outcome.status == 65
    assert outcome.err.splitlines()[0] == "footnote: line 2: not a JSON object"
    shown = outcome.out.splitlines()
    assert shown[1:3] == [
        "\ufffd[31mWho kept the lamp on Gull Rock?",
        "“Ebba Lind kept the lamp on Gull Rock for thirty-one years.”",
    ]
    assert shown[-1] == "That is empty. Ask a question about the articles."
