"""Model folders as people have them, made without a network for the tests of the encoder."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from index.encoding.models import find_model
from tests.index.shelf import SHELF

NAMES = ("model.safetensors", "tokenizer.json", "vocab.txt", "config.json")
"""The files of a transformer."""

PROMPTS = {"query": "query: ", "document": "passage: "}


CODE = "import os\nos.mkdir({0!r})\nclass Model: pass\nclass Module: pass\n"
"""A module that leaves a mark where it is run, at the place that is filled in."""


class Marking:
    """Leaves the same mark where it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = str(place)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.place,)


def marker(folder: Path) -> Path:
    """Return the mark that a hostile model of this test leaves where its code is run."""
    return folder / "the-code-was-run"


def copy_default(folder: Path) -> Path:
    """Copy the default's files to a folder that then holds a model of its own; never change them in place."""
    packaged = find_model("all-MiniLM-L6-v2")
    for name, _ in packaged.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        source = (packaged.folder / name).resolve()
        try:
            (folder / name).hardlink_to(source)
        except OSError:  # on another disk
            shutil.copyfile(source, folder / name)
    return folder


def save_transformer(
    folder: Path, *, prompts: Mapping[str, str] | None = None, include_prompt: bool = True
) -> Path:
    """Save a sentence-transformers model as a person would: the default's weights, a window of 64."""
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    packaged = find_model("all-MiniLM-L6-v2").folder
    with tempfile.TemporaryDirectory() as parts, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in NAMES:
            Path(parts, name).symlink_to((packaged / name).resolve())
        transformer = Transformer(parts, max_seq_length=64)
        pooling = Pooling(transformer.get_embedding_dimension(), "mean", include_prompt=include_prompt)
        return _save(folder, [transformer, pooling, Normalize()], prompts)


def save_static(folder: Path) -> Path:
    """Save a model without a transformer: the mean of a vector a word piece."""
    from safetensors.numpy import load_file
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    packaged = find_model("all-MiniLM-L6-v2").folder
    weights = load_file(packaged / "model.safetensors")["embeddings.word_embeddings.weight"]
    tokenizer = Tokenizer.from_file(str(packaged / "tokenizer.json"))
    return _save(folder, [StaticEmbedding(tokenizer, embedding_weights=weights)], None)


def save_sentencepiece(folder: Path, prompts: Mapping[str, str] | None) -> Path:
    """Save a small untrained model, whose tokens begin with the space before the word."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel

    tokenizer = _sentencepiece()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=80,
    )
    with tempfile.TemporaryDirectory() as parts, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        BertModel(config).save_pretrained(parts)
        tokenizer.save_pretrained(parts)
        transformer = Transformer(parts, max_seq_length=64)
        return _save(folder, [transformer, Pooling(32, "mean"), Normalize()], prompts)


def _sentencepiece() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    tokenizer: Any = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer: Any = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=list(special.values()), unk_token=special["unk_token"]
    )
    tokenizer.train_from_iterator("\n".join(SHELF.values()).split("\n"), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=tokenizer, model_max_length=64, **special)


def _save(folder: Path, modules: list[Any], prompts: Mapping[str, str] | None) -> Path:
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(modules=modules, prompts=dict(prompts or {}) or None).save(str(folder))
    return folder
