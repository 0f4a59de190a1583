"""Text analysis for search: folding, words and stems. One analyzer for passages, questions and spelling."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import Stemmer

__all__ = ["INVISIBLE", "WORD", "fold", "spaced_stems", "stem_words", "stemmer", "stems", "words"]

INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
"""Soft hyphens and characters of no width, which stand inside words and are no part of them."""

WORD = re.compile(r"[^\W_]+")
"""A word: a run of letters and digits."""

_QUOTES = str.maketrans("‘’‚‛“”„‟′″", "''''\"\"\"\"'\"")
_FOREIGN = re.compile(r"[^\x00-\x7f]")

_stemmers = threading.local()  # one Snowball stemmer a language and thread: they are not safe to share


def fold(text: str) -> str:
    """Return the text in lower case, without accents and curly quotes (NFKD without combining marks)."""
    lower = text.lower()
    if lower.isascii():
        return lower
    # A character folds alone, until letters made of several characters are composed.
    folded = _FOREIGN.sub(lambda match: _fold_character(match[0]), lower)
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


@lru_cache(maxsize=8_192)  # enough for a few writing systems
def _fold_character(character: str) -> str:
    # Twice, since decomposing makes capitals ("™") and lower case makes accents ("İ").
    return _strip_marks(_strip_marks(character).casefold())


def _strip_marks(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.translate(_QUOTES))
    return "".join(
        character
        for character in parts
        if not unicodedata.combining(character) and not INVISIBLE.match(character)
    )


def words(text: str) -> list[str]:
    """Return the folded words of a text, in order."""
    return WORD.findall(fold(text))


def stems(text: str, language: str) -> list[str]:
    """Return the stems of a text's words, in order; the words where Snowball lacks the language."""
    return stem_words(words(text), language)


@lru_cache(maxsize=1_024)  # the same passages come up for many questions
def spaced_stems(text: str, language: str) -> str:
    """Return the stems of a text's words, each between spaces, so that whole words can be looked for."""
    return f" {' '.join(stems(text, language))} "


def stem_words(folded: list[str], language: str) -> list[str]:
    """Return the Snowball stem of each folded word."""
    known = _stemmer(language)
    stemmed: list[str] = known.stemWords(folded) if known else folded
    return stemmed


def stemmer(language: str) -> Callable[[str], str]:
    """Return a function from a folded word to its stem, for use in this thread."""
    known = _stemmer(language)
    stem: Callable[[str], str] = known.stemWord if known else str
    return stem


def _stemmer(language: str) -> Stemmer.Stemmer | None:
    by_language: dict[str, Stemmer.Stemmer | None] = _stemmers.__dict__
    if language not in by_language:
        try:
            by_language[language] = Stemmer.Stemmer(language)
        except KeyError:
            by_language[language] = None
    return by_language[language]
