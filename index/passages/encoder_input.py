"""What the encoder reads of a passage: its article's title, its text, and where its sentences stand.

The first passage has the article's description too, whose tokens count as those of its first part.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from index.articles.article import Article
from index.articles.blocks import LEADS
from index.language import heading_line_text
from index.passages.encoded_text import column_names, plain, sentence_text
from index.passages.splitting import Passage, source_text

__all__ = ["PASSAGES_VERSION", "EncoderInput", "encoder_input", "searched_text", "title_prefix"]

PASSAGES_VERSION = 6
"""Raised when splitting, `index.language` or this module changes, so that old passages are not reused."""

_TITLE_BYTES = 100
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class EncoderInput:
    """The text that is encoded for a passage, and the span in it of each sentence, shape (sentences, 2)."""

    text: str
    sentences: npt.NDArray[np.int32]

    @property
    def key(self) -> bytes:
        """A hash of both (16 bytes): passages with the same key have the same vectors."""
        spans = self.sentences.astype("<i4").tobytes()
        content = b"%d\n%b%b" % (len(self.sentences), spans, self.text.encode())
        return hashlib.sha256(content).digest()[:_KEY_BYTES]


def title_prefix(article: Article, window: int, *, described: bool = False) -> str:
    """Return the article's title as it stands before each passage in the encoder's input.

    With the description (`described`), it stands before the first. Each takes at most a third of the
    encoder's `window`, in tokens.
    """
    # Cut in bytes, because no tokenizer makes more tokens of a text than it has bytes.
    room = min(_TITLE_BYTES, window // 3)
    texts = [article.title, *filter(None, [article.description] if described else [])]
    return "".join(text.encode()[:room].decode(errors="ignore") + ". " for text in texts)


def encoder_input(article: Article, passage: Passage, window: int, language: str) -> EncoderInput:
    """Return what is encoded of a passage: the title and its text; of the first, the description too.

    Of a heading it is each line with the questions that it answers, whose tokens count as the line's.
    """
    if passage.is_heading:
        lines = _heading_lines(article, passage, language)
        starts = np.cumsum([0, *(len(line) + 1 for line in lines)])[: len(lines)]
        of_lines = np.stack([starts, starts + [len(line) for line in lines]], axis=1)
        return EncoderInput("\n".join(lines), of_lines.astype(np.int32))
    title = title_prefix(article, window)
    before = itertools.takewhile(lambda block: block.start < passage.start, article.blocks)
    text = title_prefix(article, window, described=all(block.kind in LEADS for block in before))
    described = len(text) > len(title)
    spans: list[tuple[int, int]] = []
    for lead in passage.leads:
        words = plain(article.text[lead.start : lead.end])
        spans.append((len(text), len(text) + len(words)))
        text += words + (" " if words.endswith((".", "!", "?", ":")) else ". ")
    columns = column_names(article, passage.leads[-1].start) if passage.leads else []
    end = passage.start
    for sentence in passage.sentences:
        words = sentence_text(article.text[sentence.start : sentence.end], columns)
        text += article.text[end : sentence.start]
        spans.append((len(text), len(text) + len(words)))
        text += words
        end = sentence.end
    if described:
        spans[0] = (len(title), spans[0][1])
    return EncoderInput(text, np.asarray(spans, dtype=np.int32))


def searched_text(article: Article, passage: Passage, language: str) -> str:
    """Return the text by whose words a passage is found; of a heading, with the questions that it answers."""
    if passage.is_heading:
        return "\n".join(_heading_lines(article, passage, language))
    leads = [article.text[lead.start : lead.end] for lead in passage.leads]
    return "\n".join([*leads, article.text[passage.start : passage.end]])


def _heading_lines(article: Article, passage: Passage, language: str) -> list[str]:
    text = source_text(article, passage)
    return [
        heading_line_text(article, line.start, text[line.start : line.end], language)
        for line in passage.sentences
    ]
