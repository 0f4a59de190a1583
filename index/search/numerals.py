"""Tokens of a text with their roles, and the numbers that several of them make.

`read` is the first half of `values`: a text to items, each with a role of `lexicon` (or # a number, y one of
four digits that may be a year, q one of at most two that may be a day, S a date in digits, T a time, D a
decade, r a Roman numeral, L a word in lower case that ends in s, x what says nothing). Each token is looked
at a bounded number of times, so that the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from index.search.lexicon import Lexicon, Word

__all__ = ["Item", "Number", "read"]

# No number that anybody writes has more digits, or more words.
_MOST_DIGITS = 24
_MOST_WORDS = 12

Number = int | Decimal
"""What digits and words for numbers are worth."""


@dataclass(slots=True)
class Item:
    """A token, or several that make a number: its role, span and worth."""

    role: str
    start: int
    end: int
    worth: int | str | Decimal = 0

    @property
    def number(self) -> Number:
        """The number that it is worth; 0 where it is worth none."""
        return self.worth if isinstance(self.worth, int | Decimal) else 0


def read(text: str, words: Lexicon) -> list[Item]:
    """Return the tokens of a text in their order, those of one number put together."""
    return list(_merged(_tokens(text, words), words))


_FORMS = {
    "date": r"\d{4}-\d{2}-\d{2}(?!\d)|\d{1,2}(?:/\d{1,2}/|\.\d{1,2}\.|-\d{1,2}-)\d{4}(?!\d)",
    "time": r"\d{1,2}:\d{2}(?!\d)",
    "decade": r"(?:\d{3}|[2-9])0['’]?s\b",
    "number": r"\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})+(?!\d)|\d+(?:[.,]\d+)*",
}
"""What begins with a digit, in the order in which it is tried."""

_TOKEN = re.compile("|".join([r"[^\W\d_]\w*", r"[^\w\s]", *_FORMS.values()]))
"""A word, a sign, a date, a time, a decade or a number."""

_DIGITS = re.compile("|".join(f"(?P<{name}>{form})" for name, form in _FORMS.items()))
_WRITTEN = {"date": "S", "time": "T", "decade": "D"}


@lru_cache(maxsize=16)
def _phrase_pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of any phrase, with or without the spaces that some people leave out."""
    spelt = (re.escape(phrase).replace(r"\ ", r"\s{1,3}").replace(r"\.", r"\.\s?") for phrase in phrases)
    spelt = (re.sub(r"\\s\?$", "", one) for one in spelt)
    return re.compile(rf"(?:{'|'.join(spelt)})(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=16)
def _openers(phrases: tuple[str, ...]) -> frozenset[str]:
    """Return the first token of every phrase."""
    return frozenset(match[0] for match in map(_TOKEN.match, phrases) if match)


def _tokens(text: str, words: Lexicon) -> list[Item]:
    """Part a text into tokens and give each its role; x is the role of what says nothing."""
    items: list[Item] = []
    known, openers = words.words, _openers(words.phrases)
    last, end, skip = _NOTHING, 0, 0
    for token in _TOKEN.findall(text):
        start = text.index(token, end)
        end = start + len(token)
        if start < skip:
            continue
        key = token.lower()
        word = known.get(key)
        if word is None and token == key and start != last.end and token.isalpha() and key not in openers:
            last = _MANY if token[-1] == "s" and len(token) > 3 else _NOTHING  # most words, the quick way
        elif key in openers and (phrase := _phrase_pattern(words.phrases).match(text, start)):
            skip = phrase.end()
            key = " ".join(phrase[0].lower().split())
            role, worth = known.get(key) or known[key.replace(" ", "")]
            last = Item(role, start, skip, worth)
        elif token[0].isdecimal():
            last = _digits(token, start, words)
        elif start == last.end and last.role in _DIGIT_ROLES and token[0].isalnum():
            digits, last = last, _after_digits(token, start, known)
            if last.role not in _ENDINGS:
                digits.role = "x"  # 3D, 4x4: no number
        elif word is not None:
            role, worth = word
            last = Item(_form_of(role, token, key) if role in "m+" else role, start, end, worth)
        elif token.islower():
            last = _MANY if token[-1] == "s" and len(token) > 3 else _NOTHING
        else:
            last = Item("r", start, end, token) if _ROMAN.fullmatch(token) else _NOTHING
        items.append(last)
    return items


def _digits(token: str, start: int, words: Lexicon) -> Item:
    """Read a token that begins with a digit."""
    match = _DIGITS.fullmatch(token)
    role = _WRITTEN.get(match.lastgroup or "") if match else None
    if role is not None:
        return Item(role, start, start + len(token), token)
    role, number = _read_number(token, words.decimal)
    return Item(role, start, start + len(token), number)


def _after_digits(token: str, start: int, known: dict[str, Word]) -> Item:
    """Read the word that stands directly after digits: 48m, 10th, 5km."""
    key = token.lower()
    role, worth = known.get("#" + key) or known.get(key) or Word("x")
    return Item(role, start, start + len(token), worth)


def _form_of(role: str, token: str, key: str) -> str:
    """Part what spelling parts: May and may, million and millions."""
    if role == "m" and token == key:
        return "w"
    return "P" if role == "+" and key[-1] == "s" else role


# Most tokens say nothing to a value; they share these.
_NOTHING = Item("x", -1, -1)
_MANY = Item("L", -1, -1)

_DIGIT_ROLES = frozenset("#yq")
_ENDINGS = frozenset("tUu+AVc%")
_ROMAN = re.compile(r"[IVXLC]{1,7}")
_PLAIN_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"[\u00a0\u2009\u202f]")


