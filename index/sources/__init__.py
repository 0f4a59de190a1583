"""Sources: places that articles are fetched from, and what was fetched.

`config` reads and writes sources.toml, `archive` keeps what was fetched, `collection` reads all articles
of files and sources together. `crawl` refreshes one source by `fetching`, which minds `addresses` and
robots.txt, and by what `feeds`, `sitemaps` and `links` say that there is; `reports` say what it found.
"""

__all__ = ["archive", "collection", "config", "crawl", "fetching", "reports"]
