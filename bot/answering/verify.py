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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel, LCSseq, Levenshtein

from index.analysis import WORD, fold, words
from index.passages.sentences import split_sentences
from index.passages.splitting import source_text

if TYPE_CHECKING:
    from index.articles.article import Article
    from index.passages.splitting import Passage
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
_MAX_TOKENS = 500  # of a sentence that is aligned: the time grows with their square
_MAX_REACH = 40  # tokens by which the ends of an alignment are moved
_SKIPPED = 0.3  # cost of a token of the article in an alignment, where a shared token is worth 1

# Characters of scripts that are written without spaces, such as Thai or Japanese.
_UNSPACED_CHARACTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{_UNSPACED_CHARACTERS}]")
_LETTER = rf"[^\W{_UNSPACED_CHARACTERS}]"  # of a script in which words have edges
_INSIDE_WORD = re.compile(rf"(?<={_LETTER})(?={_LETTER})")
_TOKEN = re.compile(rf"{_UNSPACED.pattern}|{_LETTER}+|[^\w\s]")
_TOKEN_OR_SPACE = re.compile(rf"{_TOKEN.pattern}|\s")
_SENTENCE_ENDS = frozenset(".!?…。！？")
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


_Candidate = tuple["Article", "Passage"]


class QuoteVerdict(StrEnum):
    """Whether an article has a sentence letter for letter, something like it, or nothing like it."""

    EXACT = "exact"
    CHANGED = "changed"
    ABSENT = "absent"


class ChangeKind(StrEnum):
    """Whether the quote and the article share a run of characters, or only one of them has it."""

    SAME = "same"
    QUOTED = "quoted"
    ARTICLE = "article"


@dataclass(frozen=True, slots=True)
class Change:
    """A run of characters, and which of the two texts has it."""

    kind: ChangeKind
    text: str


@dataclass(frozen=True, slots=True)
class VerifiedSentence:
    """A quoted sentence, and what an article has of it.

    `original` is what stands there: the article's text from `start` to `end`, or its heading's where
    `paragraph` is 0. `changes` without those of kind ARTICLE join to the quote, without those of kind QUOTED
    to the original, with single spaces. `times` counts the places that have the sentence letter for letter;
    the first one is given.
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
    look_up = functools.cache(functools.partial(_verify_sentence, store))

    def verify_all(quotes: Sequence[str]) -> tuple[VerifiedSentence, ...]:
        sentences = (sentence for quote in quotes for sentence in _sentences(quote, store.info.language))
        return tuple(map(look_up, itertools.islice(sentences, MAX_SENTENCES)))

    typed = verify_all([text])
    if all(sentence.verdict is QuoteVerdict.EXACT or sentence.is_slight for sentence in typed):
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


def _verify_sentence(store: Store, sentence: str) -> VerifiedSentence:
    folded = words(sentence)[:_MAX_WORDS]
    found = _find_exact(sentence, _candidates(store, store.with_phrase(" ".join(folded), _MAX_EXACT)))
    if not found:
        # A phrase may cross the edge of a passage, or be part of a word of an unspaced script.
        candidates = _candidates(store, _similar_passages(store, folded))
        found = _find_exact(sentence, candidates)
        is_long = len(sentence) >= _MIN_LENGTH and (len(folded) >= _MIN_WORDS or _UNSPACED.search(sentence))
        if candidates and not found and is_long:
            found = _find_changed(sentence, candidates)
    return found or VerifiedSentence(sentence, QuoteVerdict.ABSENT)


def _candidates(store: Store, rows: Sequence[int]) -> list[_Candidate]:
    passages = store.passages(rows)
    articles = store.articles([stored.article for stored in passages])
    return [(article, stored.passage) for article, stored in zip(articles, passages, strict=True)]


def _similar_passages(store: Store, folded: Sequence[str]) -> list[int]:
    distinct = list(dict.fromkeys(folded))
    counts = store.passage_counts([[word] for word in distinct])
    known = [word for count, word in sorted(zip(counts, distinct, strict=True)) if count]
    if not known and (longest := max(distinct, key=len, default="")) and _UNSPACED.search(longest):
        # Without spaces a "word" is a whole clause: find the clauses that the quote is part of.
        known = [word for word in store.vocabulary() if longest in word]
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
        (*_align(sentence, source_text(article, passage), *_around(passage, sentence)), (article, passage))
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
        changes=_diff(sentence, original),
        times=times,
    )


def _align(sentence: str, text: str, start: int, end: int) -> tuple[float, int, int]:
    """Return the part of `text[start:end]` that is most like a sentence: similarity (0 to 1), start, end.

    It is of whole words. The similarity is the normalized Indel similarity of the folded characters.
    """
    tokens = list(_TOKEN.finditer(text, start, end))
    quote, article = _as_symbols(_TOKEN.findall(sentence)[:_MAX_TOKENS], [token[0] for token in tokens])
    first, last = _best_span(quote, article)
    if first == last:
        return 0.0, 0, 0
    # The quote may have replaced the first or last word: take in the word of the same sentence there.
    steps = Levenshtein.opcodes(quote, article[first:last])
    if steps[0].tag == "delete" and first > 0 and tokens[first - 1][0] not in _SENTENCE_ENDS:
        first -= 1
    if steps[-1].tag == "delete" and last < len(tokens) and tokens[last - 1][0] not in _SENTENCE_ENDS:
        last += 1
    start, end = tokens[first].start(), tokens[last - 1].end()
    original = " ".join(text[start:end].split())
    return Indel.normalized_similarity(fold(sentence), fold(original)), start, end


def _as_symbols(*texts: Sequence[str]) -> list[str]:
    """Return each text with one character for each of its tokens: rapidfuzz is fastest on strings."""
    numbers: dict[str, int] = {}
    return ["".join(chr(numbers.setdefault(fold(token), len(numbers))) for token in text) for text in texts]


def _best_span(quote: str, article: str) -> tuple[int, int]:
    """Take the best window as long as the quote, and move its ends to share more tokens or skip fewer."""
    window = fuzz.partial_ratio_alignment(quote, article)
    if window is None or not quote or not article:
        return 0, 0
    start, end = window.dest_start, window.dest_end
    reach = min(len(quote) // 2 + 4, _MAX_REACH)

    def score(first: int, last: int) -> float:
        return LCSseq.similarity(quote, article[first:last]) - _SKIPPED * (last - first)

    for _ in range(2):
        ends = range(max(start + 1, end - reach), min(end + reach, len(article)) + 1)
        end = max(ends, key=lambda last: score(start, last))
        starts = range(max(start - reach, 0), min(start + reach, end - 1) + 1)
        start = max(starts, key=lambda first: score(first, end))
    return start, end


def _diff(quoted: str, original: str) -> tuple[Change, ...]:
    """Return the changes between an article's text and a quote: whole words in order, with single spaces."""
    own, others = (_TOKEN_OR_SPACE.findall(" ".join(text.split())) for text in (quoted, original))
    changes: list[Change] = []
    for is_same, group in itertools.groupby(
        Levenshtein.opcodes(own, others), lambda step: step.tag == "equal"
    ):
        steps = list(group)
        mine = "".join(own[steps[0].src_start : steps[-1].src_end])
        theirs = "".join(others[steps[0].dest_start : steps[-1].dest_end])
        runs = {ChangeKind.SAME: mine} if is_same else {ChangeKind.QUOTED: mine, ChangeKind.ARTICLE: theirs}
        changes += [Change(kind, run) for kind, run in runs.items() if run]
    return tuple(changes)
