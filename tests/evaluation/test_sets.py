"""Question sets: the layouts that are read, and all that is wrong told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluation.errors import QuestionSetError
from evaluation.session import sample
from evaluation.sets import read_sets, unseen
from index.errors import MissingError
from tests.evaluation.conftest import BEES, CLOCK, QUESTIONS, write_lines

GOOD = {"id": "q", "question": "When?", "answers": ["1968"], "answerable": True, "article": "clock"}


def test_a_folder_is_read_with_paragraphs_counted_from_one(harbour: Path) -> None:
    (found,) = read_sets([harbour])
    assert (found.name, found.source) == ("harbour", harbour / "articles")
    assert sorted(article.id for article in found.articles) == ["cheese", "clock", "ferry"]
    by_id = {question.id: question for question in found.questions}
    assert by_id["f1"].gold == (("ferry", 1),)
    assert (by_id["f2"].article, by_id["f2"].gold) == ("ferry", (("ferry", 2),))
    assert by_id["c1"].gold == (("cheese", 1), ("cheese", 2))
    assert (by_id["k2"].gold, by_id["k2"].answers) == ((), ())
    assert by_id["k2"].subjects == {"clock"}


def test_a_file_of_questions_is_read_with_its_one_article_which_need_not_be_named(bees: Path) -> None:
    (found,) = read_sets([bees])
    assert (found.name, len(found.articles)) == ("bees", 1)
    assert found.questions[0].gold == (("bees", 1),)
    assert found.questions[1].subjects == {"bees"}


def test_a_folder_of_articles_with_one_file_of_questions_is_a_set(bees: Path) -> None:
    (bees.parent / "clock.jsonl").write_text(write_lines(bees.parent / "x.jsonl", [CLOCK]).read_text())
    (bees.parent / "x.jsonl").unlink()
    with pytest.raises(QuestionSetError, match='has a paragraph but no "article"'):
        read_sets([bees.parent])
    (bees.parent / "clock.jsonl").unlink()
    (found,) = read_sets([bees.parent])
    assert (found.name, len(found.questions)) == (bees.parent.name, 2)


def test_articles_jsonl_goes_before_what_else_is_in_the_folder(harbour: Path) -> None:
    write_lines(harbour / "articles.jsonl", [CLOCK])
    write_lines(harbour / "questions.jsonl", [GOOD])
    (found,) = read_sets([harbour])
    assert [article.id for article in found.articles] == ["clock"]


def test_sets_of_one_name_are_told_apart_by_their_paths_and_one_named_twice_is_read_once(
    harbour: Path, tmp_path: Path
) -> None:
    again = tmp_path / "more/harbour"
    again.parent.mkdir()
    again.symlink_to(harbour)
    assert [one.name for one in read_sets([harbour, again, harbour])] == [str(harbour), str(again)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "nested too deep"),
        ({**GOOD, "id": None}, '"id" is not a string'),
        ({**GOOD, "id": True}, '"id" is not a string'),
        ({**GOOD, "question": " "}, '"question" is not a string that is not empty'),
        ({**GOOD, "answers": "1968"}, '"answers" is not a list of texts'),
        ({**GOOD, "answers": [1968]}, '"answers" is not a list of texts'),
        ({**GOOD, "answers": []}, '"answers" holds none'),
        ({**GOOD, "answers": ["?!"]}, '"answers" holds none'),
        ({**GOOD, "answerable": 1}, '"answerable" is not true or false'),
        ({key: value for key, value in GOOD.items() if key != "answerable"}, 'has no "answerable"'),
        ({**GOOD, "article": ["clock"]}, '"article" is not an id'),
        ({**GOOD, "article": "moon"}, "no article has the id 'moon'"),
        ({**GOOD, "paragraph": 2}, "paragraph 2 of 'clock' is not there: it has 0 to 1"),
        ({**GOOD, "paragraph": -1}, "not an article's id and a paragraph's number from 0"),
        ({**GOOD, "paragraph": True}, "not an article's id and a paragraph's number from 0"),
        ({**GOOD, "positives": [["clock"]]}, "not an article's id and a paragraph's number from 0"),
        ({**GOOD, "positives": "clock"}, '"positives" is not a list'),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_reason(tmp_path: Path, line: Any, told: str) -> None:
    write_lines(tmp_path / "articles.jsonl", [CLOCK])
    file = write_lines(tmp_path / "questions.jsonl", [{**GOOD, "id": "first"}, "", line])
    with pytest.raises(QuestionSetError) as refused:
        read_sets([tmp_path])
    assert f"{file}, line 3: " in str(refused.value)
    assert told in str(refused.value)
    assert refused.value.exit_status == 65


def test_everything_wrong_in_all_sets_is_told_at_once(harbour: Path, bees: Path, tmp_path: Path) -> None:
    write_lines(harbour / "questions.jsonl", [QUESTIONS[0], QUESTIONS[0], "{"])
    (harbour / "articles/clock.jsonl").write_bytes(b"\xff\n")
    bees.write_bytes(b"\xef\xbb\xbf\xff\n")
    with pytest.raises(QuestionSetError) as refused:
        read_sets([harbour, bees, tmp_path / "none"])
    problems = "\n".join(refused.value.problems)
    assert "no question set at" in problems
    assert "clock.jsonl, line 1: not UTF-8" in problems
    assert "questions.jsonl, line 2: the id 'f1' is taken" in problems
    assert "questions.jsonl, line 3: not JSON" in problems
    assert "bees.questions.jsonl, line 1: not UTF-8" in problems


def test_what_is_not_there_is_missing(harbour: Path, bees: Path, tmp_path: Path) -> None:
    (harbour / "questions.jsonl").unlink()
    (bees.parent / "bees.txt").unlink()
    (tmp_path / "lone.jsonl").write_text("")
    with pytest.raises(MissingError) as missing:
        read_sets([harbour, bees, tmp_path / "none", tmp_path / "lone.jsonl"])
    assert missing.value.exit_status == 69
    assert len(str(missing.value).splitlines()) == 4
    assert "holds no questions.jsonl" in str(missing.value)


def test_two_files_of_questions_or_two_articles_are_one_too_many(bees: Path) -> None:
    write_lines(bees.parent / "wasps.questions.jsonl", [])
    with pytest.raises(MissingError, match="name one of them"):
        read_sets([bees.parent])
    (bees.parent / "bees.md").write_text(BEES)
    with pytest.raises(MissingError, match="just one of"):
        read_sets([bees])


def test_a_set_without_questions_is_refused(bees: Path) -> None:
    bees.write_text("\n")
    with pytest.raises(QuestionSetError, match="holds no question"):
        read_sets([bees])


def test_articles_that_reported_sets_have_are_dropped_by_title_with_their_questions(
    harbour: Path, tmp_path: Path
) -> None:
    (found,) = read_sets([harbour])
    ferry = {"id": "boat", "title": "The Ferry of lower-mardle!", "text": "Another text on it."}
    write_lines(tmp_path / "articles.jsonl", [ferry])
    write_lines(tmp_path / "questions.jsonl", [{**GOOD, "article": "boat"}])
    (reported,) = read_sets([tmp_path])
    ((kept, dropped),) = unseen([reported], [found])
    assert dropped == 1
    assert sorted(article.id for article in kept.articles) == ["cheese", "clock"]
    assert [question.id for question in kept.questions] == ["c1", "c2", "k1", "k2"]
    assert kept.source is None
    assert unseen([], [found]) == [(found, 0)]
    with pytest.raises(QuestionSetError, match="harbour: nothing is left to fit to"):
        unseen([found], [found])


def test_a_sample_is_drawn_by_the_seed_and_stays_in_order(harbour: Path) -> None:
    (found,) = read_sets([harbour])
    drawn = sample(found, 4, 7)
    ids = [question.id for question in found.questions]
    positions = [ids.index(question.id) for question in drawn.questions]
    assert (len(positions), positions) == (4, sorted(positions))
    assert sample(found, 4, 7) == drawn
    assert sample(found, 100, 7) == sample(found, None, 7) == found
    assert len({sample(found, 4, seed).questions for seed in range(20)}) > 1
