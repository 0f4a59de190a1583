"""Files to question sets: articles, and questions with gold answers; everything wrong is told at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.errors import QuestionSetError
from evaluation.judging import plain
from evaluation.questions import Question, WrongLineError, parse_question, placed
from index.articles.article import Article
from index.articles.formats import READERS, read_articles
from index.errors import ArticleError, MissingError

__all__ = ["QuestionSet", "read_questions", "read_sets", "unseen"]

_SUFFIX = ".questions.jsonl"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions, and the articles to ask them of; `source` is their file or folder, where it has no other."""

    name: str
    source: Path | None
    articles: tuple[Article, ...]
    questions: tuple[Question, ...]


def read_sets(paths: Sequence[Path]) -> list[QuestionSet]:
    """Read the sets at some paths: folders, or files of questions with their article beside them.

    A set is named after its folder or file; where two would have the same name, by their paths.

    Raises:
        MissingError: something is not there.
        QuestionSetError: a set cannot be asked; every problem of all of them is listed.
    """
    missing: list[str] = []
    problems: list[str] = []
    sets = []
    for path in dict.fromkeys(paths):
        try:
            sets.append(_read_set(path, problems))
        except MissingError as error:
            missing.append(str(error))
    if problems:
        raise QuestionSetError([*missing, *problems])
    if missing:
        raise MissingError("\n".join(missing))
    names = [one.name for one in sets]
    renamed = zip(dict.fromkeys(paths), sets, strict=True)
    return [replace(one, name=str(path)) if names.count(one.name) > 1 else one for path, one in renamed]


def unseen(
    reported: Sequence[QuestionSet], fitted_to: Sequence[QuestionSet]
) -> list[tuple[QuestionSet, int]]:
    """Return the sets to fit to without the articles that the reported ones have too, and how many those are.

    Articles are the same when their titles are, by letters and digits. Their questions are dropped with them.

    Raises:
        QuestionSetError: nothing is left of a set.
    """
    titles = {plain(article.title) for one in reported for article in one.articles} - {""}
    found = [_without(one, titles) for one in fitted_to]
    empty = [
        f"{one.name}: nothing is left to fit to, since the reported sets have its articles too"
        for one, _ in found
        if not one.articles or not one.questions
    ]
    if empty:
        raise QuestionSetError(empty)
    return found


def _without(questions: QuestionSet, titles: Collection[str]) -> tuple[QuestionSet, int]:
    dropped = {article.id for article in questions.articles if plain(article.title) in titles}
    if not dropped:
        return questions, 0
    kept = replace(
        questions,
        source=None,
        articles=tuple(one for one in questions.articles if one.id not in dropped),
        questions=tuple(one for one in questions.questions if not one.subjects & dropped),
    )
    return kept, len(dropped)


def _read_set(path: Path, problems: list[str]) -> QuestionSet:
    name, file, source = _locate(path)
    try:
        articles = read_articles(source).articles
    except ArticleError as error:
        problems.extend(error.problems)
        articles = ()
    paragraphs = {article.id: len(article.paragraphs) for article in articles}
    return QuestionSet(name, source, articles, _questions(file, paragraphs, problems))


def read_questions(file: Path) -> tuple[Question, ...]:
    """Read a file of questions by itself; whether the articles that they name are there is not looked at.

    Raises:
        MissingError: it cannot be read.
        QuestionSetError: a line is no question; every one that is wrong is listed.
    """
    problems: list[str] = []
    found = _questions(file, {}, problems)
    if problems:
        raise QuestionSetError(problems)
    return found


def _questions(file: Path, paragraphs: dict[str, int], problems: list[str]) -> tuple[Question, ...]:
    """Return the questions of a file, checked against the articles where these are known."""
    questions: dict[str, Question] = {}
    for number, line in _lines(file, problems):
        where = f"{file}, line {number}"
        try:
            question = parse_question(line)
            if question.id in questions:
                raise WrongLineError(f"the id {question.id!r} is taken by a line above")
            questions[question.id] = placed(question, paragraphs) if paragraphs else question
        except WrongLineError as wrong:
            problems.append(f"{where}: {wrong}")
    if not questions and not problems:
        problems.append(f"{file}: holds no question")
    return tuple(questions.values())


def _locate(path: Path) -> tuple[str, Path, Path]:
    """Return a set's name, its file of questions, and the file or folder of its articles."""
    if path.is_dir():
        found = [path / "questions.jsonl"]
        if not found[0].exists():
            found = sorted(path.glob(f"*{_SUFFIX}"))
        if len(found) != 1:
            more = f"{len(found)} files *{_SUFFIX}: name one of them" if found else "no questions.jsonl"
            raise MissingError(f"{path}: holds {more}.")
        choices = (path / "articles.jsonl", path / "articles")
        source = next((choice for choice in choices if choice.exists()), path)
        return path.resolve().name, found[0], source
    if not path.exists():
        raise MissingError(f"no question set at {path}: name a folder, or a file X{_SUFFIX}.")
    stem = path.name.removesuffix(_SUFFIX)
    beside = [path.with_name(stem + suffix) for suffix in READERS]
    there = [file for file in beside if file.exists() and path.name.endswith(_SUFFIX)]
    if len(there) != 1:
        raise MissingError(
            f"{path}: a file of questions is called X{_SUFFIX}, with its article beside it as just one of "
            f"{', '.join(f'X{suffix}' for suffix in READERS)}."
        )
    return stem, path, there[0]


def _lines(file: Path, problems: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers."""
    try:
        data = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise MissingError(f"{file} cannot be read: {error.strerror}.") from error
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            problems.append(f"{file}, line {number}: not UTF-8; save it as UTF-8")
            continue
        if text.strip():
            yield number, text
