"""Names behind pronouns: "In May she left." may answer a question about the person named before it.

Such a sentence matches the question's terms that are in the name, and the whole question, as well as the
sentence with the name does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from index.analysis import WORD, fold, spaced_stems
from index.encoding.encoder import Vectors
from index.language import function_words, has_pronoun

__all__ = ["borrowed"]

_BACK = 2  # sentences before a pronoun in which a name is looked for


def borrowed(
    of_terms: Vectors,
    means: Sequence[float],
    forms: Sequence[Sequence[str]],
    sentences: Sequence[str],
    language: str,
) -> tuple[Vectors, list[int]]:
    """Return what each sentence gains from a name before its pronoun: in each score, and in its mean.

    The places of the sentences with these names come second; a sentence that gains nothing has its own.

    `of_terms` has each term's part of the scores, shape (scores, terms, sentences); `forms` the stems of
    every form of each term, between spaces. The result has the shape (scores + 1, sentences).
    """
    gains = np.zeros((len(of_terms) + 1, len(sentences)), dtype=np.float32)
    sources = [*range(len(sentences))]
    for place in range(1, len(sentences)):
        if has_pronoun(sentences[place], language):
            before = range(max(place - _BACK, 0), place)
            named = [(at, name) for at in before if (name := _names(sentences[at], language))]
            for at, name in named[-1:]:
                terms = [any(form in name for form in some) for some in forms]
                more = of_terms[:, terms, at] - of_terms[:, terms, place]
                gains[:-1, place] = np.maximum(more, 0).sum(axis=1)
                gains[-1, place] = max(means[at] - means[place], 0) * any(terms)
                sources[place] = at if any(terms) else place
    return gains, sources


@lru_cache(maxsize=1_024)
def _names(sentence: str, language: str) -> str:
    """Return the spaced stems of a sentence's capitalised words but for function words, with its numbers."""
    ignored = function_words(language)
    words = [word for word in WORD.findall(sentence) if fold(word) not in ignored]
    if not any(word[0].isupper() for word in words):
        return ""
    return spaced_stems(" ".join(word for word in words if word[0].isupper() or word.isdigit()), language)
