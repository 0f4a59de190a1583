"""Vectors by sentence-transformers: any model, on a GPU where there is one. torch is imported only here."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.analysis import WORD
from index.encoding.backend import TextVectors, own_tokens, whole_words
from index.encoding.compression import Basis, unit
from index.encoding.models import Model
from index.errors import NoModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["LONGEST_WINDOW", "REFERENCE", "Reference", "quiet"]

LONGEST_WINDOW = 512
"""Tokens that a text is read to at most, whatever the model says."""

REFERENCE = "reference"
"""The producer of its vectors."""


class Reference:
    """A model loaded by sentence-transformers: what a graph has to agree with. A `Backend`."""

    producer = REFERENCE

    def __init__(self, model: Model, threads: int | None = None) -> None:
        """Load the weights; takes seconds, most of them for importing torch.

        `threads` bounds torch's own in this whole process; None leaves them as torch sets them.

        Raises:
            NoModelError: sentence-transformers cannot load the files, or is not installed.
        """
        try:
            with quiet(), _shown(model) as folder:
                _bound_threads(threads)
                self.transformer = _load_packaged(folder) if model.packaged else _load_folder(folder)
        except ImportError as error:
            raise NoModelError(
                f"the encoder {model.name!r} needs {error.name}, which is not here: pip install "
                "'footnote[build]', or copy an index whose encoder has a graph from where it was built."
            ) from error
        except Exception as error:
            raise NoModelError(f"the encoder {model.name!r} cannot be loaded: {error}") from error
        if self.reads_tokens and self.transformer.max_seq_length is None:
            self.transformer.max_seq_length = LONGEST_WINDOW  # else it reads what is not located
        self.longest = int(min(self.transformer.max_seq_length or LONGEST_WINDOW, LONGEST_WINDOW))
        self.dimension = int(self.transformer.get_embedding_dimension() or 0)
        if hasattr(self._tokenizer, "no_truncation"):
            self._tokenizer.no_truncation()  # such a model reads a text of any length, whatever its file says
        (prompt_tokens,) = self.count_tokens([self.prompt(question=False)])
        self.window = self.longest - self._special_tokens() - prompt_tokens

    def encode(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        """Return the vectors of one batch of texts, each read as a question or as a passage."""
        encode: Any = self.transformer.encode_query if question else self.transformer.encode_document
        if not self.reads_tokens:
            return self._encode_words(texts, encode)
        outputs = encode(list(texts), batch_size=len(texts), output_value=None, show_progress_bar=False)
        prompt = self.prompt(question=question)
        encoded = self._tokenizer(
            [prompt + text for text in texts],
            truncation=True,
            max_length=self.transformer.max_seq_length or LONGEST_WINDOW,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        found = []
        located = zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        for text, output, (offsets, special) in zip(texts, outputs, located, strict=True):
            kept, spans = own_tokens(text, prompt, offsets, special)
            tokens = output["token_embeddings"][output["attention_mask"].bool()].float().cpu().numpy()
            dense = output["sentence_embedding"].float().cpu().numpy()
            found.append(TextVectors(unit(dense[None])[0], tokens[kept], spans))
        return found

    def _encode_words(self, texts: Sequence[str], encode: Any) -> list[TextVectors]:
        """Take each word for a token, encoded alone: what a model without token vectors can give."""
        found = []
        for text, dense in zip(texts, encode(list(texts), show_progress_bar=False), strict=True):
            words = list(WORD.finditer(text))
            vectors = encode([word[0] for word in words], show_progress_bar=False) if words else ()
            tokens = np.asarray(vectors, dtype=np.float32).reshape(-1, self.dimension)
            spans = np.asarray([word.span() for word in words], dtype=np.int32).reshape(-1, 2)
            found.append(TextVectors(unit(np.asarray(dense)[None])[0], tokens, spans))
        return found

    def prompt(self, *, question: bool) -> str:
        """Return what sentence-transformers puts before a text; it prefers these names in this order."""
        names = ("query",) if question else ("document", "passage", "corpus")
        prompts = self.transformer.prompts
        default = prompts.get(self.transformer.default_prompt_name or "", "")
        return next((prompts[name] for name in names if name in prompts), default) or ""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, whatever its length, without the special ones around it."""
        if hasattr(self._tokenizer, "encode_batch"):
            encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
            return [len(one.ids) for one in encodings]
        encoded = self._tokenizer(
            list(texts),
            add_special_tokens=False,
            padding=False,
            truncation=False,
            return_attention_mask=False,
            verbose=False,
        )
        return [len(ids) for ids in encoded["input_ids"]]

    def words(self) -> frozenset[str]:
        """Return the whole words of the vocabulary, in lower case; none without vectors of tokens."""
        return whole_words(self._tokenizer.get_vocab() if self.reads_tokens else ())

    def basis(self) -> Basis | None:
        """Return None: it is kept nowhere."""
        return None

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """Compute on one thread in the block; that holds for the whole process."""
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)

    @property
    def reads_tokens(self) -> bool:
        """Whether the model gives a vector a token and its tokenizer says where each stands."""
        return bool(getattr(self._tokenizer, "is_fast", False))

    @property
    def _tokenizer(self) -> Any:
        return self.transformer.tokenizer

    def _special_tokens(self) -> int:
        count = getattr(self._tokenizer, "num_special_tokens_to_add", None)
        return int(count(False)) if count else 0  # whether for a pair of texts


def _bound_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _load_packaged(folder: str) -> SentenceTransformer:
    """Assemble the default by its published description, in which there are no modules."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    transformer = Transformer(folder, max_seq_length=256)
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()])


def _load_folder(folder: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        folder,
        trust_remote_code=False,
        local_files_only=True,
        model_kwargs={"use_safetensors": True},
    )


@contextmanager
def _shown(model: Model) -> Iterator[str]:
    """Give a folder with the files whose hashes make the fingerprint, and no other that lies beside them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, _ in model.files:
            link = Path(folder, name)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(model.folder.resolve() / name)
        yield folder


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what is no news to a user (progress of loading, advice to developers) off the terminal."""
    import transformers

    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    chatter: Any = transformers.utils.logging
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
