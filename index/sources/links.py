"""Links: which addresses a page names, how two spellings of one compare, and which are asked for.

Addresses are read as those that are fetched, so that no host can pass for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from index.articles.article import RefusedError
from index.sources.addresses import FetchError, parse_address

if TYPE_CHECKING:
    from yarl import URL

__all__ = ["absolute", "is_below", "is_page", "links_in", "links_in_llms_txt", "matches", "normalized"]

_TRACKING = re.compile(
    r"(?:utm_\w+|gclid|gclsrc|[gw]braid|dclid|fbclid|igshid|msclkid|twclid|yclid|mc_[ce]id|mkt_tok|_hs(?:enc|mi)"
    r"|_g[al])(?:=.*)?",
    re.IGNORECASE,
)
_MARKDOWN_LINK = re.compile(r"\]\(\s*<?((?:[^\s<>()]|\([^\s<>()]*\))+)")
_NO_PAGE = re.compile(
    r"\.(?:7z|a?png|apk|atom|avif?|bin|bmp|bz2|css|csv|deb|dmg|e?xe|eot|exe|flac|gif|gz|ico|ics|img|iso|jar|jpe?g"
    r"|js|json|m4[av]|map|mjs|mkv|mov|mp[34]|mpe?g|msi|og[gv]|otf|pptx?|rar|rpm|rss|svgz?|tar|tgz|tiff?|ttf|wasm"
    r"|wav|web[mp]|webmanifest|whl|wmv|woff2?|xlsx?|xml|xsl|xz|zip|zst)$",
    re.IGNORECASE,
)


def _parsed(url: str, base: str = "") -> URL | None:
    """Return a web address without its fragment, completed with `base`; None if it is not to be fetched."""
    from yarl import URL

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
    for meta in root.iter("meta"):
        asked = re.split(r"[\s,]+", meta.get("content", "").lower())
        if meta.get("name", "").lower() == "robots" and not {"nofollow", "none"}.isdisjoint(asked):
            return []
    base = next((absolute(each.get("href"), url) for each in root.iter("base") if each.get("href")), "")
    links = (link for link in root.iter("a") if "nofollow" not in link.get("rel", "").lower().split())
    return _distinct((link.get("href") for link in links if link.get("href")), base or url)


def links_in_llms_txt(text: str, url: str) -> list[str]:
    """Return the addresses of the Markdown links of an llms.txt at `url`, in order, each once."""
    return _distinct((match[1] for match in _MARKDOWN_LINK.finditer(text)), url)


def _distinct(links: Iterable[str], base: str) -> list[str]:
    return [*filter(None, dict.fromkeys(absolute(link, base) for link in dict.fromkeys(links)))]


def normalized(url: str) -> str:
    """Return the spelling of an address by which pages are compared; what is no web address stays as it is.

    Scheme, host, port and percent-encoding are written as yarl does; there is neither a fragment nor a query
    parameter that only tracks visitors.
    """
    parsed = _parsed(url)
    if parsed is None:
        return url.strip()
    parts = urlsplit(str(parsed))
    query = "&".join(each for each in parts.query.split("&") if each and not _TRACKING.fullmatch(each))
    return urlunsplit(parts._replace(path=parts.path or "/", query=query))


def is_below(url: str, root: str) -> bool:
    """Tell whether an address is on the host of `root`, in its folder; https may stand for http.

    The folder ends with the last "/" of the path: it is `/guide/` of `/guide/start` as well as of `/guide/`.
    """
    page, top = _parsed(url), _parsed(root)
    if page is None or top is None:
        return False
    is_same_port = page.port == top.port or (page.is_default_port() and top.is_default_port())
    is_same_host = page.raw_host == top.raw_host and page.scheme in {top.scheme, "https"} and is_same_port
    return is_same_host and page.raw_path.startswith(top.raw_path.rpartition("/")[0] + "/")


def matches(url: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Tell whether an address is included (all are, if no pattern is given) and not excluded.

    `*` stands for any characters but "/", `?` for one, and `**` between slashes for any folders. A pattern is
    for the path; one that does not begin with "/" for its end, and one with "://" for the whole address.
    """
    parsed = _parsed(url)
    if parsed is None:
        return False
    path, address = (parsed.raw_path, parsed.path), (str(parsed), parsed.human_repr())

    def fits(pattern: str) -> bool:
        if "://" in pattern:
            return any(_fits(pattern, text) for text in address)
        return any(_fits(pattern if pattern.startswith("/") else f"/**/{pattern}", text) for text in path)

    return (not include or any(map(fits, include))) and not any(map(fits, exclude))


def _fits(pattern: str, text: str) -> bool:
    """Match part by part, so that no pattern takes long."""
    parts, matched = text.split("/"), {0}  # how many parts may be matched so far
    for glob in pattern.split("/"):
        if glob == "**":
            matched = {*range(min(matched, default=len(parts) + 1), len(parts) + 1)}
        else:
            matched = {n + 1 for n in matched if n < len(parts) and fnmatchcase(parts[n], glob)}
    return len(parts) in matched


def is_page(url: str) -> bool:
    """Tell whether an address may lead to text, by its suffix: that of no image, archive, script or so."""
    return not _NO_PAGE.search(url.partition("#")[0].partition("?")[0])
