"""The registry of article formats, and `read_articles`, which reads a file or a folder with it.

docs/architecture.md says how to add a format: a module with a reader, and its line in `READERS`.
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from index.articles.article import Article, DraftError, ParsedArticle, RefusedError, assemble
from index.articles.documents.docx import read_docx
from index.articles.documents.epub import read_epub
from index.articles.documents.pdf import read_pdf
from index.articles.folder import CONVERT, FolderWalk, SourceFile
from index.articles.html import read_html
from index.articles.jsonl import read_json_lines
from index.articles.prose import read_markdown, read_text
from index.errors import ArticleError, MissingError
from index.terminal import one_line

__all__ = ["READERS", "ArticleReader", "ArticleSource", "read_articles"]


class ArticleReader(Protocol):
    """Reads the articles in a file of one format."""

    def __call__(self, file: SourceFile, /) -> Iterator[ParsedArticle | RefusedError]:
        """Yield each article, or why it cannot be indexed; raise `RefusedError` for the rest of the file.

        Raise nothing else, whatever the bytes. `article.assemble` sees to the limits.
        """


READERS: dict[str, ArticleReader] = {
    ".txt": read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".mdx": read_markdown,
    ".jsonl": read_json_lines,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".docx": read_docx,
    ".epub": read_epub,
    ".pdf": read_pdf,
}
"""The reader of each format, by the suffix of its files."""


@dataclass(frozen=True, slots=True)
class ArticleSource:
    """The articles at a path.

    `notes` has a line for each file that was skipped as another kind or a draft, `problems` one for each
    article that cannot be indexed: its place, and why. `refused` are the ids of these, or their files where
    the ids are not known, or folders, with a "/" at the end.
    """

    articles: tuple[Article, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()


def read_articles(
    path: Path,
    *,
    strict: bool = False,
    base_url: str = "",
    folders: Mapping[str, Path] | None = None,
    fetched: Iterable[SourceFile] | None = None,
) -> ArticleSource:
    """Read the article file `path`, or every article file below the folder `path`, in order of name.

    Those below `folders`, whose names begin their ids, and what was `fetched` come after these; then there
    need be nothing at `path`. What cannot be indexed is passed over, unless `strict` refuses it. Relative
    addresses are completed with `base_url`, if there is one.

    Raises:
        MissingError: there is nothing at the path.
        ArticleError: no article can be indexed, or `strict` refuses one; every problem is listed.
    """
    is_there = _is_there(path, needed=not folders and fetched is None)
    walk = FolderWalk(path, READERS)
    files = [walk.files() if is_there else ()]
    files += [_folder_files(walk, f"{name}/", folder) for name, folder in (folders or {}).items()]
    articles: list[Article] = []
    places: dict[str, str] = {}
    from_web: set[str] = set()
    for file in itertools.chain(*files, fetched or ()):
        for parsed in _parse(file):
            place = one_line(file.url or file.path) + (f", line {parsed.line}" if parsed.line else "")
            try:
                article = _assemble(parsed, file, places, base_url)
            except DraftError as error:
                walk.notes.append(f"{place}: {error}")
            except RefusedError as error:
                walk.problems.append(f"{place}: {error}")
                _refuse(walk, places, file, parsed.id, place)
            else:
                places[article.id] = place
                articles.append(article)
                from_web.update([article.id] if file.url else ())
    if not walk.problems and not articles:
        walk.problems.append(f"{one_line(path)}: contains {_what_else(walk)}")
    if walk.problems and (strict or not articles):
        raise ArticleError(walk.problems)
    joined = tuple(_without_twins(articles, from_web))
    return ArticleSource(joined, tuple(walk.notes), tuple(walk.problems), frozenset(walk.refused))


def _without_twins(articles: list[Article], from_web: set[str]) -> list[Article]:
    """Join the articles of one text that was fetched from several addresses; all but the first are `also`."""
    firsts: dict[str, int] = {}
    kept: list[Article] = []
    for article in articles:
        at = firsts.setdefault(article.text, len(kept)) if article.id in from_web else len(kept)
        if at < len(kept):
            addresses = dict.fromkeys((kept[at].url, *kept[at].also, article.url))
            kept[at] = replace(kept[at], also=tuple(addresses)[1:])
        else:
            kept.append(article)
    return kept


def _folder_files(walk: FolderWalk, prefix: str, folder: Path) -> Iterator[SourceFile]:
    """Yield the files of one more folder; one that is missing is a problem, and its articles stay."""
    if folder.exists():
        yield from replace(walk, root=folder, prefix=prefix).files()
    else:
        walk.problems.append(f"{one_line(folder)}: is missing; put it back, or remove the source")
        walk.refused.add(prefix)


def _what_else(walk: FolderWalk) -> str:
    """Say what a path without articles contains, and what to do."""
    if any(note.endswith(str(DraftError())) for note in walk.notes):
        return "only drafts (`draft: true` or `published: false`)"
    advice = f"; {CONVERT.format(', '.join(sorted(walk.convertible)))}" if walk.convertible else ""
    return f"no article file ({', '.join(READERS)}){advice}"


def _refuse(walk: FolderWalk, places: dict[str, str], file: SourceFile, identity: str, place: str) -> None:
    """Note that a file, or the article with this id in it, cannot be indexed."""
    if READERS.get(file.path.suffix.lower()) is read_json_lines:
        walk.refused.add(identity or file.name)
    else:
        walk.refused.add(file.name)
        places.setdefault(file.id, place)  # a.txt does not take the id of a refused a.md


def _is_there(path: Path, *, needed: bool) -> bool:
    """Tell whether there is something at a path; raise MissingError where it is needed."""
    advice = "name a file or a folder with --articles or FOOTNOTE_ARTICLES."
    try:
        is_there = path.exists()
    except OSError as error:  # no access to a parent folder, or a name that is too long
        raise MissingError(f"cannot read {one_line(path)} ({error.strerror}): {advice}") from error
    if needed and not is_there:
        raise MissingError(f"no articles at {one_line(path)}: {advice}")
    return is_there


def _assemble(
    parsed: ParsedArticle | RefusedError, file: SourceFile, places: Mapping[str, str], base_url: str
) -> Article:
    """Make an article whose id is not among those of `places`, or raise why that is not possible."""
    if isinstance(parsed, RefusedError):
        raise parsed
    article = assemble(parsed)
    url = article.url or file.url
    if not file.url:
        url = _address(url, parsed.fields.get("slug"), file.id, base_url)
    article = replace(article, url=url, file=file.name)
    if article.id in places and article.id == file.id and parsed.line is None:  # a.md beside a.txt
        article = replace(article, id=file.name)
    if article.id in places:
        raise RefusedError(f"the id {article.id!r} is already used by {places[article.id]}")
    return article


def _address(url: str, slug: object, identity: str, base_url: str) -> str:
    """Return an article's address below `base_url`; a slug takes the place of the file's name."""
    folder = posixpath.dirname(identity)
    path = url or (posixpath.join(folder, slug) if slug and isinstance(slug, str) else "")
    is_relative = base_url and path and "://" not in path
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}" if is_relative else url


def _parse(file: SourceFile) -> Iterator[ParsedArticle | RefusedError]:
    try:
        reader = READERS.get(file.path.suffix.lower())
        if reader is None:
            raise RefusedError(f"not an article file ({', '.join(READERS)})")
        yield from reader(file)
    except RefusedError as error:
        yield error
    except OSError as error:
        yield RefusedError(f"cannot be read: {error.strerror}")
