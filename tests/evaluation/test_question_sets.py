"""Question sets: the layouts that are read, and every bad line named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluation.question_sets import QuestionSetError, holds_answer, read_questions, read_sets
from index.errors import MissingError
from tests.bot.conftest import ODD
from tests.evaluation.conftest import QUESTIONS, question, write_lines

GOOD = question("q", "When?", "1988", article="odd/1")


@pytest.mark.parametrize(
    ("quote", "answers", "right"),
    [
        ("It was built in 1911.", ["1911"], True),
        ("“The Harbour-Master’s” crane", ["the harbour master s"], True),
        ("It was built early.", ["1911", "early"], True),
        ("It was built in 1911.", ["1912"], False),
        ("built early in 1911 or so", ["They say it was built early in 1911, or so."], True),
        ("built early", ["They say it was built early."], False),  # too short a part of the answer
        ("", ["1911"], False),
        ("It was built.", ["—"], False),
        ("Straße 9, ÉCOLE", ["école"], True),
    ],
)
def test_a_quote_is_right_if_it_holds_an_answer_or_is_most_of_one(
    quote: str, answers: list[str], right: bool
) -> None:
    assert holds_answer(quote, answers) is right


def test_a_folder_is_read_with_its_articles(rock: Path) -> None:
    (found,) = read_sets([rock])
    assert (found.name, found.source) == ("rock", rock / "articles")
    assert sorted(article.id for article in found.articles) == ["bread", "lamp", "odd/1"]
    assert (found.questions[1].article, found.questions[1].paragraph) == ("lamp", 1)  # as article_id
    write_lines(rock / "articles.jsonl", [ODD])  # comes before articles/
    write_lines(rock / "questions.jsonl", [GOOD])
    (found,) = read_sets([rock])
    assert [article.id for article in found.articles] == ["odd/1"]


def test_a_question_file_beside_its_one_article_need_not_name_it(bees: Path) -> None:
    (found,) = read_sets([bees])
    assert (found.name, [one.article for one in found.questions]) == ("bees", ["bees", "bees"])
    assert [one.id for one in found.questions] == ["1", "2"]


def test_sets_with_the_same_name_are_named_by_their_paths(rock: Path, tmp_path: Path) -> None:
    other = tmp_path / "more/rock"
    other.parent.mkdir()
    other.symlink_to(rock)
    assert [one.name for one in read_sets([rock, other])] == [str(rock), str(other)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Invalid JSON"),
        ("[1]", "Input should be an object"),
        ("[" * 100_000, "Invalid JSON: recursion limit exceeded"),
        ({**GOOD, "id": True}, "id: Input should be a valid string"),
        ({**GOOD, "id": "first"}, "the id 'first' is used by a line above"),
        ({**GOOD, "question": " "}, "question: String should match pattern"),
        ({**GOOD, "answers": "1968"}, "answers: Input should be a valid array"),
        ({**GOOD, "answers": [1968]}, "answers: 0: Input should be a valid string"),
        ({**GOOD, "answers": ["?!"]}, "needs an answer with letters or digits"),
        ({**GOOD, "answerable": 1}, "answerable: Input should be a valid boolean"),
        ({"id": "q", "question": "When?"}, "answerable: Field required"),
        ({**GOOD, "article": ["odd/1"]}, "article: Input should be a valid string"),
        ({**GOOD, "article": "moon"}, "there is no article 'moon'"),
        ({**GOOD, "paragraph": 1}, "article 'odd/1' has no paragraph 1"),
        ({**GOOD, "paragraph": -1}, "paragraph: Input should be greater than or equal to 0"),
    ],
)
def test_a_bad_line_is_named_with_file_number_and_reason(tmp_path: Path, line: Any, reason: str) -> None:
    write_lines(tmp_path / "articles.jsonl", [ODD])
    file = write_lines(tmp_path / "questions.jsonl", [{**GOOD, "id": "first"}, "", line])
    with pytest.raises(QuestionSetError) as refused:
        read_sets([tmp_path])
    (problem,) = refused.value.problems
    assert problem.startswith(f"{file}, line 3: ")
    assert reason in problem
    assert refused.value.exit_status == 65


def test_all_bad_lines_of_all_sets_are_counted_and_twenty_are_shown(rock: Path, bees: Path) -> None:
    write_lines(rock / "questions.jsonl", [QUESTIONS[0], *["{"] * 30])
    bees.write_bytes(b"\xef\xbb\xbf\xff\n")
    with pytest.raises(QuestionSetError) as refused:
        read_sets([rock, bees])
    assert len(refused.value.problems) == 31
    assert f"{bees}, line 1: Invalid JSON" in refused.value.problems[-1]
    assert str(refused.value).splitlines()[-1].endswith("and 11 more")
    bees.write_text("\n")
    with pytest.raises(QuestionSetError, match="there are no questions"):
        read_questions(bees)


def test_what_is_missing_is_named(rock: Path, bees: Path, tmp_path: Path) -> None:
    (rock / "questions.jsonl").unlink()
    (tmp_path / "lone.jsonl").write_text("")
    (tmp_path / "bees.md").write_text("A second article beside the questions.")
    for path in (rock, bees, tmp_path / "none", tmp_path / "lone.jsonl"):
        with pytest.raises(MissingError, match=path.name) as missing:
            read_sets([path])
        assert missing.value.exit_status == 69


def test_questions_about_articles_of_other_sets_are_dropped_by_title(rock: Path, tmp_path: Path) -> None:
    boat = {"id": "boat", "title": "The Lamp on gull-rock!", "text": "Another text about it."}
    write_lines(tmp_path / "articles.jsonl", [boat])
    write_lines(tmp_path / "questions.jsonl", [{**GOOD, "article": "boat"}])
    found, reported = read_sets([rock, tmp_path])
    rest = found.without_articles_of([reported])
    assert [one.id for one in rest.questions] == ["b1", "b2", "o1", "o2", "b3"]
    with pytest.raises(QuestionSetError, match="rock: all its articles are in the reported sets too"):
        found.without_articles_of([found])
