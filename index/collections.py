"""Collections: sets of articles with a name, each with an index of its own, listed in `collections.toml`.

    [handbook]
    articles = "handbook"       # the file or folder of its articles
    sources = "handbook.toml"   # optional; so are base_url, gate, index and language

Each value is the setting of that name; paths are relative to the file. Without `index`, the index is in
`.footnote/handbook/index` beside the file; without `sources`, they are listed in `handbook.sources.toml`
there. What has no collection is as the settings say.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from index.errors import SettingsError

__all__ = ["collection_key", "read_collections", "refuse_shared_folders"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PATHS = {"articles", "gate", "index", "sources"}
_KEYS = _PATHS | {"base_url", "language"}
_RESERVED = {"default", "inherit"}  # which `/settings collection` offers beside the names


def read_collections(file: Path) -> dict[str, dict[str, str]]:
    """Return the settings of each collection by its name; none without the file.

    Raises:
        SettingsError: the file cannot be read, or a collection in it is not as it should be.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"{file} cannot be read: {reason}. Correct it, or remove it.") from error
    return {name: _settings(file, name, table) for name, table in tables.items()}


def refuse_shared_folders(file: Path, indexes: Mapping[str, Path]) -> None:
    """Raise SettingsError where two collections, by name, have their indexes in one folder.

    The folder around an index also holds the fetched pages and the fit.
    """
    owners: dict[Path, str] = {}
    for name, index in indexes.items():
        folder = index.resolve().parent
        if owners.setdefault(folder, name) != name:
            raise SettingsError(
                f"{file}: the index of [{name}] is in the folder of another, {folder}. "
                f'Give it one of its own, such as index = ".footnote/{name}/index".'
            )


def collection_key(name: str) -> str:
    """Return four letters, digits, hyphens or underscores that stand for a name; "" for ""."""
    digest = hashlib.sha256(name.encode()).digest()
    return base64.urlsafe_b64encode(digest[:3]).decode("ascii") if name else ""


def _settings(file: Path, name: str, table: object) -> dict[str, str]:
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise SettingsError(
            f"{file}: {name!r} is no name for a collection. Use up to 32 small letters, digits and hyphens, "
            f"and not {' or '.join(sorted(_RESERVED))}."
        )
    if not isinstance(table, dict) or not isinstance(table.get("articles"), str):
        raise SettingsError(f'{file}: [{name}] needs articles = "PATH", the file or folder of its articles.')
    for key, value in table.items():
        if key not in _KEYS or not isinstance(value, str):
            what = "is not a text" if key in _KEYS else f"is not known; known are {', '.join(sorted(_KEYS))}"
            raise SettingsError(f"{file}: {key} in [{name}] {what}.")
        if key in _PATHS - {"gate"} and (not value or "\0" in value):
            raise SettingsError(f"{file}: {key} in [{name}] is no path. Name a file or folder.")
    own = {"index": f".footnote/{name}/index", "gate": "", "sources": f"{name}.sources.toml"}
    values: dict[str, str] = {**own, **table}
    paths = {key: str(file.parent / values[key]) for key in _PATHS & values.keys() if values[key]}
    return {**values, **paths, "collection": name}
