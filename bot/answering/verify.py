"""Verification of quotes: whether a sentence stands in an article letter for letter, and what was changed.

A message's block quotes are verified, or else what stands in quotation marks, or else all of it. Each
sentence is looked up as a phrase. Where no article has it, it is aligned with the passages that match its
rarest words. White space may differ, since quotes are wrapped; anything else is a change.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.answering.alignment import UNSPACED, Change, ChangeKind, align, diff
from index.analysis import WORD, fold, words
from index.articles.article import Article
from index.passages.splitting import Passage, source_text, split_sentences
from index.storage.store import Store

__all__ = ["MAX_SENTENCES", "Change", "ChangeKind", "QuoteVerdict", "VerifiedSentence", "verify"]

MAX_SENTENCES = 10
"""Sentences of one message that are verified."""

_MAX_LENGTH = 2_000  # characters of a sentence that are verified
_MAX_WORDS = 64  # of a sentence that are looked up
_MAX_EXACT = 50  # passages in which places of a sentence are counted
_MAX_SIMILAR = 5  # passages that are aligned with a sentence
_RARE_WORDS = 8  # by which these are found
_CHANGED_AT = 0.75  # similarity from which a sentence counts as changed from another
_SHORT, _SHORT_CHANGED_AT = 25, 0.8  # the same below so many characters: a word is much of them
_MIN_WORDS, _MIN_LENGTH = 3, 12  # below these a quote is too short to be recognised in another form

_UNSPACED = re.compile(UNSPACED)
_LETTER = rf"[^\W{UNSPACED[1:-1]}]"  # of a script in which words have edges
_INSIDE_WORD = re.compile(rf"(?<={_LETTER})(?={_LETTER})")
_BLOCK_QUOTE = re.compile(r"^>>> (?s:(.+))|(?:^>(?: .*|$)\n?)+", re.MULTILINE)
_BLOCK_MARK = re.compile(r"^> ?", re.MULTILINE)
_LIST_MARK = re.compile(r"^[^\S\n]*(?:[-*+•‣◦▪]|\d{1,3}[.)])[^\S\n]+", re.MULTILINE)
_OMISSION = re.compile(r"\s?[\[(]\s?(?:\.{3,}|…)\s?[\])]\s?|(?:^|\s)(?:\.{3,}|…)(?:\s|$)|(?:\.{3,}|…)$")
_MARKS = r"(?:\*{1,3}|_{1,2}|~~|\|\||`{1,3})"
_MARKDOWN = re.compile(rf"\\([!-/:-@\[-`{{-~])|(?<!\w){_MARKS}(?=\S)|(?<=\S){_MARKS}(?!\w)")
_QUOTATION = re.compile(
    r"""(?<!\w)"(?=\S)([^"]+)"(?!\w) | “([^“”]+)” | „([^„“”]+)[“”] | (?<!\w)”([^”]+)”(?!\w) | «([^«»]+)»
    | »([^«»]+)« | ‹([^‹›]+)› | ›([^‹›]+)‹ | 「([^「」]+)」 | 『([^『』]+)』
    | (?<!\w)['‘‚’](?=\S)((?:[^'‘’‚]|(?<=\w)['’](?=\w))+)['‘’](?!\w)""",
    re.VERBOSE,
)
_OUTER_MARKS = '"“”„«»'

_Candidate = tuple[Article, Passage]
_Vocabulary = Callable[[], Mapping[str, int]]


class QuoteVerdict(StrEnum):
    """Whether an article has a sentence letter for letter, something like it, or nothing like it."""

    EXACT = "exact"
    CHANGED = "changed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class VerifiedSentence:
    """A quoted sentence, and what an article has of it.

    `original` is what stands there: the article's text from `start` to `end`, or its heading's where
    `paragraph` is 0. `changes` rebuild both (see `alignment.diff`). `times` counts the places that have the
    sentence letter for letter; the first one is given.
    """

    quoted: str
    verdict: QuoteVerdict
    article: Article | None = None
    paragraph: int = 0
    start: int = 0
    end: int = 0
    original: str = ""
    changes: tuple[Change, ...] = ()
    times: int = 0

    @property
    def is_slight(self) -> bool:
        """Whether a changed quote differs only in case, accents, or the form of its quotation marks."""
        folded = [" ".join(fold(text).split()) for text in (self.quoted, self.original)]
        return self.verdict is QuoteVerdict.CHANGED and folded[0] == folded[1]


def verify(text: str, store: Store) -> tuple[VerifiedSentence, ...]:
    """Verify the first ten sentences that a message quotes, in order.

    If articles have the whole message as it was typed, up to slight changes, its quotation marks and
    asterisks are theirs, and all of it is the quote.
    """
    text = text[: MAX_SENTENCES * _MAX_LENGTH].encode("utf-8", "replace").decode().replace("\x00", " ")
    vocabulary = functools.cache(store.vocabulary)
    look_up = functools.cache(functools.partial(_verify_sentence, store, vocabulary))

    def verify_all(quotes: Sequence[str]) -> tuple[VerifiedSentence, ...]:
        sentences = (sentence for quote in quotes for sentence in _sentences(quote, store.info.language))
        return tuple(map(look_up, itertools.islice(sentences, MAX_SENTENCES)))

    typed = verify_all([text])
    if all(found.verdict is QuoteVerdict.EXACT or found.is_slight for found in typed):
        return typed
    return verify_all(_quotations(_MARKDOWN.sub(r"\1", text)))


def _quotations(text: str) -> list[str]:
    """Return a message's block quotes, or else what stands in quotation marks, or else all of it."""
    blocks = [block[1] or _BLOCK_MARK.sub("", block[0]) for block in _BLOCK_QUOTE.finditer(text)]
    marked = ["".join(groups) for groups in _QUOTATION.findall(text)]
    # A single word in quotation marks is emphasis or irony.
    marked = [quote for quote in marked if len(WORD.findall(quote)) > 1 or _UNSPACED.search(quote)]
    return [block.strip().strip(_OUTER_MARKS) for block in blocks] or marked or [text]


