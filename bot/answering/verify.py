"""Whether what somebody quotes stands in an article, to the letter, and if not, what was changed.

Each sentence that a text quotes is looked for as a phrase. Where it does not stand so, the
passages that have its rarest words are searched for what is most like it, letter by letter, and the two are
compared. Only white space may differ, since a quote may be wrapped; a curly quotation mark for a straight one
is a change like any other.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.answering.alignment import Change, ChangeKind, compare, is_apart, most_like, places_of
from bot.answering.quotations import has_block_quote, quotations, sentences_of, without_marks
from index.analysis import WORD, fold
from index.articles.article import Article
from index.language import words_of
from index.passages.splitting import source_text
from index.storage.local import Generation
from index.storage.store import StoredPassage

__all__ = ["MOST", "Change", "ChangeKind", "CheckVerdict", "Checked", "check"]

MOST = 10
"""Sentences of one text that are checked."""

_LONGEST = 2_000
"""Characters of a sentence that are checked."""

_PHRASE_PASSAGES = 50
"""Passages that have a sentence as a phrase: where it stands more often, it is not counted further."""

_PHRASE_WORDS = 64
"""Words of a sentence that are looked for as a phrase; that the rest follows is seen in the text."""

_CANDIDATES = 12
_NEAREST = 2
_RARE_WORDS = 8

_NEARLY = 0.9
"""Likeness from which a text is taken for a quote although it has quotation marks inside."""

_SHORT_WORDS, _SHORT_LETTERS = 3, 12
"""Below these a quote is too short to be known in another form."""

# Scripts that are written without spaces, so that a part of a sentence is no word of the index.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)


class CheckVerdict(StrEnum):
    """What is said of a quoted sentence."""

    EXACT = "exact"
    """It stands in an article to the letter."""
    CHANGED = "changed"
    """An article has something like it."""
    ABSENT = "absent"
    """No article has anything like it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A quoted sentence, and where it stands, or what stands there instead.

    `start` and `end` are offsets into the article's text (into its heading where `paragraph` is 0), and
    `original` is what stands there. Put together, the changes that are not the article's alone are the quote,
    and those that are not the quote's alone the original, with single spaces. `times` is how often it stands
    in the articles to the letter, as far as that was counted; the first place is given.
    """

    quoted: str
    verdict: CheckVerdict
    article: Article | None = None
    paragraph: int = 0
    start: int = 0
    end: int = 0
    original: str = ""
    changes: tuple[Change, ...] = ()
    times: int = 0

    @property
    def is_slight(self) -> bool:
        """Whether a changed quote differs only in case, accents, or the form of its quotation marks."""
        return self.verdict is CheckVerdict.CHANGED and _folded(self.quoted) == _folded(self.original)


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of an article's text, or of its heading; `likeness` to what was looked for is 0 to 1."""

    article: Article
    in_heading: bool
    start: int
    end: int
    likeness: float = 1.0

    @property
    def source(self) -> str:
        return self.article.heading if self.in_heading else self.article.text

    @property
    def text(self) -> str:
        return self.source[self.start : self.end]

    def widened(self, by: int) -> _Place:
        end = min(self.end + by, len(self.source))
        return _Place(self.article, self.in_heading, max(self.start - by, 0), end)

    @property
    def paragraph(self) -> int:
        if self.in_heading:
            return 0
        return self.article.paragraph_at(self.start)


def check(text: str, generation: Generation) -> tuple[Checked, ...]:
    """Check each sentence that any text quotes, in order; the first ten of them.

    The text is read as Discord shows it. It is read as it was typed, where an article has that to the letter,
    and as a quote in itself, where it has no block quote and nearly all of it stands in articles, if then the
    articles have more of it.
    """
    whole = text[: MOST * _LONGEST].encode("utf-8", "replace").decode().replace("\x00", " ")
    plain = without_marks(whole)
    checker = _Checker(generation)
    found = [checker.check(quotations(plain))]
    as_typed = checker.check(quotations(whole))
    if all(one.likeness == 1 for one in as_typed):
        found.append(as_typed)
    as_quote = [] if has_block_quote(plain) else checker.check([plain])
    if all(one.likeness >= _NEARLY for one in as_quote):
        found.append(as_quote)
    best = max(found, key=lambda reading: sum(one.letters for one in reading))
    return tuple(one.checked for one in best)


@dataclass(frozen=True, slots=True)
class _Result:
    """A checked sentence, its likeness, and how many of its letters stand in the article."""

    checked: Checked
    likeness: float

    @property
    def letters(self) -> int:
        return sum(len(one.text) for one in self.checked.changes if one.kind is ChangeKind.SAME)


