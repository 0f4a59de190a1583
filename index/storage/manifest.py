"""What names and describes generations on disk: the pointer and the manifests.

    <index>/CURRENT                    the name of the generation that serves
    <index>/<generation>/manifest.json what the generation holds, and the checksum of each of its files

A generation's name ends in the first characters of its manifest's SHA-256, so every byte is covered.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError

from index.errors import DamagedIndexError, NoIndexError
from index.files import Checksum, read_file, replace_file
from index.storage.store import StoreInfo

__all__ = [
    "FORMAT",
    "GATE_REPORT",
    "GENERATION",
    "MANIFEST",
    "POINTER",
    "REFUSED",
    "TEMPORARY",
    "Manifest",
    "generation_name",
    "parse_manifest",
    "point_at",
    "read_manifest",
    "read_pointer",
]

FORMAT = 10  # on disk; another version is refused, and the next build makes this one
POINTER = "CURRENT"
MANIFEST = "manifest.json"
GATE_REPORT = "gate.json"  # in the folder of a refused generation: which gold questions were lost
TEMPORARY = ".building-"  # begins the names of unfinished folders
REFUSED = "refused-"  # begins the name of a generation that the gate refused
GENERATION = re.compile(r"(?P<number>\d{6,})-[0-9a-f]{16}")

_NAME_DIGITS = 16
_FileName = Annotated[str, Field(pattern=r"^([a-z]+/)?\.?[a-z0-9]+(\.[a-z0-9]+)*$")]  # leads nowhere else


def _check_time(value: str) -> str:
    datetime.fromisoformat(value)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a generation holds and what it was made with; see `StoreInfo` for the fields they share.

    `files` has the checksum of each file by its path in the generation's folder. `previous` is the name of
    the generation that served when this one was built, "" where none did.
    """

    built: Annotated[str, AfterValidator(_check_time)]
    encoder: str
    encoder_fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    passage_settings: dict[str, Any]
    articles: NonNegativeInt
    passages: NonNegativeInt
    sentences: NonNegativeInt
    tokens: NonNegativeInt
    dimension: PositiveInt
    token_width: PositiveInt
    files: dict[_FileName, Checksum]
    previous: str
    format: int = FORMAT

    def info(self, generation: str) -> StoreInfo:
        """Return what others may know of the generation of this name."""
        own = {name: getattr(self, name) for name in StoreInfo.__slots__ if hasattr(self, name)}
        size = sum(file.size for file in self.files.values())
        return StoreInfo(generation=generation, bytes=size, **own)

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


_MANIFEST = TypeAdapter(Manifest)


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
        name, end, rest = path.read_bytes().decode("ascii", "replace").partition("\n")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoIndexError(f"no index at {folder}: run `footnote index build` first.") from error
    except OSError as error:
        raise DamagedIndexError.unreadable(path, error) from error
    if not GENERATION.fullmatch(name) or not end or rest:
        raise DamagedIndexError.of(path, "is damaged")
    return name


def point_at(folder: Path, name: str) -> None:
    """Have CURRENT name a generation, in one step that a power cut does not undo; may raise OSError."""
    replace_file(folder / POINTER, f"{name}\n".encode())


def read_manifest(home: Path) -> Manifest:
    """Read the manifest of the generation at `home`, whose name is made of the manifest's SHA-256.

    Raises:
        DamagedIndexError: it is not the one that gave the name, or is of another version.
    """
    if home.is_symlink():
        raise DamagedIndexError.of(home, "is a link, which is not followed")
    path = home / MANIFEST
    return parse_manifest(read_file(path), home.name, path)


def parse_manifest(data: bytes, name: str, path: Path) -> Manifest:
    """Return the manifest of the generation of this name, which was read from `path`; as `read_manifest`."""
    digest = name.removeprefix(REFUSED).partition("-")[2]
    if not hashlib.sha256(data).hexdigest().startswith(digest):
        raise DamagedIndexError.of(path, "is damaged")
    try:
        version = json.loads(data)["format"]
        if version != FORMAT:
            what = f"has format {version!r}; this version of Footnote reads {FORMAT}"
            raise DamagedIndexError.of(path, what)
        return _MANIFEST.validate_json(data)
    except (LookupError, TypeError, ValueError, RecursionError, ValidationError) as error:
        raise DamagedIndexError.of(path, "was written by another version of Footnote") from error
