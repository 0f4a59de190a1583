"""What a question asks for, and whether a sentence has such a thing that the question has not.

Rules over words (`lexicon`), for questions with and without capitals and question marks. A person, a place
and another name are told apart by weak cues only (`names`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from index.folding import WORD, fold
from index.search.lexicon import Lexicon, lexicon
from index.search.names import Name, find_names, person_cues, place_cues
from index.search.values import Value, ValueKind, find_values

__all__ = ["Candidate", "Span", "Wanted", "answer_type_met", "candidates", "wanted", "weighed_candidates"]

Span = tuple[int, int]
"""Where a piece of text begins and ends, in code points."""

# What is asked for stands in the beginning of a question; a longer one is a pasted text.
_QUESTION_WORDS = 60
_NOUN_WORDS = 6


class Wanted(StrEnum):
    """The kind of thing that a question asks for."""

    PERSON = "person"
    PLACE = "place"
    NAME = "name"
    """A name of something else, or of a thing that cannot be told: a company, a book, a party."""
    NUMBER = "number"
    MONEY = "money"
    SHARE = "share"
    DATE = "date"
    DURATION = "duration"
    REASON = "reason"
    MANNER = "manner"
    DEFINITION = "definition"
    SAYING = "saying"
    LIST = "list"
    YES_NO = "yes_no"
    ANY = "any"

    @property
    def is_value(self) -> bool:
        """Whether it is a number, a date or the like: what can be seen in a sentence for sure."""
        return self in _VALUES_WANTED


_VALUES_WANTED = {Wanted.NUMBER, Wanted.MONEY, Wanted.SHARE, Wanted.DATE, Wanted.DURATION}

# ---- the question

_QUESTION_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def wanted(question: str, language: str) -> Wanted:
    """Return what a question asks for; ANY where its words do not tell, or its language is not known."""
    return _asked(question[:2_000], language)


@lru_cache(maxsize=256)
def _asked(question: str, language: str) -> Wanted:
    lex = lexicon(language)
    words = fold(question).replace("’", "'")
    tokens = tuple(_QUESTION_TOKEN.findall(words))[:_QUESTION_WORDS]
    asking = [(at, name) for at, token in enumerate(tokens) for name in _READERS if token in lex.any_of(name)]
    for place, (at, name) in enumerate(asking):
        asks = tokens[at + 1 : at + 2] and tokens[at + 1] in lex.any_of("verbs")
        # "When the tram opened, who drove it": a clause, no question.
        if name in _CLAUSES and not asks and place + 1 < len(asking):
            continue
        return _READERS[name](tokens, at, lex)
    return _without_question_word(tokens, lex)


_CLAUSES = frozenset(["when", "where"])


def _after_how(tokens: Sequence[str], at: int, lex: Lexicon) -> Wanted:
    """Read what stands after how: a measure, or a verb."""
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    if following in lex.any_of("many"):
        return _counted(tokens, at + 1, lex)
    if following in lex.any_of("much"):
        paid = lex.any_of("money_verbs")
        return Wanted.MONEY if any(token in paid for token in tokens[at + 2 :]) else Wanted.NUMBER
    if following in lex.any_of("long"):
        return Wanted.DATE if not lex.any_of("ago").isdisjoint(tokens[at + 2 : at + 3]) else Wanted.DURATION
    if following in lex.any_of("measured"):
        return Wanted.NUMBER
    if following in lex.any_of("how_reason"):
        return Wanted.REASON
    return Wanted.MANNER


def _counted(tokens: Sequence[str], at: int, lex: Lexicon) -> Wanted:
    """Read what stands after how many, cuánto: money or time where the next word says so."""
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    if following in lex.any_of("duration"):
        return Wanted.DURATION
    return Wanted.MONEY if following in lex.any_of("money_verbs") else Wanted.NUMBER


def _after_what(tokens: Sequence[str], at: int, lex: Lexicon) -> Wanted:
    """Read the noun after what and which, with or without a verb between: what year, what is the cost."""
    rest = tokens[at + 1 :]
    verb = rest[0] if rest and rest[0] in lex.any_of("verbs") else ""
    if rest and rest[0] in lex.any_of("date_only"):
        return Wanted.DATE
    if verb and not lex.any_of("say").isdisjoint(rest):
        return Wanted.SAYING
    if at > 0 and tokens[at - 1] in lex.any_of("before_what_why"):
        return Wanted.REASON
    rest = rest[1:] if verb else rest
    noun = _noun(rest[1:] if rest and rest[0] in lex.any_of("articles") else rest, lex)
    kind = _kind_of(noun, rest, lex)
    return kind or _untold(rest, verb, bool(verb) or tokens[at] in lex.any_of("what_is"), lex)


def _untold(rest: Sequence[str], verb: str, copula: bool, lex: Lexicon) -> Wanted:
    """Read a question whose noun is not known: for a list, for what a thing is, or for anything."""
    if verb in lex.any_of("plural_is") or not lex.any_of("list").isdisjoint(rest[:2]):
        return Wanted.LIST
    if copula and 0 < len(rest) <= 4 and lex.any_of("stops").isdisjoint(rest):
        return Wanted.DEFINITION
    return Wanted.ANY


def _noun(tokens: Sequence[str], lex: Lexicon) -> tuple[str, ...]:
    """Return the words up to a verb or a preposition: those of the noun that is asked for."""
    ends = lex.any_of("verbs") | lex.any_of("stops")
    count = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
    return tuple(tokens[: min(count, _NOUN_WORDS)])


_NOUNS = {
    "reason": Wanted.REASON,
    "share": Wanted.SHARE,
    "date": Wanted.DATE,
    "duration": Wanted.DURATION,
    "money": Wanted.MONEY,
    "number": Wanted.NUMBER,
    "person": Wanted.PERSON,
    "place": Wanted.PLACE,
    "name": Wanted.NAME,
}


def _kind_of(noun: Sequence[str], rest: Sequence[str], lex: Lexicon) -> Wanted | None:
    """Return what a noun names by its last known word; of `name of the river` by the word after."""
    for token in reversed(noun):
        for name, kind in _NOUNS.items():
            if token not in lex.any_of(name):
                continue
            after = [one for one in rest[rest.index(token) + 1 :] if one not in lex.any_of("articles")]
            if (
                kind is Wanted.NAME
                and token in lex.any_of("name_itself")
                and after[:1]
                and after[0] in lex.any_of("stops")
            ):
                return _kind_of(_noun(after[1:], lex), after[1:], lex) or Wanted.NAME
            return kind
    return None


def _without_question_word(tokens: Sequence[str], lex: Lexicon) -> Wanted:
    """Read a question without a word that asks: yes or no, name the, or a noun typed into a search box."""
    if not tokens:
        return Wanted.ANY
    if tokens[0] in lex.any_of("verbs"):
        return Wanted.YES_NO
    start = 1 if tokens[0] in lex.any_of("articles") else 0
    kind = _kind_of(_noun(tokens[start:], lex), tokens[start:], lex)
    if kind is not None and len(tokens) > 1:
        return kind
    return Wanted.LIST if tokens[0] in lex.any_of("list") else Wanted.ANY


_READERS: dict[str, Callable[[Sequence[str], int, Lexicon], Wanted]] = {
    "who": lambda *_: Wanted.PERSON,
    "when": lambda *_: Wanted.DATE,
    "where": lambda *_: Wanted.PLACE,
    "why": lambda *_: Wanted.REASON,
    "how": _after_how,
    "count": _counted,
    "what": _after_what,
}


# ---- the sentence


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is needed of a question for each sentence: its words, folded, and the forms of its values.

    `units` are those of the thing counted (how many miles); None where nothing is counted.
    """

    words: frozenset[str]
    forms: frozenset[str]
    much: bool
    units: frozenset[str] | None


