"""The list of articles: what is suggested for what somebody types, and which one a value names."""

from __future__ import annotations

import base64
import doctest
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import bot.service.catalogue
from bot.service.catalogue import ArticleLine, Catalogue, article_key
from index.storage.local import open_generation

LINES = [
    ArticleLine.of("lamp", "The lamp on Gull Rock", "Mara Holt"),
    ArticleLine.of("2019/bread", "Bread without a clock", "Jon Vass", "The Oven Letter"),
    ArticleLine.of("rocks", "Rock pools"),
    ArticleLine.of("zoe", "Zoë’s “red” shamrock", "Åse Dahl"),
    ArticleLine.of("untitled-7", ""),
    ArticleLine.of("bread-2", "Bread without a clock"),
]


def suggested(typed: str, count: int = 25) -> list[str]:
    return [line.id for line in Catalogue(LINES).suggest(typed, count)]


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("", ["lamp", "2019/bread", "rocks", "zoe", "untitled-7", "bread-2"]),
        ("  \n ", ["lamp", "2019/bread", "rocks", "zoe", "untitled-7", "bread-2"]),
        ("rock", ["rocks", "lamp", "zoe"]),
        ("ROCK P", ["rocks"]),
        ("gull  rock", ["lamp"]),
        ("rock gu", ["lamp"]),
        ("gull bread", []),
        ("ock", ["lamp", "2019/bread", "rocks", "zoe", "bread-2"]),
        ("bread", ["2019/bread", "bread-2"]),
        ("zoe's \"RED", ["zoe"]),
        ("mara", ["lamp"]),
        ("ase", ["zoe"]),
        ("2019/", ["2019/bread"]),
        ("untitled", ["untitled-7"]),
        ("oven", []),
        ("zzz", []),
    ],
)
def test_titles_that_begin_with_it_come_first_then_words_then_insides_then_ids_and_authors(
    typed: str, ids: list[str]
) -> None:
    assert suggested(typed) == ids


def test_an_id_or_author_comes_after_every_title_that_has_it() -> None:
    lines = [ArticleLine.of("tide", "Ebb"), ArticleLine.of("a", "Untidy"), ArticleLine.of("b", "Low tide")]
    found = Catalogue([*lines, ArticleLine.of("c", "Tide tables"), ArticleLine.of("d", "Foam", "Ada Tidely")])
    assert [line.id for line in found.suggest("tid")] == ["c", "b", "a", "tide", "d"]


@given(st.text(max_size=12), st.integers(-1, 30))
@example("k", 25)
@example("", 0)
def test_any_text_is_suggested_to_within_the_count_and_each_article_once(typed: str, count: int) -> None:
    lines = [ArticleLine.of(f"id-{number}", f"Keeper {number}") for number in range(40)]
    found = Catalogue(lines).suggest(typed, count)
    assert len(found) <= max(count, 0)
    assert len({line.id for line in found}) == len(found)
    assert typed.strip() or found == lines[: max(count, 0)]


def test_the_best_are_kept_where_there_are_more_than_asked_for() -> None:
    """Many that have it as a word or inside stand before the one that begins with it."""
    inside = [ArticleLine.of(f"inside-{number}", f"Shamrock {number}") for number in range(60)]
    words = [ArticleLine.of(f"word-{number}", f"The rock {number}") for number in range(60)]
    found = Catalogue([*inside, *words, ArticleLine.of("first", "Rock pools")])
    assert [line.id for line in found.suggest("rock", 3)] == ["first", "word-0", "word-1"]


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text(max_size=20)), max_size=12, unique_by=lambda one: one[0])
)
def test_every_article_is_found_by_its_key_its_id_and_its_whole_title(rows: list[tuple[str, str]]) -> None:
    lines = [ArticleLine.of(identity, title) for identity, title in rows]
    catalogue = Catalogue(lines)
    assert list(catalogue) == lines
    assert len(catalogue) == len(lines)
    for line in lines:
        assert catalogue.by_key(line.key) == line
        assert catalogue.find(line.key) == line
        assert catalogue.find(line.id) == line
        assert line in catalogue.suggest(line.label, len(lines))
        by_title = catalogue.find(line.title)
        assert by_title is not None or not line.title.strip()


def test_a_title_is_found_whatever_its_case_and_accents_and_the_first_of_equals_is_taken() -> None:
    catalogue = Catalogue(LINES)
    for value, identity in (
        ('ZOE\'S  "red" Shamrock ', "zoe"),
        ("bread without a clock", "2019/bread"),
        ("untitled-7", "untitled-7"),
    ):
        line = catalogue.find(value)
        assert line is not None
        assert line.id == identity
    for value in ("", "Bread", "The lamp on Gull", "nothing such", "\ud800"):
        assert catalogue.find(value) is None


def test_a_key_goes_before_an_id_and_an_id_before_a_title() -> None:
    """Somebody may name an article as another one's key; what a menu sends is the key."""
    key = article_key("lamp")
    one, other = ArticleLine.of("lamp", "lamp-2"), ArticleLine.of(key, "x")
    third = ArticleLine.of("lamp-2", key)
    catalogue = Catalogue([third, other, one])
    assert catalogue.find(key) == one
    assert catalogue.find("lamp-2") == third
    assert catalogue.by_key("lamp") is None


@given(st.text(st.characters()))
@example("\ud800")
def test_a_key_is_8_characters_that_fit_in_any_address_and_the_same_every_time(identity: str) -> None:
    key = article_key(identity)
    assert len(key) == 8
    assert key.isascii()
    assert key.replace("-", "a").replace("_", "a").isalnum()
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()
    assert base64.urlsafe_b64decode(key) == digest[:6]


def test_keys_of_many_articles_differ() -> None:
    assert len({article_key(f"news/{number}") for number in range(20_000)}) == 20_000


def test_the_catalogue_of_a_generation_is_its_articles_in_order(built: Path) -> None:
    generation = open_generation(built / ".footnote/index")
    catalogue = Catalogue.of(generation)
    articles = [generation.article(row) for row, _, _ in generation.article_rows()]
    generation.close()
    expected = [
        (one.id, one.title, one.author, one.publisher, one.url, one.published, len(one.paragraphs))
        for one in articles
    ]
    assert [
        (one.id, one.title, one.author, one.publisher, one.url, one.published, one.paragraphs)
        for one in catalogue
    ] == expected
    assert {one.paragraphs for one in catalogue} == {1, 2, 3}
    assert catalogue.suggest("bread")[0].url == "https://oven.example/clock"


def test_a_label_is_the_title_or_else_the_id() -> None:
    assert ArticleLine.of("a", "Title").label == "Title"
    assert ArticleLine.of("a", " \n").label == "a"


def test_the_example_of_the_module_holds() -> None:
    assert doctest.testmod(bot.service.catalogue) == (0, 2)


def test_it_is_imported_without_faiss_and_discord() -> None:
    code = "import sys, bot.service.catalogue; print(*sorted({'faiss', 'torch'} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
