"""Links to articles that open at the quoted sentence, safe to stand in Discord's Markdown."""

from __future__ import annotations

import re
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

from bot.chat.text_fragments import sentence_url
from bot.discordapp.escape import fit, units
from index.articles.article import Article

__all__ = ["URL_ROOM", "address", "link", "sentence_address"]

URL_ROOM = 600
"""Characters of an address, at most; an embed's field holds 1,024."""

_PLAIN_ROOM = 320
_TITLE_ROOM = 200
_UNSAFE = r"""\s\x00-\x1f\x7f()<>"\\^`{|}\[\]\ud800-\udfff"""
_UNSAFE_IN_URL = re.compile(f"[{_UNSAFE}]")
_UNSAFE_IN_HOST = re.compile(f"[{_UNSAFE}@]|^:")
_BREAKS_LABEL = re.compile(r"[\[\]]|://")


def link(title: str, url: str | None, open_text: str = "(open)") -> str:
    """Return the title, escaped, as a link to `url`, which `address` or `sentence_address` made.

    Brackets or an address in a label keep Discord from making a link, so the link then stands after it.
    """
    label = fit(title, _TITLE_ROOM)
    if url is None:
        return label
    if _BREAKS_LABEL.search(title):
        return f"{label} [{open_text}]({url})"
    return f"[{label}]({url})"


def sentence_address(article: Article, start: int, end: int, *, in_heading: bool = False) -> str | None:
    """Return the article's address, opened at a quote of its text where that has room, or None."""
    plain = address(article.url)
    if plain is None or in_heading:
        return plain
    return address(sentence_url(plain, article.text, start, end, room=URL_ROOM), URL_ROOM) or plain


def address(url: str | None, room: int = _PLAIN_ROOM) -> str | None:
    """Return `url` fit to stand in a link, or None where it is no plain web address or too long."""
    scheme, _, rest = (url or "").strip().partition("://")
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    if scheme.lower() not in {"http", "https"} or not host.strip(":") or _UNSAFE_IN_HOST.search(host):
        return None
    whole = f"{scheme.lower()}://{rest}"  # Discord knows the scheme in small letters only
    try:
        urlsplit(whole)
    except ValueError:
        return None
    clean = _UNSAFE_IN_URL.sub(lambda found: percent_encoded(found[0], safe="", errors="replace"), whole)
    return clean if units(clean) <= room else None
