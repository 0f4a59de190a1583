"""Follow-up questions: "and who chairs it?" is also searched with the subject of the question before.

- A question depends on the one before if it cannot be understood alone: it has a pronoun without an
  antecedent ("it", "she", "there"), or is a fragment ("Why?", "And in winter?"). It may depend on it if it
  only goes on ("And who owns the boats?"), or has a name of its own besides.
- Such a question is asked alone and with the subject of the question before: its names, then its other
  content words. Its own words stand on both sides of the subject, so that they weigh more.
- The answer with the higher confidence is shown. But if the question depends, it is shown with the subject
  where the verdict is the same, or alone finds another article than the question before did. And an answer
  with the subject is only related if its passage has nothing like one of the question's own words: the
  subject made it look certain.

`python -m benchmarks.followups` measures these rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

from bot.answering.answer import Answer, Verdict
from index.analysis import WORD, fold, words
from index.language import QuestionGrammar, normalize_question, question_grammar

__all__ = ["Dependence", "Earlier", "ask_follow_up", "dependence", "subject_for"]

_MAX_QUESTION = 400  # characters of a follow-up; a longer question says itself what it is about
_MAX_EARLIER = 1_200  # characters kept of the question before
_MAX_SUBJECT = 200  # characters of its subject
_MAX_FRAGMENT = 4  # words of a fragment, without those that it opens with

# Cosine from which a word of a passage is like one of the question. On the half "fit" of the benchmark this
# gives 66 right answers and 18 wrong ones, 0.5 gives 69 and 20, and 0.6 gives 65 and 16.
_SIMILAR = 0.55


class Dependence(IntEnum):
    """Whether a question depends on what was asked before."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was asked before: the text that was searched, and the id of the article that it found, if any.

    The text includes a subject that was added, so that the follow-up of a follow-up keeps it.
    """

    question: str
    article: str | None = None

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Return what an answer leaves for the next question."""
        is_one = answer.reasons is not None and not answer.parts
        question = answer.reasons.found.question.typed if answer.reasons and is_one else answer.question
        is_found = answer.verdict is not Verdict.NOT_FOUND and answer.citations
        return cls(question[:_MAX_EARLIER], answer.citations[0].article if is_found else None)


def ask_follow_up(
    question: str, earlier: Earlier, ask: Callable[[str], Answer], language: str = "en"
) -> Answer:
    """Ask a question that may depend on an earlier one, alone and with a subject; return the better answer.

    `ask` is called once or twice. The answer's question is the one typed.
    """
    alone = ask(question)
    subject = subject_for(question, earlier, language)
    if not subject:
        return alone
    text = normalize_question(question)
    together = _lowered(ask(f"{text} {subject}. {text}"), question)
    article = alone.citations[0].article if alone.citations else None
    # A question that cannot stand alone is read together, unless it is better answered alone, and there.
    is_expected = earlier.article not in {None, article} or together.verdict is alone.verdict
    depends = dependence(question, language) is Dependence.YES
    if together.quotes and ((depends and is_expected) or together.confidence > alone.confidence):
        # The subject stands before the whole question, so a cut of this text is no cut of the question.
        return replace(together, question=question, read_as=subject, read_only=0)
    return alone


def _lowered(answer: Answer, question: str) -> Answer:
    """Return an answer with a subject, only related if its passage lacks a word of the question."""
    reasons = answer.reasons
    if reasons is None or not reasons.cited:
        return answer
    own = set(words(question))
    terms = [match for match in reasons.cited[0].terms if match.term.is_content]
    asked = [match for match in terms if own.issuperset(words(match.term.typed))]
    if all(match.in_words or match.near >= _SIMILAR for match in asked):
        return answer
    verdict = Verdict.RELATED if answer.verdict is Verdict.ANSWERED else answer.verdict
    return replace(answer, verdict=verdict, confidence=reasons.fit.unsure(answer.confidence))


def subject_for(question: str, earlier: Earlier, language: str = "en") -> str:
    """Return the subject of an earlier question if this one may depend on it, at most 200 characters."""
    grammar = question_grammar(language)
    if grammar is None or dependence(question, language) is Dependence.NO:
        return ""
    before = _Parsed.of(earlier.question[:_MAX_EARLIER], grammar)
    content = [word for word in before.typed if fold(word) not in grammar.filler]
    seen = set(words(question))
    subject: list[str] = []
    for piece in (*before.names.values(), *content):
        if set(words(piece)) - seen and len(" ".join([*subject, piece])) <= _MAX_SUBJECT:
            subject.append(piece)
            seen.update(words(piece))
    return " ".join(subject)


