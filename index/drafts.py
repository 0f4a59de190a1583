"""An article on its way into a generation: its passages, and what the encoder reads of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from index.articles import Article
from index.encoder import Encoder, Vectors
from index.generation import Generation, source_text
from index.passages import Passage, split_article
from index.wording import heading_line_text

__all__ = ["Draft", "passage_settings", "passage_text", "reuse", "sentence_texts", "split"]

_TITLE_BYTES = 100
_PASSAGES_VERSION = 1
"""Raised when splitting or `index.wording` changes, so that no passage made the old way is reused."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An article on its way into a generation.

    `vectors` holds those of its passages and of its sentences, as the generation before has them; None
    where they are still to be encoded.
    """

    article: Article
    passages: tuple[Passage, ...]
    vectors: tuple[Vectors, Vectors] | None = None


def passage_settings(language: str) -> dict[str, Any]:
    """Return what passages and their vectors depend on besides the encoder; kept in the manifest."""
    return {"language": language, "title_bytes": _TITLE_BYTES, "version": _PASSAGES_VERSION}


def split(article: Article, encoder: Encoder, language: str) -> tuple[Passage, ...]:
    """Split an article so that each passage fits the encoder's window together with its title."""
    (title_tokens,) = encoder.count_tokens([_title_prefix(article, encoder)])
    return split_article(article, encoder.count_tokens, encoder.window - title_tokens, language)


def reuse(article: Article, row: int, old: Generation) -> Draft:
    """Draft an article from a generation that holds the same content as its article `row`."""
    stored = old.passages_of(row)
    first = stored[0].first_sentence
    count = sum(len(one.passage.sentences) for one in stored)
    vectors = (
        old.passage_vectors([one.row for one in stored]),
        old.sentence_vectors(range(first, first + count)),
    )
    return Draft(article, tuple(one.passage for one in stored), vectors)


def _title_prefix(article: Article, encoder: Encoder) -> str:
    """Return what stands before each passage of an article when it is encoded: its subject.

    Cut in bytes, because no tokenizer makes more tokens of a text than it has bytes.
    """
    room = min(_TITLE_BYTES, encoder.window // 3)
    return article.title.encode()[:room].decode(errors="ignore") + ". "


def passage_text(article: Article, passage: Passage, encoder: Encoder, language: str) -> str:
    """Return what is encoded of a passage: the title and its text, or a heading with its questions."""
    if passage.is_heading:
        return "\n".join(sentence_texts(article, passage, language))
    return _title_prefix(article, encoder) + article.text[passage.start : passage.end]


def sentence_texts(article: Article, passage: Passage, language: str) -> list[str]:
    """Return what is encoded, and looked up by words, of each sentence of a passage."""
    text = source_text(article, passage)
    pieces = [(one.start, text[one.start : one.end]) for one in passage.sentences]
    if passage.is_heading:
        return [heading_line_text(article, start, piece, language) for start, piece in pieces]
    return [piece for _, piece in pieces]
