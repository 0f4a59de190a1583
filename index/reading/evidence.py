"""What a reader reads: a question and the sentences of its hits, as arrays.

N hits, P parts of a passage at most (its leads, then its sentences), L tokens of a passage at most, K tokens
of the question, W dimensions of a token vector. What is short of these is padded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.analysis import spaced_stems
from index.articles.blocks import BlockKind
from index.encoding.encoder import unit
from index.encoding.packing import rotation, unpack_rows
from index.language import is_question
from index.passages.encoder_input import encoder_input
from index.search.late_interaction import term_shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index.encoding.encoder import Encoder, TokenSpans, Vectors
    from index.search.hits import Found, Hit
    from index.search.question import Question
    from index.storage.store import Store

__all__ = ["FEATURES", "SHAPES", "TERM_FEATURES", "Evidence", "gather", "part_tokens"]

_KINDS = (BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.ROW, BlockKind.CODE, BlockKind.QUOTATION)
FEATURES = 19 + len(_KINDS)
"""Numbers that describe a part."""

_LONGEST_QUESTION = 128  # tokens that are read of a question

TERM_FEATURES = 3
"""Numbers that describe a token of the question: its word's rarity and content, and share of the weight."""

SHAPES = 5
"""Numbers that describe a token: digits, a capital, only capitals, no letter or digit, no space before."""

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question and its hits, as arrays.

    `question` (K, W) and `tokens` (N, L, W) are unit vectors, `asked_words` (K,) and `words` (N, L) the ids
    of the tokens, 0 where unknown; `terms` (K, TERM_FEATURES) and `shapes` (N, L, SHAPES) describe them.
    `parts` (N, L) is the part that a token belongs to, -1 for padding. `matches` (N, P, K) tells whether a
    part has the word of a question's token in some form, `titles` (N, K) whether the title or a heading has.
    `features` (N, P, FEATURES) are the scores of search, and what is known of a part; `quotable` (N, P)
    tells what may answer.
    """

    question: Vectors
    terms: Floats
    tokens: Vectors
    parts: npt.NDArray[np.int64]
    matches: Floats
    titles: Floats
    asked_words: Ids
    words: Ids
    shapes: Floats
    features: Floats
    quotable: npt.NDArray[np.bool_]


def gather(found: Found, store: Store, encoder: Encoder, count: int) -> Evidence:
    """Return what a reader reads of the best `count` hits of a search.

    Raises:
        ValueError: the search found none.
    """
    hits = found.hits[:count]
    stored = [hit.stored for hit in hits if hit.stored is not None]
    if found.encoded is None or not stored:
        raise ValueError("there is nothing to read")
    width = store.basis.shape[1]
    rows = unit(unpack_rows(store.token_vectors(stored), width)[0] @ rotation(width).T)
    sizes = [sum(each.token_counts) for each in stored]
    parts_of = [len(each.token_counts) for each in stored]
    n, longest, most = len(hits), max(*sizes, 1), max(parts_of)
    tokens = np.zeros((n, longest, rows.shape[1]), dtype=np.float32)
    parts = np.full((n, longest), -1, dtype=np.int64)
    first = 0
    for at, each in enumerate(stored):
        tokens[at, : sizes[at]] = rows[first : first + sizes[at]]
        parts[at, : sizes[at]] = np.repeat(np.arange(parts_of[at]), each.token_counts)
        first += sizes[at]
    spans = found.encoded.spans[:_LONGEST_QUESTION]
    shares = term_shares(spans, [(term.start, term.end) for term in found.question.terms]) > 0
    matches, titles = _matches(found.question, hits, shares, most)
    features, quotable = np.zeros((n, most, FEATURES), dtype=np.float32), np.zeros((n, most), dtype=np.bool_)
    for at, hit in enumerate(hits):
        own = [sentence.quotable for sentence in hit.sentences]
        quotable[at, len(hit.leads) : len(hit.leads) + len(own)] = own
        features[at, : parts_of[at]] = _features(hit, at, hits[0])
    words, shapes = _written(hits, parts, encoder, found.question.language)
    asked_words = encoder.tokenize(found.question.text)[0][: len(spans)]
    return Evidence(
        question=found.encoded.tokens[:_LONGEST_QUESTION],
        terms=_terms(found.question, shares),
        tokens=tokens,
        parts=parts,
        matches=matches,
        titles=titles,
        asked_words=asked_words,
        words=words,
        shapes=shapes,
        features=features,
        quotable=quotable,
    )


def _written(
    hits: Sequence[Hit], parts: npt.NDArray[np.int64], encoder: Encoder, language: str
) -> tuple[Ids, Floats]:
    """Return the ids and shapes of the hits' tokens; zeros for a hit that is encoded in another way."""
    words, shapes = np.zeros(parts.shape, dtype=np.int64), np.zeros((*parts.shape, SHAPES), dtype=np.float32)
    for at, hit in enumerate(hits):
        tokens = part_tokens(hit, encoder, language)
        ids = np.concatenate([ids for ids, _, _ in tokens])
        if len(ids) == (parts[at] >= 0).sum():
            words[at, : len(ids)] = ids
            shapes[at, : len(ids)] = np.concatenate([_shapes(text, spans) for _, spans, text in tokens])
    return words, shapes


