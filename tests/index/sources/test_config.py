"""sources.toml: what is accepted, and that editing it by command keeps what people wrote."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from index.errors import SettingsError
from index.sources.config import add_source, name_for, next_time, read_sources, remove_source

HAND_WRITTEN = """\
# The handbook's owner is Ina.
[handbook]
url = "https://docs.example.org/guide/"  # ends in a slash
follow = "sitemap"
every = "0 4 * * *"

[minutes]
path = "../minutes"
"""


def test_sources_are_added_and_removed_around_what_people_wrote(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(HAND_WRITTEN, encoding="utf-8")
    add_source(file, "news", {"url": "https://news.example.org/feed.xml", "every": "6h"})
    assert file.read_text(encoding="utf-8").startswith(HAND_WRITTEN)
    assert list(read_sources(file)) == ["handbook", "minutes", "news"]
    assert read_sources(file)["news"].every == "6h"
    remove_source(file, "minutes")
    assert "# The handbook's owner is Ina." in file.read_text(encoding="utf-8")
    assert list(read_sources(file)) == ["handbook", "news"]


def test_first_source_makes_the_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "sources.toml"
    assert read_sources(file) == {}
    add_source(file, "handbook", {"url": "https://docs.example.org/"})
    assert read_sources(file)["handbook"].limit == 1_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("handbook = 3", "a source begins with a line [handbook]"),
        ("[handbook]", "give either `url` or `path`"),
        ('[handbook]\nurl = "https://a.example/"\npath = "x"', "give either `url` or `path`"),
        ('[handbook]\nurl = "ftp://a.example/"', "[handbook] url: expected an address"),
        ('[handbook]\nurl = "https://me:secret@a.example/"', "[handbook] url: has a user name or password"),
        ('[handbook]\nurl = "https://a.example/"\nevery = "soon"', "expected a time such as 30m, 6h or 1d"),
        ('[handbook]\nurl = "https://a.example/"\nevery = "61 * * * *"', "cron line"),
        ('[handbook]\nurl = "https://a.example/"\nevery = "0h"', "at least 1m"),
        ('[handbook]\nurl = "https://a.example/"\ncolour = "red"', "colour"),
        ('["The Handbook"]\nurl = "https://a.example/"', "The Handbook"),
        ("[handbook", "cannot be read"),
    ],
)
def test_what_is_not_accepted_is_named_and_left_as_it_is(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_sources(file)
    assert reason in str(caught.value)
    assert str(file) in str(caught.value)
    with pytest.raises(SettingsError):
        add_source(file, "more", {"url": "https://b.example/"})
    assert file.read_text(encoding="utf-8") == text


def test_a_name_is_used_once(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    first = add_source(file, name_for("https://www.Example.org/a", {}), {"url": "https://example.org/a"})
    assert first.name == "example-org"
    assert name_for("https://example.org/b", read_sources(file)) == "example-org-2"
    assert name_for("/srv/Town minutes", read_sources(file)) == "town-minutes"
    with pytest.raises(SettingsError, match="choose another name"):
        add_source(file, "example-org", {"url": "https://example.org/b"})
    with pytest.raises(SettingsError, match="no source 'minutes'"):
        remove_source(file, "minutes")


def test_a_time_is_a_step_or_a_cron_line() -> None:
    last = datetime(2026, 11, 30, 9, 30)
    assert next_time("6h", last) == last + timedelta(hours=6)
    assert next_time("0 4 * * *", last) == datetime(2026, 12, 1, 4, 0)
    with pytest.raises(ValueError, match="cron line"):
        next_time("0 4 * *", last)
