"""A line of a questions file to a question, checked; places are counted from 1 from here on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from evaluation.judging import plain
from evaluation.records import Place

__all__ = ["Question", "WrongLineError", "parse_question", "placed"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question; `gold` are the paragraphs, from 1, that hold one of the `answers`, where that is known."""

    id: str
    text: str
    answers: tuple[str, ...]
    answerable: bool
    article: str | None
    gold: tuple[Place, ...]

    @property
    def subjects(self) -> frozenset[str]:
        """The ids of the articles that it is about."""
        return frozenset({place[0] for place in self.gold} | ({self.article} if self.article else set()))


class WrongLineError(Exception):
    """Why a line is no question; `sets` says in which file and line."""


def parse_question(line: str) -> Question:
    """Return the question of a line of JSON.

    Raises:
        WrongLineError: it is none.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WrongLineError(
            f"not JSON: {getattr(error, 'msg', 'nested too deep, or a number too long')}"
        ) from error
    if not isinstance(row, dict):
        raise WrongLineError("not a JSON object")
    answerable = _field(row, "answerable", lambda value: isinstance(value, bool), "true or false")
    answers = _field(row, "answers", _is_texts, "a list of texts")
    article = row.get("article") if row.get("article") is not None else row.get("article_id")
    if answerable and not any(map(plain, answers)):
        raise WrongLineError('"answerable" is true, but "answers" holds none')
    if not _is_identity(article) and article is not None:
        raise WrongLineError('"article" is not an id (a string)')
    return Question(
        id=str(_field(row, "id", _is_identity, "a string")),
        text=str(_field(row, "question", _is_text, "a string that is not empty")),
        answers=tuple(answers) if answerable else (),
        answerable=answerable,
        article=None if article is None else str(article),
        gold=tuple(_gold(row, article)),
    )


def _field(row: dict[str, Any], name: str, fits: Callable[[object], bool], wanted: str) -> Any:
    if name not in row:
        raise WrongLineError(f'has no "{name}" ({wanted})')
    if not fits(row[name]):
        raise WrongLineError(f'"{name}" is not {wanted}')
    return row[name]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_identity(value: object) -> bool:
    return _is_text(value) or (isinstance(value, int) and not isinstance(value, bool))


def _is_place(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    name, paragraph = value
    counted = isinstance(paragraph, int) and not isinstance(paragraph, bool) and paragraph >= 0
    return counted and (name == "" or _is_identity(name))


def _gold(row: dict[str, Any], article: object) -> Iterator[Place]:
    """Yield the places that hold the answer, counted from 1; an article not named is the empty id as yet."""
    if row.get("answerable") is not True:
        return
    positives = row.get("positives")
    if positives is None:
        paragraph = row.get("paragraph")
        if paragraph is None:
            return
        positives = [["" if article is None else article, paragraph]]
    if not isinstance(positives, list):
        raise WrongLineError('"positives" is not a list')
    for one in positives:
        if not _is_place(one):
            raise WrongLineError(f"{one!r} is not an article's id and a paragraph's number from 0")
        yield str(one[0]), one[1] + 1


def placed(question: Question, paragraphs: dict[str, int]) -> Question:
    """Return the question with its places checked against the number of `paragraphs` of each article.

    Where there is one article only, it need not be named.

    Raises:
        WrongLineError: a place is not there.
    """
    only = next(iter(paragraphs)) if len(paragraphs) == 1 else None
    article = question.article or only
    gold = tuple((name or article or "", number) for name, number in question.gold)
    for name in {article, *(name for name, _ in gold)} - {None}:
        if name not in paragraphs:
            raise WrongLineError(
                f"no article has the id {name!r}" if name else 'has a paragraph but no "article"'
            )
    for name, number in gold:
        if number > paragraphs[name]:
            raise WrongLineError(
                f"paragraph {number - 1} of {name!r} is not there: it has 0 to {paragraphs[name] - 1}"
            )
    return replace(question, article=article, gold=gold)
