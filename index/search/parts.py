"""The parts of the search that can be left out by a setting, to save time or to see what each is worth."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["SCORED", "Part"]


class Part(StrEnum):
    """A part of finding and quoting; `FOOTNOTE_WITHOUT` names those to leave out."""

    DENSE = "dense"
    """Passages found by meaning: the cosine of their vector and the question's."""
    LEXICAL = "lexical"
    """Passages found by words: BM25."""
    LATE = "late"
    """Late interaction: candidates weighed token by token, as a whole and by their best sentence."""
    SENTENCE = "sentence"
    """The best sentence weighed by the mean of its token vectors, besides token by token."""
    SPELLING = "spelling"
    """Misspelt words of a question corrected, joined ones parted, parted ones joined."""
    ABBREVIATIONS = "abbreviations"
    """An abbreviation that an article introduces taken for its long form, and the other way round."""
    VALUES = "values"
    """Numbers, money and dates found however they are written."""
    WANTED = "wanted"
    """Sentences preferred that have the kind of thing that the question asks for."""
    CONTEXT = "context"
    """A quote extended to more than one sentence where it needs it."""
    HIGHLIGHT = "highlight"
    """The words of a quote pointed out that are the answer itself."""


SCORED = (Part.DENSE, Part.LEXICAL, Part.LATE, Part.SENTENCE)
"""The parts that add to a hit's score: a confidence that was fitted with them does not hold without."""
