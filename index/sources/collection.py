"""All the articles of a collection: those of files, and what was fetched from sources."""

from __future__ import annotations

from contextlib import nullcontext

from index.articles.formats import ArticleSource, read_articles
from index.settings import IndexSettings
from index.sources.archive import Archive, archive_file
from index.sources.config import read_sources, sources_file

__all__ = ["read_collection"]


def read_collection(
    settings: IndexSettings, *, strict: bool = False, archive: Archive | None = None
) -> ArticleSource:
    """Read the articles that the settings name, and those of the sources; nothing is fetched.

    Raises:
        ArticleError: no article can be indexed, or `strict` refuses one.
        MissingError: there is nothing at the article path, and there are no sources.
        NotWritableError: what was fetched cannot be read.
        SettingsError: the sources cannot be read.
    """
    file = sources_file(settings)
    sources = read_sources(file)
    if not sources:
        return read_articles(settings.articles, strict=strict, base_url=settings.base_url)
    folders = {name: file.parent / source.path for name, source in sources.items() if source.path}
    pages = [name for name, source in sources.items() if source.url]
    with nullcontext(archive) if archive else Archive(archive_file(settings.index)) as opened:
        return read_articles(
            settings.articles,
            strict=strict,
            base_url=settings.base_url,
            folders=folders,
            fetched=opened.files(pages),
        )
