"""Words to passages: the scores of SQLite's own bm25(), to the bit, and what the cap on places leaves out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.storage.checksums import block_sums
from index.storage.held import HeldFile
from index.storage.lexical import TOKENIZER, Postings, write_postings

COMMON = ["the", "of", "in"]
WORDS = [*COMMON, "otter", "otters", "river", "rivers", "Zoë", "weir", "mill", "mills", "1874", "x²"]
RARE = ["mill", "weir", "river mill", "zoe"]


def make_texts() -> list[tuple[str, str]]:
    """Make texts of which most have the common words and few the others, and their titles."""
    chance = np.random.default_rng(3)
    weights = np.asarray([8, 6, 5, *[1] * (len(WORDS) - 3)], dtype=float)
    rows = [
        (" ".join(chance.choice(WORDS, size, p=weights / weights.sum())), " ".join(chance.choice(WORDS, 2)))
        for size in chance.integers(1, 30, 400)
    ]
    return [*rows, ("", ""), ("…", "?")]


TEXTS = make_texts()


class Shelf:
    """A database of texts with its postings."""

    def __init__(self, home: Path) -> None:
        self.path = home / "postings.bin"
        self.database = sqlite3.connect(home / "texts.sqlite", isolation_level=None)
        self.database.executescript(
            "CREATE TABLE passages (id INTEGER PRIMARY KEY);"
            f"CREATE VIRTUAL TABLE passage_words USING fts5(text, title, content='', tokenize='{TOKENIZER}');"
        )
        self.database.execute("BEGIN")
        for row, (text, title) in enumerate(TEXTS):
            self.database.execute("INSERT INTO passages VALUES (?)", (row,))
            self.database.execute(
                "INSERT INTO passage_words (rowid, text, title) VALUES (?, ?, ?)", (row, text, title)
            )
        self.database.execute("COMMIT")
        write_postings(self.database, self.path)

    def query(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self.database.execute(sql, values).fetchall()

    def open(self, **options: int) -> Postings:
        return Postings(HeldFile(self.path), block_sums(self.path), len(TEXTS), self.query, **options)

    def bm25(self, phrases: Sequence[str], count: int) -> list[tuple[object, ...]]:
        """Return what SQLite finds."""
        return self.query(
            "SELECT rowid, -bm25(passage_words, 1.0, 0.5) AS score FROM passage_words "
            "WHERE passage_words MATCH ? ORDER BY score DESC, rowid LIMIT ?",
            " OR ".join(f'"{phrase}"' for phrase in phrases),
            count,
        )


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("postings"))
    with closing(shelf.database):
        yield shelf


@pytest.fixture(scope="module")
def postings(shelf: Shelf) -> Postings:
    return shelf.open()


phrases_of = st.lists(
    st.one_of(
        st.sampled_from([*WORDS, "zoe", "xyzzy", "otter river", "the mill", "of the of", "v1874"]),
        st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(" ".join),
    ),
    min_size=1,
    max_size=8,
)


@given(phrases=phrases_of, count=st.integers(1, 500))
def test_scores_are_those_of_bm25(shelf: Shelf, postings: Postings, phrases: list[str], count: int) -> None:
    """Single words to the bit; a phrase is added up in another order."""
    found, wanted = postings.best(phrases, count), shelf.bm25(phrases, count)
    assert len(found) == len(wanted)
    if all(" " not in phrase for phrase in phrases):
        assert found == wanted
    assert [score for _, score in found] == pytest.approx([score for _, score in wanted])


@given(terms=st.lists(phrases_of, min_size=1, max_size=3))
def test_terms_are_met_as_fts5_meets_them(shelf: Shelf, postings: Postings, terms: list[list[str]]) -> None:
    met = [{row for row, _ in shelf.bm25(term, len(TEXTS))} for term in terms]
    have = postings.have(range(len(TEXTS)), terms)
    assert [set(np.flatnonzero(column)) for column in have.T] == met
    assert postings.counts(terms) == list(map(len, met))
    assert {int(row) for rows in postings.having_all(terms) for row in rows} == set.intersection(*met)


@given(phrases=phrases_of, first=st.integers(0, 300), size=st.integers(0, 120))
def test_best_within_a_run_or_of_some_are_the_best_of_all_that_are_there(
    postings: Postings, phrases: list[str], first: int, size: int
) -> None:
    every = postings.best(phrases, len(TEXTS))
    run = range(first, first + size)
    assert postings.best(phrases, 1_000, within=run) == [one for one in every if one[0] in run]
    allowed = np.arange(len(TEXTS)) % 3 > 0
    assert postings.best(phrases, 20, allowed) == [one for one in every if allowed[one[0]]][:20]


@pytest.mark.parametrize("rare", RARE)
def test_above_the_cap_rare_words_choose_and_common_ones_weigh(shelf: Shelf, rare: str) -> None:
    """A passage that has the rare word keeps its whole score; one with common words alone is not chosen."""
    phrases = ["the", rare, "of", "in"]
    whole = dict(shelf.open().best(phrases, len(TEXTS)))
    (met,) = shelf.open().counts([[rare]])
    capped = shelf.open(most=met).best(phrases, len(TEXTS))
    having = np.flatnonzero(shelf.open().have(range(len(TEXTS)), [[rare]])[:, 0])
    assert {row for row, _ in capped} == set(having.tolist())
    assert dict(capped) == pytest.approx({row: whole[row] for row in having.tolist()})


def test_of_one_common_word_the_first_passages_are_looked_at(shelf: Shelf) -> None:
    having = np.flatnonzero(shelf.open().have(range(len(TEXTS)), [["the"]])[:, 0])
    found = shelf.open(most=20).best(["the", "of"], len(TEXTS))
    assert {row for row, _ in found} <= set(having.tolist()) | set(range(60))
    assert len(found) == 20
    assert shelf.open(most=20).counts([["the", "of"]])[0] <= len(TEXTS)


def test_many_phrases_are_looked_up_again(postings: Postings) -> None:
    """More than are kept at hand."""
    before = postings.best(["otter", "mill"], 9)
    assert postings.counts([[f"word{number}"] for number in range(1_000)]) == [0] * 1_000
    assert postings.best(["otter", "mill"], 9) == before


def test_file_of_another_database_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    cut = tmp_path / "postings.bin"
    cut.write_bytes(shelf.path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="places"):
        Postings(HeldFile(cut), block_sums(cut), len(TEXTS), shelf.query)
