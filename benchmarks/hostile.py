"""Whether time grows in proportion to text: every function that reads other people's text, on hostile texts.

    python -m benchmarks.hostile [--sizes 20000 40000 80000] [--only NAME] [--all]

Each function of `readers()` gets each text of `families()` in doubling lengths, one call each (the best of a
few where they are short). What is printed is a row a function and family: the seconds at each size, and the
growth exponent, the slope of log time over log length (1 is in proportion). Without `--all` only rows above
1.3 are printed, and then how many were measured. A call that takes over ten seconds counts as endless.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

__all__ = ["Row", "exponent", "families", "measure", "readers"]

SIZES = (20_000, 40_000, 80_000)
LIMIT = 10
"""Seconds after which a call counts as endless."""
_LINEAR = 1.3
"""Exponent up to which a row counts as linear: sorting, caches and the clock add some."""
_SHORTEST = 0.002
"""Seconds below which a time tells nothing."""

Family = Callable[[int], str]
Reader = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Row:
    """The seconds that a function took of texts of one family, by size."""

    reader: str
    family: str
    seconds: tuple[float, ...]


def _repeated(piece: str) -> Family:
    return lambda size: (piece * (size // len(piece) + 1))[:size]


def families() -> dict[str, Family]:
    """Return the texts by name; each takes a length in characters."""
    pieces = {
        "a space": " ",
        "a tab": "\t",
        "a line end": "\n",
        "lines of a space": "\n ",
        "lines and tabs": "\t\n",
        "a digit": "9",
        "strokes": "1/",
        "points": "1.",
        "commas": "1,",
        "thousands": "111\u00a0",
        "thousands and points": "111,111.",
        "times": "10:",
        "a letter": "a",
        "a capital": "A",
        "an accented letter": "é",
        "hyphened capitals": "A-",
        "apostrophes": "A'",
        "capitals and spaces": "A ",
        "names": "Aa of ",
        "initials": "A. ",
        "words": "ab ",
        "fillers": "and ",
        "fillers and commas": ", also ",
        "known as": "known as ",
        "for short": ", the X, ",
        "number words": "one hundred ",
        "scales": "million ",
        "halves": "and a half ",
        "an opening bracket": "(",
        "bracket and letter": "(a",
        "brackets": "(ab) ",
        "square brackets": "[",
        "links": "[a](http://a",
        "whole links": "[a](http://a) ",
        "quotation marks": '"',
        "quoted words": 'a" "b ',
        "opening marks": "“a ",
        "closing marks": "a” ",
        "apart marks": "«a ‹b „c ",
        "single marks": "'a ",
        "asterisks": "*",
        "starred": "**a",
        "stars around": "*a ",
        "underscores": "_",
        "underscored": "_a ",
        "bars": "||a",
        "backticks": "`",
        "fences": "```a",
        "backslashes": "\\",
        "escapes": "\\*",
        "tildes": "~~a",
        "block quotes": "> a\n",
        "empty block quotes": ">\n",
        "deep block quotes": ">>> a\n",
        "list items": "- a\n",
        "indented": "\n\t\t\t\t- ",
        "hashes": "# a\n",
        "a hash": "#",
        "dots": ".",
        "dots and spaces": ". ",
        "ellipses": "… ",
        "left out": "[...] ",
        "brackets and dots": "[ ... ",
        "sentences": "Aa b. ",
        "questions": "a? ",
        "abbreviated": "a.b.",
        "colons": ":",
        "addresses": "http://a.b/",
        "mentions": "<@1> ",
        "everyone": "@everyone ",
        "emoji": "\U0001f469\u200d",
        "flags": "\U0001f1e6",
        "marks": "\u0301",
        "a letter and marks": "a\u0301\u0327\u0323",
        "expanding": "\ufdfa",
        "half characters": "\ud800",
        "overrides": "\u202e\u2066",
        "controls": "\x00\x1b[31m",
        "line separators": "a\u2028",
        "ideographs": "海",
        "ideographs and stops": "海。",
        "kana": "カ",
        "zero width": "a\u200b",
        "ligatures": "ﬁ",
    }
    found = {name: _repeated(piece) for name, piece in pieces.items()}
    found["a word, then spaces"] = lambda size: "a" + " " * (size - 2) + "b"
    found["a quote, then spaces"] = lambda size: '"a' + " " * (size - 4) + 'b"'
    found["zalgo"] = lambda size: ("e" + "\u0301\u0316\u0489" * 300) * (size // 901 + 1)
    found["front matter"] = lambda size: "---\na: b\n---\n" + "x\n\n" * (size // 3)
    found["dashes"] = lambda size: "---\n" + "- " * (size // 2)
    return found


def whole_characters(text: str) -> str:
    """Return a text as it gets to where half characters have been refused or replaced."""
    return text.encode("utf-8", "replace").decode()


def readers() -> dict[str, Reader]:
    """Return the functions by name, those of articles first."""
    return {**_of_articles(), **_of_questions(), **_of_surfaces()}


def _of_articles() -> dict[str, Reader]:
    from index.folding import fold
    from index.search.lexicon import lexicon
    from index.search.names import find_names
    from index.search.values import value_terms

    from index.articles.article import Article
    from index.articles.formats import read_articles
    from index.errors import ArticleError
    from index.language import words_of
    from index.passages.splitting import split_article, split_sentences
    from index.search.abbreviations import find_abbreviations

    def counted(texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    def read(text: str, suffix: str) -> object:
        with tempfile.NamedTemporaryFile(suffix=suffix) as file:
            file.write(whole_characters(text).encode())
            file.flush()
            try:
                return read_articles(Path(file.name))
            except ArticleError as refused:
                return refused

    def split(text: str) -> object:
        whole = whole_characters(text).strip() or "a"
        article = Article("a", "a", "", "", "", "", whole[:50_000], whole)
        return split_article(article, counted, 200, "en"), article.paragraphs

    return {
        "text to article": lambda text: read(text, ".txt"),
        "Markdown to article": lambda text: read(text, ".md"),
        "a line to article": lambda text: read(json.dumps({"id": "a", "text": text}), ".jsonl"),
        "article to passages": split,
        "paragraph to sentences": lambda text: split_sentences(whole_characters(text), "en"),
        "abbreviations": find_abbreviations,
        "values, English": lambda text: value_terms(text, "en"),
        "values, Spanish": lambda text: value_terms(text, "es"),
        "names": lambda text: list(find_names(text, lexicon("en"))),
        "words": words_of,
        "folding": fold,
    }


def _of_questions() -> dict[str, Reader]:
    from bot.answering.quotations import quotations, sentences_of, without_marks
    from index.search.highlight import highlight
    from index.search.wanted import Wanted, wanted, weighed_candidates

    from bot.answering.alignment import compare, most_like, places_of
    from bot.answering.followups import Earlier, leaning, readings
    from bot.service.catalogue import ArticleLine, Catalogue
    from index.language import parts_asked_for, straighten
    from index.search.spelling import Vocabulary

    vocabulary = Vocabulary({"lamp": 3, "rock": 2, "ab": 1, "aa": 2}, ["one", "million"])
    catalogue = Catalogue([ArticleLine.of("a", "The lamp")])
    said = "The lamp on Gull Rock was lit for the first time in 1871, by Mara Holt of the Coast Trust."
    before = Earlier("Who lit the lamp on Gull Rock?", said, "Mara Holt")

    return {
        "a question, straight": straighten,
        "what is asked for": lambda text: wanted(text, "en"),
        "what of a heading": lambda text: parts_asked_for(text.split(), "en"),
        "candidates": lambda text: [
            weighed_candidates(text, one, "what?", language) for one in Wanted for language in ("en", "es")
        ],
        "the words that answer": lambda text: highlight("Who lit the lamp?", text, "en"),
        "spelling": lambda text: vocabulary.read(text.split()[:32]),
        "whether it leans": leaning,
        "follow-up": lambda text: readings(text, before),
        "after a long question": lambda text: readings("And who?", Earlier(text, text, text)),
        "an article by name": lambda text: (catalogue.suggest(text), catalogue.find(text)),
        "what is quoted": quotations,
        "without marks": without_marks,
        "quoted sentences": lambda text: list(sentences_of(whole_characters(text), "en")),
        "most like": lambda text: most_like(text[:2_000], text[:6_000]),
        "a sentence in a text": lambda text: list(places_of(text[:2_000] + "x", text)),
        "changes": lambda text: compare(text[:2_000], text[1:3_000]),
    }


def _of_surfaces() -> dict[str, Reader]:
    from bot.discordapp.escape import around, fit, shorten
    from bot.discordapp.links import address, link

    from bot.chat.text_fragments import sentence_url
    from index.terminal import printable

    return {
        "for a terminal": printable,
        "for Discord": lambda text: fit(text, 2_000),
        "for Discord, around": lambda text: around(text, len(text) // 2, len(text) // 2 + 100, 2_000),
        "for Discord, shorter": lambda text: shorten(text, 2_000),
        "a title's link": lambda text: link(text, "https://a.example"),
        "an address": lambda text: (address(text), address(f"https://{text}")),
        "an address at a quote": lambda text: sentence_url(
            "https://a.example", text, len(text) // 2, len(text) // 2 + 90
        ),
        "an address at a long quote": lambda text: sentence_url(
            "https://a.example", text, len(text) // 4, len(text) // 2
        ),
    }


class _EndlessError(Exception):
    """A call took longer than `LIMIT`."""


@contextmanager
def _bounded() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise _EndlessError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _seconds(reader: Reader, text: str) -> float:
    """Return how long one call takes: the shortest of three, where those are short."""
    best = math.inf
    for _ in range(3):
        begun = time.process_time()  # whatever else is at work on the machine
        reader(text)
        best = min(best, time.process_time() - begun)
        if best > 0.1:
            break
    return best


def measure(name: str, reader: Reader, family: str, text: Family, sizes: Sequence[int]) -> Row:
    """Time one function on one family; from a size that is endless on, the seconds are infinite."""
    seconds: list[float] = []
    for size in sizes:
        try:
            with _bounded():
                seconds.append(_seconds(reader, text(size)))
        except _EndlessError:
            break
    return Row(name, family, (*seconds, *[math.inf] * (len(sizes) - len(seconds))))


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the slope of log seconds over log size, from first to last; 0 where all is too short to tell."""
    if math.inf in seconds:
        return math.inf
    told = [(size, took) for size, took in zip(sizes, seconds, strict=True) if took >= _SHORTEST]
    if len(told) < 2:
        return 0.0
    (small, short), (large, long) = told[-2], told[-1]
    return math.log(long / short) / math.log(large / small)


def main() -> None:
    """Measure everything, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", default="", help="a part of a function's name")
    parser.add_argument("--all", action="store_true", help="print every row")
    told = parser.parse_args()
    count = 0
    for name, reader in readers().items():
        for family, text in families().items():
            if told.only not in name:
                continue
            row = measure(name, reader, family, text, told.sizes)
            count += 1
            grows = exponent(told.sizes, row.seconds)
            if told.all or grows > _LINEAR:
                times = " ".join(f"{one:9.4f}" for one in row.seconds)
                print(f"{name:<28} {family:<24} {times}  {grows:5.2f}", flush=True)
    print(f"{count} rows at {told.sizes}; those with an exponent above {_LINEAR} are shown", file=sys.stderr)


if __name__ == "__main__":
    main()