def part_tokens(hit: Hit, encoder: Encoder, language: str) -> list[tuple[Ids, TokenSpans, str]]:
    """Return for each part of a hit the ids of its tokens, their spans in the encoder's input, and this."""
    if hit.stored is None:
        return []
    source = encoder_input(hit.article, hit.stored.passage, encoder.window, language)
    ids, spans = encoder.tokenize(source.text)
    ids, spans = ids[: encoder.window], spans[: encoder.window]
    edges = np.searchsorted(spans[:, 0], source.sentences)
    return [(ids[start:end], spans[start:end], source.text) for start, end in edges]


def _shapes(text: str, spans: TokenSpans) -> Floats:
    rows = []
    for start, end in spans.tolist():
        token, before = text[start:end], text[start - 1 : start]
        rows.append(
            (
                any(map(str.isdigit, token)),
                token[:1].isupper(),
                token.isupper() and len(token) > 1,
                not any(map(str.isalnum, token)),
                before.isalnum(),
            )
        )
    return np.asarray(rows, dtype=np.float32).reshape(-1, SHAPES)


def _terms(question: Question, shares: npt.NDArray[np.bool_]) -> Floats:
    total = sum(term.rarity * term.sureness for term in question.terms) or 1.0
    columns = [
        (term.rarity / 4, term.is_content, term.rarity * term.sureness / total) for term in question.terms
    ]
    return np.asarray(
        shares.T @ np.asarray(columns, dtype=np.float32).reshape(-1, TERM_FEATURES), dtype=np.float32
    )


def _matches(
    question: Question, hits: Sequence[Hit], shares: npt.NDArray[np.bool_], most: int
) -> tuple[Floats, Floats]:
    forms = [[spaced_stems(form, question.language) for form in term.forms] for term in question.terms]
    present = np.zeros((len(hits), most, len(forms)), dtype=np.float32)
    titled = np.zeros((len(hits), len(forms)), dtype=np.float32)

    def has(text: str) -> list[bool]:
        stemmed = spaced_stems(text, question.language)
        return [any(form in stemmed for form in some) for some in forms]

    for at, hit in enumerate(hits):
        for place, part in enumerate((*hit.leads, *hit.sentences)):
            present[at, place] = has(part.text)
        titled[at] = has(" / ".join(hit.article.section_at(hit.start) if not _is_heading(hit) else ()))
    weights = shares.astype(np.float32)
    return present @ weights, titled @ weights


def _is_heading(hit: Hit) -> bool:
    return hit.best_sentence.paragraph == 0


def _features(hit: Hit, rank: int, top: Hit) -> Floats:
    parts = (*hit.leads, *hit.sentences)
    best, count = hit.best_sentence, len(parts)
    is_heading = _is_heading(hit)
    of_hit = [hit.dense, hit.lexical, hit.late, hit.weakest, hit.score / 4, hit.rank_score - top.rank_score]
    of_hit += [rank / 10, rank == 0, hit.article.id == top.article.id, is_heading]
    rows = []
    for place, part in enumerate(parts):
        kind = None if is_heading else hit.article.block_at(part.start).kind
        row = [part.late, part.own, part.mean, part.score - best.score, part is best]
        row += [place < len(hit.leads), np.log1p(len(part.text)) / 5, place / count, is_question(part.text)]
        rows.append([*row, *of_hit, *(kind is one for one in _KINDS)])
    return np.asarray(rows, dtype=np.float32)
