"""An article on its way into a generation: its passages, and what the encoder reads of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from index.articles.article import Article
from index.encoding.compression import WIDTH, PackedTokens, Vectors
from index.encoding.encoder import EncodedPassage, Encoder
from index.language import heading_line_text
from index.passages.splitting import Passage, source_text, split_article

__all__ = [
    "Draft",
    "PassageVectors",
    "passage_key",
    "passage_settings",
    "passage_text",
    "read_passages",
    "sentence_texts",
    "split",
    "vectors_of",
]

_TITLE_BYTES = 100
_KEY_LENGTH = 32
_PASSAGES_VERSION = 3
"""Raised when splitting or `index.language` changes, so that no passage made the old way is reused."""


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """A passage's vector, shape (dimension,), and those of its sentences' tokens; `counts` has each's."""

    dense: Vectors
    tokens: PackedTokens
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """An article on its way into a generation.

    `row` is that of an article of the same content in the generation before; such a draft needs no passages,
    since they are there.
    """

    article: Article
    passages: tuple[Passage, ...] = ()
    row: int | None = None


def passage_settings(language: str) -> dict[str, Any]:
    """Return what passages and their vectors depend on besides the encoder; kept in the manifest."""
    return {
        "language": language,
        "title_bytes": _TITLE_BYTES,
        "token_width": WIDTH,
        "version": _PASSAGES_VERSION,
    }


def split(article: Article, encoder: Encoder, language: str) -> tuple[Passage, ...]:
    """Split an article so that each passage fits the encoder's window together with its title."""
    (title_tokens,) = encoder.count_tokens([_title_prefix(article, encoder)])
    return split_article(article, encoder.count_tokens, encoder.window - title_tokens, language)


def read_passages(draft: Draft, encoder: Encoder, language: str) -> Iterator[tuple[Passage, str, str]]:
    """Yield each passage of a draft with its key and what is encoded of it.

    Passages of one key have the same vectors: the key is a hash of the text and of where its sentences stand.
    """
    for passage in draft.passages:
        text, places = passage_text(draft.article, passage, encoder, language)
        yield passage, _key(text, places), text


def passage_key(article: Article, passage: Passage, encoder: Encoder, language: str) -> str:
    """Return the key that a passage has if its vectors are of these very letters."""
    return _key(*passage_text(article, passage, encoder, language))


def _key(text: str, places: npt.NDArray[np.int32]) -> str:
    said = b"%d\n%b%b" % (len(places), places.astype("<i4").tobytes(), text.encode())
    return hashlib.sha256(said).hexdigest()[:_KEY_LENGTH]


def vectors_of(encoded: EncodedPassage, places: npt.NDArray[np.int32]) -> PassageVectors:
    """Keep of a passage's tokens those that stand in a sentence; `places` are the sentences' spans."""
    edges = np.searchsorted(encoded.spans[:, 0], places)
    tokens = [encoded.tokens[start:end] for start, end in edges]
    return PassageVectors(encoded.dense, np.concatenate(tokens), tuple(map(len, tokens)))


def _title_prefix(article: Article, encoder: Encoder) -> str:
    """Return what stands before each passage of an article when it is encoded: its subject.

    Cut in bytes, because no tokenizer makes more tokens of a text than it has bytes.
    """
    room = min(_TITLE_BYTES, encoder.window // 3)
    return article.title.encode()[:room].decode(errors="ignore") + ". "


def passage_text(
    article: Article, passage: Passage, encoder: Encoder, language: str
) -> tuple[str, npt.NDArray[np.int32]]:
    """Return what is encoded of a passage, and the span in it of each sentence: shape (sentences, 2).

    That is the title and the passage's text; of a heading it is each line with its questions, which are
    part of the line's span, so that their tokens are the line's.
    """
    if passage.is_heading:
        lines = sentence_texts(article, passage, language)
        starts = np.cumsum([0, *(len(line) + 1 for line in lines)])[: len(lines)]
        spans = np.stack([starts, starts + [len(line) for line in lines]], axis=1)
        return "\n".join(lines), spans.astype(np.int32)
    prefix = _title_prefix(article, encoder)
    spans = np.asarray([(one.start, one.end) for one in passage.sentences], dtype=np.int32)
    return prefix + article.text[passage.start : passage.end], spans - passage.start + len(prefix)


def sentence_texts(article: Article, passage: Passage, language: str) -> list[str]:
    """Return what is looked up by words of each sentence of a passage; of a heading's lines also encoded."""
    text = source_text(article, passage)
    pieces = [(one.start, text[one.start : one.end]) for one in passage.sentences]
    if passage.is_heading:
        return [heading_line_text(article, start, piece, language) for start, piece in pieces]
    return [piece for _, piece in pieces]
