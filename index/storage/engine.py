"""The engine that keeps a collection's generations, chosen by the settings: the index folder, or Milvus.

Whoever asks which generation serves, opens one, rolls back or cleans up uses `engine_of`. The index folder is
written by builds in any case; `publish` copies what serves there to where bots read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from index.errors import MissingError

if TYPE_CHECKING:
    from index.settings import IndexSettings
    from index.storage.local_engine import LocalEngine
    from index.storage.milvus.copying import MilvusEngine

    Engine: TypeAlias = LocalEngine | MilvusEngine

__all__ = ["engine_of"]


def engine_of(settings: IndexSettings) -> Engine:
    """Return the engine that the settings name; nothing is opened.

    Raises:
        MissingError: the extra for Milvus is not installed.
        SettingsError: the token of Milvus cannot be read.
    """
    if not settings.store:
        from index.storage.local_engine import LocalEngine

        return LocalEngine(settings)
    try:
        from index.storage.milvus.copying import MilvusEngine
    except ModuleNotFoundError as error:
        if error.name not in {"pymilvus", "grpc"}:
            raise
        raise MissingError('the extra for Milvus is missing. Run: pip install "footnote[milvus]"') from error
    return MilvusEngine(settings)
