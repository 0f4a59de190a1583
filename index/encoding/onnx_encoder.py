"""ONNX Runtime: computes vectors by an export of a model, without torch.

An export is a folder with the graph, its weights, the tokenizer, the vocabulary's words, the basis of token
vectors, and a record (`export.json`) with a hash of each. An index names the record's digest as its producer.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from tokenizers import Tokenizer

from index.encoding.compression import Basis
from index.encoding.encoder import Encoder, TextVectors
from index.encoding.models import Model
from index.errors import DamagedIndexError
from index.files import checksum, open_regular

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["FILES", "FORMAT", "INPUTS", "RECORD", "WEIGHTS", "Export", "OnnxEncoder", "faults"]

FORMAT = 3
"""The version of exports; those of other versions are made anew."""

RECORD, GRAPH, WEIGHTS = "export.json", "model.onnx", "weights.bin"
TOKENIZER, WORDS, BASIS = "tokenizer.json", "words.txt", "basis.f32"
FILES = (GRAPH, WEIGHTS, TOKENIZER, WORDS, BASIS)
"""The files beside the record. Weights are apart from the graph so that they are mapped, not copied."""

INPUTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
"""The inputs that a graph may have, with the attribute of an encoded text that each is made of."""

_UNREADABLE = (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What reading a damaged record raises."""

# onnxruntime 1.29 and later reports to Microsoft unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


@dataclass(frozen=True, slots=True)
class Export:
    """The record of an export in the folder `home`; `files` has the XXH3-128 of each other file."""

    home: Path
    name: str
    fingerprint: str
    dimension: int
    window: int
    question_prompt: str
    passage_prompt: str
    files: dict[str, str]

    @classmethod
    def read(cls, home: Path) -> Self:
        """Read the record of the export in a folder; `faults` checks the other files.

        Raises:
            DamagedIndexError: it is missing, damaged or of another version.
        """
        if home.is_symlink():
            raise DamagedIndexError.of(home, "is a link, which is not followed")
        with open_regular(home / RECORD) as file, suppress(*_UNREADABLE):
            fields = json.loads(file.read())
            digest = fields.pop("sha256")
            export = cls(home=home, **fields)
            if export.digest == digest and set(export.files) == set(FILES):
                return export
        raise DamagedIndexError.of(home / RECORD, "is damaged, or of another version of Footnote")

    def to_bytes(self) -> bytes:
        """Return the content of the record's file."""
        fields = {**asdict(self), "sha256": self.digest}
        del fields["home"]
        return (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the record except for the model's name, which does not affect vectors."""
        fields = {**asdict(self), "home": "", "name": "", "format": FORMAT}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    @property
    def model(self) -> Model:
        """The exported model; its folder is the export's."""
        return Model(self.name, self.home, self.fingerprint)


def faults(home: Path, producer: str = "") -> Iterator[DamagedIndexError]:
    """Read an export as a whole; yield an error for each file that is not as it was written.

    With a `producer`, the export's digest must be that.
    """
    try:
        export = Export.read(home)
    except DamagedIndexError as error:
        yield error
        return
    if producer not in {"", export.digest}:
        yield DamagedIndexError.of(home / RECORD, "is not the one that the index was made with")
    for name, digest in export.files.items():
        try:
            if checksum(home / name).xxh3 != digest:
                yield DamagedIndexError.of(home / name, "is damaged (its checksum differs)")
        except DamagedIndexError as error:
            yield error


class OnnxEncoder(Encoder):
    """An encoder that computes with ONNX Runtime, on the processor."""

    def __init__(self, export: Export, threads: int | None = None) -> None:
        """Load an export, whose files were checked; `threads` None uses all cores.

        Raises:
            DamagedIndexError: ONNX Runtime cannot load it.
        """
        super().__init__()
        self.export: Export = export
        self.model, self.window, self.dimension = export.model, export.window, export.dimension
        self._tokenizer = Tokenizer.from_file(str(export.home / TOKENIZER))
        self._truncation: Any = self._tokenizer.truncation
        self._padding: Any = self._tokenizer.padding
        self._session = _open_session(export.home / GRAPH, threads or _cores())
        self._inputs = [node.name for node in self._session.get_inputs()]

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """The vocabulary's words of two or more letters, in lower case."""
        return frozenset((self.export.home / WORDS).read_text(encoding="utf-8").split())

    @functools.cached_property
    def basis(self) -> Basis:
        """The basis of token vectors that was computed for the export, shape (dimension, width)."""
        return np.fromfile(self.export.home / BASIS, dtype=np.float32).reshape(self.dimension, -1)

    def encode_batch(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        """Compute the vectors of one batch, with the model's prompt for questions or for passages."""
        prompt = self.export.question_prompt if question else self.export.passage_prompt
        self._tokenizer.enable_truncation(**self._truncation)
        self._tokenizer.enable_padding(**self._padding)
        encodings = self._tokenize([prompt + text for text in texts], special=True)
        inputs = {
            name: np.asarray([getattr(encoding, INPUTS[name]) for encoding in encodings], dtype=np.int64)
            for name in self._inputs
        }
        outputs = zip(texts, encodings, *self._session.run(None, inputs), strict=True)
        return [TextVectors.of(text, prompt, *output) for text, *output in outputs]

    def _count_tokens(self, texts: Sequence[str]) -> list[int]:
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        return [len(encoding.ids) for encoding in self._tokenize(texts, special=False)]

    def _tokenize(self, texts: Sequence[str], *, special: bool) -> list[Any]:
        if len(texts) == 1:  # a batch would start threads
            return [self._tokenizer.encode(texts[0], add_special_tokens=special)]
        return list(self._tokenizer.encode_batch(list(texts), add_special_tokens=special))


def _open_session(path: Path, threads: int) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # An idle thread yields its core to others that answer or build.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only
    # The graph was optimised when it was exported.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no other base
        version, reason = onnxruntime.__version__, str(error).splitlines()[0]
        raise DamagedIndexError.of(path, f"cannot be loaded by onnxruntime {version}: {reason}") from error


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
