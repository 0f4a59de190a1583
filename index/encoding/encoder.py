"""The encoder: text to one vector for the whole text and one for each of its tokens, packed to be stored.

Token vectors are projected to 128 dimensions and stored in four bits a dimension, which costs next to
nothing (docs/quality.md). The basis is their principal directions (uncentred PCA: Eckart and Young, 1936)
over text made of the encoder's own vocabulary, so every article is packed alike, whenever it is added.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from index.encoding.exports import BASIS, DATA, GRAPH, TOKENIZER, export_home, find_damage
from index.encoding.models import Model, find_model, same_name
from index.encoding.packing import PackedTokens, pack_rows
from index.errors import DamagedIndexError
from index.settings import IndexSettings

__all__ = [
    "INPUTS",
    "WIDTH",
    "Basis",
    "Encoder",
    "TextVectors",
    "TokenSpans",
    "Vectors",
    "find_basis",
    "open_encoder",
    "open_session",
    "pack",
    "project",
    "question_threads",
    "unit",
]

Vectors = npt.NDArray[np.float32]
"""Rows, one a text or token: shape (rows, dimension)."""

Basis = npt.NDArray[np.float32]
"""Orthonormal columns: shape (dimension, width)."""

TokenSpans = npt.NDArray[np.int32]
"""Start and end of each token in its text, in code points: shape (tokens, 2)."""

WIDTH = 128
"""Dimensions that a token vector keeps; all of them if the encoder has no more."""

INPUTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
"""The inputs that a model may have, with the attribute of an encoded text that each is made of."""

# About 800 tokens. Batches five times as large outgrow the caches of a processor and take a third longer.
_BATCH_CHARACTERS = 4_000

# onnxruntime 1.29 and later reports to Microsoft unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Batches are too small to gain from threads in the tokenizer, which also warns of any fork.
os.environ["TOKENIZERS_PARALLELISM"] = "false"


def find_basis(tokens: Vectors, width: int = WIDTH) -> Basis:
    """Return the first `width` principal directions of token vectors, shape (dimension, width)."""
    vectors = unit(tokens).astype(np.float64)
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(directions[:, ::-1][:, :width], dtype=np.float32)


def project(tokens: Vectors, basis: Basis) -> Vectors:
    """Return unit vectors in the basis: shape (tokens, width)."""
    return unit(unit(tokens) @ basis)


def pack(tokens: Vectors, basis: Basis) -> PackedTokens:
    """Return token vectors in the basis, packed; this keeps their angles, not their lengths."""
    return pack_rows(project(tokens, basis))


def unit(rows: npt.NDArray[Any]) -> Vectors:
    """Return rows scaled to length 1, as float32; a row of zeros stays as it is."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class TextVectors:
    """A text's unit vector, shape (dimension,), its tokens' vectors, a row each, and their spans.

    The rows are of the encoder's own dimension from `encode_batch`, packed from `encode_passages`, and unit
    vectors in the basis from `encode_question`.
    """

    dense: Vectors
    tokens: npt.NDArray[Any]
    spans: TokenSpans

    @classmethod
    def of(cls, text: str, prompt: str, encoding: Any, dense: Vectors, tokens: Vectors) -> Self:
        """Keep the tokens that are the text's own: neither special nor of the prompt before it.

        `encoding` is what tokenizers made of prompt and text, `tokens` the vectors of all its tokens.
        """
        starts, ends = np.asarray(encoding.offsets, dtype=np.int32).reshape(-1, 2).T
        read = prompt + text
        pieces = [read[start:end] for start, end in encoding.offsets]
        # SentencePiece counts the space before a word as part of it.
        spaces = [len(piece) - len(piece.lstrip()) for piece in pieces]
        spans = np.stack([starts + spaces, ends], axis=1).astype(np.int32) - len(prompt)
        own = (np.asarray(encoding.special_tokens_mask) == 0) & (spans[:, 0] >= 0)
        return cls(unit(dense[None])[0], tokens[own], spans[own])


