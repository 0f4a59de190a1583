"""The catalogue: what is suggested for what somebody types, and which article a value names."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.service.catalogue import Catalogue
from index.storage.store import ArticleSummary, article_key


def summary(identity: str, title: str = "", author: str = "", publisher: str = "") -> ArticleSummary:
    return ArticleSummary(0, identity, title, author, publisher, "", "", 1, "")


ENTRIES = [
    summary("lamp", "The lamp on Gull Rock", "Mara Holt"),
    summary("2019/bread", "Bread without a clock", "Jon Vass", "The Oven Letter"),
    summary("rocks", "Rock pools"),
    summary("zoe", "Zoë’s “red” shamrock", "Åse Dahl"),
    summary("untitled-7", "7"),
    summary("rock-notes", "Sea"),
    summary("bread-2", "Bread without a clock"),
]
ALL = [entry.id for entry in ENTRIES]


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("", ALL),
        ("  \n ", ALL),
        ("rock", ["rocks", "lamp", "zoe", "rock-notes"]),
        ("ROCK P", ["rocks"]),
        ("gull  rock", ["lamp"]),
        ("rock gu", ["lamp"]),
        ("gull bread", []),
        ("ock", ["lamp", "2019/bread", "rocks", "zoe", "bread-2", "rock-notes"]),
        ("bread", ["2019/bread", "bread-2"]),
        ("zoe's \"RED", ["zoe"]),
        ("mara", ["lamp"]),
        ("ase", ["zoe"]),
        ("2019/", ["2019/bread"]),
        ("untitled", ["untitled-7"]),
        ("oven", []),
        ("(*[", []),
    ],
)
def test_titles_that_begin_with_it_come_first_then_words_then_the_rest(typed: str, ids: list[str]) -> None:
    assert [entry.id for entry in Catalogue(ENTRIES).suggest(typed)] == ids


@given(st.text(max_size=12), st.integers(-1, 30))
@example("k", 25)
@example("", 0)
def test_any_text_is_suggested_to_within_the_count_and_each_article_once(typed: str, count: int) -> None:
    entries = [summary(f"id-{number}", f"Keeper {number}") for number in range(40)]
    found = Catalogue(entries).suggest(typed, count)
    assert len(found) <= max(count, 0)
    assert len({entry.id for entry in found}) == len(found)
    assert typed.strip() or found == entries[: max(count, 0)]


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text(max_size=20)), max_size=12, unique_by=lambda row: row[0])
)
def test_every_article_is_found_by_its_key_its_id_and_its_title(rows: list[tuple[str, str]]) -> None:
    entries = [summary(identity, title) for identity, title in rows]
    catalogue = Catalogue(entries)
    assert list(catalogue) == entries
    assert len(catalogue) == len(entries)
    for entry in entries:
        assert catalogue.by_key(entry.key) == catalogue.find(entry.key) == catalogue.find(entry.id) == entry
        assert entry in catalogue.suggest(entry.title, len(entries))
        assert catalogue.find(entry.title) is not None


@pytest.mark.parametrize(
    ("value", "identity"),
    [
        ('ZOE\'S  "red" Shamrock ', "zoe"),
        ("bread without a clock", "2019/bread"),
        ("untitled-7", "untitled-7"),
        ("", None),
        ("Bread", None),
        ("\ud800", None),
    ],
)
def test_a_whole_title_names_the_first_article_that_has_it(value: str, identity: str | None) -> None:
    entry = Catalogue(ENTRIES).find(value)
    assert (entry.id if entry else None) == identity


def test_a_key_goes_before_an_id_and_an_id_before_a_title() -> None:
    key = article_key("lamp")
    lamp, other = summary("lamp", "lamp-2"), summary(key, "x")
    third = summary("lamp-2", key)
    catalogue = Catalogue([third, other, lamp])
    assert catalogue.find(key) == lamp
    assert catalogue.find("lamp-2") == third
    assert catalogue.by_key("lamp") is None


@given(st.text(st.characters()))
@example("\ud800")
def test_a_key_is_8_url_safe_characters_of_the_hash_of_the_id(identity: str) -> None:
    key = article_key(identity)
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()
    assert len(key) == 8
    assert base64.urlsafe_b64decode(key) == digest[:6]
