"""The article files below a path, and their bytes: of regular files in the folder, and of nothing else.

Whoever may write into the folder can put anything there, and exchange it while it is read. So below the path
that was named no link is followed; each folder and each file is opened by its name in the folder that is
open; and whether it is a regular file is asked of what was opened. Nothing is opened that waits for another
process, as a pipe does, and no more is read than a bound.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from index.printing import one_line

__all__ = ["SUFFIXES", "ArticleFile", "RefusedError", "article_files", "is_question_set"]

SUFFIXES = {".txt", ".md", ".jsonl"}

_DEEPEST = 64
"""Folders within one another that are read; each of them is open while it is."""

# What a system lacks is no flag there; without descriptors of folders, files are opened by their paths.
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BY_FOLDER = os.open in os.supports_dir_fd and os.scandir in os.supports_fd


class RefusedError(Exception):
    """One file or line that cannot be indexed: where, and why."""


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """A file to be read; `folder` is the descriptor of the open folder in which it was found."""

    path: Path
    folder: int | None = None
    is_named: bool = False
    """Whether the path was named outright: a link to a file is then followed."""

    @property
    def where(self) -> str:
        """The path for people, in one line."""
        return one_line(self.path)

    def open(self) -> BinaryIO:
        """Open the file for reading.

        Raises:
            RefusedError: it is no regular file, or cannot be read.
        """
        name = self.path.name if self.folder is not None else self.path
        try:
            # A device may act on being opened, so what it is is looked at before as well.
            found = os.stat(name, dir_fd=self.folder, follow_symlinks=self.is_named)
            _refuse_irregular(found, self.where)
            opened = os.open(name, _FILE | (0 if self.is_named else _NO_LINK), dir_fd=self.folder)
            file = os.fdopen(opened, "rb")
        except OSError as error:
            raise RefusedError(f"{self.where}: cannot be read: {error.strerror}") from error
        try:
            _refuse_irregular(os.fstat(file.fileno()), self.where)
        except RefusedError:
            file.close()
            raise
        return file


def _refuse_irregular(found: os.stat_result, where: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError(f"{where}: not a regular file")


def article_files(root: Path, problems: list[str], notes: list[str]) -> Iterator[ArticleFile]:
    """Yield the article file `root`, or those below the folder `root`: by name, those of a folder first.

    Each is to be opened before the next is asked for. Hidden files and question sets are passed over; what
    else is, and what cannot be read, is told in `notes` and `problems`.
    """
    if not root.is_dir():
        yield ArticleFile(root, is_named=True)
        return
    try:
        folder = _open_folder(root, None, _FOLDER)
    except OSError as error:
        problems.append(f"{one_line(root)}: cannot be read: {error.strerror}")
        return
    yield from _below(_Folder(root, root, folder, 0), problems, notes)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is read: `descriptor` is None on systems that cannot open one."""

    root: Path
    path: Path
    descriptor: int | None
    depth: int


def _open_folder(path: Path, inside: int | None, flags: int) -> int | None:
    if not _BY_FOLDER:
        return None
    return os.open(path.name if inside is not None else path, flags, dir_fd=inside)


def _below(folder: _Folder, problems: list[str], notes: list[str]) -> Iterator[ArticleFile]:
    """Yield the files of a folder, then those of the folders in it; the descriptor is closed at the end."""
    try:
        with os.scandir(folder.path if folder.descriptor is None else folder.descriptor) as entries:
            found = sorted(
                (entry.name, entry.is_symlink(), entry.is_dir(follow_symlinks=False)) for entry in entries
            )
        shown = [one for one in found if not one[0].startswith(".")]
        for name, is_link, is_folder in shown:
            path = folder.path / name
            if is_link:
                _tell_of_link(path, folder.root, problems, notes)
            elif not is_folder and _is_article_file(path, notes):
                yield ArticleFile(path, folder.descriptor)
        for name, is_link, is_folder in shown:
            if is_folder and not is_link:
                yield from _inside(folder, folder.path / name, problems, notes)
    except OSError as error:
        problems.append(f"{one_line(folder.path)}: cannot be read: {error.strerror}")
    finally:
        if folder.descriptor is not None:
            os.close(folder.descriptor)


def _inside(folder: _Folder, path: Path, problems: list[str], notes: list[str]) -> Iterator[ArticleFile]:
    if folder.depth == _DEEPEST:
        problems.append(f"{one_line(path)}: more than {_DEEPEST} folders deep; move it up")
        return
    try:
        descriptor = _open_folder(path, folder.descriptor, _FOLDER | _NO_LINK)
    except OSError as error:
        problems.append(f"{one_line(path)}: cannot be read: {error.strerror}")
        return
    yield from _below(_Folder(folder.root, path, descriptor, folder.depth + 1), problems, notes)


def is_question_set(name: str) -> bool:
    """Tell by its name whether a file is a question set, which `footnote eval` reads, and no articles."""
    return name == "questions.jsonl" or name.endswith(".questions.jsonl")


def _is_article_file(path: Path, notes: list[str]) -> bool:
    if is_question_set(path.name):
        notes.append(f"{one_line(path)}: a question set, not articles; skipped")
    elif path.suffix.lower() not in SUFFIXES:
        notes.append(f"{one_line(path)}: neither .txt, .md nor .jsonl; skipped")
    else:
        return True
    return False


def _tell_of_link(link: Path, root: Path, problems: list[str], notes: list[str]) -> None:
    """Refuse a link that leaves the folder; say of one that stays inside why it is not followed."""
    try:
        target = link.resolve(strict=True)
        home = root.resolve()
    except (OSError, RuntimeError):
        problems.append(f"{one_line(link)}: a link that leads nowhere; remove it")
        return
    if not target.is_relative_to(home):
        problems.append(f"{one_line(link)}: a link out of the articles' folder; copy the file there instead")
        return
    parts = target.relative_to(home).parts
    is_read = not any(part.startswith(".") for part in parts)
    with suppress(OSError):
        is_read = is_read and (
            target.is_dir() or (target.suffix.lower() in SUFFIXES and not is_question_set(target.name))
        )
    what = "what is read anyway" if is_read else "what is not read (hidden, or no article file)"
    notes.append(f"{one_line(link)}: a link to {what}; skipped")
