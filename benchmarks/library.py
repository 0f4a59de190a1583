"""A made-up library whose right answers are known, in every version that was ever written of it.

Each article tells four facts of a place that there is not, and a version has facts of its own: so an answer
tells which version it is from, and a quote that is in none was never written.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.answering.answer import Answer, Verdict

__all__ = ["Library", "Place", "Question"]

_FIRST = "Skarv Gull Torn Lund Vaag Heim Sten Bjor Frost Ulv Rav Orm Kval Sild Lom Alke Hegg Furu".split()
_LAST = "holm nes vik sund ey fjord berg strand havn dal foss skjer mo bu hamn vang".split()
_GIVEN = "Tove Ebba Mara Jon Nils Sigrid Olaf Ingrid Knut Astrid Leif Ragna Einar Solveig".split()
_FAMILY = "Dahl Lind Holt Vass Berg Krogh Moen Ruud Hagen Solberg Aas Lie Nygaard Foss".split()
_SHIPS = "Aurora Petrel Kestrel Borealis Meteor Albatross Gannet Osprey Swift Plover Curlew Heron".split()

_SENTENCES = {
    "keeper": "The lighthouse on {place} is kept by {fact}.",
    "year": "The lighthouse on {place} was lit for the first time in {fact}.",
    "height": "The tower on {place} is {fact} metres tall.",
    "ferry": "The ferry to {place} is called {fact}.",
}
_ASKED = {
    "keeper": "Who keeps the lighthouse on {place}?",
    "year": "When was the lighthouse on {place} lit for the first time?",
    "height": "How tall is the tower on {place}?",
    "ferry": "What is the ferry to {place} called?",
}


@dataclass(frozen=True)
class Place:
    """One version of an article: the place that it is about, and the version's number."""

    name: str
    version: int

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """What this version says, by the kind of fact."""
        draw = random.Random(f"{self.name} {self.version}")  # noqa: S311 - made-up text
        return {
            "keeper": f"{draw.choice(_GIVEN)} {draw.choice(_FAMILY)}",
            "year": str(draw.randrange(1700, 1990)),
            "height": str(draw.randrange(10, 90)),
            "ferry": f"{draw.choice(_SHIPS)} {draw.randrange(2, 1000)}",
        }

    @property
    def heading(self) -> str:
        """The title, which is quoted as paragraph 0."""
        return f"The lighthouse on {self.name}"

    @cached_property
    def text(self) -> str:
        """The article's text, as the index has it."""
        told = [form.format(place=self.name, fact=self.facts[kind]) for kind, form in _SENTENCES.items()]
        return f"{told[0]} {told[1]}\n\n{told[2]} {told[3]}"


@dataclass(frozen=True, slots=True)
class Question:
    """A question on one fact of a place."""

    place: str
    kind: str

    @property
    def text(self) -> str:
        """The question as it is asked."""
        return _ASKED[self.kind].format(place=self.place)


class Library:
    """The folder of articles, and every version of each that it ever held.

    `now` has the version of each place that is there; a copy of it says what a generation was built from.
    """

    def __init__(self, folder: Path, places: int) -> None:
        """Write the first version of this many places."""
        self.folder = folder
        self.now: dict[str, int] = {}
        self._written: dict[str, list[Place]] = {}
        self._names = [f"{first}{last}" for last in _LAST for first in _FIRST]
        folder.mkdir(parents=True, exist_ok=True)
        self.add(places)

    def add(self, places: int) -> None:
        """Write this many places that there were not yet."""
        for name in self._names[len(self._written) :][:places]:
            self.write(name)

    def write(self, name: str) -> Place:
        """Write the next version of a place, which may have been removed."""
        written = self._written.setdefault(name, [])
        made = Place(name, len(written))
        written.append(made)
        self.path(name).write_text(f"{made.heading}\n\n{made.text}\n", encoding="utf-8")
        self.now[name] = made.version
        return made

    def remove(self, name: str) -> None:
        """Remove a place."""
        self.path(name).unlink()
        del self.now[name]

    def path(self, name: str) -> Path:
        """Return where a place's article is."""
        return self.folder / f"{name.lower()}.txt"

    def questions(self) -> list[Question]:
        """Return the questions on all places that are there."""
        return [Question(name, kind) for name in sorted(self.now) for kind in _ASKED]

    def fact(self, question: Question, versions: Mapping[str, int]) -> str | None:
        """Return the right answer by these versions; None where they have no such place."""
        version = versions.get(question.place)
        return None if version is None else self._written[question.place][version].facts[question.kind]

    def faults(self, answer: Answer, question: Question | None, versions: Mapping[str, int]) -> Iterator[str]:
        """Yield what is wrong with an answer from a generation that was built from these versions.

        Without a question that is known, only its quotes are looked at.
        """
        for quote in answer.quotes:
            source = answer.citation_of(quote)
            if not self._stands(source.article, quote.paragraph, quote.start, quote.end, quote.text):
                yield f"a quote that no version of {source.article} has: {quote.text!r}"
        if question is None or (fact := self.fact(question, versions)) is None:
            return
        if answer.verdict is not Verdict.ANSWERED:
            yield f"{question.text} was answered with {answer.verdict}, instead of {fact}"
        elif fact not in answer.quotes[0].text or question.place not in answer.quotes[0].text:
            yield f"{question.text} was answered with {answer.quotes[0].text!r}, instead of {fact}"

    def _stands(self, article: str, paragraph: int, start: int, end: int, text: str) -> bool:
        written: Sequence[Place] = self._written.get(article.capitalize(), ())
        return any((one.text if paragraph else one.heading)[start:end] == text for one in written)