def _sentences(quote: str, language: str) -> Iterator[str]:
    """Yield a quote's sentences, each on one line, without list marks, and parted where dots omit words."""
    for paragraph in re.split(r"\n\s*\n", _LIST_MARK.sub("\n\n", quote)):
        for start, end in split_sentences(paragraph, language):
            for part in _OMISSION.split(" ".join(paragraph[start:end].split())):
                if WORD.search(part):
                    yield part if len(part) <= _MAX_LENGTH else part[: _MAX_LENGTH + 1].rsplit(" ", 1)[0]


def _verify_sentence(store: Store, vocabulary: _Vocabulary, sentence: str) -> VerifiedSentence:
    folded = words(sentence)[:_MAX_WORDS]
    found = _find_exact(sentence, _candidates(store, store.with_phrase(" ".join(folded), _MAX_EXACT)))
    if not found:
        # A phrase may cross the edge of a passage, or be part of a word of an unspaced script.
        candidates = _candidates(store, _similar_passages(store, vocabulary, folded))
        found = _find_exact(sentence, candidates)
        is_long = len(sentence) >= _MIN_LENGTH and (len(folded) >= _MIN_WORDS or _UNSPACED.search(sentence))
        if candidates and not found and is_long:
            found = _find_changed(sentence, candidates)
    return found or VerifiedSentence(sentence, QuoteVerdict.ABSENT)


def _candidates(store: Store, rows: Sequence[int]) -> list[_Candidate]:
    passages = store.passages(rows)
    articles = store.articles([stored.article for stored in passages])
    return [(article, stored.passage) for article, stored in zip(articles, passages, strict=True)]


def _similar_passages(store: Store, vocabulary: _Vocabulary, folded: Sequence[str]) -> list[int]:
    """Return the passages that match a sentence's rarest words best."""
    distinct = list(dict.fromkeys(folded))
    counts = store.passage_counts([[word] for word in distinct])
    known = [word for count, word in sorted(zip(counts, distinct, strict=True)) if count]
    if not known and (longest := max(distinct, key=len, default="")) and _UNSPACED.search(longest):
        # Without spaces a "word" is a whole clause: find the clauses that the quote is part of.
        known = [word for word in vocabulary() if longest in word]
    return [row for row, _ in store.best_in_words(known[:_RARE_WORDS], _MAX_SIMILAR)] if known else []


def _around(passage: Passage, sentence: str) -> tuple[int, int]:
    """Return the span of a passage with room for a sentence that crosses its edge."""
    return max(passage.start - len(sentence), 0), passage.end + len(sentence)


def _find_exact(sentence: str, candidates: Sequence[_Candidate]) -> VerifiedSentence | None:
    """Return the first place that has a sentence as whole words, with the number of places."""
    pattern = re.compile(r"\s+".join(map(re.escape, sentence.split())))
    places = {}
    for article, passage in candidates:
        source = source_text(article, passage)
        start, end = _around(passage, sentence)
        if sentence in " ".join(source[start:end].split()):  # linear, as the pattern alone is not
            for match in pattern.finditer(source, start, end):
                if not any(_INSIDE_WORD.match(source, at) for at in match.span()):
                    places[article.id, passage.is_heading, match.start()] = (article, passage), *match.span()
    return _result(sentence, *next(iter(places.values())), times=len(places)) if places else None


def _find_changed(sentence: str, candidates: Sequence[_Candidate]) -> VerifiedSentence | None:
    """Return the part of the candidates that is most like a sentence, if it is similar enough."""
    aligned = [
        (*align(sentence, source_text(article, passage), *_around(passage, sentence)), (article, passage))
        for article, passage in candidates
    ]
    similarity, start, end, candidate = max(aligned, key=operator.itemgetter(0))
    enough = _CHANGED_AT if len(sentence) >= _SHORT else _SHORT_CHANGED_AT
    return _result(sentence, candidate, start, end) if similarity >= enough else None


def _result(sentence: str, candidate: _Candidate, start: int, end: int, times: int = 1) -> VerifiedSentence:
    article, passage = candidate
    original = source_text(article, passage)[start:end]
    is_exact = " ".join(original.split()) == sentence
    return VerifiedSentence(
        quoted=sentence,
        verdict=QuoteVerdict.EXACT if is_exact else QuoteVerdict.CHANGED,
        article=article,
        paragraph=0 if passage.is_heading else article.paragraph_at(start),
        start=start,
        end=end,
        original=original,
        changes=diff(sentence, original),
        times=times,
    )