class _Checker:
    """Checks the readings of one text, each sentence of them once."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._language = str(generation.manifest.passage_settings["language"])
        self._articles: dict[int, Article] = {}
        self._known: dict[str, _Result] = {}

    def check(self, pieces: Iterable[str]) -> list[_Result]:
        """Check the sentences of quotations, in order."""
        sentences = (_cut(one) for piece in pieces for one in sentences_of(piece, self._language))
        return [self._check(one) for one, _ in zip(sentences, range(MOST), strict=False)]

    def _check(self, sentence: str) -> _Result:
        if sentence not in self._known:
            self._known[sentence] = self._result(sentence)
        return self._known[sentence]

    def _result(self, sentence: str) -> _Result:
        places = self._exact(sentence)
        near = None if places or _is_short(sentence) else self._nearest(sentence)
        if near and " ".join(near.text.split()) == sentence:
            places = [near]
        if places:
            return _Result(_checked(sentence, CheckVerdict.EXACT, places[0], len(places)), 1.0)
        if near is None:
            return _Result(Checked(sentence, CheckVerdict.ABSENT), 0.0)
        return _Result(_checked(sentence, CheckVerdict.CHANGED, near, 1), near.likeness)

    def _exact(self, sentence: str) -> list[_Place]:
        """Return where a sentence stands to the letter, in the order of the articles."""
        found: dict[tuple[int, bool, int], _Place] = {}
        for stored in self._passages("rowid", f'text : "{_phrase(sentence)}"', _PHRASE_PASSAGES):
            article, passage = self._article(stored.article), stored.passage
            source = source_text(article, passage)
            first = max(passage.start - len(sentence), 0)
            around = source[first : passage.end + len(sentence)]
            for a, b in places_of(sentence, around):
                start, end = first + a, first + b
                if is_apart(source, start, end):
                    place = _Place(article, passage.is_heading, start, end)
                    found.setdefault((stored.article, passage.is_heading, start), place)
        if not found and _UNSPACED.search(sentence):
            return list(itertools.islice(self._anywhere(sentence), _PHRASE_PASSAGES))
        return [found[key] for key in sorted(found)]

    def _anywhere(self, sentence: str) -> Iterator[_Place]:
        """Yield where a sentence stands in the first articles that have a word of it, reading all of them."""
        word = max(sentence.split(), key=len)
        sql = "SELECT id FROM articles WHERE instr(text, ?) ORDER BY id LIMIT ?"
        for (row,) in self._generation.query(sql, word, _CANDIDATES):
            article = self._article(row)
            for start, end in places_of(sentence, article.text):
                yield _Place(article, False, start, end)

    def _nearest(self, sentence: str) -> _Place | None:
        """Return what is most like a sentence in the passages that have its rarest words."""
        pairs = _pairs(sentence)
        ranked: list[tuple[int, _Place]] = []
        for stored in self._passages("bm25(passage_words, 1.0, 0.5)", self._rare(sentence), _CANDIDATES):
            article, passage = self._article(stored.article), stored.passage
            place = _Place(article, passage.is_heading, passage.start, passage.end)
            ranked.append((len(pairs & _pairs(place.text)), place.widened(_LONGEST)))
        ranked.sort(key=lambda one: -one[0])
        best: _Place | None = None
        for _, around in ranked[:_NEAREST]:
            like = most_like(sentence, around.text)
            if like is not None and (best is None or like.likeness > best.likeness):
                start, end = around.start + like.start, around.start + like.end
                best = _Place(around.article, around.in_heading, start, end, like.likeness)
        return best

    def _rare(self, sentence: str) -> str:
        """Return a query for the words of a sentence that fewest passages have."""
        words = list(dict.fromkeys(words_of(sentence)))
        rows = self._generation.query(
            "SELECT word FROM words WHERE word IN (SELECT value FROM json_each(?)) "
            "ORDER BY passages, word LIMIT ?",
            json.dumps(words),
            _RARE_WORDS,
        )
        return " OR ".join(f'"{word}"' for (word,) in rows)

    def _passages(self, order: str, match: str, count: int) -> list[StoredPassage]:
        if not WORD.search(match):
            return []
        sql = f"SELECT rowid FROM passage_words WHERE passage_words MATCH ? ORDER BY {order}, rowid LIMIT ?"  # noqa: S608 - our own orders
        return self._generation.passages([row for (row,) in self._generation.query(sql, match, count)])

    def _article(self, row: int) -> Article:
        if row not in self._articles:
            self._articles[row] = self._generation.article(row)
        return self._articles[row]


def _checked(sentence: str, verdict: CheckVerdict, place: _Place, times: int) -> Checked:
    return Checked(
        quoted=sentence,
        verdict=verdict,
        article=place.article,
        paragraph=place.paragraph,
        start=place.start,
        end=place.end,
        original=place.text,
        changes=compare(sentence, place.text),
        times=times,
    )


def _cut(sentence: str) -> str:
    """Return as much of a sentence as is checked, cut after a word where there is a space."""
    if len(sentence) <= _LONGEST:
        return sentence
    return sentence[: _LONGEST + 1].rpartition(" ")[0] or sentence[:_LONGEST]


def _is_short(sentence: str) -> bool:
    few = len(WORD.findall(sentence)) < _SHORT_WORDS and not _UNSPACED.search(sentence)
    return few or len(sentence) < _SHORT_LETTERS


def _phrase(sentence: str) -> str:
    """Return a sentence's first words as FTS5 takes them between quotation marks."""
    words = list(itertools.islice(WORD.finditer(sentence), _PHRASE_WORDS))
    whole = sentence if len(words) < _PHRASE_WORDS else sentence[: words[-1].end()]
    return whole.replace('"', '""')


def _pairs(text: str) -> set[tuple[str, str]]:
    """Return the words of a text, each with the next."""
    return set(itertools.pairwise(words_of(text)))


def _folded(text: str) -> str:
    return " ".join(fold(text).split())
