"""The values that a text states, however they are written: numbers, money, shares, dates, quantities.

A text is read in three steps, each linear in its length: tokens, each with its role (see `lexicon`); words
and digits that make one number, put together (see `numerals`); and one regular expression over the string of
roles, one character a token, the longest form first, without unbounded repeats.

The `form` of a value is the same for every way to write it:

    number     31  1200  48000000  4.2           (also a year: 2010, since only the context parts the two)
    ordinal    10th                              share     1/2 (also of 50%)   2/3
    money      gbp 4.2  usd 48000000             quantity  31 m  12 km  5 year
    date       2010-05-12  2010-05  --05-12  --05  1990s  10c (century)  44bc  weekday 1
    time       17:30

A date in digits is read day first where it could be either. The sign of a number is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from index.search.lexicon import lexicon
from index.search.numerals import Item, Number, read

__all__ = ["EVERY_KIND", "Value", "ValueKind", "find_values", "value_terms"]


class ValueKind(StrEnum):
    """What a value is a value of."""

    NUMBER = "number"
    ORDINAL = "ordinal"
    MONEY = "money"
    SHARE = "share"
    DATE = "date"
    TIME = "time"
    QUANTITY = "quantity"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a text: its kind, its span in code points, and the form that all its spellings share."""

    kind: ValueKind
    start: int
    end: int
    form: str


EVERY_KIND = frozenset(ValueKind)


def find_values(text: str, language: str, kinds: frozenset[ValueKind] = EVERY_KIND) -> list[Value]:
    """Return the values of a text in their order; none overlaps another, and the longest reading is kept.

    A number that is a mere word for one ("the one that", "una") is a value only beside a unit, a scale or
    the like. Of a language that is not known, what is written in digits and signs is found. Only those of
    `kinds` are returned; a text with no sign of any is not read.
    """
    if not _may_have(text, language, kinds):
        return []
    items = read(text, lexicon(language))
    roles = "".join([item.role for item in items])
    found = []
    for match in _VALUES.finditer(roles):
        kind, form = _KINDS_AND_FORMS[match.lastgroup or ""]
        parts = items[match.start() : match.end()]
        if kind in kinds and (written := form(parts)) is not None:
            found.append(Value(kind, parts[0].start, parts[-1].end, written))
    return found


_SIGNS = {
    ValueKind.NUMBER: "#n+FG",
    ValueKind.ORDINAL: "#o",
    ValueKind.MONEY: "$Cc",
    ValueKind.SHARE: "#1fFVo%",
    ValueKind.DATE: "#nMmNWzb",
    ValueKind.TIME: "#n+K",
    ValueKind.QUANTITY: "uU",
}
"""Roles of which every value of a kind has one at least; # stands for digits."""

_DIGIT = re.compile(r"\d")
_WORD_OR_SIGN = re.compile(r"[^\W\d_]\w*|[^\w\s]")


def _may_have(text: str, language: str, kinds: frozenset[ValueKind]) -> bool:
    """Tell whether a text has a sign of a kind of value: most have none, which costs little to see."""
    digits, words = _signs(language, kinds)
    return (digits and _DIGIT.search(text) is not None) or not words.isdisjoint(
        _WORD_OR_SIGN.findall(text.lower())
    )


@lru_cache(maxsize=64)
def _signs(language: str, kinds: frozenset[ValueKind]) -> tuple[bool, frozenset[str]]:
    """Return whether digits are a sign of some kinds, and the words that are, of phrases the first."""
    roles = {role for kind in kinds for role in _SIGNS[kind]}
    words = {key.lstrip("#") for key, word in lexicon(language).words.items() if word.role in roles}
    return "#" in roles, frozenset(_WORD_OR_SIGN.findall(word)[0] for word in words)


def value_terms(text: str, language: str) -> list[str]:
    """Return terms of ASCII letters and digits for an index of words: one or more for each value of a text.

    A date gives also its month and its year, money and quantities also their bare number, so that a less
    exact question finds a more exact text. Numbers below 3 and "first" and "second" say too little.
    """
    terms: dict[str, None] = {}
    for value in find_values(text, language):
        terms.update(dict.fromkeys(_terms(value)))
    return list(terms)


def _terms(value: Value) -> Iterator[str]:
    forms = [value.form]
    if value.kind is ValueKind.DATE and value.form[:4].isdecimal():
        forms += [
            value.form[:length] for length in (7, 4) if len(value.form) > length and value.form[4] == "-"
        ]
    elif value.kind is ValueKind.MONEY:
        forms.append(value.form.partition(" ")[2])
    elif value.kind is ValueKind.QUANTITY:
        forms.append(value.form.partition(" ")[0])
    for form in forms:
        if form not in _COMMON:
            yield "v" + "".join(_SPELT.get(sign, sign) for sign in form if sign in _SPELT or sign.isalnum())


_COMMON = frozenset(["0", "1", "2", "1th", "2th"])
_SPELT = {".": "p", "/": "o"}


