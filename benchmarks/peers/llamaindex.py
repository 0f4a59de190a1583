"""LlamaIndex: `VectorStoreIndex` over FAISS; hybrid with `BM25Retriever` in a `QueryFusionRetriever`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import faiss
from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.faiss import FaissVectorStore

from benchmarks.peers.run import TOP, model


def build(texts: dict[str, str], folder: Path, mode: str) -> None:
    """Index the passages and save them, each retriever in its own folder."""
    nodes = [TextNode(id_=identity, text=text) for identity, text in texts.items()]
    encoder = HuggingFaceEmbedding(model_name=model())
    flat = faiss.IndexFlatIP(len(encoder.get_text_embedding("dimension")))
    storage = StorageContext.from_defaults(vector_store=FaissVectorStore(faiss_index=flat))
    index = VectorStoreIndex(nodes, storage_context=storage, embed_model=encoder)
    index.storage_context.persist(persist_dir=str(folder / "vectors"))
    BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=TOP).persist(str(folder / "words"))


def open_index(folder: Path, mode: str) -> Callable[[str], list[str]]:
    """Load what was saved. Fusing asks no language model with one query, but the class wants one."""
    vectors = str(folder / "vectors")
    storage = StorageContext.from_defaults(
        vector_store=FaissVectorStore.from_persist_dir(vectors), persist_dir=vectors
    )
    index = load_index_from_storage(storage, embed_model=HuggingFaceEmbedding(model_name=model()))
    retriever = index.as_retriever(similarity_top_k=TOP)
    if mode == "hybrid":
        words = BM25Retriever.from_persist_dir(str(folder / "words"))
        retriever = QueryFusionRetriever(
            [retriever, words],
            llm=MockLLM(),
            mode=FUSION_MODES.RECIPROCAL_RANK,
            similarity_top_k=TOP,
            num_queries=1,
            use_async=False,
        )
    return lambda question: [one.node.node_id for one in retriever.retrieve(question)]
