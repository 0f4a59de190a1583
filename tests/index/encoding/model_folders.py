"""Models in folders, made without a network, for tests of encoders."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from index.encoding.models import PUBLISHED, find_model
from index.settings import DEFAULT_MODEL
from tests.index.shelf import SHELF

__all__ = ["PROMPTS", "copy_default", "save_sentencepiece", "save_static", "save_transformer"]

PROMPTS = {"query": "query: ", "document": "passage: "}


def copy_default(folder: Path) -> Path:
    """Copy the default's files to a folder that then holds another model; never change them in place."""
    for name in PUBLISHED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        source = (find_model(DEFAULT_MODEL).folder / name).resolve()
        try:
            (folder / name).hardlink_to(source)
        except OSError:  # on another disk
            shutil.copyfile(source, folder / name)
    return folder


def save_transformer(
    folder: Path, *, prompts: Mapping[str, str] | None = None, include_prompt: bool = True
) -> Path:
    """Save a model with the default's weights and a window of 64 tokens."""
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    with tempfile.TemporaryDirectory() as parts, warnings.catch_warnings(action="ignore"):
        transformer = Transformer(str(copy_default(Path(parts))), max_seq_length=64)
        pooling = Pooling(transformer.get_embedding_dimension(), "mean", include_prompt=include_prompt)
        return _save(folder, [transformer, pooling, Normalize()], prompts)


def save_static(folder: Path) -> Path:
    """Save a model without a transformer: a text's vector is the mean of one vector a word piece."""
    from safetensors.numpy import load_file
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    packaged = find_model(DEFAULT_MODEL).folder
    weights = load_file(packaged / "model.safetensors")["embeddings.word_embeddings.weight"]
    tokenizer = Tokenizer.from_file(str(packaged / "tokenizer.json"))
    return _save(folder, [StaticEmbedding(tokenizer, embedding_weights=weights)], None)


def save_sentencepiece(folder: Path, prompts: Mapping[str, str] | None) -> Path:
    """Save a small untrained model whose tokens begin with the space before a word."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel

    tokenizer = _sentencepiece_tokenizer()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=80,
    )
    with tempfile.TemporaryDirectory() as parts, warnings.catch_warnings(action="ignore"):
        BertModel(config).save_pretrained(parts)
        tokenizer.save_pretrained(parts)
        transformer = Transformer(parts, max_seq_length=64)
        return _save(folder, [transformer, Pooling(32, "mean"), Normalize()], prompts)


def _sentencepiece_tokenizer() -> Any:
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
