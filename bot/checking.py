"""Whether what somebody quotes stands in an article, to the letter, and if not, what was changed.

A text is taken apart into the sentences that it quotes: its block quotes, else what stands between quotation
marks, else all of it. Each sentence is looked for as a phrase, then by its rare words; what is nearest to it,
letter by letter, is what it is held against. Only white space may differ: a quote may be wrapped.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

from index import Article, Generation, Sentence
from index.folding import WORD, fold
from index.generation import StoredPassage
from index.passages import split_sentences

__all__ = ["Change", "ChangeKind", "CheckVerdict", "Checked", "check", "quoted_parts"]

MOST = 10
"""Sentences of one text that are checked."""

_LONGEST = 2_000
"""Characters of a sentence that are checked."""

_CANDIDATES = 20
_RARE_WORDS = 8

_ALIKE, _SHORT_ALIKE = 72.0, 80.0
"""Likeness (100 is the same) from which a sentence counts as a changed quote; a short one needs more.

One letter, word or number changed gives 90 and more, a clause left out 75 to 90; another sentence about the
same gives 40 to 65. See tests/bot/test_checking.py.
"""
_SHORT = 25
_COMMON = 0.5
"""Share of the quote's words that what it was changed from has too, at least."""

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKS = re.compile(r"(?<!\\)(?:\*\*|__|\|\||~~)")
_QUOTED_LINE = re.compile(r"^ *>(?:>>)? ?", re.MULTILINE)
_IN_MARKS = re.compile(r'“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|‹([^›]+)›|"([^"]+)"')
_LEFT_OUT = re.compile(r"\[\s*(?:\.{3}|…)\s*\]|\.{3,}|…")
_PIECES = re.compile(r"\w+|\s+|[^\w\s]")


class CheckVerdict(StrEnum):
    """What is said of a quoted sentence."""

    EXACT = "exact"
    """It stands in an article to the letter."""
    CHANGED = "changed"
    """An article has something like it."""
    ABSENT = "absent"
    """No article has anything like it."""


class ChangeKind(StrEnum):
    """Where a run of letters stands."""

    SAME = "same"
    QUOTED = "quoted"
    """In the quote only."""
    ARTICLE = "article"
    """In the article only."""


@dataclass(frozen=True, slots=True)
class Change:
    """A run of letters that the quote and the article share, or that only one of them has."""

    kind: ChangeKind
    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A quoted sentence, and where it stands, or what stands there instead.

    `start` and `end` are offsets into the article's text (into its heading where `paragraph` is 0), and
    `original` is what stands there. Put together, the changes that are not the article's alone are the quote,
    and those that are not the quote's alone the original, with single spaces. `times` is how often it stands
    in the articles that were looked at.
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


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of an article's text or heading."""

    article: Article
    paragraph: int
    start: int
    end: int

    @property
    def text(self) -> str:
        source = self.article.text if self.paragraph else self.article.heading
        return source[self.start : self.end]


def check(text: str, generation: Generation) -> tuple[Checked, ...]:
    """Check each sentence that a text quotes, in order; the first ten of them.

    Where an ellipsis leaves words out, what stands on either side of it is checked apart.
    """
    language = str(generation.manifest.passage_settings["language"])
    checked: list[Checked] = []
    for sentence in _sentences(text, language):
        whole = _check(sentence, generation)
        parts = [] if whole.verdict is CheckVerdict.EXACT else _parts(sentence)
        checked += [_check(part, generation) for part in parts] if len(parts) > 1 else [whole]
    return tuple(checked[:MOST])


