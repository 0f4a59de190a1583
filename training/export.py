"""Write a trained reader's graph: `python -m training.export WEIGHTS GRAPH EXAMPLES`.

The graph is compared with the network on examples before it is kept.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from index.encoding.models import find_model
from index.settings import DEFAULT_MODEL
from training.examples import Example
from training.model import Batch, ReaderNet
from training.train import Shown, collate

_LARGEST_DIFFERENCE = 1e-3  # of a probability
_COMPARED = 40


class _OneQuestion(nn.Module):
    """The network over one question, whose inputs have no batch dimension."""

    def __init__(self, network: ReaderNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        asked = torch.ones(inputs[0].shape[:1], dtype=torch.bool)
        question, *rest = (each[None] for each in inputs)
        scores, none, ends = self.network(Batch(question, asked[None], *rest))
        return scores[0], none, ends[0]


def write_graph(network: ReaderNet, example: Example, path: Path) -> None:
    """Trace the network for any number of hits, parts and tokens."""
    batch, _, _ = collate([Shown(example, range(len(example.sizes)))])
    inputs = tuple(each[0] for name, each in zip(Batch._fields, batch, strict=True) if name != "asked")
    k, n, p, long = (torch.export.Dim(name, min=1, max=4096) for name in ("k", "n", "p", "l"))
    shapes = (
        {0: k},
        {0: k},
        {0: n, 1: long},
        {0: n, 1: long},
        {0: n, 1: p, 2: k},
        {0: n, 1: k},
        {0: k},
        {0: n, 1: long},
        {0: n, 1: long},
        {0: n, 1: p},
        {0: n, 1: p},
    )
    names = [name for name in Batch._fields if name != "asked"]
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            _OneQuestion(network).eval(),
            inputs,
            path,
            dynamo=True,
            external_data=False,
            input_names=names,
            output_names=["scores", "none", "ends"],
            dynamic_shapes=(shapes,),
            verbose=False,
        )


def check_graph(network: ReaderNet, examples: Sequence[Example], path: Path) -> float:
    """Return the largest difference between the network's and its graph's probabilities."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    differences = []
    for example in examples[:_COMPARED]:
        batch, _, _ = collate([Shown(example, range(len(example.sizes)))])
        feed = {
            name: each[0].numpy() for name, each in zip(Batch._fields, batch, strict=True) if name != "asked"
        }
        with torch.no_grad():
            expected = _logs(*network(batch)[:2])
        scores, none, _ = session.run(None, feed)
        differences.append(np.abs(expected - _logs(torch.tensor(scores[None]), torch.tensor(none))).max())
    return float(max(differences))


def _logs(scores: Tensor, none: Tensor) -> np.ndarray:
    return torch.cat([none[:, None], scores], 1).softmax(-1).numpy()


def main(arguments: Sequence[str]) -> None:
    """Write the graph."""
    weights, path, examples = map(Path, arguments)
    with examples.open("rb") as file:
        some = [one for one in pickle.load(file) if one.sizes]
    network = ReaderNet()
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    write_graph(network, max(some[:200], key=lambda one: len(one.sizes)), path)
    difference = check_graph(network, some, path)
    if difference > _LARGEST_DIFFERENCE:
        path.unlink()
        raise SystemExit(f"the graph differs from the network by {difference:.2g}")
    about = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "encoder_fingerprint": find_model(DEFAULT_MODEL).fingerprint,
        "made": str(datetime.now(UTC).date()),
    }
    path.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    print(path, path.stat().st_size, "bytes; largest difference", difference, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
