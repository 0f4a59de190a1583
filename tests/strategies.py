"""The hostile text that properties are tried on, one strategy for all tests."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["HOSTILE_PIECES", "hostile_text"]

HOSTILE_PIECES = (
    # White space and line ends of many kinds, some of them invisible
    *" \n\t\r\x0b\x1c\x85\xa0\u1680\u2028\u2029\u202f\u3000\ufeff\u200b",
    "\n\n", "\n- ", "\n1. ", "\r\n", "# ", "```",
    # Ends of sentences, abbreviations, quotes, brackets
    *".!?…。؟;:,'\"“”’()[]{}<>", "Mr. ", "e.g. ", "£3.5bn", "J. R. ", " -- ",
    # What a query language, SQL, Markdown, JSON, a terminal or Discord would act on
    " AND ", " OR ", " NOT ", "NEAR(", "text:", "*", "^", "+", "-", "~", "/", "\\",
    "'; DROP TABLE articles; --", "%s", "{}", "${HOME}", "../", "@everyone", "<@1>", "||",
    "\x1b[31m", "\x00", "\x07", "\x7f",
    # Combining marks, joiners, directions, characters that fold to several, other scripts
    "e\u0301", "\u0301", "\u200d", "\u202e", "\u2066", "👨‍👦", "🇨🇭", "🦊", "𝒜", "ﷺ",
    "ŉ", "ß", "İ", "ﬃ", "²", "Ⅷ", "½", "™",
    "שלום. ", "مرحبا ", "中文。", "한국어", "नमस्ते", "x" * 70,
)  # fmt: skip
"""Pieces that have broken tokenizers, query languages and terminals."""


def hostile_text(*words: str, surrogates: bool = False, most: int = 40) -> st.SearchStrategy[str]:
    """Draw text of up to `most` pieces: hostile ones, the given words, and any characters.

    With `surrogates` it may hold lone surrogates, as what people type may and articles may not.
    """
    characters = st.characters() if surrogates else st.characters(exclude_categories=["Cs"])
    pieces = [*HOSTILE_PIECES, *words, *(["\ud800", "\udfff"] if surrogates else [])]
    return st.lists(st.sampled_from(pieces) | st.text(characters, max_size=6), max_size=most).map("".join)