def quoted_parts(text: str) -> list[str]:
    """Return what a text quotes: block quotes, else what is in quotation marks, else the whole text.

    Discord's escapes are undone, and the marks of bold and the like are left out.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    blocks: list[list[str]] = []
    within = False
    for line in lines:
        mark = _QUOTED_LINE.match(line)
        if mark:
            blocks = blocks if within else [*blocks, []]
            blocks[-1].append(line[mark.end() :])
        within = bool(mark)
    if blocks:
        return [_plain("\n".join(block)) for block in blocks]
    plain = _plain(text)
    marked = [next(filter(None, found.groups())) for found in _IN_MARKS.finditer(plain)]
    return [part for part in marked if len(part.split()) > 1] or [plain]


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", _MARKS.sub("", text))


def _sentences(text: str, language: str) -> list[str]:
    found: list[str] = []
    for part in quoted_parts(text[: MOST * _LONGEST]):
        for paragraph in re.split(r"\n\s*\n", part):
            spans = split_sentences(paragraph, language)
            found += [paragraph[start:end][:_LONGEST].strip() for start, end in spans]
    return [one for one in found if WORD.search(fold(one))][:MOST]


def _parts(sentence: str) -> list[str]:
    """Return what is quoted on either side of where words were left out."""
    parts = (part.strip() for part in _LEFT_OUT.split(sentence))
    return [part for part in parts if WORD.search(fold(part))]


def _check(sentence: str, generation: Generation) -> Checked:
    phrase = _passages(generation, f'"{_for_match(sentence)}"')
    exact = _exact(sentence, generation, phrase)
    if exact:
        first = exact[0]
        same = (Change(ChangeKind.SAME, " ".join(sentence.split())),)
        return Checked(
            sentence, CheckVerdict.EXACT, first.article, first.paragraph, first.start, first.end,
            first.text, same, len(exact),
        )  # fmt: skip
    near = _nearest(sentence, generation, phrase or _passages(generation, _rare(sentence, generation)))
    if near is None:
        return Checked(sentence, CheckVerdict.ABSENT)
    changes = tuple(_changes(sentence, near.text))
    return Checked(
        sentence,
        CheckVerdict.CHANGED,
        near.article,
        near.paragraph,
        near.start,
        near.end,
        near.text,
        changes,
        1,
    )


def _for_match(text: str) -> str:
    return text.replace('"', " ").replace("\0", " ")


def _rare(sentence: str, generation: Generation) -> str:
    """Return a query for the words of a sentence that few passages have."""
    words = list(dict.fromkeys(WORD.findall(fold(sentence))))[:200]
    marks = ", ".join("?" * len(words))
    rows = generation.query(f"SELECT word, passages FROM words WHERE word IN ({marks})", *words)  # noqa: S608
    rare = sorted(rows, key=lambda row: row[1])[:_RARE_WORDS]
    return " OR ".join(f'"{word}"' for word, _ in rare)


def _passages(generation: Generation, query: str) -> list[StoredPassage]:
    """Return the passages that meet a query best."""
    if not WORD.search(query):
        return []
    rows = generation.query(
        "SELECT rowid FROM passage_words WHERE passage_words MATCH ? "
        "ORDER BY bm25(passage_words), rowid LIMIT ?",
        query,
        _CANDIDATES,
    )
    return generation.passages([row for (row,) in rows])


def _exact(sentence: str, generation: Generation, passages: Sequence[StoredPassage]) -> list[_Place]:
    """Return where a sentence stands in the passages' articles, in the articles' order."""
    pattern = re.compile(r"(?<!\w)" * sentence[0].isalnum() + r"\s+".join(map(re.escape, sentence.split()))
                         + r"(?!\w)" * sentence[-1].isalnum())  # fmt: skip
    found: list[_Place] = []
    for row in sorted({one.article for one in passages}):
        article = generation.article(row)
        paragraphs = article.paragraphs
        for place in pattern.finditer(article.text):
            number = next(one.number for one in paragraphs if place.start() <= one.end)
            found.append(_Place(article, number, *place.span()))
        found += [_Place(article, 0, *place.span()) for place in pattern.finditer(article.heading)]
    return found


def _nearest(sentence: str, generation: Generation, passages: Sequence[StoredPassage]) -> _Place | None:
    """Return the part of the passages that a sentence is most like, if it is like enough."""
    wanted = " ".join(sentence.split())
    best, place = _ALIKE if len(wanted) >= _SHORT else _SHORT_ALIKE, None
    for whole in _places(generation, passages):
        alike, part = fuzz.ratio(wanted, " ".join(whole.text.split())), whole
        if alike < best and len(whole.text) > len(wanted):
            aligned = fuzz.partial_ratio_alignment(wanted, whole.text, score_cutoff=best)
            if aligned is not None:
                alike, part = aligned.score, _whole_words(whole, aligned.dest_start, aligned.dest_end)
        if alike >= best and _common(wanted, part.text) >= _COMMON:
            best, place = alike + 1e-9, part
    return place


def _places(generation: Generation, passages: Sequence[StoredPassage]) -> Iterator[_Place]:
    """Yield each sentence of the passages, and each with the next in its paragraph."""
    for stored in passages:
        article = generation.article(stored.article)
        sentences: Sequence[Sentence] = stored.passage.sentences
        for one in sentences:
            yield _Place(article, one.paragraph, one.start, one.end)
        for one, after in itertools.pairwise(sentences):
            if one.paragraph == after.paragraph:
                yield _Place(article, one.paragraph, one.start, after.end)


def _whole_words(place: _Place, start: int, end: int) -> _Place:
    """Return a part of a place, made longer to whole words."""
    text = place.text
    while start > 0 and text[start - 1].isalnum() and text[start : start + 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1 : end].isalnum() and text[end].isalnum():
        end += 1
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return _Place(place.article, place.paragraph, place.start + start, place.start + end)


def _common(quoted: str, original: str) -> float:
    own, other = set(WORD.findall(fold(quoted))), set(WORD.findall(fold(original)))
    return len(own & other) / len(own) if own else 0.0


def _changes(quoted: str, original: str) -> Iterator[Change]:
    """Yield what the two share and what each has alone, by words, white space as single spaces."""
    own = _PIECES.findall(" ".join(quoted.split()))
    other = _PIECES.findall(" ".join(original.split()))
    matcher = difflib.SequenceMatcher(None, own, other, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield Change(ChangeKind.SAME, "".join(own[a:b]))
            continue
        if b > a:
            yield Change(ChangeKind.QUOTED, "".join(own[a:b]))
        if d > c:
            yield Change(ChangeKind.ARTICLE, "".join(other[c:d]))
