"""Nothing leaves as a quote that cannot be proven: each is held against the article as it is stored.

A quote is proven where

- the article's content has the hash that was stored with it,
- the article's text (its heading, for paragraph 0) has these letters at these offsets, and
- the passage has the key that was stored with it: a hash of the text that its vectors were made of. So what
  was found and what is quoted are the same.

Checksums of files say that they are as they were written; this says that what was written belongs together.
What is not proven is withheld, with its citation: the rest is numbered anew. An answer without its first
quote is no answer any more. It is `related` with what is left and `not_found` with nothing, at a confidence
of 0, since what the confidence was of is gone.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.answering.answer import Answer, Citation, Quote, Verdict
from index.articles.article import Article
from index.encoding.encoder import Encoder
from index.passages.drafts import passage_key, passage_settings
from index.search.hits import Hit
from index.storage.local import Generation

if TYPE_CHECKING:
    from bot.answering.verify import Checked

__all__ = ["Prover"]

_LOG = logging.getLogger(__name__)

_OTHER_HASH = "its article has another hash than was stored"

_Place = tuple[str, bool, int]
"""An article's id, whether the place is in its heading, and where it begins."""


class Prover:
    """Proves what one generation is quoted with, and counts what it withholds; for use from any thread."""

    def __init__(self, generation: Generation, encoder: Encoder, withheld: Counter[str]) -> None:
        self.withheld = withheld
        """Quotes, passages and articles that were withheld so far, by reason."""
        self._generation = generation
        self._encoder = encoder
        self._language = str(generation.manifest.passage_settings["language"])
        # Of passages that were split in another way, by another version, the keys cannot be made anew.
        self._has_keys = generation.manifest.passage_settings == passage_settings(self._language)

    def prove(self, answer: Answer) -> Answer:
        """Return the answer with only those quotes and citations that are proven."""
        found = answer.reasons.found.hits if answer.reasons else ()
        sound = self._sound({_place_of(hit): hit for hit in found})
        quotes = [one for one in answer.quotes if self._proves(answer.citation_of(one), sound, one)]
        further = [one for one in answer.further if self._proves(one, sound)]
        if len(quotes) == len(answer.quotes) and len(further) == len(answer.further):
            return answer
        return _of_the_rest(answer, quotes, further)

    def prove_checked(self, checked: Checked) -> Checked:
        """Return what came of checking a sentence; none stands in an article unproven."""
        article = checked.article
        if article is None:
            return checked
        in_heading = checked.paragraph == 0
        if self._stands(article.id, in_heading, checked.start, checked.end, checked.original):
            return checked
        from bot.answering.verify import Checked, CheckVerdict

        return Checked(checked.quoted, CheckVerdict.ABSENT)

    def article(self, identity: str) -> Article | None:
        """Return the article with this id; None where there is none, or its hash is another."""
        found = self._generation.article_by_id(identity)
        if found is None or self._generation.is_in_step(identity):
            return found
        self._withhold(identity, in_heading=False, start=0, end=len(found.text), why=_OTHER_HASH)
        return None

    def _sound(self, hits: dict[_Place, Hit]) -> set[_Place]:
        """Return the places of the passages whose vectors are of the text that they have."""
        if not self._has_keys:
            return set(hits)
        rows = [hit.row for hit in hits.values()]
        keys = self._generation.passage_keys(rows)
        stored = dict(zip(hits, self._generation.passages(rows), strict=True))
        return {
            place
            for place, hit in hits.items()
            if keys[hit.row] == passage_key(hit.article, stored[place].passage, self._encoder, self._language)
        }

    def _proves(self, citation: Citation, sound: set[_Place], quote: Quote | None = None) -> bool:
        """Tell whether a passage is proven, and a quote of it."""
        in_heading = citation.paragraph == 0
        said = [(citation.start, citation.end, citation.passage)]
        if quote is not None:
            said.append((quote.start, quote.end, quote.text))
        if not all(self._stands(citation.article, in_heading, *one) for one in said):
            return False
        if (citation.article, in_heading, citation.start) in sound:
            return True
        start, end, why = citation.start, citation.end, "its vectors are of another text"
        self._withhold(citation.article, in_heading=in_heading, start=start, end=end, why=why)
        return False

    def _stands(self, identity: str, in_heading: bool, start: int, end: int, text: str) -> bool:
        """Tell whether a stored article has its own content, and these letters at these offsets."""
        article = self._generation.article_by_id(identity)
        source = "" if article is None else article.heading if in_heading else article.text
        if not self._generation.is_in_step(identity):
            why = _OTHER_HASH
        elif source[start:end] != text:
            why = "its article has other letters there"
        else:
            return True
        self._withhold(identity, in_heading=in_heading, start=start, end=end, why=why)
        return False

    def _withhold(self, identity: str, *, in_heading: bool, start: int, end: int, why: str) -> None:
        self.withheld[why] += 1
        _LOG.error(
            "A quote is withheld, since %s: article %r, %s %s to %s, generation %s. The index is out of step "
            "with itself: remove CURRENT from its folder and run `footnote index build`, which then makes "
            "all of it anew.",
            why,
            identity,
            "heading" if in_heading else "text",
            start,
            end,
            self._generation.name,
        )


def _place_of(hit: Hit) -> _Place:
    return hit.article.id, hit.sentences[0].paragraph == 0, hit.start


def _of_the_rest(answer: Answer, quotes: Sequence[Quote], further: Iterable[Citation]) -> Answer:
    """Return an answer of the quotes that are left, and of the citations that these have, numbered anew."""
    cited = sorted({one.citation for one in quotes})
    numbers = {old: new for new, old in enumerate(cited, 1)}
    rest = replace(
        answer,
        quotes=tuple(replace(one, citation=numbers[one.citation]) for one in quotes),
        citations=tuple(replace(answer.citations[old - 1], number=new) for old, new in numbers.items()),
        further=tuple(replace(one, number=new) for new, one in enumerate(further, len(cited) + 1)),
    )
    if answer.reasons is not None:
        hits = tuple(answer.reasons.cited[old - 1] for old in cited)
        rest = replace(rest, reasons=replace(answer.reasons, cited=hits))
    if quotes[:1] == list(answer.quotes[:1]):
        return rest
    near = Verdict.RELATED if answer.verdict is Verdict.ANSWERED else answer.verdict
    return replace(rest, verdict=near if quotes else Verdict.NOT_FOUND, confidence=0.0)
