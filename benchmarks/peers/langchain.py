"""LangChain: `HuggingFaceEmbeddings` and `FAISS`; hybrid with `BM25Retriever` in an `EnsembleRetriever`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings

from benchmarks.peers.run import TOP, model


def build(texts: dict[str, str], folder: Path, mode: str) -> None:
    """Index the passages and save them; BM25 is made anew on opening, since it can't be saved."""
    documents = [Document(text, metadata={"id": identity}) for identity, text in texts.items()]
    FAISS.from_documents(documents, HuggingFaceEmbeddings(model_name=model())).save_local(str(folder))


def open_index(folder: Path, mode: str) -> Callable[[str], list[str]]:
    """Load what was saved, and make BM25 of the documents in it."""
    embeddings = HuggingFaceEmbeddings(model_name=model())
    store = FAISS.load_local(str(folder), embeddings, allow_dangerous_deserialization=True)
    retriever = store.as_retriever(search_kwargs={"k": TOP})
    if mode == "hybrid":
        documents = store.get_by_ids(list(store.index_to_docstore_id.values()))
        words = BM25Retriever.from_documents(documents, k=TOP)
        retriever = EnsembleRetriever(retrievers=[words, retriever], weights=[0.5, 0.5])
    return lambda question: [one.metadata["id"] for one in retriever.invoke(question)[:TOP]]