_VALUES = re.compile(
    r"(?=[-#yqo1iCXFVPWMmNwSTDKZzbj$])(?:"
    r"(?P<date_dmy>[qo]O?X?[MmNw]\.?,?O?y)|(?P<date_mdy>[MmNw]\.?[qo],?y)|(?P<date_digits>S)"
    r"|(?P<date_dm>[qo]O?[MmN]|oO?w)|(?P<date_md>[MmN]\.?[qo])|(?P<date_my>[MmNw]\.?,?O?y)"
    r"|(?P<date_decade>D|ZO?X?[yD])|(?P<date_century>(?:o-?z|zr)b?)|(?P<date_era>b[#yq]|[#yq]b)"
    r"|(?P<date_month>M|(?<=[IOE])m)|(?P<date_weekday>W)"
    r"|(?P<time>TA?|[#q]A|K)"
    r"|(?P<money>j?\$[#yq]|C[#yq]|[#yq1]-?O?j?[cC]|[#yq]\$(?![#yq]))"
    r"|(?P<share_part>[#yq]%|V|q/q|1E[#q]|[#q]-?fR?|1-?[fo]|i(?:oR|f|o(?=O)))"
    r"|(?P<share_half>[1i]?-?(?<!o)F(?!-))"
    r"|(?P<quantity>[#yq1]-?Q?u|[#yq]-?Q?U)"
    r"|(?P<number_counted>(?<![IOEXMmN,(&])y(?=L))|(?P<date_year>y)|(?P<ordinal>o)|(?P<number>[#qP]))"
)


def _plain(number: Number) -> str:
    """Write a number without exponent and without zeros at its end."""
    if isinstance(number, int):
        return str(number)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _of(parts: list[Item], roles: str) -> Item | None:
    """Return the first part with one of the roles."""
    return next((part for part in parts if part.role in roles), None)


def _date(parts: list[Item]) -> str | None:
    """Write day, month and year, those that there are."""
    day, month, year = _of(parts, "qo"), _of(parts, "MmNw"), _of(parts, "y")
    if month is None or (day is not None and not 1 <= day.number <= 31):
        return None
    text = f"{year.number:04d}" if year is not None else "-"
    text += f"-{month.number:02d}"
    return text if day is None else f"{text}-{int(day.number):02d}"


def _digital_date(parts: list[Item]) -> str | None:
    a, b, c = (int(part) for part in re.split(r"[/.-]", str(parts[0].worth)))
    if a > 31:
        year, month, day = a, b, c
    else:
        day, month, year = (b, a, c) if b > 12 >= a else (a, b, c)
    return f"{year:04d}-{month:02d}-{day:02d}" if 1 <= month <= 12 and 1 <= day <= 31 else None


def _decade(parts: list[Item]) -> str | None:
    digits = re.sub(r"\D", "", str(parts[-1].worth))
    return f"{int(digits) if len(digits) > 2 else 1900 + int(digits)}s"


def _century(parts: list[Item]) -> str | None:
    ordinal, roman, era = _of(parts, "o"), _of(parts, "r"), _of(parts, "b")
    number = ordinal.number if ordinal else _roman(str(roman.worth) if roman else "")
    return f"{number}c{_era(era)}"


def _roman(text: str) -> int:
    worths = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}.get(letter, 0) for letter in text.upper()]
    return sum(-a if a < b else a for a, b in zip(worths, [*worths[1:], 0], strict=True))


def _era(item: Item | None) -> str:
    return "bc" if item is not None and item.worth == "bc" else ""


def _time(parts: list[Item]) -> str | None:
    first, half = parts[0], parts[-1].worth if len(parts) > 1 else ""
    hour, minute = (
        (int(part) for part in str(first.worth).split(":")) if first.role == "T" else (int(first.number), 0)
    )
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    return f"{hour}:{minute:02d}" if hour < 25 and minute < 60 else None


def _money(parts: list[Item]) -> str | None:
    number, sort, owner = _of(parts, "#yq1"), _of(parts, "$cC"), _of(parts, "j")
    if number is None or sort is None:
        return None
    code, _, minor = str(owner.worth if owner is not None and sort.worth == "usd" else sort.worth).partition(
        "/"
    )
    return f"{code} {_plain(number.number / Decimal(100) if minor else number.number)}"


def _share(parts: list[Item]) -> str | None:
    first, last = parts[0], parts[-1]
    if last.role == "V":
        return str(last.worth)
    if last.role == "R":
        last = parts[-2]
    if last.role == "%":
        return str(Fraction(first.number) / 100)
    above, below = first.number, int(last.number)
    # A third, one in three and 1/3 are shares; 9/11, 24/7 and a second one are none.
    strokes = first.role == last.role == "q"
    if (strokes and not above < below <= 16) or below < (2 if last.role in "q#" else 3):
        return None
    return str(Fraction(above) / below)


def _quantity(parts: list[Item]) -> str | None:
    power = _of(parts, "Q")
    return f"{_plain(parts[0].number)} {parts[-1].worth}{power.worth if power else ''}"


def _era_year(parts: list[Item]) -> str | None:
    number = _of(parts, "#yq")
    return f"{_plain(number.number)}{_era(_of(parts, 'b'))}" if number else None


_FORMS: Mapping[str, Callable[[list[Item]], str | None]] = {
    **dict.fromkeys(["date_dmy", "date_mdy", "date_dm", "date_md", "date_my", "date_month"], _date),
    "date_digits": _digital_date,
    "date_decade": _decade,
    "date_century": _century,
    "date_era": _era_year,
    "date_weekday": lambda parts: f"weekday {parts[0].worth}",
    "time": _time,
    "money": _money,
    "share_part": _share,
    "share_half": lambda _: "1/2",
    "quantity": _quantity,
    "ordinal": lambda parts: f"{parts[0].number}th",
    **dict.fromkeys(
        ["number", "number_counted", "date_year"],
        lambda parts: _plain(parts[0].number) + ("s" if parts[0].role == "P" else ""),
    ),
}
_KINDS_AND_FORMS = {name: (ValueKind(name.partition("_")[0]), form) for name, form in _FORMS.items()}
