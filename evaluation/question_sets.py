"""Question sets: questions with gold answers, beside the articles to ask them of.

A set is a folder with `questions.jsonl` and its articles, or a file `X.questions.jsonl` beside the article
file `X.txt`, `X.md` or the like. A question file is JSON Lines; all its bad lines are reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from index.articles.article import Article
from index.articles.formats import READERS, read_articles
from index.errors import FootnoteError, MissingError

__all__ = [
    "Question",
    "QuestionSet",
    "QuestionSetError",
    "holds_answer",
    "listing",
    "read_questions",
    "read_sets",
]

_SUFFIX = ".questions.jsonl"
_LISTED = 20  # lines of a message
_WORD = re.compile(r"[^\W_]+")
_LONG = 20  # characters above which a part of a gold answer counts as the answer

_Id = Annotated[str, Field(min_length=1), BeforeValidator(lambda id_: str(id_) if type(id_) is int else id_)]


class QuestionSetError(FootnoteError):
    """Question files have bad lines; `problems` names each: file, line number and reason."""

    exit_status = 65

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(listing("correct these questions; none was asked:", problems))


def listing(head: str, lines: Sequence[str]) -> str:
    """Return a message that lists lines below its head, at most 20 of them."""
    more = [f"and {len(lines) - _LISTED:,} more"] if len(lines) > _LISTED else []
    return "\n  ".join([head, *lines[:_LISTED], *more])


class Question(BaseModel, strict=True, frozen=True):
    """A question and its gold answers, as a line of a question file has them.

    The answer is in a `paragraph` of an `article` (an id), counted from 0, unlike everywhere else.
    """

    id: _Id
    text: str = Field(alias="question", pattern=r"\S")
    answerable: bool
    answers: tuple[str, ...] = ()
    article: _Id | None = Field(None, validation_alias=AliasChoices("article", "article_id"))
    paragraph: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _check_answers(self) -> Self:
        if self.answerable and not any(map(_normalise, self.answers)):
            raise ValueError("an answerable question needs an answer with letters or digits in 'answers'")
        return self


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions with the articles to ask them of, and the file or folder that these come from."""

    name: str
    source: Path
    articles: tuple[Article, ...]
    questions: tuple[Question, ...]

    def without_articles_of(self, others: Iterable[QuestionSet]) -> QuestionSet:
        """Return the set without its questions about articles that other sets have too, by their titles.

        Raises:
            QuestionSetError: no question is left.
        """
        titles = {_normalise(article.title) for other in others for article in other.articles}
        shared = {article.id for article in self.articles if _normalise(article.title) in titles}
        questions = tuple(question for question in self.questions if question.article not in shared)
        if not questions:
            raise QuestionSetError([f"{self.name}: all its articles are in the reported sets too"])
        return replace(self, questions=questions)


def holds_answer(quote: str, answers: Iterable[str]) -> bool:
    """Tell whether a quote holds a gold answer, or is a part of one and longer than 20 characters.

    Both are compared as lower-case words, as in SQuAD's exact match (Rajpurkar et al., 2016).
    """
    text = _normalise(quote)
    golds = filter(None, map(_normalise, answers))
    return any(gold in text or (len(text) > _LONG and text in gold) for gold in golds)


def _normalise(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def read_sets(paths: Iterable[Path]) -> list[QuestionSet]:
    """Read question sets, each named after its folder or file, or all by their paths if two names are equal.

    Raises:
        ArticleError: articles of a set cannot be read.
        MissingError: a file or folder does not exist.
        QuestionSetError: question files have bad lines; those of all sets are listed.
    """
    sets: list[QuestionSet] = []
    problems: list[str] = []
    for path in (paths := list(paths)):
        name, file, source = _locate(path)
        articles = read_articles(source).articles
        try:
            sets.append(QuestionSet(name, source, articles, read_questions(file, articles)))
        except QuestionSetError as error:
            problems += error.problems
    if problems:
        raise QuestionSetError(problems)
    if len({each.name for each in sets}) < len(sets):
        return [replace(each, name=str(path)) for each, path in zip(sets, paths, strict=True)]
    return sets


def _locate(path: Path) -> tuple[str, Path, Path]:
    """Return a set's name, its question file, and the file or folder of its articles."""
    if path.is_dir():
        choices = (path / "articles.jsonl", path / "articles")
        return path.resolve().name, path / "questions.jsonl", next(filter(Path.exists, choices), path)
    stem = path.name.removesuffix(_SUFFIX)
    beside = [file for file in map(path.with_name, (stem + suffix for suffix in READERS)) if file.exists()]
    if not path.exists() or stem == path.name or len(beside) != 1:
        raise MissingError(
            f"there is no question set at {path}: name a folder that has questions.jsonl, or a file "
            f"X{_SUFFIX} with one article file X.* beside it."
        )
    return stem, path, beside[0]


def read_questions(file: Path, articles: Sequence[Article] = ()) -> tuple[Question, ...]:
    """Read a question file; with `articles`, check that the places it names exist in them.

    Raises:
        MissingError: the file cannot be read.
        QuestionSetError: it has bad lines, or no question.
    """
    try:
        lines = file.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise MissingError(f"{file} cannot be read: {error.strerror}.") from error
    paragraphs = {article.id: len(article.paragraphs) for article in articles}
    questions: dict[str, Question] = {}
    problems = [] if any(map(bytes.strip, lines)) else [f"{file}: there are no questions"]
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                question = _located(Question.model_validate_json(line), paragraphs)
                if questions.setdefault(question.id, question) is not question:
                    raise ValueError(f"the id {question.id!r} is used by a line above")
        except ValidationError as error:
            first = error.errors()[0]
            reason = ": ".join([*map(str, first["loc"]), first["msg"].removeprefix("Value error, ")])
            problems.append(f"{file}, line {number}: {reason}")
        except ValueError as error:
            problems.append(f"{file}, line {number}: {error}")
    if problems:
        raise QuestionSetError(problems)
    return tuple(questions.values())


def _located(question: Question, paragraphs: dict[str, int]) -> Question:
    """Check a question's place against the paragraph count of each article; a single article is implied."""
    if len(paragraphs) == 1 and question.article is None:
        question = question.model_copy(update={"article": next(iter(paragraphs))})
    if paragraphs and question.article is not None:
        if question.article not in paragraphs:
            raise ValueError(f"there is no article {question.article!r}")
        if (question.paragraph or 0) >= paragraphs[question.article]:
            raise ValueError(f"article {question.article!r} has no paragraph {question.paragraph}, from 0")
    return question