def _read_number(token: str, decimal: str) -> tuple[str, Number]:
    """Return the role and the number of digits with points and commas; x where they make no number.

    The language says which sign parts the decimals; the other one is read so too where it cannot part
    thousands (`4,2` in English).
    """
    token = _SPACES.sub("", token)
    if len(token) > _MOST_DIGITS:
        return "x", 0
    if _PLAIN_DIGITS.fullmatch(token):
        number = int(token)
        return ("q" if len(token) < 3 else "y" if len(token) == 4 and 1000 <= number <= 2100 else "#"), number
    comma = "," if decimal == "." else "."
    whole, *groups = token.split(comma)
    if groups:
        last, _, rest = groups[-1].partition(decimal)
        if (
            len(whole) < 4
            and all(len(group) == 3 for group in [*groups[:-1], last])
            and decimal not in "".join(groups[:-1])
        ):
            plain = whole + "".join(groups[:-1]) + last
            return ("#", Decimal(f"{plain}.{rest}")) if rest else ("#", int(plain))
        token = token.replace(comma, ".") if len(groups) == 1 and decimal not in token else ""
    else:
        token = token.replace(decimal, ".") if token.count(decimal) == 1 else ""
    return ("#", Decimal(token)) if token else ("x", 0)


def _merged(items: list[Item], words: Lexicon) -> Iterator[Item]:
    """Put the tokens of one number together: forty-eight million, 1.5bn, 10th, twenty-first."""
    after = 0
    for match in _OPENING.finditer("".join([item.role for item in items])):
        at = match.start()
        if at >= after:
            yield from items[after:at]
            item, after = _number(items, at, words)
            yield item
    yield from items[after:]


_OPENING = re.compile(r"[#yqn1i+FG]")


def _role(items: list[Item], at: int) -> str:
    return items[at].role if at < len(items) else ""


def _number(items: list[Item], at: int, words: Lexicon) -> tuple[Item, int]:
    """Return the number that begins at a token and where the next token is; the token alone if none does."""
    first = items[at]
    following = _role(items, at + 1)
    if first.role in _DIGIT_ROLES:
        if following == "t":
            return Item("o", first.start, items[at + 1].end, first.number), at + 2
        value, after = _scaled(items, at + 1, first.number, at > 0 and items[at - 1].role == "$")
        value, after = _half(items, after, value)
        role = first.role if after == at + 1 else "#"
    elif first.role in "FG":
        # half a million
        after = at + 2 if following == "i" else at + 1
        if _role(items, after) != "+":
            return first, at + 1
        role, value, after = "#", items[after].number * Decimal("0.5"), after + 1
    elif first.role == "i" and following != "+":
        return first, at + 1
    else:
        return _spelt(items, at, words)
    return Item(role, first.start, items[after - 1].end, value), after


