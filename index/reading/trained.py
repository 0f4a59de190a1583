"""The reader that ships with Footnote: a small network over the token vectors that the index holds.

It is trained by `make reader` (training/) for the default encoder, whose vectors it reads, and computed by
ONNX Runtime. docs/quality.md says what it was trained on and what it is worth.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.encoding.encoder import open_session, question_threads
from index.errors import NoModelError
from index.reading.evidence import gather
from index.reading.reader import Reading

if TYPE_CHECKING:
    from index.encoding.encoder import Encoder
    from index.search.hits import Found
    from index.storage.store import Store

__all__ = ["GRAPH", "READ", "TrainedReader", "find_graph"]

READ = 4
"""Hits that are read: twice as many take twice as long, and no more answers are right (docs/quality.md)."""

GRAPH = Path(__file__).parent / "data" / "reader.onnx"
"""The network. Beside it, `reader.json` has its SHA-256, and the fingerprint of its encoder."""


def find_graph(encoder_fingerprint: str) -> Path | None:
    """Return the graph of the reader that was trained on the vectors of an encoder, if there is one."""
    about = json.loads(GRAPH.with_suffix(".json").read_bytes())
    return GRAPH if about["encoder_fingerprint"] == encoder_fingerprint else None


class TrainedReader:
    """Reads with a network that was trained for one encoder; safe to use from several threads."""

    name = "trained"

    def __init__(self, graph: Path, encoder: Encoder) -> None:
        """Load the graph.

        Raises:
            NoModelError: its SHA-256 is not the one noted beside it.
        """
        about = json.loads(graph.with_suffix(".json").read_bytes())
        if hashlib.sha256(graph.read_bytes()).hexdigest() != about["sha256"]:
            raise NoModelError(f"the reader at {graph} is damaged: install Footnote again.")
        self._session = open_session(graph, question_threads())
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._encoder = encoder

    def read(self, found: Found, store: Store) -> Reading:
        """Return the probability of each sentence of the best hits.

        The graph also tells the ends of the answer's words, but too badly to show them (docs/quality.md).
        """
        evidence = gather(found, store, self._encoder, READ)
        feed = {name: getattr(evidence, name) for name in self._inputs}
        scores, none = self._session.run(["scores", "none"], feed)
        logits = np.concatenate([scores, none]).astype(np.float64)
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        by_part = shares[:-1].reshape(evidence.quotable.shape)
        sentences = [
            by_part[at, len(hit.leads) : len(hit.leads) + len(hit.sentences)].tolist()
            for at, hit in enumerate(found.hits[:READ])
        ]
        return Reading(self.name, sentences, float(shares[-1]))
