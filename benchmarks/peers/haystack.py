"""Haystack: a pipeline over `InMemoryDocumentStore`; with BM25 and a `DocumentJoiner`, or with a reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from haystack import Document, ExtractedAnswer, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

from benchmarks.peers.run import TOP, model

_FILE = "store.json"
_READ = 4
"""Passages that are read, as many as Footnote reads. The reader has the encoder's weights and size."""


def build(texts: dict[str, str], folder: Path, mode: str) -> None:
    """Embed the passages, write them into a store, and save it."""
    embedder = SentenceTransformersDocumentEmbedder(model=model(), progress_bar=False)
    embedder.warm_up()
    documents = [Document(id=identity, content=text) for identity, text in texts.items()]
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    store.write_documents(embedder.run(documents)["documents"])
    folder.mkdir(parents=True, exist_ok=True)
    store.save_to_disk(str(folder / _FILE))


def open_index(folder: Path, mode: str) -> Callable[[str], list[str]]:
    """Load the store, and put the pipeline together."""
    store = InMemoryDocumentStore.load_from_disk(str(folder / _FILE))
    pipeline = Pipeline()
    pipeline.add_component("embedder", SentenceTransformersTextEmbedder(model=model(), progress_bar=False))
    pipeline.add_component(
        "vectors", InMemoryEmbeddingRetriever(store, top_k=_READ if mode.endswith("reading") else TOP)
    )
    pipeline.connect("embedder.embedding", "vectors.query_embedding")
    if mode == "dense, reading":
        pipeline.add_component("reader", TransformersExtractiveReader(model(), top_k=TOP))
        pipeline.connect("vectors", "reader")
        return lambda question: _quoted(
            pipeline.run({"embedder": {"text": question}, "reader": {"query": question}})
        )
    if mode == "dense":
        return lambda question: _ids(pipeline.run({"embedder": {"text": question}}), "vectors")
    pipeline.add_component("words", InMemoryBM25Retriever(store, top_k=TOP))
    pipeline.add_component("joined", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=TOP))
    pipeline.connect("vectors", "joined")
    pipeline.connect("words", "joined")
    return lambda question: _ids(
        pipeline.run({"embedder": {"text": question}, "words": {"query": question}}), "joined"
    )


def _ids(outputs: dict[str, dict[str, list[Document]]], name: str) -> list[str]:
    return [one.id for one in outputs[name]["documents"]]


def _quoted(outputs: dict[str, dict[str, list[ExtractedAnswer]]]) -> list[str]:
    return [one.document.id for one in outputs["reader"]["answers"] if one.document]
