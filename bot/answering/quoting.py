"""Hits to an answer: the distinct hits are cited, and the shortest run of sentences that answers is quoted.

One sentence as a rule. Two or more where it depends on another:

- the sentence before it, where it opens with a pronoun ("It was lit in 1874."), or answers a question that
  the article asks ("Why does it float? Because it is hollow.");
- the paragraph, list or table below the heading, question or lead-in that matches the question better;
- the neighbour that matches the question nearly as well, since which of the two answers is not certain.

A run never leaves its paragraph, and is at most about a spoken paragraph long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

from bot.answering.answer import Answer, Citation, Quote, Reasons, Verdict, page_url
from index.analysis import words
from index.articles.blocks import LEADS, BlockKind
from index.language import is_question, opens_with_pronoun
from index.passages.sentences import is_list_item
from index.search.hits import HitSentence, judged

if TYPE_CHECKING:
    from index.articles.article import Article
    from index.articles.blocks import Block
    from index.reading.reader import Reading
    from index.search.calibration import Fit
    from index.search.hits import Found, Hit
    from index.search.question import Question

__all__ = ["make_answer", "sentences_to_quote"]

_CITED = 3  # citations of an answer at most, one quote each
_SAME = 0.8  # share of common words at which two passages say the same (Jaccard index)
_LONGEST = 420  # characters of a run of more than one sentence; a single sentence may be longer
_LONGEST_LIST = 900  # characters of a list with what introduces it
_LISTED = frozenset({BlockKind.ITEM, BlockKind.ROW})

# Difference in score below which the sentence before or after is quoted too. The one after more often adds
# what was asked for. Chosen on xquad-en and clapnq.
_NEARLY = {-1: 0.12, 1: 0.2}

# Share of the best sentence's probability from which those beside it are quoted too, where a reader has read
# them: 0.1 adds 4 to 9 points of right quotes and 20 to 45 characters (docs/quality.md).
_LIKELY = 0.1


def make_answer(question: str, found: Found, fit: Fit, generation: str) -> Answer:
    """Quote the best sentences of each of the best hits, cite them, and judge the first by a fit."""
    hits = _distinct(found.hits)
    cited = hits[:_CITED]
    language = found.question.language
    quotes = tuple(_quotes(cited, language, found.reading))
    signals = judged(cited[0], quotes[0].start, quotes[0].end, found.reading) if cited else {}
    confidence = round(fit.answers(signals), 4) if signals else 0.0
    verdict = Verdict.of(confidence, fit.subject(signals) if signals else 0.0, fit)
    if verdict is Verdict.ANSWERED and _is_lacking(found.question, cited[0]):
        verdict, confidence = Verdict.RELATED, fit.unsure(confidence)
    citations = [_citation(number, hit, language) for number, hit in enumerate(hits, 1)]
    return Answer(
        question=question,
        verdict=verdict,
        confidence=confidence,
        quotes=quotes,
        citations=tuple(citations[:_CITED]),
        generation=generation,
        elapsed_ms=0.0,
        further=tuple(citations[_CITED:]),
        reasons=Reasons(found, tuple(cited), signals, fit),
        read_only=found.question.read_only,
    )


def _is_lacking(question: Question, hit: Hit) -> bool:
    """Tell whether a hit's quote, with what stands above it, lacks an identifier of the question.

    Of several lines, which may be those of a log, one has to match.
    """
    match = hit.best_sentence.match
    return match.is_lacking and not ("\n" in question.typed and match.held)


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without those that say the same as a better one, or would quote the same sentence."""
    distinct: list[tuple[Hit, frozenset[str]]] = []
    for hit in hits:
        own = _word_set(hit.text)
        quote = hit.best_sentence.text
        if not any(
            quote == better.best_sentence.text or _are_same(own, others) for better, others in distinct
        ):
            distinct.append((hit, own))
    return [hit for hit, _ in distinct]


