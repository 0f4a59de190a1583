"""Made-up articles whose right answers are known, in every version that was ever written of them.

An article tells four facts about a place that does not exist, and each version has facts of its own. So an
answer shows which version it comes from, and a quote that is in none was never written.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

__all__ = ["Library", "Place", "Question", "faults"]

_FIRST = "Skarv Gull Torn Lund Vaag Heim Sten Bjor Frost Ulv Rav Orm Kval Sild Lom Alke Hegg Furu".split()
_LAST = "holm nes vik sund ey fjord berg strand havn dal foss skjer mo bu hamn vang".split()
_GIVEN = "Tove Ebba Mara Jon Nils Sigrid Olaf Ingrid Knut Astrid Leif Ragna Einar Solveig".split()
_FAMILY = "Dahl Lind Holt Vass Berg Krogh Moen Ruud Hagen Solberg Aas Lie Nygaard Foss".split()
_SHIPS = "Aurora Petrel Kestrel Borealis Meteor Albatross Gannet Osprey Swift Plover Curlew Heron".split()

_FACTS = {
    "keeper": ("The lighthouse on {place} is kept by {fact}.", "Who keeps the lighthouse on {place}?"),
    "year": (
        "The lighthouse on {place} was lit for the first time in {fact}.",
        "When was the lighthouse on {place} lit for the first time?",
    ),
    "height": ("The tower on {place} is {fact} metres tall.", "How tall is the tower on {place}?"),
    "ferry": ("The ferry to {place} is called {fact}.", "What is the ferry to {place} called?"),
}
"""Each kind of fact as a sentence, and the question about it."""


@dataclass(frozen=True)
class Place:
    """One version of the article about a place."""

    name: str
    version: int

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """What this version says, by the kind of fact."""
        chance = random.Random(f"{self.name} {self.version}")  # noqa: S311 - made-up text
        return {
            "keeper": f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}",
            "year": str(chance.randrange(1700, 1990)),
            "height": str(chance.randrange(10, 90)),
            "ferry": f"{chance.choice(_SHIPS)} {chance.randrange(2, 1000)}",
        }

    @property
    def heading(self) -> str:
        """The title, which is quoted as paragraph 0."""
        return f"The lighthouse on {self.name}"

    @cached_property
    def text(self) -> str:
        """The text, as it is indexed."""
        sentences = [
            form.format(place=self.name, fact=self.facts[kind]) for kind, (form, _) in _FACTS.items()
        ]
        return f"{sentences[0]} {sentences[1]}\n\n{sentences[2]} {sentences[3]}"


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one fact of a place."""

    place: str
    kind: str

    @property
    def text(self) -> str:
        """The question as it is asked."""
        return _FACTS[self.kind][1].format(place=self.place)


class Library:
    """The folder of articles, and what is in it now: a place by its name."""

    def __init__(self, folder: Path, count: int) -> None:
        """Write the first version of this many places."""
        self.folder = folder
        self.now: dict[str, Place] = {}
        self._versions: dict[str, int] = {}
        self._names = iter([f"{first}{last}" for last in _LAST for first in _FIRST])
        folder.mkdir(parents=True)
        self.add(count)

    def add(self, count: int) -> None:
        """Write places that were never there, as long as there are names."""
        for _, name in zip(range(count), self._names, strict=False):
            self.write(name)

    def write(self, name: str) -> None:
        """Write the next version of a place."""
        self._versions[name] = self._versions.get(name, -1) + 1
        place = self.now[name] = Place(name, self._versions[name])
        self._path(name).write_text(f"{place.heading}\n\n{place.text}\n", encoding="utf-8")

    def remove(self, name: str) -> None:
        """Remove a place."""
        self._path(name).unlink()
        del self.now[name]

    def change(self, chance: random.Random) -> None:
        """Rewrite some places, and add or remove a few."""
        for name in chance.sample(sorted(self.now), max(1, len(self.now) // 10)):
            self.write(name)
        if chance.random() < 0.3:
            self.add(1)
            self.remove(chance.choice(sorted(self.now)))

    def questions(self) -> list[Question]:
        """Return the questions about all places that are there."""
        return [Question(name, kind) for name in sorted(self.now) for kind in _FACTS]

    def _path(self, name: str) -> Path:
        return self.folder / f"{name.lower()}.txt"


def faults(
    answer: Mapping[str, Any], places: Mapping[str, Place], question: Question | None
) -> Iterator[str]:
    """Yield what is wrong with an answer (as JSON) that comes from these places.

    Without a question, only its quotes are compared with the articles.
    """
    for quote in answer["quotes"]:
        article = answer["citations"][quote["citation"] - 1]["article"]
        place = places.get(article.capitalize())
        text = (place.text if quote["paragraph"] else place.heading) if place else ""
        if text[quote["start"] : quote["end"]] != quote["text"]:
            yield f"{answer['generation']} has no {quote['text']!r} in {article}"
    if question and question.place in places:
        fact = places[question.place].facts[question.kind]
        quoted = answer["quotes"][0]["text"] if answer["verdict"] == "answered" else answer["verdict"]
        if fact not in quoted or question.place not in quoted:
            yield f"{question.text} was answered with {quoted!r} instead of {fact} ({answer['generation']})"
