"""sentence-transformers, which needs torch: exports models, and is the reference that these agree with.

A model is exported once a machine, to the user's cache folder, and from there put into each index. What
loads, traces and caches any model is shared with `index.reading.extractive_export`.
"""

from __future__ import annotations

import json
import logging
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import portalocker
from platformdirs import user_cache_path

from index.encoding import exports
from index.encoding.encoder import INPUTS, Encoder, TextVectors, find_basis, unit
from index.encoding.models import Model
from index.errors import NoModelError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

__all__ = [
    "ReferenceEncoder",
    "build_encoder",
    "check_agreement",
    "find_or_export",
    "loading",
    "write_graph",
]

_LOG = logging.getLogger(__name__)
_Write = Callable[[Model, Path], None]

_LONGEST = 512  # tokens, special ones included, up to which a text is read, whatever the model allows
_LEAST_COSINE = 0.9999  # of the vectors of an export with the reference's
_TEXTS = (
    "",
    " \u200b ",
    "Who kept bees?",
    "E\u0301tude n\u00ba 3, \u00a34.20 \u2014 well-kept; don\u2019t!",
    "\u4e2d\u6587 \u05e9\u05dc\u05d5\u05dd \U0001f98a \x00 unfathomable",
    "The kiln was lit by Ada Quay in 1871, and it burned for three days. " * 60,
)
"""What every export is compared on: texts that are empty, short, unusual, and longer than any window."""


class ReferenceEncoder:
    """A model that computes with sentence-transformers, to be exported and compared with."""

    def __init__(self, model: Model) -> None:
        """Load the weights, which takes seconds, most of them to import torch.

        Raises:
            NoModelError: sentence-transformers is not installed, or cannot load the files.
        """
        with loading(model) as folder:
            self.transformer = _load(model, folder)
        self.transformer.max_seq_length = min(self.transformer.max_seq_length or _LONGEST, _LONGEST)

    def prompt(self, *, question: bool) -> str:
        """Return what stands before a text, by the names of prompts that sentence-transformers prefers."""
        names = ("query",) if question else ("document", "passage", "corpus")
        prompts = self.transformer.prompts
        default = prompts.get(self.transformer.default_prompt_name or "", "")
        return next((prompts[name] for name in names if name in prompts), default) or ""

    def encode_batch(self, texts: Sequence[str], *, question: bool) -> list[TextVectors]:
        """Compute the vectors of one batch; see `Encoder`."""
        encode: Any = self.transformer.encode_query if question else self.transformer.encode_document
        outputs = encode(list(texts), batch_size=len(texts), output_value=None, show_progress_bar=False)
        prompt, longest = self.prompt(question=question), self.transformer.max_seq_length
        read = self.transformer.tokenizer(
            [prompt + text for text in texts], truncation=True, max_length=longest
        )
        vectors = []
        for text, encoding, output in zip(texts, read.encodings, outputs, strict=True):
            tokens = output["token_embeddings"][output["attention_mask"].bool()].float().cpu().numpy()
            dense = output["sentence_embedding"].float().cpu().numpy()
            vectors.append(TextVectors.of(text, prompt, encoding, dense, tokens))
        return vectors


