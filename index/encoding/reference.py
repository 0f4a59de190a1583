"""sentence-transformers, which needs torch: the reference encoder of any model, and its export to ONNX."""

from __future__ import annotations

import functools
import itertools
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.analysis import WORD
from index.encoding import onnx_encoder
from index.encoding.compression import unit
from index.encoding.encoder import Encoder, TextVectors
from index.encoding.models import Model
from index.encoding.onnx_encoder import Export, OnnxEncoder
from index.errors import NoModelError
from index.files import checksum

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["ExportError", "ReferenceEncoder", "check_agreement", "export"]

_LONGEST = 512
"""Tokens, special ones included, up to which a text is read, whatever the model allows."""
_LEAST_COSINE = 0.9999
"""Of the vectors of an export with the reference's."""
_WORD_START = "▁Ġ"
"""How tokenizers mark the start of a word: SentencePiece, and byte-level BPE."""
_SAMPLES, _SAMPLE_CHARACTERS, _SAMPLE_BATCH = 12, 4_000, 8
_HARD_TEXTS = (
    "",
    " \u200b ",
    "Who kept bees?",
    "E\u0301tude n\u00ba 3, \u00a34.20 \u2014 well-kept; don\u2019t!",
    "\u4e2d\u6587 \u05e9\u05dc\u05d5\u05dd \U0001f98a \x00 unfathomable",
    "The kiln was lit by Ada Quay in 1871, and it burned for three days. " * 60,
)
"""Texts that every export is compared on: empty, short, unusual, and longer than any window."""


class ExportError(Exception):
    """A model cannot be exported, or its export does not agree with it; the message says why."""


