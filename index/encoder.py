"""Text to vectors, with sentence-transformers. torch is imported only when an encoder is loaded."""

from __future__ import annotations

import functools
import logging
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from index.batches import batches
from index.compression import (
    WIDTH,
    Basis,
    PackedTokens,
    Vectors,
    find_basis,
    pack_all,
    project,
    unit,
)
from index.errors import NoModelError
from index.folding import WORD
from index.models import PUBLISHED, Model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["EncodedPassage", "EncodedQuestion", "Encoder", "TokenSpans"]

TokenSpans = npt.NDArray[np.int32]
"""Where each token stands in its text, in code points: shape (tokens, 2)."""

_BATCH = 16
_QUESTIONS_FIRST = 4
"""Questions that a build's batch lets go before it while more keep coming."""
_LONGEST_WINDOW = 512
_BASIS_SEED, _BASIS_TEXTS, _BASIS_WORDS = 0, 64, 60
_WORD_START = "▁Ġ"
"""How tokenizers mark a word's beginning: SentencePiece, and byte-level BPE."""


@dataclass(frozen=True, slots=True)
class EncodedPassage:
    """A text's unit vector, shape (dimension,), and its tokens' vectors, packed, with where they stand."""

    dense: Vectors
    tokens: PackedTokens
    spans: TokenSpans


@dataclass(frozen=True, slots=True)
class EncodedQuestion:
    """A question's unit vector, shape (1, dimension), and its tokens' unit vectors, shape (tokens, width)."""

    dense: Vectors
    tokens: Vectors
    spans: TokenSpans


