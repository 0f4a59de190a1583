"""Which sentences of a hit are quoted: the shortest run of whole sentences, side by side, that answers.

One sentence as a rule. More where it depends on another:

- the sentence before it, where it opens with a pronoun ("It was lit in 1874."), or answers a question that
  the article asks ("Why does it float? Because it is hollow.");
- the list that it introduces with a colon;
- the neighbour that matches the question nearly as well, since which of the two answers is not certain.

A run never leaves its paragraph, and is at most about a spoken paragraph long.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.language import is_question, opens_with_pronoun
from index.passages.splitting import is_list_item
from index.search.hits import Hit, HitSentence

__all__ = ["sentences_to_quote"]

_LONGEST = 420
"""Characters of a run of more than one sentence; a single sentence may be longer."""

_LONGEST_LIST = 900
"""Characters of a list with what introduces it."""

_NEARLY = {-1: 0.12, 1: 0.2}
"""Difference in score below which the sentence before or after is quoted too. The one after more often adds
what was asked for. Chosen on xquad-en and clapnq."""


def sentences_to_quote(hit: Hit, language: str) -> tuple[HitSentence, ...]:
    """Return the sentences to quote, in the order of the text; the best one is among them."""
    best = hit.best_sentence
    if best.paragraph == 0:
        return (best,)
    paragraph = [sentence for sentence in hit.sentences if sentence.paragraph == best.paragraph]
    at = paragraph.index(best)
    if best.text.endswith(":") and (items := _list_items(paragraph, at)):
        return (best, *items)
    other = _neighbour(paragraph, at, language)
    if other is None:
        return (best,)
    first, last = sorted((at, other))
    if paragraph[last].end - paragraph[first].start > _LONGEST:
        return (best,)
    return (paragraph[first], paragraph[last])


def _list_items(paragraph: Sequence[HitSentence], at: int) -> list[HitSentence]:
    """Return the items of the list that a sentence introduces."""
    items: list[HitSentence] = []
    for sentence in paragraph[at + 1 :]:
        if not is_list_item(sentence.text) or sentence.end - paragraph[at].start > _LONGEST_LIST:
            break
        items.append(sentence)
    return items


def _neighbour(paragraph: Sequence[HitSentence], at: int, language: str) -> int | None:
    """Return the place of the one neighbour to quote with a sentence, if any."""
    best = paragraph[at]
    if at > 0 and (opens_with_pronoun(best.text, language) or is_question(paragraph[at - 1].text)):
        return at - 1
    gaps = [
        (best.score - paragraph[at + step].score - nearly, at + step)
        for step, nearly in _NEARLY.items()
        if 0 <= at + step < len(paragraph)
    ]
    gap, near = min(gaps, default=(0.0, at))
    return near if gap < 0 else None
