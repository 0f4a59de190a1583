"""Articles as `footnote index show` prints them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from index.articles.article import Article
from index.passages.splitting import Passage, source_text
from index.settings import IndexSettings
from index.sources.collection import read_collection
from index.terminal import printable

__all__ = ["as_json", "as_text", "dropped_lines"]


def as_json(article: Article, passages: Sequence[Passage] | None) -> dict[str, Any]:
    """Return an indexed article, with its passages where they are given, as JSON."""
    fields = dataclasses.asdict(article)
    del fields["dropped"]
    fields["paragraphs"] = [dataclasses.asdict(paragraph) for paragraph in article.paragraphs]
    fields["blocks"] = [
        {
            "kind": str(block.kind),
            "level": block.level,
            "section": article.section_at(block.start),
            "start": block.start,
            "end": block.end,
        }
        for block in article.blocks
    ]
    fields["marks"] = [dataclasses.asdict(mark) for mark in article.marks_in(0, len(article.text))]
    if passages is not None:
        fields["passages"] = [
            {
                "paragraphs": sorted({sentence.paragraph for sentence in passage.sentences}),
                "start": passage.start,
                "end": passage.end,
                "sentences": [[sentence.start, sentence.end] for sentence in passage.sentences],
            }
            for passage in passages
        ]
    return fields


def as_text(article: Article, passages: Sequence[Passage] | None) -> str:
    """Return the paragraphs of an indexed article, or its passages where they are given, for people."""
    if passages is None:
        pieces = [f"[heading] {article.heading}"] if article.heading else []
        pieces += [f"[{part.number}] {article.text[part.start : part.end]}" for part in article.paragraphs]
    else:
        texts = [source_text(article, passage)[passage.start : passage.end] for passage in passages]
        pieces = [f"passage {number}\n{text}" for number, text in enumerate(texts, 1)]
    return printable("\n\n".join([f"# {article.id}", *pieces]) + "\n")


def dropped_lines(settings: IndexSettings, identity: str | None) -> Iterator[str]:
    """Yield what the readers leave out of the articles as they are now, or of the one with this id.

    Raises:
        FootnoteError: the articles cannot be read, as `read_collection` raises it.
    """
    for article in read_collection(settings).articles:
        if article.dropped and identity in {None, article.id}:
            yield printable(f"# {article.id}")
            yield from (f"- {printable(' '.join(text.split()))}" for text in article.dropped)
