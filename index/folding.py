"""One form for words that people write in many: without case, accents and curly quotes."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["WORD", "fold"]

WORD = re.compile(r"[^\W_]+")
"""A word, as FTS5's unicode61 tells words apart: a run of letters and digits."""

_QUOTES = str.maketrans("‘’‚‛“”„‟′″", "''''\"\"\"\"'\"")


def fold(text: str) -> str:
    """Return the text without case, accents and curly quotes."""
    if text.isascii():
        return text.lower()
    # Twice, since decomposing makes capitals ("™") and lower case makes accents ("İ").
    return unicodedata.normalize("NFC", _bare(_bare(text).casefold()))


def _bare(text: str) -> str:
    """Return the text without accents and curly quotes, decomposed."""
    parts = unicodedata.normalize("NFKD", text.translate(_QUOTES))
    return "".join(one for one in parts if not unicodedata.combining(one))