def _are_same(some: frozenset[str], others: frozenset[str]) -> bool:
    if min(len(some), len(others)) < _SAME * max(len(some), len(others)):
        return False  # whatever they share
    common = len(some & others)
    return common >= _SAME * (len(some) + len(others) - common)


@lru_cache(maxsize=256)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(words(text))


def _quotes(hits: Sequence[Hit], language: str, reading: Reading | None) -> Iterator[Quote]:
    """Yield a quote of each hit, with the words of the likeliest answer in the one that has them."""
    for number, hit in enumerate(hits, 1):
        best, answer = hit.best_sentence, reading.answer if reading and number == 1 else None
        is_in = answer is not None and best.start <= answer[0] < answer[1] <= best.end
        yield replace(_quote(number, hit, language), highlight=answer if is_in else None)


def _quote(number: int, hit: Hit, language: str) -> Quote:
    run, paragraph = sentences_to_quote(hit, language), hit.best_sentence.paragraph
    start, end = run[0].start, run[-1].end
    quote = Quote(_source(hit)[start:end], number, paragraph, start, end)
    if paragraph == 0:
        return quote
    marks, header = hit.article.marks_in(start, end), hit.article.header_at(start)
    return replace(quote, marks=marks, header=header, more_items=_left_out(hit.article, start, end))


def _left_out(article: Article, start: int, end: int) -> int:
    """Return how many items or rows are beside those from `start` to `end`, where that is several."""
    quoted = [block for block in article.blocks if start <= block.start < end and block.kind in _LISTED]
    if len(quoted) < 2:
        return 0
    place = attrgetter("paragraph", "above", "level")
    first = min(quoted, key=attrgetter("level"))
    beside = (block for block in article.blocks if place(block) == place(first) and block not in quoted)
    return sum(_has_bullet(article, block) == _has_bullet(article, first) for block in beside)


def _has_bullet(article: Article, block: Block) -> bool:
    """Tell whether an item has a bullet or number of its own, and does not go on with the one before."""
    line = article.text.rfind("\n", 0, block.start) + 1
    return block.kind is not BlockKind.ROW and is_list_item(article.text[line : block.end])


def _citation(number: int, hit: Hit, language: str) -> Citation:
    article, best = hit.article, hit.best_sentence
    run = sentences_to_quote(hit, language)  # a lead-in or items may stand outside of the passage
    start, end = min(hit.start, run[0].start), max(hit.end, run[-1].end)
    page = article.page_at(best.start) if best.paragraph else None
    return Citation(
        number=number,
        article=article.id,
        title=article.title,
        author=article.author,
        publisher=article.publisher,
        url=page_url(article.url, page) or None,
        page=page,
        also=article.also,
        paragraph=best.paragraph,
        start=start,
        end=end,
        passage=_source(hit)[start:end],
        score=round(hit.score, 4),
        section=article.section_at(best.start) if best.paragraph else (article.title,),
    )


def sentences_to_quote(hit: Hit, language: str) -> tuple[HitSentence, ...]:
    """Return the sentences to quote, in the order of the text, the best one among them.

    A lead with an identifier that the question has or asks for ("which version") begins a short quote.
    """
    run = _run(hit, language)
    named = [lead for lead in _leads(hit) if 1.0 in lead.match.cosines and lead.start < run[0].start]
    return (named[0], *run) if named and run[-1].end - named[0].start <= _LONGEST else run


def _leads(hit: Hit) -> list[HitSentence]:
    """Return what stands above a hit, but for a table's header, which is part of what its rows say."""
    return [lead for lead in hit.leads if hit.article.block_at(lead.start).kind is not BlockKind.HEADER]