class Encoder:
    """A model's export, computed by ONNX Runtime. Threads may share it.

    `home` is the export's folder; `window` how many tokens of a text are read, without special ones and the
    prompt; `words` the vocabulary's words of two or more letters, in lower case; `basis` what token vectors
    are packed in, shape (dimension, width).
    """

    def __init__(self, home: Path, model: Model, threads: int | None = None) -> None:
        """Load an export, whose files were checked, to compute on so many threads.

        None uses all cores, and a GPU if onnxruntime-gpu finds one (never tried).

        Raises:
            DamagedIndexError: ONNX Runtime cannot load it.
        """
        data = json.loads((home / DATA).read_bytes())
        self.home, self.model = home, model
        self.window: int = data["window"]
        self.words: frozenset[str] = frozenset(data["words"])
        self._prompts: dict[bool, str] = {True: data["question_prompt"], False: data["passage_prompt"]}
        self.basis: Basis = np.load(home / BASIS)
        self.dimension = len(self.basis)
        self._tokenizer = Tokenizer.from_file(str(home / TOKENIZER))
        self._session = open_session(home / GRAPH, threads)
        self._inputs = [node.name for node in self._session.get_inputs()]

    def encode_passages(self, texts: Sequence[str], basis: Basis) -> list[TextVectors]:
        """Return the vectors of each text, in order; a text is read up to the window."""
        encoded: dict[int, TextVectors] = {}
        for rows in _batches([len(text) for text in texts]):
            batch = self.encode_batch([texts[row] for row in rows], question=False)
            for row, vectors in zip(rows, batch, strict=True):
                encoded[row] = TextVectors(vectors.dense, pack(vectors.tokens, basis), vectors.spans)
        return [encoded[row] for row in range(len(texts))]

    def encode_question(self, text: str, basis: Basis) -> TextVectors:
        """Return a question's vectors; it is read up to the window."""
        (vectors,) = self.encode_batch([text], question=True)
        return TextVectors(vectors.dense, project(vectors.tokens, basis), vectors.spans)

    def encode_batch(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        """Compute the vectors of one batch, with the model's prompt for questions or for passages."""
        prompt = self._prompts[question]
        encodings = self._tokenizer.encode_batch([prompt + text for text in texts])
        inputs = {
            name: np.asarray([getattr(encoding, INPUTS[name]) for encoding in encodings], dtype=np.int64)
            for name in self._inputs
        }
        outputs = zip(texts, encodings, *self._session.run(None, inputs), strict=True)
        return [TextVectors.of(text, prompt, *output) for text, *output in outputs]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, whatever its length, without special ones."""
        return [len(self._counter.encode(text, add_special_tokens=False).ids) for text in texts]

    def tokenize(self, text: str) -> tuple[npt.NDArray[np.int64], TokenSpans]:
        """Return the ids and spans of a text's tokens without special ones, at least up to the window."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        spans = np.asarray(encoded.offsets, dtype=np.int32).reshape(-1, 2)
        return np.asarray(encoded.ids, dtype=np.int64), spans

    @functools.cached_property
    def _counter(self) -> Tokenizer:
        """A tokenizer that reads all of a text."""
        counter = Tokenizer.from_file(str(self.home / TOKENIZER))
        counter.no_truncation()
        counter.no_padding()
        return counter


def open_session(path: Path, threads: int | None) -> Any:
    """Load a graph to compute on so many threads; None uses all cores, and a GPU.

    Raises:
        DamagedIndexError: ONNX Runtime cannot load it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _count_cores()
    # An idle thread yields its core to others that answer or build.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only
    # The graph was optimised when it was exported. Doing more takes time at each start and gains nothing.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    wanted = {"CPUExecutionProvider"} if threads else {"CUDAExecutionProvider", "CPUExecutionProvider"}
    providers = [name for name in onnxruntime.get_available_providers() if name in wanted]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # its errors share no other base
        version, reason = onnxruntime.__version__, str(error).splitlines()[0]
        raise DamagedIndexError.of(path, f"cannot be loaded by onnxruntime {version}: {reason}") from error


def question_threads() -> int:
    """Return how many threads compute what a question needs: two, which save a tenth, or one on one core.

    OMP_NUM_THREADS=1 makes it one, as it does for other libraries.
    """
    return 1 if os.environ.get("OMP_NUM_THREADS") == "1" else min(2, _count_cores())


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_encoder(settings: IndexSettings, name: str, fingerprint: str) -> Encoder:
    """Open the encoder that a generation was made with, to encode questions.

    Raises:
        DamagedIndexError: the settings name or pin another model, or the export is damaged.
        NoModelError: the settings name a model that cannot be found.
    """
    other = ""
    if settings.model_sha256 not in {"", fingerprint}:
        other = "FOOTNOTE_MODEL_SHA256"
    elif not same_name(settings.model, name) and find_model(settings.model).fingerprint != fingerprint:
        other = "FOOTNOTE_MODEL"
    if other:
        raise DamagedIndexError(
            f"the index was made with the encoder {name} of fingerprint {fingerprint}, and {other} names "
            f"another. Run `footnote index build`, or set {other} back."
        )
    home = export_home(settings.index, fingerprint)
    if damage := find_damage(home):
        raise damage
    return Encoder(home, Model(name, home, fingerprint), threads=question_threads())


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield rows of texts in batches of bounded size, padding included, the longest first."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > _BATCH_CHARACTERS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
