"""A run as JSON and CSV, and two runs compared."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluation.comparing import compare
from evaluation.errors import RunError
from evaluation.failures import refused, wrong
from evaluation.records import Asked, Kind
from evaluation.runs import Run, SetRun, load_run
from evaluation.showing import show_comparisons, show_run
from evaluation.table_file import write_csv
from index.errors import MissingError
from index.search.calibration import FitError
from index.search.signals import JUDGED
from tests.evaluation.conftest import HOSTILE
from tests.evaluation.strategies import RECORD

FILE = Path("run.json")


def save(run: Run) -> dict[str, Any]:
    FILE.write_text(json.dumps(run.as_json(), allow_nan=False), encoding="utf-8")
    saved: dict[str, Any] = json.loads(FILE.read_text())
    return saved


def with_records(run: Run, *records: Asked) -> Run:
    return replace(run, sets=(SetRun("harbour", 1, records, run.sets[0].measures),))


def test_a_run_is_strict_json_and_its_records_come_back(run: Run) -> None:
    saved = save(run)
    assert load_run(FILE) == {one.name: one.records for one in run.sets}
    harbour = saved["sets"][0]
    assert harbour["questions"] == {"answerable": 5, "unanswerable": 2, "other": 5}
    assert set(harbour["measures"]["top_1"]) == {"value", "low", "high"}
    assert len(harbour["rows"]) == 12
    assert harbour["curves"]["risk_coverage"]["coverage"][-1] == pytest.approx(1)
    assert (saved["seed"], saved["encoder"]["name"]) == (1, "all-MiniLM-L6-v2")


def test_a_signal_that_is_no_number_is_null(run: Run) -> None:
    record = replace(RECORD, signals=(("near", math.inf), ("far", 1.0)))
    saved = save(with_records(run, record))
    assert saved["sets"][0]["rows"][0]["signals"] == {"near": None, "far": 1.0}
    (loaded,) = load_run(FILE)["harbour"]
    assert math.isnan(dict(loaded.signals)["near"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a run"),
        ("[]", "not a run"),
        ("[" * 100_000, "not a run"),
        ('{"format": 9}', "format 9"),
        (
            '{"format": 1, "sets": [{"name": "x", "rows": [{"signals": {}}]}]}',
            "row 0.set_name: Field required",
        ),
    ],
)
def test_what_is_no_run_is_refused(text: str, told: str) -> None:
    FILE.write_text(text)
    with pytest.raises(RunError, match=told) as raised:
        load_run(FILE)
    assert raised.value.exit_status == FitError.exit_status == 65


def test_a_row_with_an_impossible_answer_is_refused_and_a_file_not_there_is_missing(run: Run) -> None:
    save(with_records(run, replace(RECORD, confidence=1.5)))
    with pytest.raises(RunError, match="not a run"):
        load_run(FILE)
    with pytest.raises(MissingError, match="none cannot be read"):
        load_run(Path("none"))


def test_a_csv_has_a_row_for_each_asking_and_no_formula(run: Run) -> None:
    evil = replace(RECORD, question="=1+1", quotes=("-2 degrees, @noon",))
    write_csv(replace(run, sets=(*run.sets, *with_records(run, evil).sets)), Path("rows.csv"))
    with Path("rows.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 15
    assert (rows[-1]["question"], rows[-1]["quote"]) == ("'=1+1", "'-2 degrees, @noon")
    assert rows[3]["kind"] == "answerable"
    assert (rows[3]["right"], rows[3]["rank"]) == ("1", "1")
    signals = dict(run.sets[0].records[3].signals)
    assert signals.keys() == JUDGED.keys()
    assert {name: rows[3][f"signal {name}"] for name in signals} == {
        name: str(value) for name, value in signals.items()
    }


def test_the_worst_failures_come_first() -> None:
    red = replace(RECORD, quotes=("It is red.",))
    records = [
        replace(red, id="a", confidence=0.6),
        replace(red, id="b", confidence=0.9),
        replace(red, id="c", verdict="related"),
        replace(RECORD, id="d", kind=Kind.UNANSWERABLE, confidence=0.7),
        replace(RECORD, id="e", verdict="not_found", confidence=0.1),
        replace(RECORD, id="f", verdict="related", confidence=0.05),
        RECORD,
    ]
    assert [record.id for record in wrong(records)] == ["b", "d", "a"]
    assert [record.id for record in refused(records)] == ["f", "e"]


def test_a_run_compared_with_itself_has_no_difference(run: Run) -> None:
    found = compare(run.sets[0], run.sets[0].records, seed=1)
    assert (found.common, found.only_now, found.only_before, found.won, found.lost) == (12, 0, 0, (), ())
    assert {estimate.value for _, estimate in found.differences} <= {0, None}


def test_what_was_won_and_lost_is_told_question_by_question(run: Run) -> None:
    red = replace(RECORD, quotes=("It is red.",))
    declined = replace(RECORD, kind=Kind.UNANSWERABLE, gold=(), verdict="related")
    now = [replace(RECORD, id="1"), replace(red, id="2"), replace(declined, id="3"), replace(RECORD, id="4")]
    before = [
        replace(red, id="1"),
        replace(RECORD, id="2"),
        replace(declined, id="3", verdict="answered"),
        replace(RECORD, id="4", question="Another text?"),
    ]
    found = compare(SetRun("harbour", 1, tuple(now), ()), before, seed=1)
    assert (found.common, found.only_now, found.only_before) == (3, 1, 1)
    assert ([one.id for one in found.won], [one.id for one in found.lost]) == (["1", "3"], ["2"])
    differences = dict(found.differences)
    assert differences["quote_right"].value == 0
    assert differences["unanswerable_answered"].value == -1
    assert found.as_json()["won"] == [["1", "answerable"], ["3", "unanswerable"]]


def test_what_is_printed_is_for_people_and_cannot_steer_the_terminal(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = replace(
        RECORD, id="e", question="\x1b[31mRed [bold]now[/bold]?", verdict="related", confidence=0.2
    )
    show_run(with_records(run, evil))
    show_comparisons([compare(SetRun("harbour", 1, (evil,), ()), [replace(evil, quotes=())], seed=1)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "�[31mRed [bold]now[/bold]?" in out
    assert "first quote holds the answer" in out
    assert "right, but held back, least sure first (1 in all)" in out
    assert "won: 1" in out
    assert HOSTILE not in out
