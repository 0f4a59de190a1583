"""Articles and vectors for a collection of any size, made of real sentences: what speed is measured on.

    .venv/bin/python -m benchmarks.million FOLDER PASSAGES > articles.jsonl

FOLDER holds question sets, or any `articles.jsonl` below it. A made article has a title, an author and nine
paragraphs, about ten passages in all; a paragraph has four to six sentences drawn from two real articles, so
that it keeps to few subjects, as real ones do. The author's name is made up, so that the vocabulary grows
with the collection.

`Recombined` is an encoder that encodes each real sentence once, with the encoder it is given, and puts the
vectors of a passage together from those of its sentences: MiniLM's dense vector is the mean of its token
vectors, so that the made vectors are distributed nearly as real ones; what they lack is each sentence's
reading in its context. A million passages so take minutes instead of hours, and the whole build runs.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.articles.article import Article
from index.articles.formats import read_articles
from index.encoding.encoder import Basis, pack, unit
from index.encoding.encoder import TextVectors, Encoder
from index.passages.splitting import split_sentences

__all__ = ["PASSAGES_EACH", "Recombined", "Source", "make_articles", "read_sources", "write_articles"]

PASSAGES_EACH = 10
"""Passages of a made article, its heading's among them."""

_SEED = 6
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru".split()
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Source:
    """A real article: its title, and its sentences, each on one line."""

    title: str
    sentences: tuple[str, ...]


def read_sources(folder: Path, language: str = "en") -> list[Source]:
    """Read the articles of every `articles.jsonl` below a folder, one of each title, in order of path."""
    sources: dict[str, Source] = {}
    for path in sorted(folder.rglob("articles.jsonl")):
        for article in read_articles(path).articles:
            paragraphs = (article.text[one.start : one.end] for one in article.paragraphs)
            pieces = (
                " ".join(text[start:end].split())
                for text in paragraphs
                for start, end in split_sentences(text, language)
            )
            kept = tuple(dict.fromkeys(piece for piece in pieces if 20 <= len(piece) <= 600))
            if kept:
                sources.setdefault(article.title, Source(article.title, kept))
    return list(sources.values())


def make_articles(sources: Sequence[Source], passages: int, seed: int = _SEED) -> Iterator[Article]:
    """Yield articles of about `passages` passages in all; equal arguments give equal articles."""
    chance = random.Random(seed)  # noqa: S311 - made to be the same again
    sizes = list(itertools.accumulate(len(one.sentences) for one in sources))
    for number in range(-(-passages // PASSAGES_EACH)):
        title = chance.choice(sources).title
        author = f"{_name(chance)} {_name(chance)}"
        paragraphs = [
            " ".join(_draw(chance.choices(sources, cum_weights=sizes, k=2), chance))
            for _ in range(PASSAGES_EACH - 1)
        ]
        heading = f"{title}\n{author}"
        yield Article(f"made-{number:07d}", title, author, "", "", "", heading, "\n\n".join(paragraphs))


def _draw(pair: Sequence[Source], chance: random.Random) -> list[str]:
    """Draw four to six sentences, most of them from the first of two articles."""
    return [chance.choice(pair[chance.random() < 0.3].sentences) for _ in range(chance.randint(4, 6))]


def _name(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=4)).title()


def write_articles(path: Path, articles: Iterator[Article]) -> int:
    """Write articles as JSON Lines, as `index.read_articles` reads them; return how many."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for one in articles:
            file.write(_line(one))
            count += 1
    return count


def _line(one: Article) -> str:
    return json.dumps({"id": one.id, "title": one.title, "author": one.author, "text": one.text}) + "\n"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A known run of text: its characters, and what it is encoded as, with how many tokens."""

    length: int
    encoded: TextVectors

    @property
    def tokens(self) -> int:
        return len(self.encoded.spans)


class Recombined(Encoder):
    """An encoder that puts texts together from sentences that were encoded before.

    Words outside of them are encoded alone, once each; those that the encoder's vocabulary lacks (made-up
    names) get a random vector of their own. Questions are encoded by the real encoder.
    """

    def __init__(self, encoder: Encoder, sources: Sequence[Source]) -> None:
        """Encode all sentences and titles of the sources: about a minute for ten thousand."""
        super().__init__(encoder.model, backend=encoder._backend)
        self._real = encoder
        self.producer = f"recombined {encoder.producer}"
        texts = list(dict.fromkeys(text for one in sources for text in (one.title, *one.sentences)))
        encoded = encoder.encode_passages(texts, encoder.basis)
        self._by_start: dict[str, list[str]] = {}
        self._pieces = {
            text: _Piece(len(text), vectors) for text, vectors in zip(texts, encoded, strict=True)
        }
        for text in sorted(texts, key=len, reverse=True):
            self._by_start.setdefault(_first_word(text, 0), []).append(text)

    def encode_passages(
        self, texts: Sequence[str], basis: Basis, done: Callable[[int], None] = lambda count: None
    ) -> list[TextVectors]:
        """Return the vectors of each text, in order; `basis` is the real encoder's."""
        encoded = [self._compose(text) for text in texts]
        done(len(texts))
        return encoded

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, those of its pieces together."""
        return [sum(piece.tokens for _, piece in self._parse(text)) for text in texts]

    def _compose(self, text: str) -> TextVectors:
        parsed = list(self._parse(text))
        if not parsed:
            return self._real.encode_passages([text], self.basis)[0]
        # A mean of all tokens is that of the pieces' means, each as often as it has tokens.
        dense = sum(piece.tokens * piece.encoded.dense for _, piece in parsed)
        return TextVectors(
            unit(np.asarray(dense)[None])[0],
            np.concatenate([piece.encoded.tokens for _, piece in parsed]),
            np.concatenate([piece.encoded.spans + start for start, piece in parsed]),
        )

    def _parse(self, text: str) -> Iterator[tuple[int, _Piece]]:
        """Yield the pieces of a text, each the longest that stands there, with where it begins."""
        at = 0
        while match := _WORD.search(text, at):
            start, word = match.start(), match[0]
            known = self._by_start.get(word.rstrip("."), [])
            found = next((one for one in known if text.startswith(one, start)), None)
            piece = self._pieces[found] if found else self._word(word)
            yield start, piece
            at = start + piece.length

    def _word(self, word: str) -> _Piece:
        piece = self._pieces.get(word)
        if piece is None:
            if word.strip(".,:;?!").lower() in self.words:
                (vectors,) = self._real.encode_passages([word], self.basis)
            else:
                chance = np.random.default_rng(zlib.crc32(word.encode()))
                vector = unit(chance.standard_normal((1, self.dimension)))
                spans = np.asarray([[0, len(word)]], dtype=np.int32)
                vectors = TextVectors(vector[0], pack(vector, self.basis), spans)
            piece = self._pieces[word] = _Piece(len(word), vectors)
        return piece


def _first_word(text: str, at: int) -> str:
    match = _WORD.search(text, at)
    return match[0].rstrip(".") if match else ""


def main() -> None:
    """Print made articles as JSON Lines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("passages", type=int)
    arguments = parser.parse_args()
    for one in make_articles(read_sources(arguments.folder), arguments.passages):
        sys.stdout.write(_line(one))


if __name__ == "__main__":
    main()
