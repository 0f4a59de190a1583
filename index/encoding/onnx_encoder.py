"""Vectors by ONNX Runtime, from a graph that a build exported: neither torch nor transformers is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from index.encoding.backend import TextVectors, own_tokens
from index.encoding.compression import Basis, unit
from index.encoding.exports import BASIS, MODEL, TOKENIZER, WORDS, GraphRecord
from index.errors import DamagedIndexError
from index.storage.checksums import check_file, read_checked
from index.storage.held import HeldFile
from index.storage.manifest import REBUILD

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["OUTPUTS", "Graph"]

OUTPUTS = ("dense", "tokens")
"""The names of a graph's outputs."""

_ERRORS_ONLY = 3


class Graph:
    """An exported encoder, loaded. A `Backend`."""

    def __init__(self, home: Path, record: GraphRecord, digest: str, threads: int | None = None) -> None:
        """Load the graph at `home`, whose record has the SHA-256 `digest`; None means all cores.

        Raises:
            DamagedIndexError: a file is not as it was written, or ONNX Runtime cannot load it.
        """
        self.producer = digest
        self.window = record.window
        self.dimension = record.dimension
        self._home = home
        self._record = record
        self._threads = threads or _cores()
        self._files = record.digests()
        for name, wanted in self._files.items():
            with HeldFile(home / name) as file:
                check_file(file, wanted)
        self._tokenizer = Tokenizer.from_str(self._read(TOKENIZER).decode())
        self._session = _open_session(home / MODEL, self._threads)

    def encode(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        """Return the vectors of one batch of texts, each read as a question or as a passage."""
        prompt = self._record.question_prompt if question else self._record.passage_prompt
        self._tokenizer.enable_truncation(self._record.longest)
        encodings = self._tokenize([prompt + text for text in texts], special=True)
        dense, tokens = self._session.run(OUTPUTS, self._inputs(encodings))
        found = []
        for row, (text, encoding) in enumerate(zip(texts, encodings, strict=True)):
            kept, spans = own_tokens(text, prompt, encoding.offsets, encoding.special_tokens_mask)
            own = tokens[row, : len(kept)][kept]
            found.append(TextVectors(unit(dense[row : row + 1])[0], own, spans))
        return found

    def _inputs(self, encodings: Sequence[Any]) -> dict[str, Any]:
        """Return a batch as the graph takes it: filled up to its longest text, and masked there."""
        shape = len(encodings), max(1, *(len(one.ids) for one in encodings))
        ids = np.full(shape, self._record.padding, dtype=np.int64)
        mask, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, one in enumerate(encodings):
            count = len(one.ids)
            ids[row, :count], types[row, :count] = one.ids, one.type_ids
            mask[row, :count] = one.attention_mask
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return {name: given[name] for name in self._record.inputs}

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, whatever its length, without the special ones around it."""
        self._tokenizer.no_truncation()
        return [len(one.ids) for one in self._tokenize(texts, special=False)]

    def _tokenize(self, texts: Sequence[str], *, special: bool) -> list[Any]:
        if len(texts) == 1:  # no threads are started for one text
            return [self._tokenizer.encode(texts[0], add_special_tokens=special)]
        return list(self._tokenizer.encode_batch(list(texts), add_special_tokens=special))

    def words(self) -> frozenset[str]:
        """Return the whole words of the vocabulary, in lower case."""
        return frozenset(self._read(WORDS).decode().split())

    def basis(self) -> Basis | None:
        """Return the basis that was found when the model was exported."""
        return np.frombuffer(self._read(BASIS), dtype=np.float32).reshape(self.dimension, -1)

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """Compute on one thread in the block, by a second session of the same graph."""
        before = self._session
        if self._threads > 1:
            self._session = _open_session(self._home / MODEL, 1)
        try:
            yield
        finally:
            self._session = before

    def _read(self, name: str) -> bytes:
        """Return a file's content, once it is found to be what was written."""
        with HeldFile(self._home / name) as file:
            return read_checked(file, self._files[name])


def _open_session(path: Path, threads: int) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A thread that has nothing to do gives its core away: others are at work, answering or building.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    # The file was optimised when it was exported.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base but this
        reason = str(error).splitlines()[0]
        raise DamagedIndexError(
            f"{path} cannot be loaded by onnxruntime {onnxruntime.__version__}: {reason}. {REBUILD}"
        ) from error


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
