"""The sentences of a hit to quote: the shortest run of whole sentences, side by side, that answers.

One sentence as a rule. More where it leans on another:

- the sentence before, where the best one opens with a pronoun ("It was lit in 1874."), or answers a question
  that the article asks ("Why does it float? Because it is hollow.");
- a list, with the sentence that leads to it (it ends with a colon), where that is the best one, or where the
  question asks for a list and an item is;
- the neighbour that has the number or date that the question asks for, where the best one has none;
- the neighbour that meets the question as well as the best one does, since which of the two has the answer
  cannot be told; and one that meets it about as well, where no name or number is asked for but a reason, a
  manner, a list or the like, which a single sentence seldom holds.

A run never leaves its paragraph, and is not made longer than about a paragraph of speech.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.language import asks, leans_back
from index.passages.splitting import is_list_item
from index.search.hits import Found, Hit, HitSentence
from index.search.wanted import Wanted

__all__ = ["run_to_quote"]

_ROOM = 420
"""Characters of a run that is made longer; a single sentence may be longer."""

_LIST_ROOM = 900
"""Characters of a list with what leads to it."""

_AS_WELL = 0.08
"""A score so near the best that the two cannot be told apart; chosen on xquad-en and clapnq, as the next."""

_ABOUT_AS_WELL = 0.25

_SHORT = {Wanted.PERSON, Wanted.PLACE, Wanted.NAME}
"""What a few words answer, besides values."""


def run_to_quote(found: Found, hit: Hit) -> tuple[HitSentence, ...]:
    """Return the sentences to quote, in the order of the text; the best one is among them."""
    best = hit.best_sentence
    if best.paragraph == 0:
        return (best,)
    paragraph = [one for one in hit.sentences if one.paragraph == best.paragraph]
    at = paragraph.index(best)
    lead = _lead(paragraph, at) if found.question.wanted is Wanted.LIST else at
    if paragraph[lead].text.endswith(":"):
        listed = (paragraph[lead], *_list_after(paragraph, lead))
        if len(listed) > 1 and best in listed:
            return listed
    other = _neighbour(found, paragraph, at)
    if other is None or _length(paragraph, at, other) > _ROOM:
        return (best,)
    return tuple(paragraph[min(at, other) : max(at, other) + 1])


def _lead(paragraph: Sequence[HitSentence], at: int) -> int:
    """Return the place of the sentence that leads to an item; of another sentence, its own."""
    while at > 0 and is_list_item(paragraph[at].text):
        at -= 1
    return at


def _list_after(paragraph: Sequence[HitSentence], at: int) -> list[HitSentence]:
    """Return the items of the list that a sentence leads to."""
    items: list[HitSentence] = []
    for one in paragraph[at + 1 :]:
        if not is_list_item(one.text) or one.end - paragraph[at].start > _LIST_ROOM:
            break
        items.append(one)
    return items


def _neighbour(found: Found, paragraph: Sequence[HitSentence], at: int) -> int | None:
    """Return the place of the one neighbour that the sentence needs, if it needs one."""
    best = paragraph[at]
    question = found.question
    if at > 0 and (leans_back(best.text, question.language) or asks(paragraph[at - 1].text)):
        return at - 1
    beside = [place for place in (at - 1, at + 1) if 0 <= place < len(paragraph)]
    beside.sort(key=lambda place: -paragraph[place].answering)
    if best.wanted == 0 and (having := [one for one in beside if paragraph[one].wanted == 1]):
        return having[0]
    is_short = question.wanted in _SHORT or question.wanted.is_value
    margin = _AS_WELL if is_short else _ABOUT_AS_WELL
    near = (place for place in beside if best.answering - paragraph[place].answering < margin)
    return next(near, None)


def _length(paragraph: Sequence[HitSentence], at: int, other: int) -> int:
    return paragraph[max(at, other)].end - paragraph[min(at, other)].start
