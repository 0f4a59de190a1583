"""ZIP archives read within limits: Word and EPUB files are such archives, and anybody may have made them.

The limits hold for what is really unpacked, whatever the archive declares. Names are only looked up, and
nothing is written to disk.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from index.articles.article import RefusedError
from index.terminal import one_line

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

__all__ = ["LimitedZip"]

_MAX_ENTRIES = 10_000
_MAX_ENTRY, _MAX_TOTAL = 32_000_000, 128_000_000  # bytes, unpacked
_MAX_RATIO, _SMALL = 200, 1_000_000  # XML packs to a tenth or less; of few bytes the ratio does not matter
_MAX_TAGS = 3_000_000  # of one part, opening and closing: some 250 MB when parsed
_DIRECTORY_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1  # of an entry's flags


class LimitedZip:
    """A ZIP archive in memory, whose entries are unpacked one at a time and only up to a limit."""

    def __init__(self, data: bytes) -> None:
        """Open an archive.

        Raises:
            RefusedError: it is no ZIP archive, is damaged, or has too many entries.
        """
        # Counted before the directory is read, which takes half a kilobyte of memory an entry.
        if data.count(_DIRECTORY_ENTRY) > _MAX_ENTRIES:
            raise RefusedError(f"has more than {_MAX_ENTRIES:,} parts; split it")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except Exception as error:  # zipfile raises many kinds
            raise RefusedError("damaged, or another kind of file; save or download it again") from error
        self.names = frozenset(self._zip.namelist())
        """The names of its entries."""
        self._left = _MAX_TOTAL

    def read(self, name: str) -> bytes:
        """Unpack an entry.

        Raises:
            RefusedError: it is missing, encrypted or damaged, or unpacks to too much.
        """
        if name not in self.names:
            raise RefusedError("it is missing")
        entry, limit = self._zip.getinfo(name), min(_MAX_ENTRY, self._left)
        if entry.flag_bits & _ENCRYPTED:
            raise RefusedError("it is encrypted")
        # Other methods are not allowed in either format; some take any amount of memory.
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise RefusedError("it is compressed in an unknown way")
        try:
            with self._zip.open(entry) as file:
                data = file.read(limit + 1)
        except Exception as error:
            raise RefusedError(f"it is damaged ({one_line(error, 100)})") from error
        self._left = max(self._left - len(data), 0)
        if len(data) > limit:
            raise RefusedError("it, or what was read before, is too large when unpacked")
        if len(data) > max(_SMALL, _MAX_RATIO * entry.compress_size):
            raise RefusedError(f"it unpacks to more than {_MAX_RATIO} times its size")
        return data

    def xml(self, name: str) -> _Element:
        """Parse an entry that is XML; comments are left out.

        Raises:
            RefusedError: it cannot be read, is not XML or too large, or declares entities.
        """
        try:
            return _parse(self.read(name))
        except RefusedError as error:
            reason = f"its part {one_line(name)} cannot be read: {error}"
            raise RefusedError(f"{reason}; save or download the file again") from error


def _parse(data: bytes) -> _Element:
    from lxml import etree  # type: ignore[import-untyped]

    if data.count(b"<") > _MAX_TAGS:
        raise RefusedError(f"it has more than {_MAX_TAGS:,} tags")
    # Without `huge_tree`, depth and the lengths of texts are limited.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.LxmlError as error:
        raise RefusedError(f"it is not XML ({one_line(error, 100)})") from error
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and dtd.entities():
        raise RefusedError("it declares XML entities, which may hide a bomb")
    return root
