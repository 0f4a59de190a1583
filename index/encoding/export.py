"""A model that sentence-transformers loaded, as a graph of ONNX that gives all that an encoder needs."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.encoding.compression import Basis
from index.encoding.exports import (
    BASIS,
    FILES,
    MODEL,
    TOKENIZER,
    WEIGHTS,
    WORDS,
    GraphRecord,
    producer_versions,
)
from index.encoding.models import Model
from index.encoding.onnx_encoder import OUTPUTS
from index.encoding.reference import Reference, quiet
from index.storage.checksums import digest_file

__all__ = ["UnfitModelError", "describe", "export", "refuse_unfit"]

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_MOST_TEXTS, _FEWEST_TOKENS = 4096, 2
_LEAST_APART = "1024"
"""Bytes of an array of weights that stands apart from the graph."""
_CHATTER = ("torch", "torch.onnx", "onnxscript", "onnx_ir")


class UnfitModelError(Exception):
    """No graph can say what the model says; the message is why, for people."""


def export(model: Model, reference: Reference, basis: Basis, home: Path) -> GraphRecord:
    """Write a model's graph, tokenizer, words and basis to the folder `home`; takes a quarter of a minute.

    The record returned lacks the agreement, which is still to be measured. Whatever torch, its exporter and
    ONNX Runtime raise comes out of this.
    """
    with quiet(), _silent():
        _write_graph(reference, home / MODEL)
    return describe(model, reference, basis, home)


def describe(model: Model, reference: Reference, basis: Basis, home: Path) -> GraphRecord:
    """Write what is kept beside the graph that stands in `home`, and return its record."""
    tokenizer: Any = reference.transformer.tokenizer
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    (home / TOKENIZER).write_text(backend.to_str(), encoding="utf-8")
    (home / WORDS).write_text("\n".join(sorted(reference.words())), encoding="utf-8")
    (home / BASIS).write_bytes(basis.tobytes())
    found = {name: digest_file(home / name) for name in FILES}
    return GraphRecord(
        name=model.name,
        packaged=model.packaged,
        model_files=model.files,
        versions=producer_versions(),
        weights="fp32",
        inputs=_inputs(reference),
        dimension=reference.dimension,
        longest=reference.longest,
        window=reference.window,
        padding=int(tokenizer.pad_token_id or 0),
        question_prompt=reference.prompt(question=True),
        passage_prompt=reference.prompt(question=False),
        agreement={},
        files={name: one.sha256 for name, one in found.items()},
        quick={name: one.quick for name, one in found.items()},
        sizes={name: one.size for name, one in found.items()},
    )


def refuse_unfit(reference: Reference) -> None:
    """Refuse a model of a kind that a graph is not made of.

    Raises:
        UnfitModelError: it is.
    """
    if not reference.reads_tokens:
        raise UnfitModelError("it has no vectors of tokens, or no fast tokenizer")
    prompts = reference.prompt(question=True) or reference.prompt(question=False)
    if prompts and not all(getattr(part, "include_prompt", True) for part in reference.transformer):
        raise UnfitModelError("it leaves its prompt out of a text's vector")


def _inputs(reference: Reference) -> tuple[str, ...]:
    tokenizer: Any = reference.transformer.tokenizer
    return tuple(name for name in _INPUTS if name in tokenizer.model_input_names)


def _write_graph(reference: Reference, path: Path) -> None:
    """Trace the model as a whole, pooling included, for any number of texts of any length."""
    import onnxruntime
    import torch

    inputs = _inputs(reference)

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = reference.transformer

        def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            out = self.model(dict(zip(inputs, given, strict=True)))
            return out["sentence_embedding"].float(), out["token_embeddings"].float()

    device = reference.transformer.device
    examples = tuple(torch.ones(2, 7, dtype=torch.long) for _ in inputs)  # one tensor would be one input
    shape = {0: torch.export.Dim("texts", min=1, max=_MOST_TEXTS)}
    shape[1] = torch.export.Dim("length", min=_FEWEST_TOKENS, max=reference.longest)
    try:
        with torch.no_grad():
            program = torch.onnx.export(
                Whole().cpu().eval(),
                examples,
                dynamo=True,
                input_names=list(inputs),
                output_names=list(OUTPUTS),
                dynamic_shapes=((shape,) * len(inputs),),
                verbose=False,
            )
    finally:
        reference.transformer.to(device)
    if program is None:
        raise UnfitModelError("torch gives no graph of it")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        traced = Path(folder, "traced.onnx")
        program.save(traced, external_data=False)
        # Optimised once here, for any processor, instead of at each start.
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(path)
        options.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
        options.add_session_config_entry(
            "session.optimized_model_external_initializers_min_size_in_bytes", _LEAST_APART
        )
        options.log_severity_level = 3
        onnxruntime.InferenceSession(str(traced), options, providers=["CPUExecutionProvider"])


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the exporter's advice to developers off the terminal."""
    levels = {name: logging.getLogger(name).level for name in _CHATTER}
    for name in _CHATTER:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
