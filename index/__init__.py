"""Articles to an index on disk, and questions to the passages that hold their answers.

Knows nothing of chat. The names below are the face; each is imported when it is first used, so that whoever
needs only an error or a setting does not wait for FAISS.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.articles import Article, read_articles
    from index.build import BuildReport, Changes, build_index, plan_build
    from index.encoder import Encoder
    from index.errors import FootnoteError
    from index.generation import Generation, open_generation, open_named
    from index.hits import Found, Hit, HitSentence
    from index.models import find_model
    from index.parts import Part
    from index.passages import Passage, Sentence
    from index.progress import Progress
    from index.search import Search
    from index.settings import IndexSettings
    from index.verifying import IndexStatus, index_status, verify

__all__ = [
    "Article",
    "BuildReport",
    "Changes",
    "Encoder",
    "FootnoteError",
    "Found",
    "Generation",
    "Hit",
    "HitSentence",
    "IndexSettings",
    "IndexStatus",
    "Part",
    "Passage",
    "Progress",
    "Search",
    "Sentence",
    "build_index",
    "find_model",
    "index_status",
    "open_generation",
    "open_named",
    "plan_build",
    "read_articles",
    "verify",
]

_MODULES = {
    "articles": ("Article", "read_articles"),
    "build": ("BuildReport", "Changes", "build_index", "plan_build"),
    "encoder": ("Encoder",),
    "models": ("find_model",),
    "errors": ("FootnoteError",),
    "generation": ("Generation", "open_generation", "open_named"),
    "hits": ("Found", "Hit", "HitSentence"),
    "parts": ("Part",),
    "passages": ("Passage", "Sentence"),
    "progress": ("Progress",),
    "search": ("Search",),
    "settings": ("IndexSettings",),
    "verifying": ("IndexStatus", "index_status", "verify"),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"index.{module}"), name)
    raise AttributeError(f"module 'index' has no attribute {name!r}")