@lru_cache(maxsize=256)
def _question(question: str, language: str) -> _Asked:
    lex = lexicon(language)
    words = WORD.findall(fold(question))
    forms = frozenset(value.form for value in find_values(question, language))
    return _Asked(frozenset(words), forms, not lex.any_of("much").isdisjoint(words), _units(words, lex))


def _units(words: Sequence[str], lex: Lexicon) -> frozenset[str] | None:
    counting = lex.any_of("many") | lex.any_of("count")
    place = next((at for at, word in enumerate(words) if word in counting), None)
    if place is None:
        return None
    near = (lex.words.get(word) for word in words[place + 1 : place + 4])
    return frozenset(str(word.worth) for word in near if word is not None and word.role in "uU")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may answer, and how many cues speak for it."""

    start: int
    end: int
    cues: int


def candidates(text: str, wanted: Wanted, question: str, language: str) -> list[Span]:
    """Return the spans of a sentence that are of the wanted kind and not in the question, in their order.

    Values are compared by form, names by their words. Of DEFINITION, REASON, MANNER and SAYING the span is
    that of the words that mark such a thing. None for YES_NO and ANY, which nothing in a sentence marks.
    """
    return [(one.start, one.end) for one in weighed_candidates(text, wanted, question, language)]


def weighed_candidates(text: str, wanted: Wanted, question: str, language: str) -> list[Candidate]:
    """Return the same as `candidates`, each with its cues."""
    asked = _question(question[:2_000], language)
    if (kinds := _VALUE_KINDS.get(wanted)) is not None:
        if asked.much and wanted is Wanted.NUMBER:
            kinds |= {ValueKind.MONEY}
        values = find_values(text, language, kinds)
        return [Candidate(one.start, one.end, 0) for one in values if _is_new(one, wanted, asked)]
    if wanted in _CUES:
        return list(_new_names(text, wanted, asked, lexicon(language)))
    if wanted in _MARKS:
        return [Candidate(*match.span(), 0) for match in _marks(wanted, language).finditer(text)]
    return []


def _new_names(text: str, wanted: Wanted, asked: _Asked, lex: Lexicon) -> Iterator[Candidate]:
    for name in find_names(text, lex):
        known = sum(word in asked.words for word in name.content)
        # "Tobias Renn" is no news to a question about Renn; the "University of Renn" may be.
        if known == len(name.content) or (wanted is not Wanted.NAME and name.content[-1] in asked.words):
            continue
        cues = _CUES[wanted](name, lex)
        if cues is not None:
            yield Candidate(name.start, name.end, cues)


_CUES: dict[Wanted, Callable[[Name, Lexicon], int | None]] = {
    Wanted.PERSON: person_cues,
    Wanted.PLACE: place_cues,
    Wanted.NAME: lambda _name, _lex: 0,
}
_VALUE_KINDS: dict[Wanted, frozenset[ValueKind]] = {
    Wanted.NUMBER: frozenset([ValueKind.NUMBER, ValueKind.QUANTITY, ValueKind.SHARE]),
    Wanted.MONEY: frozenset([ValueKind.MONEY]),
    Wanted.SHARE: frozenset([ValueKind.SHARE]),
    Wanted.DATE: frozenset([ValueKind.DATE, ValueKind.TIME]),
    Wanted.DURATION: frozenset([ValueKind.QUANTITY]),
}
_TIME_UNITS = frozenset(["s", "min", "h", "day", "week", "month", "year", "decade", "century"])


def _is_new(value: Value, wanted: Wanted, asked: _Asked) -> bool:
    """Tell whether the question lacks a value, and whether its unit is the one asked for, if any is."""
    if value.kind is ValueKind.QUANTITY:
        unit = value.form.rpartition(" ")[2]
        if wanted is Wanted.DURATION and unit not in _TIME_UNITS:
            return False
        # How many people: not five days.
        if wanted is Wanted.NUMBER and asked.units is not None and unit.rstrip("23") not in asked.units:
            return False
    return value.form not in asked.forms


# ---- marks

_NAMED = {
    Wanted.REASON: "reason_marks",
    Wanted.MANNER: "manner_marks",
    Wanted.DEFINITION: "defining",
    Wanted.SAYING: "said",
}
_MARKS = frozenset([*_NAMED, Wanted.LIST])
_QUOTED = r"[“\"«][^“”\"«»]{2,300}[”\"»]"
_LISTED = r"(?:, [\w’'-]+(?: [\w’'-]+){0,3}){1,6},? (?:%s) "


@lru_cache(maxsize=32)
def _marks(wanted: Wanted, language: str) -> re.Pattern[str]:
    """Return the pattern of the words that mark a reason, a manner, a definition, a saying or a list."""
    lex = lexicon(language)
    if wanted is Wanted.LIST:
        return re.compile(_LISTED % ("|".join(sorted(lex.any_of("and"))) or "&"))
    words = [word.replace("_", " ") for word in sorted(lex.any_of(_NAMED[wanted]))]
    patterns = [rf"(?<!\w)(?:{'|'.join(words)})(?!\w)"] if words else []
    if wanted is Wanted.SAYING:
        patterns.append(_QUOTED)
    return re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)


def answer_type_met(text: str, wanted: Wanted, question: str, language: str) -> float:
    """Return 1 where a sentence has a new thing of the wanted kind, 0 where not, 0.5 where none can tell.

    Of a definition, a saying and a list the marks tell nothing (an AUROC of 0.36 to 0.54 of the sentences
    that answer, from their neighbours, on xquad-en and squad2), so they count as what cannot be told.
    """
    if wanted in _UNTOLD or (wanted not in _VALUE_KINDS and not lexicon(language).sets):
        return 0.5
    return 1.0 if candidates(text, wanted, question, language) else 0.0


_UNTOLD = frozenset([Wanted.ANY, Wanted.YES_NO, Wanted.DEFINITION, Wanted.SAYING, Wanted.LIST])
