"""Models in folders, made without a network, for tests of encoders."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

from index.encoding.models import PUBLISHED, find_model
from index.settings import DEFAULT_MODEL
from tests.index.shelf import SHELF

__all__ = ["copy_default", "save_sentencepiece", "save_transformer"]

_PROMPTS = {"query": "query: ", "document": "passage: "}


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


def save_transformer(folder: Path) -> Path:
    """Save a model with the default's weights and a window of 64 tokens."""
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    with tempfile.TemporaryDirectory() as parts, warnings.catch_warnings(action="ignore"):
        transformer = Transformer(str(copy_default(Path(parts))), max_seq_length=64)
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        return _save(folder, [transformer, pooling, Normalize()])


def save_sentencepiece(folder: Path, *, include_prompt: bool = True) -> Path:
    """Save a small untrained model with prompts, whose tokens begin with the space before a word.

    Without `include_prompt` its prompts are no part of a text's vector, so it cannot be exported.
    """
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
        pooling = Pooling(32, "mean", include_prompt=include_prompt)
        return _save(folder, [transformer, pooling, Normalize()], _PROMPTS)


def _sentencepiece_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    text = " ".join(SHELF.values())
    pieces = [(f"▁{word}", -8.0) for word in sorted(set(text.lower().split()))]
    letters = [(letter, -12.0) for letter in sorted({"▁", *text} - {" ", "\n"})]
    vocabulary = [*((piece, 0.0) for piece in special.values()), *pieces, *letters]
    tokenizer: Any = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=tokenizer, model_max_length=64, **special)


def _save(folder: Path, modules: list[Any], prompts: dict[str, str] | None = None) -> Path:
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(modules=modules, prompts=prompts).save(str(folder))
    return folder
