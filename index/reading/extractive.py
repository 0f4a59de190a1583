"""A reader from elsewhere: any extractive question-answering model, computed by ONNX Runtime without torch.

Such a model reads a question and a passage as one text, and scores each token as the first of the answer and
as the last; a span's score is the sum of both. A model of the SQuAD 2.0 kind gives the span of the token
[CLS] a high score where the passage does not answer (Devlin et al., "BERT", 2019, section 4.3). A model of
SQuAD 1.1 was never taught to, so its `none` says little; the confidence is fitted to each reader.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from tokenizers import Tokenizer

from index.encoding.encoder import INPUTS, open_session
from index.encoding.exports import GRAPH, READERS, TOKENIZER, export_home, find_damage
from index.errors import DamagedIndexError, NoModelError
from index.files import read_file
from index.reading.reader import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from index.search.hits import Found, Hit
    from index.storage.store import Store

__all__ = ["READ", "ExtractiveReader", "Scores", "open_reader", "pointer_path"]

READ = 4
"""Hits that are read: each costs a pass through a model that may be large."""

_LONGEST_ANSWER = 40  # tokens

Floats = npt.NDArray[np.float32]


def pointer_path(index_folder: Path) -> Path:
    """Return where an index names its reader: JSON with the `name` as set and the model's `fingerprint`."""
    return index_folder / READERS / "current.json"


def open_reader(name: str, index_folder: Path) -> ExtractiveReader:
    """Open the reader of a name that `prepare_reader` put into an index.

    Raises:
        NoModelError: the index has none of that name.
        DamagedIndexError: its export is damaged.
    """
    try:
        pointer = json.loads(read_file(pointer_path(index_folder)))
        named, fingerprint = str(pointer["name"]), str(pointer["fingerprint"])
    except (DamagedIndexError, ValueError, LookupError, TypeError):  # missing, or anything else
        named = fingerprint = ""
    if named != name:
        raise NoModelError(
            f"the index at {index_folder} does not have the reader {name!r}: run `footnote index build` to "
            "export it, or correct FOOTNOTE_READER."
        )
    home = export_home(index_folder, fingerprint, READERS)
    if damage := find_damage(home):
        raise damage
    return ExtractiveReader(name, home)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model says of a batch of pairs: each token as the first of the answer and as the last.

    `starts` and `ends` have shape (pairs, tokens), `nulls` (pairs,); `encodings` are the pairs as tokens.
    """

    encodings: Sequence[Any]
    starts: Floats
    ends: Floats
    nulls: Floats


class ExtractiveReader:
    """Reads with a model's export, on all cores; safe to use from several threads."""

    def __init__(self, name: str, home: Path) -> None:
        """Load an export, whose files were checked; raises DamagedIndexError where ONNX Runtime cannot."""
        self.name = name
        self._tokenizer = Tokenizer.from_file(str(home / TOKENIZER))
        self._session = open_session(home / GRAPH, None)
        self._inputs = [node.name for node in self._session.get_inputs()]

    def score(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """Compute the scores of questions and passages.

        What does not fit the model's window is cut from the end of the longer one, so that a question takes
        half of it at most where the passage needs the rest.
        """
        encodings = self._tokenizer.encode_batch(list(pairs))
        inputs = {
            name: np.asarray([getattr(encoding, INPUTS[name]) for encoding in encodings], dtype=np.int64)
            for name in self._inputs
        }
        return Scores(encodings, *self._session.run(None, inputs))

    def read(self, found: Found, store: Store) -> Reading:
        """Return the probability of each sentence of the best hits, and where the answer's words are.

        It is a softmax over all spans that begin in a quotable sentence, summed by sentence, and the null
        answer, whose score is the least of all passages read: one that answers is enough.
        """
        hits = found.hits[:READ]
        texts = ["".join(f"{lead.text}. " for lead in hit.leads) + hit.text for hit in hits]
        scores = self.score([(found.question.text, text) for text in texts])
        passages = [
            _Passage.of(hit, hit.end - len(text), scores, at)
            for at, (hit, text) in enumerate(zip(hits, texts, strict=True))
        ]
        none = float(scores.nulls.min())
        top = max(none, *(passage.spans.max() for passage in passages))
        sums = [passage.sum_by_sentence(top) for passage in passages]
        null = float(np.exp(none - top))
        total = null + sum(float(each.sum()) for each in sums)
        at = max(range(len(hits)), key=lambda place: sums[place].max())
        answer = passages[at].find_answer(int(sums[at].argmax()))
        return Reading(self.name, [(each / total).tolist() for each in sums], null / total, answer)


@dataclass(frozen=True, slots=True)
class _Passage:
    """A hit that was read, of T tokens.

    `sentences` (T,) is the sentence in which a token stands, -1 where none may be quoted; `tokens` (T, 2) are
    the tokens' spans in the article; `spans` (T, _LONGEST_ANSWER) has the score of each span by its first
    token and its further tokens, -inf for one that cannot be an answer.
    """

    hit: Hit
    sentences: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
    spans: npt.NDArray[np.float64]

    @classmethod
    def of(cls, hit: Hit, offset: int, scores: Scores, at: int) -> _Passage:
        """Take row `at` of the scores of texts; `offset` is where the text would begin in the article."""
        encoding = scores.encodings[at]
        is_own = np.asarray([text == 1 for text in encoding.sequence_ids])
        tokens = np.asarray(encoding.offsets, dtype=np.int64) + offset
        # SentencePiece counts the space before a word as part of it, so a token stands where it ends.
        lasts = tokens[:, 1] - 1
        sentences = np.full(len(tokens), -1)
        for place, sentence in enumerate(hit.sentences):
            if sentence.quotable:
                sentences[is_own & (lasts >= sentence.start) & (lasts < sentence.end)] = place
        starts = np.where(sentences >= 0, scores.starts[at].astype(np.float64), -np.inf)
        ends = np.pad(
            np.where(is_own, scores.ends[at], -np.inf), (0, _LONGEST_ANSWER - 1), constant_values=-np.inf
        )
        return cls(hit, sentences, tokens, starts[:, None] + sliding_window_view(ends, _LONGEST_ANSWER))

    def sum_by_sentence(self, top: float) -> npt.NDArray[np.float64]:
        """Return the sum of exp(score - top) over the spans that begin in each sentence."""
        weights = np.exp(self.spans - top).sum(axis=1)
        is_in = self.sentences >= 0
        counted = np.bincount(self.sentences[is_in], weights[is_in], len(self.hit.sentences))
        return np.asarray(counted, dtype=np.float64)

    def find_answer(self, place: int) -> tuple[int, int] | None:
        """Return the likeliest span that begins in a sentence, cut at its end; None if none was read."""
        spans = np.where((self.sentences == place)[:, None], self.spans, -np.inf)
        if not np.isfinite(spans.max()):
            return None
        first, more = np.unravel_index(spans.argmax(), spans.shape)
        sentence = self.hit.sentences[place]
        start, end = (
            max(int(self.tokens[first, 0]), sentence.start),
            min(int(self.tokens[first + more, 1]), sentence.end),
        )
        text = self.hit.text[start - self.hit.start : end - self.hit.start]
        return (start + len(text) - len(text.lstrip()), end) if text.strip() else None