class ReferenceEncoder(Encoder):
    """An encoder that computes with sentence-transformers, on a GPU if torch finds one."""

    def __init__(self, model: Model, threads: int | None = None) -> None:
        """Load the weights, which takes seconds, most of them to import torch.

        `threads` limits torch's threads in the whole process; None leaves them as they are.

        Raises:
            NoModelError: sentence-transformers is not installed, or cannot load the files.
        """
        super().__init__()
        self.model = model
        try:
            self.transformer = _load(model, threads)
        except ImportError as error:
            raise NoModelError(
                f"the encoder {model.name!r} needs {error.name}, which is not installed: pip install "
                "'footnote[build]', or copy an index with an exported encoder from where it was built."
            ) from error
        except Exception as error:
            raise NoModelError(f"the encoder {model.name!r} cannot be loaded: {error}") from error
        self.tokenizer: Any = self.transformer.tokenizer
        self.has_token_vectors = bool(getattr(self.tokenizer, "is_fast", False))
        longest = min(self.transformer.max_seq_length or _LONGEST, _LONGEST)
        if self.has_token_vectors:
            self.transformer.max_seq_length = longest
        special = getattr(self.tokenizer, "num_special_tokens_to_add", lambda pair: 0)(False)
        self.window = longest - special - self._count_tokens([self.prompt(question=False)])[0]
        self.dimension = int(self.transformer.get_embedding_dimension() or 0)

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """The vocabulary's words of two or more letters, in lower case; none if tokens have no vectors."""
        vocabulary = self.tokenizer.get_vocab() if self.has_token_vectors else ()
        words = (word.lstrip(_WORD_START).lower() for word in vocabulary)
        return frozenset(word for word in words if word.isalpha() and len(word) > 1)

    def prompt(self, *, question: bool) -> str:
        """Return what stands before a text, by the names of prompts that sentence-transformers prefers."""
        names = ("query",) if question else ("document", "passage", "corpus")
        prompts = self.transformer.prompts
        default = prompts.get(self.transformer.default_prompt_name or "", "")
        return next((prompts[name] for name in names if name in prompts), default) or ""

    def encode_batch(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        """Compute the vectors of one batch, with the model's prompt for questions or for passages."""
        encode: Any = self.transformer.encode_query if question else self.transformer.encode_document
        encode = functools.partial(encode, show_progress_bar=False)
        if not self.has_token_vectors:
            return [self._encode_words(text, encode) for text in texts]
        outputs = encode(list(texts), batch_size=len(texts), output_value=None)
        prompt = self.prompt(question=question)
        longest = self.transformer.max_seq_length
        read = self.tokenizer([prompt + text for text in texts], truncation=True, max_length=longest)
        vectors = []
        for text, encoding, output in zip(texts, read.encodings, outputs, strict=True):
            tokens = output["token_embeddings"][output["attention_mask"].bool()].float().cpu().numpy()
            dense = output["sentence_embedding"].float().cpu().numpy()
            vectors.append(TextVectors.of(text, prompt, encoding, dense, tokens))
        return vectors

    def _encode_words(self, text: str, encode: Any) -> TextVectors:
        """Encode a text and each of its words alone, by a model without token vectors."""
        words = list(WORD.finditer(text))
        dense, *tokens = np.asarray(encode([text, *(word[0] for word in words)]), dtype=np.float32)
        spans = np.asarray([word.span() for word in words], dtype=np.int32).reshape(-1, 2)
        return TextVectors(unit(dense[None])[0], np.reshape(tokens, (-1, self.dimension)), spans)

    def _count_tokens(self, texts: Sequence[str]) -> list[int]:
        tokenizer = getattr(self.tokenizer, "backend_tokenizer", self.tokenizer)
        if not hasattr(tokenizer, "encode_batch"):
            return [len(tokenizer.tokenize(text)) for text in texts]
        # A tokenizer's file may switch these on. transformers sets them at each call; other models read all.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return [len(text.ids) for text in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def _load(model: Model, threads: int | None) -> SentenceTransformer:
    """Load a model from links to the files that its fingerprint covers, so that no others are found."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    if threads is not None:
        torch.set_num_threads(threads)
    _silence()
    with warnings.catch_warnings(action="ignore"), tempfile.TemporaryDirectory() as folder:
        for name in model.files:
            Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, name).symlink_to(model.folder.resolve() / name)
        if not model.packaged:
            safe: Any = {"trust_remote_code": False, "local_files_only": True}
            return SentenceTransformer(folder, model_kwargs={"use_safetensors": True}, **safe)
        # The package has no modules.json: these are the published modules.
        transformer = Transformer(folder, max_seq_length=256)
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        return SentenceTransformer(modules=[transformer, pooling, Normalize()])


def _silence() -> None:
    """Keep progress bars, and advice to developers, off the terminal."""
    import transformers

    chatter: Any = transformers.utils.logging
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    for name in ("onnx_ir", "onnxscript", "sentence_transformers", "torch", "torch.onnx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def export(reference: ReferenceEncoder, sample_texts: Sequence[str], home: Path) -> Export:
    """Export a model to the folder `home`, and compare its vectors with the reference; takes 20 seconds.

    Raises:
        ExportError: the model cannot be exported, or the vectors differ.
        OSError: a file cannot be written.
    """
    if not reference.has_token_vectors:
        raise ExportError("it has no token vectors, or no fast tokenizer")
    try:
        with warnings.catch_warnings(action="ignore"):
            _write_graph(reference, home)
        record = _write_record(reference, home)
        check_agreement(reference, OnnxEncoder(record), sample_texts)
    except (ExportError, OSError, MemoryError):
        raise
    except Exception as error:  # whatever torch, its exporter and ONNX Runtime raise
        raise ExportError(str(error).strip().partition("\n")[0] or type(error).__name__) from error
    return record


def _write_graph(reference: ReferenceEncoder, home: Path) -> None:
    """Trace the whole model, pooling included, for any number of texts of any length."""
    import torch

    names = [name for name in onnx_encoder.INPUTS if name in reference.tokenizer.model_input_names]

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = reference.transformer

        def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            output = self.model(dict(zip(names, inputs, strict=True)))
            return output["sentence_embedding"].float(), output["token_embeddings"].float()

    device, longest = reference.transformer.device, reference.transformer.max_seq_length
    shape = {0: torch.export.Dim("texts", min=1, max=4096), 1: torch.export.Dim("tokens", min=2, max=longest)}
    with torch.no_grad(), tempfile.TemporaryDirectory(dir=home) as folder:
        program: Any = torch.onnx.export(
            Whole().cpu().eval(),
            tuple(torch.ones(2, 7, dtype=torch.long) for _ in names),  # one tensor would be one input
            dynamo=True,
            input_names=names,
            dynamic_shapes=((shape,) * len(names),),
            verbose=False,
        )
        reference.transformer.to(device)
        program.save(Path(folder, "traced.onnx"), external_data=False)
        _optimise(Path(folder, "traced.onnx"), home)


def _optimise(traced: Path, home: Path) -> None:
    """Optimise a graph once, for any processor, instead of at each start; its weights go beside it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(home / onnx_encoder.GRAPH)
    weights = "session.optimized_model_external_initializers"
    options.add_session_config_entry(f"{weights}_file_name", onnx_encoder.WEIGHTS)
    options.add_session_config_entry(f"{weights}_min_size_in_bytes", "1024")
    options.log_severity_level = 3  # errors only
    onnxruntime.InferenceSession(str(traced), options, providers=["CPUExecutionProvider"])


def _write_record(reference: ReferenceEncoder, home: Path) -> Export:
    """Write the files beside the graph, and return the record of all."""
    tokenizer, pad_id = reference.tokenizer.backend_tokenizer, reference.tokenizer.pad_token_id or 0
    tokenizer.enable_truncation(reference.transformer.max_seq_length)
    tokenizer.enable_padding(direction=reference.tokenizer.padding_side, pad_id=pad_id)
    (home / onnx_encoder.TOKENIZER).write_text(tokenizer.to_str(), encoding="utf-8")
    (home / onnx_encoder.WORDS).write_text("\n".join(sorted(reference.words)), encoding="utf-8")
    (home / onnx_encoder.BASIS).write_bytes(reference.basis.tobytes())
    return Export(
        home=home,
        name=reference.model.name,
        fingerprint=reference.model.fingerprint,
        dimension=reference.dimension,
        window=reference.window,
        question_prompt=reference.prompt(question=True),
        passage_prompt=reference.prompt(question=False),
        files={name: checksum(home / name).xxh3 for name in onnx_encoder.FILES},
    )


def check_agreement(reference: Encoder, other: Encoder, sample_texts: Sequence[str]) -> None:
    """Compare the vectors of two encoders, on the start of up to 12 samples and on some unusual texts.

    Raises:
        ExportError: they read other tokens, or the cosine of a text's or token's vectors is below 0.9999.
    """
    samples = [text[:_SAMPLE_CHARACTERS] for text in sample_texts[:: len(sample_texts) // _SAMPLES + 1]]
    texts = [*_HARD_TEXTS, *samples, *(text.partition("\n\n")[0] for text in samples)]
    for start, question in itertools.product(range(0, len(texts), _SAMPLE_BATCH), (False, True)):
        batch = texts[start : start + _SAMPLE_BATCH]
        both = (encoder.encode_batch(batch, question=question) for encoder in (reference, other))
        for left, right in zip(*both, strict=True):
            if not np.array_equal(left.spans, right.spans):
                raise ExportError("its export tokenizes differently")
            ours, theirs = (unit(np.vstack([vectors.dense, vectors.tokens])) for vectors in (left, right))
            lowest = np.where((ours == theirs).all(axis=1), 1, (ours * theirs).sum(axis=1)).min()
            if not lowest >= _LEAST_COSINE:
                raise ExportError(f"the vectors of its export differ (cosine {lowest:.5f})")
