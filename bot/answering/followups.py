"""Follow-ups: "and who chairs it?" after an answer is also searched with the subject of the question before.

The rule, whole. A follow-up leans on what was asked before

- wholly, where it cannot be understood alone: it has a word for something that it does not name first ("it",
  "she", "there"), or it is a fragment ("Why?", "And in winter?");
- perhaps, where it only goes on ("And who owns the boats?"), or leans but has a name of its own.

One that leans is read in up to three ways: alone; with the subject, which is the names and then the other
content words of the question before; and, where it has he or she, with the name that was the answer before.
Its own words then stand on both sides of those, so that they count twice: the subject says of what, they say
what is asked.

Of the answers to these the surest is shown. But one that leans wholly is not believed alone where that leads
to another article than the question before did. And an answer found with a subject is no answer, only near,
where the passage has nothing like some word of the follow-up itself, or its sentence has not the number or
date that is asked for: the subject alone made it look sure.

What leans on nothing is asked alone, as if nothing had been asked before. `python -m benchmarks.followups`
measures all this.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Self

from index.search.lexicon import lexicon
from index.search.names import find_names

from bot.answering.answer import Answer, Verdict
from index.analysis import WORD, fold
from index.language import function_words, leans_back, straighten, words_of

__all__ = ["Earlier", "Lean", "Reading", "ask_following", "choose", "leaning", "readings"]

_LONGEST = 400
"""Characters of a question that may lean; a longer one says what it is about."""

_KEPT = 1_200
"""Characters of a question and of its answer's quote that the next question may lean on."""

_ROOM = 200
"""Characters of the subject that a follow-up is read with."""

_FRAGMENT = 4
"""Words of a fragment, without what it opens with."""

_NEAR = 0.5
"""Cosine from which a word of a passage is near one of the question. Of 868 follow-ups that no article
answers 2 passed (at 0.4: 6, at 0: 13), and one right answer of 48 did not (benchmarks.followups, fit)."""