def _run(hit: Hit, language: str) -> tuple[HitSentence, ...]:
    best = hit.best_sentence
    if best.paragraph == 0:
        return (best,)
    paragraph = [sentence for sentence in hit.sentences if sentence.paragraph == best.paragraph]
    at = paragraph.index(best)
    kind = hit.article.block_at(best.start).kind
    for lead in sorted(_leads(hit), key=lambda lead: -lead.own_score):
        is_named = kind is BlockKind.ITEM and lead.match.held == best.match.held > 0
        if is_named or lead.own_score >= best.own_score:
            return _below(hit, lead, paragraph)
    if kind in {BlockKind.ROW, BlockKind.ITEM, BlockKind.CODE}:
        return (best,)
    first, last = sorted((at, _neighbour(paragraph, at, language)))
    if paragraph[last].end - paragraph[first].start > _LONGEST:
        first = last = at
    return _with_likely(paragraph, best, first, last)


def _below(hit: Hit, lead: HitSentence, paragraph: Sequence[HitSentence]) -> tuple[HitSentence, ...]:
    """Return what a lead that matches better than the sentences below it leads: a paragraph, list or table.

    A lead-in that stands directly above is quoted too. What is too long is cut so that the best is in it.
    """
    blocks, best = hit.article.blocks, hit.best_sentence
    longest = _LONGEST_LIST
    if (kind := hit.article.block_at(best.start).kind) is BlockKind.PARAGRAPH:
        longest = _LONGEST
    elif kind in _LISTED:
        items = _items(hit, lead)
        item = next(item for item in items if best.start < item.end)
        if item.end - item.start <= longest:
            paragraph, best = items, item
    block = hit.article.block_at(paragraph[0].start)
    above = blocks[max(blocks.index(block) - 1, 0)]
    is_first = above.kind is BlockKind.LEAD_IN and block.start == paragraph[0].start
    lead_in = tuple(lead for lead in hit.leads if is_first and lead.start == above.start)
    start = (*lead_in, *paragraph)[0].start
    run = [sentence for sentence in paragraph if sentence.end - start <= longest] or paragraph[:1]
    if best in run:
        return (*lead_in, *run)
    after = paragraph[paragraph.index(best) :]
    end = max([best.end, *(sentence.end for sentence in after if sentence.end - best.start <= longest)])
    return tuple(one for one in paragraph if one.end <= end and (one == best or end - one.start <= longest))


def _items(hit: Hit, lead: HitSentence) -> list[HitSentence]:
    """Return the items or rows below a lead, each as one sentence; those of other passages too."""
    article, paragraph = hit.article, hit.best_sentence.paragraph
    place = article.blocks.index(article.block_at(lead.start))
    return [
        HitSentence(paragraph, block.start, block.end, article.text[block.start : block.end], 0.0, 0.0, 0.0)
        for block in article.blocks
        if block.paragraph == paragraph and place in block.above and (block.level or block.kind not in LEADS)
    ]


def _source(hit: Hit) -> str:
    return hit.article.text if hit.best_sentence.paragraph else hit.article.heading


def _neighbour(paragraph: Sequence[HitSentence], at: int, language: str) -> int:
    """Return the place of the neighbour to quote with a sentence, or its own place."""
    best = paragraph[at]
    if at > 0 and (opens_with_pronoun(best.text, language) or is_question(paragraph[at - 1].text)):
        return at - 1
    if best.answer is not None:
        return at
    gaps = [
        (best.score - paragraph[at + step].score - nearly, at + step)
        for step, nearly in _NEARLY.items()
        if 0 <= at + step < len(paragraph)
    ]
    gap, near = min(gaps, default=(0.0, at))
    return near if gap < 0 else at


def _with_likely(
    paragraph: Sequence[HitSentence], best: HitSentence, first: int, last: int
) -> tuple[HitSentence, ...]:
    """Return a run with the sentences beside it that a reader holds nearly as likely as the best."""
    likely = [best.answer is not None and (one.answer or 0.0) >= _LIKELY * best.answer for one in paragraph]
    while first > 0 and likely[first - 1] and paragraph[last].end - paragraph[first - 1].start <= _LONGEST:
        first -= 1
    end = len(paragraph) - 1
    while last < end and likely[last + 1] and paragraph[last + 1].end - paragraph[first].start <= _LONGEST:
        last += 1
    return tuple(paragraph[first : last + 1])
