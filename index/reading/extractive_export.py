"""Exports a question-answering model for `index.reading.extractive`, by transformers, which needs torch."""

from __future__ import annotations

import functools
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from index.encoding.exports import READERS, put_export, remove_unused
from index.encoding.models import READER, Model, find_model
from index.encoding.reference import find_or_export, loading, write_graph
from index.errors import FootnoteError, NoModelError
from index.files import replace_file
from index.reading.extractive import ExtractiveReader, open_reader, pointer_path

if TYPE_CHECKING:
    from pathlib import Path

    import torch

__all__ = ["prepare_reader"]

_LONGEST = 512  # tokens that are read of a question and a passage, whatever the model allows
_TOLERANCE = 1e-3  # of scores, whose size is about 10
_PAIRS = (
    ("Who kept bees?", "The keeper, Tobias Renn, kept bees behind the oil store."),
    ("", "E\u0301tude n\u00ba 3, \u00a34.20 \u2014 well-kept; don\u2019t!"),
    ("Was it lit? " * 90, "The kiln was lit by Ada Quay in 1871, and it burned for three days. " * 60),
)
"""What every export is compared on."""


def prepare_reader(name: str, index_folder: Path) -> None:
    """Put the export of a reader into an index, so that `open_reader` opens it; only under the index's lock.

    `name` is that of a model of the hub, or a folder. If neither the index nor the cache of the machine has
    its export, it is made, which takes torch. A host without the model's files keeps what the index has.

    Raises:
        NoModelError: the model's files are needed and cannot be had, or the model cannot be exported.
        OSError: the export can be written neither to the cache nor to the index.
    """
    try:
        model = find_model(name, READER)
    except NoModelError:
        with suppress(FootnoteError):
            open_reader(name, index_folder)
            return
        raise
    home = find_or_export(index_folder, model, READERS, _write_export)
    put_export(index_folder, model.fingerprint, home, READERS)
    pointer = json.dumps({"name": name, "fingerprint": model.fingerprint})
    replace_file(pointer_path(index_folder), pointer.encode())
    remove_unused(index_folder, {model.fingerprint}, READERS)


def _write_export(model: Model, home: Path) -> None:
    with loading(model) as folder:
        network, tokenizer = _load(folder)
    null_token = -1 if tokenizer.cls_token_id is None else tokenizer.cls_token_id
    score = functools.partial(_score, null_token=null_token)
    positions = getattr(network.config, "max_position_embeddings", None) or _LONGEST
    longest = min(size for size in (_LONGEST, tokenizer.model_max_length, positions) if size > 0)
    write_graph(network, score, tokenizer, longest, home)
    _check_agreement(
        functools.partial(score, network), tokenizer, longest, ExtractiveReader(model.name, home)
    )


def _load(folder: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    safe: Any = {"trust_remote_code": False, "local_files_only": True}
    load: Any = AutoModelForQuestionAnswering.from_pretrained
    network, report = load(
        folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **safe
    )
    if missing := sorted(report["missing_keys"]):
        raise ValueError(f"it is no question-answering model, having no weights for {missing[0]}")
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, **safe)
    return network.eval(), tokenizer


def _score(network: Any, inputs: dict[str, torch.Tensor], null_token: int) -> tuple[torch.Tensor, ...]:
    """Return each token's scores, and that of the null answer: the span of [CLS], or else the first token."""
    output = network(**inputs)
    starts, ends = output.start_logits.float(), output.end_logits.float()
    at = (inputs["input_ids"] == null_token).int().argmax(dim=1, keepdim=True)
    return starts, ends, (starts + ends).gather(1, at)[:, 0]


def _check_agreement(score: Any, tokenizer: Any, longest: int, reader: ExtractiveReader) -> None:
    import torch

    asked, passages = zip(*_PAIRS, strict=True)
    options: Any = {"padding": True, "truncation": "longest_first", "max_length": longest}
    read = tokenizer(list(asked), list(passages), return_tensors="pt", **options)
    ours = reader.score(_PAIRS)
    if [encoding.ids for encoding in ours.encodings] != read["input_ids"].tolist():
        raise ValueError("its export tokenizes differently")
    with torch.no_grad():
        theirs = [scores.numpy() for scores in score(dict(read))]
    is_read = read["attention_mask"].numpy().astype(bool)
    for left, right in ((ours.starts, theirs[0]), (ours.ends, theirs[1])):
        farthest = np.abs(left - right)[is_read].max()
        if not farthest <= _TOLERANCE * max(1.0, np.abs(right).max()):
            raise ValueError(f"the scores of its export differ (by {farthest:.5f})")
