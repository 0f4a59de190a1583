"""One form for words that people write in many: without case, accents and curly quotes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["WORD", "fold"]

WORD = re.compile(r"[^\W_]+")
"""A word, as FTS5's unicode61 tells words apart: a run of letters and digits."""

_QUOTES = str.maketrans("‘’‚‛“”„‟′″", "''''\"\"\"\"'\"")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_CHARACTERS = 8_192
"""Characters whose folded form is kept: all that a few languages write with."""


def fold(text: str) -> str:
    """Return the text without case, accents and curly quotes."""
    lower = text.lower()
    if lower.isascii():
        return lower
    # What is left of each character depends on no other, until letters made of several are put together.
    folded = _FOREIGN.sub(lambda match: _folded(match[0]), lower)
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


@lru_cache(maxsize=_CHARACTERS)
def _folded(character: str) -> str:
    # Twice, since decomposing makes capitals ("™") and lower case makes accents ("İ").
    return _bare(_bare(character).casefold())


def _bare(text: str) -> str:
    """Return the text without accents and curly quotes, decomposed."""
    parts = unicodedata.normalize("NFKD", text.translate(_QUOTES))
    return "".join(one for one in parts if not unicodedata.combining(one))
