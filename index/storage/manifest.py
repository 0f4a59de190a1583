"""The files of an index folder that say what serves: the pointer, and the manifest of each generation.

    <index>/CURRENT                    names the generation that serves, with its manifest's SHA-256
    <index>/<generation>/manifest.json what the generation holds, and the checksum of each of its files

A generation's name ends in the first characters of its manifest's SHA-256, so every byte is covered.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from index.errors import DamagedIndexError, NoIndexError
from index.storage.files import Checksum, check_file, open_regular, replace_file
from index.storage.store import StoreInfo

__all__ = [
    "FORMAT",
    "GENERATION",
    "MANIFEST",
    "POINTER",
    "REFUSED",
    "TEMPORARY",
    "Manifest",
    "generation_name",
    "point_at",
    "read_manifest",
    "read_pointer",
]

FORMAT = 5
"""The version of the format on disk. Another version is refused, and the next build makes this one."""

POINTER = "CURRENT"
MANIFEST = "manifest.json"
TEMPORARY = ".building-"
"""What the names of unfinished folders begin with."""
REFUSED = "refused-"
"""What the name of a generation that the gate refused begins with."""
GENERATION = re.compile(r"(?P<number>\d{6,})-[0-9a-f]{16}")

_NAME_DIGITS = 16
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"(?:[a-z]+/)?\.?[a-z0-9]+(?:\.[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds and what it was made with; see `StoreInfo` for the fields they share.

    `files` has the checksum of each file by its path in the generation's folder. `previous` is the name of
    the generation that served when this one was built, "" where none did.
    """

    built: str
    encoder: str
    encoder_fingerprint: str
    producer: str
    passage_settings: dict[str, Any]
    articles: int
    passages: int
    sentences: int
    tokens: int
    dimension: int
    token_width: int
    files: dict[str, Checksum]
    previous: str
    format: int = FORMAT

    def info(self, generation: str) -> StoreInfo:
        """Return what others may know of the generation of this name."""
        return StoreInfo(
            generation=generation,
            built=self.built,
            encoder=self.encoder,
            encoder_fingerprint=self.encoder_fingerprint,
            producer=self.producer,
            passage_settings=self.passage_settings,
            articles=self.articles,
            passages=self.passages,
            sentences=self.sentences,
            tokens=self.tokens,
            bytes=sum(file.size for file in self.files.values()),
        )

    def check_files(self, home: Path, names: Mapping[str, Checksum] | None = None) -> None:
        """Compare the files of the generation at `home`, or some of them, with their checksums.

        Raises:
            DamagedIndexError: one differs or cannot be read.
        """
        for name, expected in (self.files if names is None else names).items():
            check_file(home / name, expected)

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def generation_name(number: int, manifest: bytes) -> str:
    """Return the name of the generation with this number and manifest."""
    return f"{number:06d}-{hashlib.sha256(manifest).hexdigest()[:_NAME_DIGITS]}"


def read_pointer(folder: Path) -> str:
    """Return the name of the generation that serves.

    Raises:
        NoIndexError: there is no index.
        DamagedIndexError: CURRENT is not what a build wrote.
    """
    path = folder / POINTER
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoIndexError(f"no index at {folder}: run `footnote index build` first.") from error
    except OSError as error:
        raise DamagedIndexError(f"{path} cannot be read: {error.strerror}.") from error
    name, _, _ = data.decode("ascii", "replace").partition(" ")
    if not GENERATION.fullmatch(name) or data != _pointer_line(name):
        raise DamagedIndexError.of(path, "is damaged")
    return name


def point_at(folder: Path, name: str) -> None:
    """Have CURRENT name a generation, in one step that a power cut does not undo.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(folder / POINTER, _pointer_line(name))


def _pointer_line(name: str) -> bytes:
    return f"{name} {hashlib.sha256(name.encode()).hexdigest()}\n".encode()


def read_manifest(home: Path) -> Manifest:
    """Read the manifest of the generation at `home`, whose name is made of the manifest's SHA-256.

    Raises:
        DamagedIndexError: it is not the one that gave the name, or is of another version.
    """
    if home.is_symlink():
        raise DamagedIndexError.of(home, "is a link, which is not followed")
    path = home / MANIFEST
    with open_regular(path) as file:
        try:
            data = file.read()
        except OSError as error:
            raise DamagedIndexError.unreadable(path, error) from error
    digest = home.name.removeprefix(REFUSED).partition("-")[2]
    if not hashlib.sha256(data).hexdigest().startswith(digest):
        raise DamagedIndexError.of(path, "is damaged")
    return _parse(data, path)


def _parse(data: bytes, path: Path) -> Manifest:
    try:
        fields = json.loads(data)
        version = fields.get("format")
        if version == FORMAT:
            fields["files"] = {name: Checksum(**one) for name, one in fields["files"].items()}
            manifest = Manifest(**fields)
            datetime.fromisoformat(manifest.built)
            if _is_sound(manifest):
                return manifest
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedIndexError.of(path, "was written by another version of Footnote") from error
    if version != FORMAT:
        raise DamagedIndexError.of(path, f"has format {version!r}; this version of Footnote reads {FORMAT}")
    raise DamagedIndexError.of(path, "is damaged (it holds impossible values)")


def _is_sound(manifest: Manifest) -> bool:
    """Tell whether the fields that become paths and sizes have the types and forms that a build writes."""
    counts = (manifest.articles, manifest.passages, manifest.sentences, manifest.tokens)
    widths = (manifest.dimension, manifest.token_width)
    texts = (
        manifest.encoder,
        manifest.producer,
        manifest.previous,
        manifest.passage_settings.get("language"),
    )
    return (
        all(type(number) is int and number >= 0 for number in counts)
        and all(type(number) is int and number > 0 for number in widths)
        and all(type(file.size) is int and type(file.xxh3) is str for file in manifest.files.values())
        and all(map(_FILE.fullmatch, manifest.files))
        and _DIGEST.fullmatch(manifest.encoder_fingerprint) is not None
        and all(type(text) is str for text in texts)
    )


REBUILD = DamagedIndexError.advice  # TEMP