class Encoder:
    """A loaded encoder. Safe to use from several threads, which take turns a batch at a time."""

    producer = "reference"
    """What computes the vectors: those of one producer are not mixed with another's."""

    def __init__(self, model: Model, threads: int | None = None) -> None:
        """Load the weights; takes seconds, most of them for importing torch.

        `threads` bounds torch's own in this whole process; None leaves them as torch sets them.

        Raises:
            NoModelError: sentence-transformers cannot load the files.
        """
        self.model = model
        try:
            with _quiet():
                _bound_threads(threads)
                self._transformer = _load_packaged(model) if model.packaged else _load_folder(model)
        except Exception as error:
            raise NoModelError(f"the encoder {model.name!r} cannot be loaded: {error}") from error
        if self._reads_tokens and self._transformer.max_seq_length is None:
            self._transformer.max_seq_length = _LONGEST_WINDOW  # else it reads what `_locate` does not
        longest = self._transformer.max_seq_length or _LONGEST_WINDOW
        self._turns = threading.Condition()
        self._busy = False
        self._urgent = 0
        self._served = 0
        tokenizer: Any = self._transformer.tokenizer
        if hasattr(tokenizer, "no_truncation"):
            tokenizer.no_truncation()  # such a model reads a text of any length, whatever its file says
        prompt = self._prompt(self._transformer.encode_document)
        (prompt_tokens,) = self.count_tokens([prompt])
        # Some models have no bound, and say that it is infinite.
        self.window = int(min(longest, _LONGEST_WINDOW)) - self._special_tokens() - prompt_tokens

    def encode_passages(
        self, texts: Sequence[str], basis: Basis, done: Callable[[int], None] = lambda count: None
    ) -> list[EncodedPassage]:
        """Return the vectors of each text, in order; `done` hears how many more are encoded, by batch."""
        encoded: dict[int, EncodedPassage] = {}
        for rows in batches([len(text) for text in texts]):
            with self._turn():
                batch = self._encode([texts[row] for row in rows], self._transformer.encode_document)
            packed = pack_all([tokens for _, tokens, _ in batch], basis)
            for row, (dense, _, spans), tokens in zip(rows, batch, packed, strict=True):
                encoded[row] = EncodedPassage(dense, tokens, spans)
            done(len(rows))
        return [encoded[row] for row in range(len(texts))]

    def encode_question(self, text: str, basis: Basis) -> EncodedQuestion:
        """Return a question's vectors; of a text over the window only its beginning is read."""
        with self._turn(urgent=True):
            ((dense, tokens, spans),) = self._encode([text], self._transformer.encode_query)
        return EncodedQuestion(dense[None], project(tokens, basis), spans)

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """The whole words of the vocabulary, in lower case: what is spelt rightly in whatever article."""
        vocabulary = self._transformer.tokenizer.get_vocab() if self._reads_tokens else {}
        words = (word.lstrip(_WORD_START).lower() for word in vocabulary)
        return frozenset(word for word in words if word.isalpha() and len(word) > 1)

    @functools.cached_property
    def basis(self) -> Basis:
        """The basis in which the token vectors are packed; finding it takes a second or two.

        The texts are random runs of the vocabulary's words (with a fixed seed): they stand for articles that
        nobody has written yet.
        """
        if not self.words:
            return np.eye(self.dimension, min(self.dimension, WIDTH), dtype=np.float32)
        chosen = np.random.default_rng(_BASIS_SEED).choice(sorted(self.words), (_BASIS_TEXTS, _BASIS_WORDS))
        samples = []
        for first in range(0, _BASIS_TEXTS, _BATCH):
            texts = [" ".join(row) for row in chosen[first : first + _BATCH]]
            with self._turn():
                samples += [tokens for _, tokens, _ in self._encode(texts, self._transformer.encode_document)]
        return find_basis(np.concatenate(samples))

    def _encode(self, texts: list[str], encode: Any) -> list[tuple[Vectors, Vectors, TokenSpans]]:
        """Return of each text its unit vector, its tokens' vectors and where they stand: one forward pass."""
        if not self._reads_tokens:
            return self._encode_words(texts, encode)
        outputs = encode(texts, batch_size=len(texts), output_value=None, show_progress_bar=False)
        located = self._locate(texts, encode)
        found = []
        for output, (kept, spans) in zip(outputs, located, strict=True):
            tokens = output["token_embeddings"][output["attention_mask"].bool()].float().cpu().numpy()
            dense = output["sentence_embedding"].float().cpu().numpy()
            found.append((unit(dense[None])[0], tokens[kept], spans))
        return found

    def _locate(self, texts: list[str], encode: Any) -> list[tuple[npt.NDArray[np.bool_], TokenSpans]]:
        """Return which of a text's tokens are its own (neither special nor of a prompt), and their spans."""
        prompt = self._prompt(encode)
        whole = [prompt + text for text in texts]
        encoded = self._transformer.tokenizer(
            whole,
            truncation=True,
            max_length=self._transformer.max_seq_length or _LONGEST_WINDOW,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        located = []
        rows = zip(whole, encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        for text, offsets, special in rows:
            bare = [_without_space_before(text, *span) for span in offsets]
            spans = np.asarray(bare, dtype=np.int32).reshape(-1, 2) - len(prompt)
            kept = (np.asarray(special) == 0) & (spans[:, 0] >= 0)
            located.append((kept, spans[kept]))
        return located

    def _prompt(self, encode: Any) -> str:
        """Return what sentence-transformers puts before a text; it prefers these names in this order."""
        query = encode == self._transformer.encode_query
        names = ("query",) if query else ("document", "passage", "corpus")
        prompts = self._transformer.prompts
        default = prompts.get(self._transformer.default_prompt_name or "", "")
        return next((prompts[name] for name in names if name in prompts), default) or ""

    def _encode_words(self, texts: list[str], encode: Any) -> list[tuple[Vectors, Vectors, TokenSpans]]:
        """Take each word for a token, encoded alone: what a model without token vectors can give."""
        found = []
        for text, dense in zip(texts, encode(texts, show_progress_bar=False), strict=True):
            words = list(WORD.finditer(text))
            vectors = encode([word[0] for word in words], show_progress_bar=False) if words else ()
            tokens = np.asarray(vectors, dtype=np.float32).reshape(-1, self.dimension)
            spans = np.asarray([word.span() for word in words], dtype=np.int32).reshape(-1, 2)
            found.append((unit(np.asarray(dense)[None])[0], tokens, spans))
        return found

    @property
    def _reads_tokens(self) -> bool:
        """Whether the model gives a vector a token and its tokenizer says where each stands."""
        return bool(getattr(self._transformer.tokenizer, "is_fast", False))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, whatever its length, without the special ones around it."""
        if not texts:
            return []
        tokenizer: Any = self._transformer.tokenizer
        with self._turn():
            if hasattr(tokenizer, "encode_batch"):
                return [len(one.ids) for one in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
            encoded = tokenizer(
                list(texts),
                add_special_tokens=False,
                padding=False,
                truncation=False,
                return_attention_mask=False,
                verbose=False,
            )
        return [len(ids) for ids in encoded["input_ids"]]

    @contextmanager
    def _turn(self, *, urgent: bool = False) -> Iterator[None]:
        """Wait for the others to finish; questions go before a build's next batch, but not without end.

        Tokenizing takes a turn too, since threads share a fast tokenizer's truncation setting.
        """
        with self._turns:
            patience = self._served + _QUESTIONS_FIRST
            self._urgent += urgent
            self._turns.wait_for(
                lambda: not self._busy and (urgent or not self._urgent or self._served >= patience)
            )
            self._urgent -= urgent
            self._served += urgent
            self._busy = True
        try:
            yield
        finally:
            with self._turns:
                self._busy = False
                self._turns.notify_all()

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._transformer.get_embedding_dimension() or 0)

    def _special_tokens(self) -> int:
        tokenizer: Any = self._transformer.tokenizer
        count = getattr(tokenizer, "num_special_tokens_to_add", None)
        return int(count(False)) if count else 0  # whether for a pair of texts


def _without_space_before(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a token's span without the space that SentencePiece takes for a part of the next word."""
    while start < end and text[start].isspace():
        start += 1
    return start, end


def _bound_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _load_packaged(model: Model) -> SentenceTransformer:
    """Assemble the default from the files whose hashes were checked, and from no other beside them."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    with tempfile.TemporaryDirectory() as folder:
        for name in PUBLISHED:
            link = Path(folder, name)
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(model.folder.resolve() / name)
        transformer = Transformer(folder, max_seq_length=256)
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        return SentenceTransformer(modules=[transformer, pooling, Normalize()])


def _load_folder(model: Model) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        str(model.folder),
        trust_remote_code=False,
        local_files_only=True,
        model_kwargs={"use_safetensors": True},
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what is no news to a user (progress of loading, advice to developers) off the terminal."""
    import transformers

    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    chatter: Any = transformers.utils.logging
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
