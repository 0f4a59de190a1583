"""The least that a program needs to do the same with the same weights; what `performance` compares with.

    python -m benchmarks.floors answer EXPORT QUESTION    # imports, loads the exported graph, encodes once
    python -m benchmarks.floors encode WEIGHTS PASSAGES   # encodes `text` of JSON Lines and saves the vectors

`answer` imports the libraries that answering cannot do without, loads the graph as Footnote does, and
encodes one question with one thread. `encode` is a sentence-transformers loop with its defaults and no index.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

__all__ = ["answer", "encode"]


def answer(home: Path, question: str) -> None:
    """Encode one question by the graph in a folder, and print the shapes of what came out."""
    import faiss  # noqa: F401 - its time and memory count
    import numpy as np
    import onnxruntime
    import tokenizers

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(home / "model.onnx"), options, ["CPUExecutionProvider"])
    read = tokenizers.Tokenizer.from_file(str(home / "tokenizer.json")).encode(question)
    rows = {"input_ids": read.ids, "attention_mask": read.attention_mask, "token_type_ids": read.type_ids}
    inputs = {one.name: np.array([rows[one.name]]) for one in session.get_inputs()}
    print([output.shape for output in session.run(None, inputs)])


def encode(weights: Path, passages: Path) -> None:
    """Encode passages in batches of the library's default size, and save their vectors beside the file."""
    import numpy as np
    from sentence_transformers import SentenceTransformer

    texts = [json.loads(line)["text"] for line in passages.read_text("utf-8").splitlines()]
    np.save(passages.with_suffix(".npy"), SentenceTransformer(str(weights)).encode(texts))


if __name__ == "__main__":
    kind, first, second = sys.argv[1:]
    if kind == "answer":
        answer(Path(first), second)
    else:
        encode(Path(first), Path(second))
