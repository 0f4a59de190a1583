"""SECURITY.md: every boundary names a test, every test that it names is there, and no address is made up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
TABLE = TEXT.partition("| boundary |")[2]
ROWS = re.findall(r"^\| (?!\*\*|---)(.+) \|$", TABLE, re.MULTILINE)
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


def test_every_boundary_says_what_holds_it_and_names_a_test() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        boundary, holds, tests = row.split(" | ")
        assert boundary, row
        assert holds, row
        assert re.fullmatch(r"(`tests/[\w/]+\.py::test_\w+` ?)+", tests), row


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_test_that_is_named_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {name}\(", text, re.MULTILINE)


def test_whoever_reports_is_sent_to_no_address_that_nobody_reads() -> None:
    assert "security advisory" in TEXT
    assert not re.search(r"\S+@\S+\.\w+|https?://", TEXT)