def _scaled(items: list[Item], at: int, value: Number, money: bool) -> tuple[Number, int]:
    """Multiply by the scales that follow: 48 thousand million."""
    for _ in range(_MOST_WORDS):
        if _role(items, at) not in {"+", "P"}:
            break
        value, at = value * items[at].number, at + 1
        money = False
    if money and _role(items, at) == "U" and items[at].worth == "m":
        return value * 1_000_000, at + 1
    return value, at


def _half(items: list[Item], at: int, value: Number, scale: int = 1) -> tuple[Number, int]:
    """Add the half of `two and a half million` and `dos millones y medio`, and the third of 2⅓."""
    role = _role(items, at)
    if role == "V" and items[at].start == items[at - 1].end:
        return _scaled(items, at + 1, value + _decimal(Fraction(str(items[at].worth))), False)
    after = at + 2 if _role(items, at + 1) == "i" else at + 1
    if role == "&" and _role(items, after) in {"F", "G"} and _role(items, after + 1) != "O":
        return _scaled(items, after + 1, value + scale * Decimal("0.5"), False)
    return value, at


def _decimal(share: Fraction) -> Decimal:
    return round(Decimal(share.numerator) / share.denominator, 4)


def _spelt(items: list[Item], at: int, words: Lexicon) -> tuple[Item, int]:
    """Read a number in words, as far as they make one."""
    reading = _Reading()
    first, after, end = items[at], at, at + _MOST_WORDS
    while after < min(end, len(items)):
        item, step = items[after], 1
        hyphen = item.role == "-" and item.start == items[after - 1].end
        if after > at and (hyphen or (item.role == "&" and reading.may_join(words.joins_tens))):
            step = 2
        part = items[after + step - 1] if after + step <= len(items) else item
        if reading.ends_with(part):
            return Item("o", first.start, part.end, reading.value), after + step
        if not reading.takes(part, opening=after == at, joined=item.role == "&"):
            break
        after += step
    if first.role == "1" and after == at + 1:
        return first, after
    value, after = _half(items, after, reading.value, reading.scale)
    return Item("y" if reading.year else "#", first.start, items[after - 1].end, value), after


@dataclass(slots=True)
class _Reading:
    """A number being read: the groups that a scale has closed, and the group that is open."""

    closed: int = 0
    group: int = 0
    scale: int = 1
    year: bool = False

    @property
    def value(self) -> int:
        return self.closed + self.group

    def may_join(self, tens: bool) -> bool:
        """Tell whether a word for and may follow: after hundreds and scales, of Spanish after tens."""
        if self.group % 100 == 0:
            return not self.year
        return tens and self.group % 10 == 0 and self.group % 100 >= 30

    def ends_with(self, part: Item) -> bool:
        """Take an ordinal that ends the number: twenty-first."""
        if part.role != "o" or self.group % 10 or self.group % 100 < 20 or part.number > 9:
            return False
        self.group += int(part.number)
        return True

    def takes(self, part: Item, *, opening: bool, joined: bool) -> bool:
        """Take the next word, if it can go on the number."""
        worth = int(part.number)
        if part.role in "+P":
            return self._multiply(worth, plural=part.role == "P", opening=opening)
        if part.role not in "n1" and not (part.role == "i" and (opening or joined)):
            return False
        tail = self.group % 100
        hundreds = tail == 0 and worth < 100 and not self.year
        tens = tail >= 20 and tail % 10 == 0 and 0 < worth < 10
        if self.group == 0 or hundreds or tens:
            self.group += worth
        elif 10 < self.group <= 20 and 9 < worth < 100 and not self.closed and not joined:
            self.group, self.year = 100 * self.group + worth, True  # nineteen eighty-four
        else:
            return False
        return True

    def _multiply(self, worth: int, *, plural: bool, opening: bool) -> bool:
        if self.year or (plural and opening):
            return False
        self.scale = worth
        if worth < 1000:
            self.group = (self.group or 1) * worth
        elif self.group == 0 and self.closed:
            self.closed *= worth  # mil millones
        else:
            self.closed, self.group = self.closed + (self.group or 1) * worth, 0
        return True
