"""The page: it needs nothing else, and lets no text of others act."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evaluation.report import check_report, write_report
from evaluation.runs import Run
from index.errors import MissingError
from tests.bot.conftest import WAIT, environment

LOADS = {"src", "srcset", "href", "xlink:href", "data", "action", "poster", "background", "formaction"}


class _Page(HTMLParser):
    """Gathers the tags of a page and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in LOADS]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture
def page(run: Run, tmp_path: Path) -> str:
    """Write a page on a run in which everything was answered, rightly or not."""
    answered = [
        replace(one, records=tuple(replace(record, verdict="answered") for record in one.records))
        for one in run.sets
    ]
    return write_report(replace(run, sets=tuple(answered)), tmp_path / "report").read_text(encoding="utf-8")


def test_the_page_loads_nothing(page: str) -> None:
    found = _Page(page)
    assert all(address.startswith("#") for address in found.loaded)
    assert all(address.startswith("#") for address in re.findall(r"url\(([^)]*)\)", page))
    assert not {"link", "iframe", "object", "embed", "base", "img"} & set(found.tags)
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_questions_and_quotes_are_shown_as_text_and_run_nothing(page: str) -> None:
    found = _Page(page)
    assert "script" not in found.tags
    assert found.handlers == []
    assert "&lt;script&gt;alert(&#39;quay&#39;)&lt;/script&gt;" in page


def test_a_set_with_a_hostile_name_is_escaped_too(run: Run, tmp_path: Path) -> None:
    named = replace(run, sets=tuple(replace(one, name="<b>$x^{</b>\ud800") for one in run.sets))
    text = write_report(named, tmp_path).read_text(encoding="utf-8")
    assert "<b>" not in text
    assert "&lt;b&gt;$x^{&lt;/b&gt;" in text


def test_the_page_has_tables_pictures_and_failures_of_each_set(page: str) -> None:
    assert page.count("<svg") == 3 * 2
    assert page.count("first quote holds the answer") == 2
    assert "Right, but held back, least sure first" in page
    assert "harbour" in page
    assert "bees" in page


def test_the_pictures_of_a_page_share_no_clipping_paths(page: str) -> None:
    paths = re.findall(r'<clipPath id="([^"]*)"', page)
    assert len(paths) == len(set(paths)) >= 6


def test_only_index_html_is_written_in_a_folder_that_is_there(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "index.html").write_text("old")
    write_report(run, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "notes.txt"]
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_file_cannot_hold_a_report(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("mine")
    with pytest.raises(MissingError, match="not a folder"):
        check_report(tmp_path / "report")


def test_without_matplotlib_it_is_told_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from pathlib import Path\n"
        "from evaluation.report import check_report\n"
        "from index.errors import FootnoteError\n"
        "try: check_report(Path('report'))\n"
        "except FootnoteError as error: print(error.exit_status, error)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=True,
        env=environment(PYTHONPATH=str(root)),
    )
    assert done.stdout.startswith("69 ")
    assert "pip install 'footnote[eval]'" in done.stdout
