"""Which readers a setting names: the shipped one, one from elsewhere, or none."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from index.encoding.exports import READERS
from index.errors import SettingsError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from index.encoding.encoder import Encoder
    from index.reading.reader import Reader
    from index.settings import IndexSettings

__all__ = ["open_readers", "prepare_reader_of", "reader_name"]

_SHIPPED, _LANGUAGE_MODEL = "trained", "openai:"


def _is_elsewhere(settings: IndexSettings) -> bool:
    """Tell whether the setting names a question-answering model of the hub or a folder."""
    return settings.reader not in {"none", _SHIPPED} and not settings.reader.startswith(_LANGUAGE_MODEL)


def reader_name(settings: IndexSettings, encoder_fingerprint: str) -> str:
    """Return the name of the reader that reads first with an encoder, "" where none does.

    Raises:
        SettingsError: the setting is malformed.
    """
    if settings.reader == "none":
        return ""
    if settings.reader.startswith(_LANGUAGE_MODEL):
        from index.reading.language_model import parse_reader_name

        return _LANGUAGE_MODEL + parse_reader_name(settings.reader)[1]
    if _is_elsewhere(settings):
        return settings.reader
    from index.reading.trained import find_graph

    return _SHIPPED if find_graph(encoder_fingerprint) else ""


def open_readers(settings: IndexSettings, encoder: Encoder) -> tuple[Reader, ...]:
    """Open the readers to try, in this order; the shipped one reads where another cannot.

    Raises:
        DamagedIndexError: the index's export of the reader is damaged.
        NoModelError: the index was built without this reader, or the shipped one is damaged.
        SettingsError: the setting is malformed, or its key cannot be used.
    """
    from index.reading.trained import TrainedReader, find_graph

    if settings.reader == "none":
        return ()
    readers: list[Reader] = []
    if settings.reader.startswith(_LANGUAGE_MODEL):
        from index.reading.language_model import LanguageModelReader, parse_reader_name

        readers.append(LanguageModelReader(*parse_reader_name(settings.reader), _find_key(settings)))
    elif _is_elsewhere(settings):
        from index.reading.extractive import open_reader

        return (open_reader(settings.reader, settings.index),)
    if graph := find_graph(encoder.model.fingerprint):
        readers.append(TrainedReader(graph, encoder))
    return tuple(readers)


def prepare_reader_of(settings: IndexSettings) -> None:
    """Put a reader from elsewhere into the index, or remove it; only under the index's lock.

    Raises:
        NoModelError: the model is not available, or cannot be exported.
        OSError: the export cannot be written.
    """
    if _is_elsewhere(settings):
        from index.reading.extractive_export import prepare_reader

        prepare_reader(settings.reader, settings.index)
    else:
        shutil.rmtree(settings.index / READERS, ignore_errors=True)


def _find_key(settings: IndexSettings) -> SecretStr | None:
    from pydantic import SecretStr

    if settings.reader_key_file is None:
        return None
    try:
        return SecretStr(settings.reader_key_file.read_text("ascii", "replace").strip())
    except OSError as error:
        raise SettingsError(
            f"The file of the reader's key, {settings.reader_key_file}, cannot be read: {error.strerror}. "
            "Write the key to a file and set FOOTNOTE_READER_KEY_FILE to it."
        ) from error
