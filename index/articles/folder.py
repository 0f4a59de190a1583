"""The article files at a path, found and opened safely.

Others may write to an article folder while it is read. So below the path that the user named, symbolic links
are not followed, folders and files are opened relative to their open parent, and only regular files are read.
"""

from __future__ import annotations

import codecs
import io
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pathspec import GitIgnoreSpec

from index.articles.article import RefusedError
from index.articles.blocks import BLANKS
from index.terminal import one_line

__all__ = ["CONVERT", "MAX_BYTES", "NOT_UTF8", "TOO_LARGE", "FolderWalk", "SourceFile"]

MAX_BYTES = 64_000_000  # of one article: the text of some 40 books
NOT_UTF8 = "not UTF-8 (byte 0x{:02x}); save it as UTF-8"
TOO_LARGE = f"larger than {MAX_BYTES // 1_000_000} MB, the limit for one article; split it"

CONVERT = "convert {} to .md or .txt, for example with pandoc or pdftotext"
_CONVERTIBLE = frozenset(".adoc .asciidoc .doc .odt .org .rst .rtf .tex .textile".split())

IGNORE_FILE = ".footnoteignore"
"""Names what is passed over below its folder, in the syntax of `.gitignore`."""

# Folders of other people's code and of built pages.
_IGNORED = (
    "node_modules/",
    "bower_components/",
    "__pycache__/",
    "site-packages/",
    "_build/",
    "_site/",
    "dist/",
)
_MAX_DEPTH = 64  # of folders; each takes a file descriptor while it is walked
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One article file, as a reader gets it; `id` is its path below the article folder, without the suffix.

    `folder` is the descriptor of its open folder; None for a file that the user named, which may be a link.
    `notes` gets a line if its encoding is guessed.

    A file that was fetched has its `content`, the `url` that it came from, and the `charset` that the server
    named, "" where it named none.
    """

    path: Path
    id: str
    folder: int | None = None
    notes: list[str] = field(default_factory=list)
    content: bytes | None = None
    url: str = ""
    charset: str = ""

    @property
    def name(self) -> str:
        """Its path below the article folder."""
        return self.id + self.path.suffix

    def open(self) -> BinaryIO:
        """Open the file for reading bytes.

        Raises:
            RefusedError: it is not a regular file, or cannot be read.
        """
        if self.content is not None:
            return io.BytesIO(self.content)
        is_named = self.folder is None
        name, flags = (self.path, _FILE) if is_named else (self.path.name, _FILE | os.O_NOFOLLOW)
        try:
            # Checked before as well as after: opening a device can set it off.
            _check_regular(os.stat(name, dir_fd=self.folder, follow_symlinks=is_named))
            file = os.fdopen(os.open(name, flags, dir_fd=self.folder), "rb")
        except OSError as error:
            raise RefusedError(f"cannot be read: {error.strerror}") from error
        try:
            _check_regular(os.fstat(file.fileno()))
        except RefusedError:
            file.close()
            raise
        return file

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises:
            RefusedError: it cannot be read, or is larger than `MAX_BYTES`.
        """
        with self.open() as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise RefusedError(TOO_LARGE)
        return data

    def text(self) -> str:
        r"""Return the text of a UTF-8 file, without its byte order mark, with `\n` for line ends.

        Raises:
            RefusedError: it cannot be read, is larger than `MAX_BYTES`, is not UTF-8, or is empty.
        """
        text, encoding = _decode(self.read())
        if encoding:
            self.notes.append(f"{one_line(self.path)}: read as {encoding.replace('cp125', 'Windows-125')}")
        if not text.strip(BLANKS):
            raise RefusedError("empty")
        return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(data: bytes) -> tuple[str, str]:
    """Return text in UTF-8, in UTF-16 with a byte order mark, or in a guessed encoding, with its name."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace"), ""
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        if b"\x00" not in data:
            from charset_normalizer import from_bytes

            if found := from_bytes(data).best():
                return str(found), found.encoding
        line = data.count(b"\n", 0, error.start) + 1
        raise RefusedError(NOT_UTF8.format(data[error.start]), line) from error


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError("not a regular file")


@dataclass(frozen=True, slots=True)
class FolderWalk:
    """A walk over the article files at `root`, a file or a folder.

    Hidden files, question sets, files of other suffixes, and what `.footnoteignore` names are skipped. As
    `files` runs, `notes` gets a line for each file skipped, but for hidden and ignored ones, and `problems`
    for each that has to be put right. `refused` gets the paths of the latter; that of a folder ends in "/".
    `convertible` gets the suffixes of skipped files that can be converted. `prefix` begins the ids of the
    articles and the paths of what is refused.
    """

    root: Path
    suffixes: Collection[str]
    prefix: str = ""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    convertible: set[str] = field(default_factory=set)

    def files(self) -> Iterator[SourceFile]:
        """Yield the files by name, those of a folder before its subfolders'; open each before the next."""
        if self.root.is_dir():
            yield from self._folder(self.root, None, 0, self._ignored())
        else:
            yield SourceFile(self.root, self.prefix + self.root.stem, None, self.notes)

    def _ignored(self) -> GitIgnoreSpec:
        file, lines = self.root / IGNORE_FILE, []
        with suppress(OSError):
            if file.is_file():  # opening a pipe that nobody writes to would wait for ever
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        try:
            return GitIgnoreSpec.from_lines([*_IGNORED, *lines])
        except ValueError as error:
            self.problems.append(f"{one_line(file)}: {error}; correct the line")
            return GitIgnoreSpec.from_lines(_IGNORED)

    def _folder(
        self, path: Path, parent: int | None, depth: int, ignored: GitIgnoreSpec
    ) -> Iterator[SourceFile]:
        """Yield the files of the folder at `path`, which is opened by name in its open parent, if any."""
        if depth > _MAX_DEPTH:
            self._refuse_folder(path, f"more than {_MAX_DEPTH} folders deep; move it up")
            return
        name, flags = (path, _FOLDER) if parent is None else (path.name, _FOLDER | os.O_NOFOLLOW)
        descriptor = None
        try:
            descriptor = os.open(name, flags, dir_fd=parent)
            with os.scandir(descriptor) as entries:
                kinds = {e.name: (e.is_symlink(), e.is_dir(follow_symlinks=False)) for e in entries}
            visible = [
                (path / name, *kinds[name])
                for name in sorted(kinds)
                if not name.startswith(".")
                and not ignored.match_file(
                    (path / name).relative_to(self.root).as_posix() + "/" * kinds[name][1]
                )
            ]
            for child, is_link, is_folder in visible:
                if is_link:
                    self._report_link(child)
                elif not is_folder and self._is_article_file(child):
                    yield SourceFile(child, self._id_of(child), descriptor, self.notes)
            for child, is_link, is_folder in visible:
                if is_folder and not is_link:
                    yield from self._folder(child, descriptor, depth + 1, ignored)
        except OSError as error:
            self._refuse_folder(path, f"cannot be read: {error.strerror}")
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _id_of(self, path: Path) -> str:
        return self._name_of(path.with_suffix(""))

    def _name_of(self, path: Path) -> str:
        return self.prefix + path.relative_to(self.root).as_posix()

    def _refuse_folder(self, path: Path, reason: str) -> None:
        self.problems.append(f"{one_line(path)}: {reason}")
        self.refused.add(f"{self._name_of(path)}/")

    def _is_article_file(self, path: Path) -> bool:
        suffix = path.suffix.lower()
        if path.name == "questions.jsonl" or path.name.endswith(".questions.jsonl"):
            self.notes.append(f"{one_line(path)}: a question set, not articles; skipped")
        elif suffix in _CONVERTIBLE:
            self.convertible.add(suffix)
            self.notes.append(f"{one_line(path)}: {CONVERT.format('it')}; skipped")
        elif suffix not in self.suffixes:
            self.notes.append(f"{one_line(path)}: not an article file ({', '.join(self.suffixes)}); skipped")
        else:
            return True
        return False

    def _report_link(self, link: Path) -> None:
        """Refuse a link that is broken or leaves the folder; note any other one, which is not followed."""
        try:
            if link.resolve(strict=True).is_relative_to(self.root.resolve()):
                self.notes.append(
                    f"{one_line(link)}: a link inside the article folder, not followed; skipped"
                )
                return
            reason = "a link out of the article folder; copy its target here"
        except (OSError, RuntimeError):
            reason = "a broken link; remove it"
        self.problems.append(f"{one_line(link)}: {reason}")
        name = self._name_of(link)
        self.refused.update({name, f"{name}/"})