def dependence(question: str, language: str = "en") -> Dependence:
    """Tell whether a question depends on the one before; in an unknown language, none does."""
    grammar = question_grammar(language)
    if grammar is None or len(question) > _MAX_QUESTION:
        return Dependence.NO
    parsed = _Parsed.of(question, grammar)
    opening = parsed.opening()
    places = range(opening, len(parsed.typed))
    is_open = any(parsed.is_pronoun(place) and not parsed.has_antecedent(place) for place in places)
    if is_open or parsed.is_fragment(opening):
        return Dependence.MAYBE if parsed.names else Dependence.YES
    return Dependence.MAYBE if opening else Dependence.NO


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A question's words, as typed and folded, and its names by the number of their first word."""

    grammar: QuestionGrammar
    typed: list[str]
    folded: list[str]
    names: dict[int, str]

    @classmethod
    def of(cls, question: str, grammar: QuestionGrammar) -> Self:
        text = normalize_question(question)
        typed = WORD.findall(text.lower() if text.isupper() else text)  # capitals throughout make no names
        names = dict(_names(typed, grammar))
        return cls(grammar, typed, [fold(word) for word in typed], names)

    def opening(self) -> int:
        """Return how many words only say that the question goes on: "and", "what about"."""
        fitting = (count for count in (3, 2, 1) if "_".join(self.folded[:count]) in self.grammar.connectives)
        count = next(fitting, 0)
        return count if count < len(self.typed) else 0

    def is_fragment(self, opening: int) -> bool:
        """Tell whether the words after the opening are few, without an auxiliary, and ask or go on."""
        rest = self.folded[opening:]
        if not 0 < len(rest) <= _MAX_FRAGMENT or not self.grammar.auxiliaries.isdisjoint(rest):
            return False
        if self.grammar.asking.isdisjoint(rest):
            return opening > 0
        return sum(word not in self.grammar.filler for word in rest) <= 1

    def is_pronoun(self, place: int) -> bool:
        """Tell whether a word stands for something: "it", "there"; not in "that the", "is there"."""
        before, after = self._around(place)
        if self.folded[place] == "there":
            return self.grammar.auxiliaries.isdisjoint({before, after})
        is_clause = after in self.grammar.articles or (self.folded[place], after) == ("lo", "que")
        return self.typed[place].lower() in self.grammar.pronouns and not is_clause

    def has_antecedent(self, place: int) -> bool:
        """Tell whether a pronoun may stand for a name before it, or for a noun with "the"."""
        before, after = self._around(place)
        names = [first for first in self.names if first < place]
        nouns = [
            first
            for first in range(place - 1)
            if self.folded[first] in self.grammar.definite
            and self.folded[first + 1] not in self.grammar.filler
        ]
        is_possessive = self.folded[place] == "her" and after not in {"", *self.grammar.filler}
        if self.typed[place].lower() in self.grammar.objects and not is_possessive:
            # "What is the height of it?": not the height. "Do the tides turn if we watch them?": the tides.
            between = self.folded[min([*names, *nouns], default=place) : place]
            return not self.grammar.conjunctions.isdisjoint(between)
        # "What is the name of its founder?": not the name.
        return bool(names or (nouns and before not in self.grammar.genitive))

    def _around(self, place: int) -> tuple[str, str]:
        return "".join(self.folded[max(place - 1, 0) : place]), "".join(self.folded[place + 1 : place + 2])


def _names(typed: Iterable[str], grammar: QuestionGrammar) -> Iterator[tuple[int, str]]:
    """Yield runs of capitalised words; not one of a question's first word, which has a capital anyway."""
    for is_capital, group in itertools.groupby(enumerate(typed), lambda word: word[1][0].isupper()):
        run = list(itertools.dropwhile(lambda word: fold(word[1]) in grammar.filler, group))
        if is_capital and run and [place for place, _ in run] != [0]:
            yield run[0][0], " ".join(word for _, word in run)