@contextmanager
def loading(model: Model) -> Iterator[str]:
    """Give a folder of links to the files that a model's fingerprint covers, so that no others are found.

    Raises:
        NoModelError: what was to load the model from there is not installed, or failed.
    """
    what = f"the {model.role.noun} {model.name!r}"
    try:
        import torch.onnx  # noqa: F401 - it sets up the loggers that are turned down below
        import transformers

        # Keep progress bars, and advice to developers, off the terminal.
        chatter: Any = transformers.utils.logging
        chatter.set_verbosity_error()
        chatter.disable_progress_bar()
        for name in ("onnx_ir", "onnxscript", "sentence_transformers", "torch", "torch.onnx"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with warnings.catch_warnings(action="ignore"), tempfile.TemporaryDirectory() as folder:
            for name in model.files:
                Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
                Path(folder, name).symlink_to(model.folder.resolve() / name)
            yield folder
    except ImportError as error:
        raise NoModelError(
            f"{what} needs {error.name}, which is not installed: pip install 'footnote[build]', or copy an "
            f"index with an exported {model.role.noun} from where it was built."
        ) from error
    except Exception as error:
        advice = f"Set {model.role.setting} to another."
        raise NoModelError(f"{what} cannot be loaded: {_reason(error)}. {advice}") from error


def _reason(error: Exception) -> str:
    """Return the first line of a library's message, up to any colours, without the full stop."""
    return re.split("[\n\x1b]", str(error).strip())[0].rstrip(". ") or type(error).__name__


def _load(model: Model, folder: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    if not model.packaged:
        safe: Any = {"trust_remote_code": False, "local_files_only": True, "device": "cpu"}
        return SentenceTransformer(folder, model_kwargs={"use_safetensors": True}, **safe)
    # The package has no modules.json: these are the published modules.
    transformer = Transformer(folder, max_seq_length=256)
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")


def build_encoder(index_folder: Path, model: Model) -> Encoder:
    """Open the encoder of a build, to encode passages; only under the lock of the index.

    If neither the index nor the cache has the model's export, it is made, which takes torch and 20 seconds.

    Raises:
        NoModelError: the model's files are needed and cannot be had, or the model cannot be exported.
        OSError: the export can be written neither to the cache nor to the index.
    """
    return Encoder(find_or_export(index_folder, model, exports.ENCODERS, _write_export), model)


def find_or_export(index_folder: Path, model: Model, kind: str, write: _Write) -> Path:
    """Return a whole export of a model: that of the index, that of the cache, or else a new one.

    `write` loads the model, writes the files of the export to a folder, and compares what they compute.

    Raises:
        NoModelError: the model cannot be loaded or exported.
        OSError: the export can be written neither to the cache nor to the index.
    """
    home = exports.export_home(index_folder, model.fingerprint, kind)
    cached = exports.export_home(user_cache_path("footnote"), model.fingerprint, kind)
    for present in (home, cached):
        if exports.find_damage(present) is None:
            return present
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with portalocker.Lock(cached.with_suffix(".lock"), timeout=600):
            # Another build may just have made it.
            return cached if exports.find_damage(cached) is None else _export(model, cached, write)
    except (OSError, portalocker.LockException) as error:
        _LOG.warning("the export of the %s cannot be cached in %s: %s", model.role.noun, cached, error)
        return _export(model, home, write)


def _export(model: Model, home: Path, write: _Write) -> Path:
    exports.make_home(home)
    try:
        write(model, home)
    except (OSError, MemoryError, NoModelError):
        raise
    except Exception as error:  # whatever torch, its exporter and ONNX Runtime raise
        what = f"the {model.role.noun} {model.name!r} cannot be exported to ONNX: {_reason(error)}"
        raise NoModelError(f"{what}. Set {model.role.setting} to another.") from error
    exports.write_hashes(home)
    return home


def _write_export(model: Model, home: Path) -> None:
    reference = ReferenceEncoder(model)
    transformer = reference.transformer
    write_graph(transformer, _embed, transformer.tokenizer, transformer.max_seq_length or _LONGEST, home)
    _write_data(reference, home)
    check_agreement(reference, Encoder(home, model))


def _embed(transformer: Any, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    output = transformer(inputs)
    return output["sentence_embedding"].float(), output["token_embeddings"].float()


def write_graph(
    model: torch.nn.Module,
    compute: Callable[[Any, dict[str, torch.Tensor]], tuple[torch.Tensor, ...]],
    tokenizer: Any,
    longest: int,
    home: Path,
) -> None:
    """Write an export's tokenizer and graph: what `compute` returns of a model, for any number of texts.

    `longest` is how many tokens of a text are read, special ones included.
    """
    import torch

    names = [name for name in INPUTS if name in tokenizer.model_input_names]

    class Whole(torch.nn.Sequential):
        def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return compute(self[0], dict(zip(names, inputs, strict=True)))

    texts = torch.export.Dim("texts", min=1, max=4096)
    tokens = torch.export.Dim("tokens", min=2, max=longest)
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            Whole(model).eval(),
            tuple(torch.ones(2, 7, dtype=torch.long) for _ in names),  # one tensor would be one input
            home / exports.GRAPH,
            dynamo=True,
            external_data=True,
            input_names=names,
            dynamic_shapes=(({0: texts, 1: tokens},) * len(names),),
            verbose=False,
        )
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(longest)
    backend.enable_padding(direction=tokenizer.padding_side, pad_id=tokenizer.pad_token_id or 0)
    backend.save(str(home / exports.TOKENIZER))


def _write_data(reference: ReferenceEncoder, home: Path) -> None:
    """Write the basis of token vectors, and the other data."""
    tokenizer: Any = reference.transformer.tokenizer
    longest, prompt = reference.transformer.max_seq_length or 0, reference.prompt(question=False)
    # SentencePiece and byte-level BPE mark the start of a word.
    pieces = {piece.lstrip("▁Ġ").lower() for piece in tokenizer.get_vocab()}
    words = sorted(piece for piece in pieces if piece.isalpha() and len(piece) > 1)
    # Random runs of the vocabulary's words, so that the basis depends on the model alone.
    runs = [" ".join(run) for run in np.random.default_rng(0).choice(words, (64, 60))]
    tokens = [reference.encode_batch([run], question=False)[0].tokens for run in runs]
    np.save(home / exports.BASIS, find_basis(np.concatenate(tokens)))
    data = {
        "window": longest - len(tokenizer(prompt)["input_ids"]),
        "question_prompt": reference.prompt(question=True),
        "passage_prompt": prompt,
        "words": words,
    }
    (home / exports.DATA).write_text(json.dumps(data), encoding="utf-8")


def check_agreement(reference: ReferenceEncoder | Encoder, encoder: Encoder) -> None:
    """Compare the vectors of an encoder with the reference's, on some ordinary and some unusual texts.

    Raises:
        ValueError: it reads other tokens, or the cosine of a text's or token's vectors is below 0.9999.
    """
    for question in (False, True):
        ours, theirs = (one.encode_batch(_TEXTS, question=question) for one in (reference, encoder))
        for left, right in zip(ours, theirs, strict=True):
            if not np.array_equal(left.spans, right.spans):
                raise ValueError("its export tokenizes differently")
            a, b = (unit(np.vstack([vectors.dense, vectors.tokens])) for vectors in (left, right))
            lowest = (a * b).sum(axis=1).min()
            if not lowest >= _LEAST_COSINE:
                raise ValueError(f"the vectors of its export differ (cosine {lowest:.5f})")