class Lean(IntEnum):
    """How much a question leans on what was asked before."""

    NOT = 0
    PERHAPS = 1
    WHOLLY = 2


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was asked and answered before: what a follow-up may lean on.

    `question` is the text as it was read (`Reading.text`), so that the follow-up of a follow-up still has the
    subject; the text as typed also does. `quote` is the first quote of its answer, and `highlight` the words
    in it that were the answer itself; each is "" where it was not answered or is not known. `article` is the
    id of the article of its first citation; None where nothing near was found.
    """

    question: str
    quote: str = ""
    highlight: str = ""
    article: str | None = None

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Return what an answered question leaves for the next one."""
        asked = answer.reasons.found.question.typed if answer.reasons else answer.question
        if answer.verdict is Verdict.NOT_FOUND or not answer.quotes:
            return cls(asked[:_KEPT])
        quote = answer.quotes[0]
        article = answer.citation_of(quote).article
        if answer.verdict is not Verdict.ANSWERED:
            return cls(asked[:_KEPT], article=article)
        start, end = quote.highlight_in_text or (0, 0)
        return cls(asked[:_KEPT], quote.text[:_KEPT], quote.text[start:end], article)


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to read a question: `text` is searched; `note` is what it was read with, "" where alone."""

    text: str
    note: str = ""


def readings(question: str, earlier: Earlier, language: str = "en") -> tuple[Reading, ...]:
    """Return the ways to read a question, at most three: first alone and as typed, then with a subject.

    The text of one with a subject has at most 1,200 characters.
    """
    alone = Reading(question)
    if leaning(question, language) is Lean.NOT:
        return (alone,)
    text = straighten(question)
    subjects = [_subject(earlier, language)]
    if not _any_of(language, "personal").isdisjoint(WORD.findall(text.lower())):
        is_name = any(find_names(earlier.highlight, lexicon(language)))
        subjects.append([earlier.highlight] if is_name else [])
    notes = dict.fromkeys(_fit(subject, text) for subject in subjects)
    return (alone, *(Reading(f"{text} {note}. {text}", note) for note in notes if note))


def choose(answers: Sequence[tuple[Reading, Answer]], earlier: Earlier, lean: Lean) -> tuple[Reading, Answer]:
    """Return the answer to show, with its reading; the first of `answers` is that of the question alone.

    The surest, the earlier one of equals; but of a question that leans wholly not the first, where that is of
    another article than the answer before, and there is another. One with a subject may be lowered to what
    is near.
    """
    alone = answers[0]
    others = [(reading, _lowered(one, alone[0].text)) for reading, one in answers[1:] if one.quotes]
    strays = earlier.article is not None and not _is_of(alone[1], earlier.article)
    candidates = others if lean is Lean.WHOLLY and strays and others else [alone, *others]
    return max(candidates, key=lambda one: one[1].confidence)


def ask_following(
    question: str, earlier: Earlier, ask: Callable[[str], Answer], language: str = "en"
) -> tuple[Answer, str]:
    """Ask a question that may lean on an earlier one; return its answer, and its reading's note.

    `ask` is called once for each reading. The answer's question is the one typed; what was searched is in
    its reasons, where `Earlier.of` finds it.
    """
    answers = [(reading, ask(reading.text)) for reading in readings(question, earlier, language)]
    reading, chosen = choose(answers, earlier, leaning(question, language))
    return dataclasses.replace(chosen, question=question), reading.note


def _is_of(answer: Answer, article: str) -> bool:
    return bool(answer.citations) and answer.citations[0].article == article


def _lowered(answer: Answer, question: str) -> Answer:
    """Return an answer found with a subject, only near where it does not meet the question's own words.

    The passage must have each of those that say something, or a word near it; and where a number or a date is
    asked for, the sentence must have one.
    """
    reasons = answer.reasons
    if reasons is None or not reasons.cited:
        return answer
    hit, own = reasons.cited[0], set(words_of(question))
    asked = (one for one in hit.terms if one.term.says and own.issuperset(words_of(one.term.typed)))
    met = all(one.in_words or one.near >= _NEAR for one in asked)
    lacks = reasons.found.question.wanted.is_value and hit.best_sentence.wanted == 0
    if met and not lacks:
        return answer
    verdict = Verdict.RELATED if answer.verdict is Verdict.ANSWERED else answer.verdict
    sure = min(answer.confidence, reasons.judge.fit.related_at)
    return dataclasses.replace(answer, verdict=verdict, confidence=sure)


# ---- whether a question leans


# What `index.language` and `lexicon` lack: words without accents, but for those of a person ("él").
_WORDS = {
    "en": {
        "goes_on": "but so also then what_about how_about",
        "stands_for": "there then hers",
        "personal": "he she him her his hers",
        "definite": "the",
        "small": "not else exactly",
    },
    "es": {
        "goes_on": "pero entonces tambien que_hay_de que_tal",
        "stands_for": "alli alla ahi entonces lo",
        "personal": "él ella",
        "definite": "el la los las",
        "small": "mas",
    },
}


@lru_cache(maxsize=32)
def _any_of(language: str, *names: str) -> frozenset[str]:
    """Return the words of named sets, those of `index.search.lexicon` and those above."""
    own = (_WORDS[language].get(name, "").split() for name in names)
    return frozenset().union(*own, *(lexicon(language).any_of(name) for name in names))


def _asking(language: str) -> frozenset[str]:
    """Return the words that ask: who, when, how, many."""
    return _any_of(language, "who", "when", "where", "why", "how", "what", "count", "many", "much")


@lru_cache(maxsize=4)
def _saying_little(language: str) -> frozenset[str]:
    """Return the words that say little of what a question is about."""
    little = ("verbs", "articles", "stops", "measured", "long", "ago", "and", "goes_on", "small")
    return _any_of(language, *little).union(_asking(language), map(fold, function_words(language)))


@dataclass(frozen=True, slots=True)
class _Word:
    typed: str
    folded: str
    start: int


def leaning(question: str, language: str = "en") -> Lean:
    """Tell how much a question leans on what was asked before; not at all in a language not known here."""
    if len(question) > _LONGEST or language not in _WORDS:
        return Lean.NOT
    text = _plain(question)
    words = [_Word(match[0].lower(), fold(match[0]), match.start()) for match in WORD.finditer(text)]
    opening = _opening([word.folded for word in words], language)
    names = [start for start, _ in _names(text, language)]
    pronoun = next((at for at in range(opening, len(words)) if _stands_for(words, at, language)), None)
    if _is_fragment([word.folded for word in words[opening:]], language, goes_on=opening > 0) or (
        pronoun is not None and not _is_named_before(words, pronoun, names, language)
    ):
        return Lean.PERHAPS if names else Lean.WHOLLY
    return Lean.PERHAPS if opening else Lean.NOT


def _opening(words: Sequence[str], language: str) -> int:
    """Return how many words at the beginning only say that the question goes on: and, but, what about."""
    phrases = ("_".join(words[:count]) for count in (3, 2, 1))
    found = (one.count("_") + 1 for one in phrases if one in _any_of(language, "and", "goes_on"))
    count = next(found, 0)
    return count if count < len(words) else 0


def _is_fragment(words: Sequence[str], language: str, *, goes_on: bool) -> bool:
    """Tell whether words are no whole question: few, and without a known verb.

    If they ask, then one of them says something at most ("In how many minutes?"); if not, they go on from
    something ("And in winter?").
    """
    if not 0 < len(words) <= _FRAGMENT or not _any_of(language, "verbs").isdisjoint(words):
        return False
    if _asking(language).isdisjoint(words):
        return goes_on
    return sum(word not in _saying_little(language) for word in words) <= 1


def _stands_for(words: Sequence[_Word], at: int, language: str) -> bool:
    """Tell whether a word stands for something: it, his, there; not in "that the", "is there"."""
    word = words[at]
    if not leans_back(word.typed, language) and word.folded not in _any_of(language, "stands_for"):
        return False
    after = words[at + 1].folded if at + 1 < len(words) else ""
    if word.folded == "there":
        return _any_of(language, "verbs").isdisjoint({after, words[at - 1].folded if at else ""})
    return after not in _any_of(language, "articles") and (word.folded, after) != ("lo", "que")


def _is_named_before(words: Sequence[_Word], at: int, names: Collection[int], language: str) -> bool:
    """Tell whether a name, or a noun with "the", stands before a word, which may then stand for that."""
    definite, little = _any_of(language, "definite"), _saying_little(language)
    nouns = (words[one].folded in definite and words[one + 1].folded not in little for one in range(at - 1))
    return any(start < words[at].start for start in names) or any(nouns)


# ---- what it is read with


def _plain(question: str) -> str:
    """Return a question straightened; one all in capitals without them, since they make no names."""
    text = straighten(question)
    return text.lower() if text.isupper() else text


def _names(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Yield where the names of a question stand; a capital only at its beginning makes none."""
    little = _saying_little(language)
    first = WORD.search(text)
    for name in find_names(text, lexicon(language)):
        words = list(WORD.finditer(text, name.start, name.end))
        if first and words[0].start() == first.start() and (len(words) == 1 or fold(words[0][0]) in little):
            words = words[1:]
        if any(fold(word[0]) not in little for word in words):
            yield words[0].start(), name.end


def _subject(earlier: Earlier, language: str) -> list[str]:
    """Return what a question was about: its names, then its other content words.

    Where it leaned itself, and was best understood alone, the names of its answer's quote say it too.
    """
    text = _plain(earlier.question[:_KEPT])
    names = [text[start:end] for start, end in _names(text, language)]
    if leaning(text, language) is Lean.WHOLLY:
        names += [earlier.quote[one.start : one.end] for one in find_names(earlier.quote, lexicon(language))]
    others = [word for word in WORD.findall(text) if fold(word) not in _saying_little(language)]
    return [*names, *others]


def _fit(pieces: Sequence[str], question: str) -> str:
    """Join the pieces that say what neither the question nor a piece before has said, as many as fit."""
    seen = set(words_of(question))
    kept: list[str] = []
    for piece in pieces:
        words = set(words_of(piece))
        if words - seen and len(" ".join([*kept, piece])) <= _ROOM:
            kept.append(piece)
            seen |= words
    return " ".join(kept)
