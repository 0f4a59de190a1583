"""Links: which addresses a page names, how two spellings of one compare, and which are asked for.

Addresses are read as those that are fetched, so that no host can pass for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from yarl import URL

from index.articles.article import RefusedError
from index.sources.addresses import FetchError, parse_address

__all__ = ["absolute", "is_below", "is_page", "links_in", "links_in_llms_txt", "matches", "normalized"]

_TRACKED = r"(?:utm_\w+|[gm]s?clk?id|fbclid|mc_[ce]id)(?:=[^?&]*)?"
_TRACKING = re.compile(rf"(?:[?&]+{_TRACKED})+&*$|(?<=[?&]){_TRACKED}&", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"\]\(\s*<?((?:[^\s<>()]|\([^\s<>()]*\))+)")
_NO_PAGE = re.compile(
    r"\.(?:7z|apk|atom|avif?|bin|bmp|bz2|css|csv|deb|dmg|exe|gif|gz|ico|iso|jar|jpe?g|js|json|m4[av]|mov|mp[34g]"
    r"|msi|og[gv]|png|pptx?|rss|svg|rar|tar|tgz|tiff?|ttf|wav|web[mp]|woff2?|xlsx?|xml|xz|zip)$",
    re.IGNORECASE,
)


def _parsed(url: str, base: str = "") -> URL | None:
    """Return a web address without its fragment, completed with `base`; None if it is not to be fetched."""
    try:
        return parse_address(url.strip(), URL(base) if base else None)
    except (FetchError, ValueError):
        return None


def absolute(link: str, base: str) -> str:
    """Return a link as an absolute web address without its fragment; "" if it leads to none."""
    return str(_parsed(link, base) or "") if link.strip() else ""


def links_in(content: bytes, url: str, charset: str = "") -> list[str]:
    """Return the addresses that an HTML page at `url` links to, in order, each once.

    There are none if the page, or the link, asks robots not to follow (`nofollow`), or if the page cannot be
    read. `charset` is what its server named.
    """
    from index.articles.html_tree import decode_html, parse_html

    try:
        root = parse_html(decode_html(content, charset))
    except RefusedError:
        return []
    metas = (meta for meta in root.iter("meta") if meta.get("name", "").lower() == "robots")
    if re.search(r"\b(nofollow|none)\b", " ".join(meta.get("content", "") for meta in metas).lower()):
        return []
    base = absolute(root.xpath("string(//base/@href)"), url) or url
    links = (link for link in root.iter("a") if "nofollow" not in link.get("rel", "").lower().split())
    return _distinct((link.get("href", "") for link in links), base)


def links_in_llms_txt(text: str, url: str) -> list[str]:
    """Return the addresses of the Markdown links of an llms.txt at `url`, in order, each once."""
    return _distinct((match[1] for match in _MARKDOWN_LINK.finditer(text)), url)


def _distinct(links: Iterable[str], base: str) -> list[str]:
    return [*filter(None, dict.fromkeys(absolute(link, base) for link in dict.fromkeys(links)))]


def normalized(url: str) -> str:
    """Return the spelling of an address by which pages are compared; what is no web address stays as it is.

    It is spelled as yarl does, with neither a fragment nor query parameters that only track visitors.
    """
    address = re.sub(r"^(https?://[^/]+)$", r"\1/", absolute(url, ""))
    return _TRACKING.sub("", address) or url.strip()


def is_below(url: str, root: str) -> bool:
    """Tell whether an address is on the host of `root`, in its folder; https may stand for http.

    The folder ends with the last "/" of the path: it is `/guide/` of `/guide/start` as well as of `/guide/`.
    """
    page, top = _parsed(url), _parsed(root)
    if page is None or top is None or page.scheme not in {top.scheme, "https"}:
        return False
    is_same_port = page.port == top.port or (page.is_default_port() and top.is_default_port())
    folder = top.raw_path.rpartition("/")[0] + "/"
    return page.raw_host == top.raw_host and is_same_port and page.raw_path.startswith(folder)


def matches(url: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Tell whether an address is included (all are, if no pattern is given) and not excluded.

    A pattern is for the path, where `*` stands for any characters, or, without a first "/", for its end.
    """
    parsed = _parsed(url)
    paths = (parsed.raw_path, parsed.path) if parsed else ()

    def fits(patterns: Sequence[str]) -> bool:
        globs = [glob if glob.startswith("/") else f"*/{glob}" for glob in patterns]
        return any(fnmatchcase(path, glob) for path in paths for glob in globs)

    return (not include or fits(include)) and not fits(exclude)


def is_page(url: str) -> bool:
    """Tell whether an address may lead to text, by its suffix: that of no image, archive, script or so."""
    return not _NO_PAGE.search(url.partition("#")[0].partition("?")[0])
