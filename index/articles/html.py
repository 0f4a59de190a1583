"""The reader of HTML: a page's metadata, and its main text without what surrounds it on the site.

Navigation, banners, share bars, comments and the like are pruned by their landmarks, class names and words.
Where a page has such parts but does not mark its main one, trafilatura judges which of the rest belong to the
text. A document without such parts keeps all of its text. What was pruned is named in `dropped`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from index.articles.article import DraftError, ParsedArticle, RefusedError
from index.articles.blocks import TextBuilder
from index.articles.folder import SourceFile
from index.articles.html_blocks import add_html
from index.articles.html_tree import BLOCKS, HEADINGS, decode_html, is_hidden, parse_html

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]

__all__ = ["read_html"]

_LANDMARKS = frozenset("alertdialog banner contentinfo dialog menu menubar navigation search".split())
_CHROME = re.compile(
    r"(?i)(?:^|[\s_-])(?:ads?|advert\w*|announcement-bar|author-(?:bio|box)|breadcrumbs?|comments?|consent"
    r"|cookie-?(?:banner|notice)|disqus\w*|gdpr|jp-relatedposts|most-(?:popular|read)|newsletter|pager|pagination"
    r"|respond|sharedaddy|site-footer)(?:$|[\s_-])|\sfooter$"
)
"""The names, as a class or an id, of what is no part of the text."""
_LINKED_CHROME = re.compile(
    r"(?i)(?:^|[\s_-])(?:catlinks|footer|linklist|masthead|menu|nav|navbar|navigation|page-header"
    r"|related(?:-\w+)?|share|sharing|sidebar|social|table-of-contents|tags|teasers?|toc|topbar|trending|widgets?)"
    r"(?:$|[\s_-])"
)
"""The names of what is no part of the text if it is full of links."""
_OFFER = re.compile(
    r"(?is)\W*(?:back to top|click here|continue reading|edit (?:on|this)|follow us|read more"
    r"|read the (?:full|original)|share (?:on|this|to|via)|sign up|skip to|subscribe|tweet this"
    r"|view (?:the )?original)\b.*"
)
"""The words of a block that is an offer if it is mostly a link."""
_BARE_OFFER = re.compile(
    r"(?i)\W*(?:advertisement|follow us|leave a (?:comment|reply)|(?:read|see) more|share this(?: \w+)?"
    r"|related (?:articles|posts|reading|stories)|you (?:may|might) also (?:enjoy|like)"
    r"|(?:please )?(?:sign up|subscribe) (?:for|to) (?:my|our|the) (?:\w+ )?newsletter)\W*"
)
"""The whole of a block that is an offer without a link too, or the heading of a list of them."""
_COOKIES = re.compile(r"(?:this (?:web)?site|we) uses? cookies\b", re.IGNORECASE)
_NEEDS_SCRIPT = re.compile(r"(?:enable|requires?|without|turn on) javascript|javascript is", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s+[|–—·•»«-]\s+|:\s+")

_LINKED, _KEPT = 0.3, 0.1  # the share of links above which, and of main text below which, a part is pruned
_MAX_ELEMENTS, _MAX_CHARACTERS = 20_000, 500_000  # of a page that trafilatura is asked about
_MAX_FIELD, _MAX_OFFER, _MAX_WORDS, _MAX_DROPPED = 2_000, 200, 100, 50  # characters; dropped parts named


def read_html(file: SourceFile) -> Iterator[ParsedArticle]:
    """Read a page: its title, author, site, date and address, and the blocks of its main text.

    Raises:
        RefusedError: it is no page, or its text needs JavaScript.
        DraftError: it was fetched, and asks not to be indexed.
    """
    html = decode_html(file.read(), file.charset)
    root = parse_html(html)
    rules = " ".join(root.xpath("//meta[translate(@name, 'ROBTS', 'robts') = 'robots']/@content"))
    if file.url and re.search(r"\b(?:noindex|none)\b", rules, re.IGNORECASE):
        raise DraftError('it asks not to be indexed (<meta name="robots">); skipped')
    base = root.xpath("string((.//base/@href)[1])").strip()
    with suppress(ValueError):
        base = urljoin(file.url, base)
    fields = _metadata(root, file.url)
    body, dropped = _main_text(root.find("body"))
    _take_title(fields, root, body)
    builder = TextBuilder()
    add_html(builder, body, base)
    text = builder.text
    if len(text) < _MAX_OFFER and (_NEEDS_SCRIPT.search(text) or (not text and "<script" in html)):
        raise RefusedError("has no text without JavaScript, which is not run; save it in a browser as HTML")
    yield ParsedArticle(file.id, fields, builder, dropped=tuple(dropped))


@dataclass(slots=True)
class _Size:
    """The characters of an element's text, those that are links, and those that trafilatura keeps."""

    all: int = 0
    linked: int = 0
    kept: int = 0

    @property
    def links(self) -> float:
        """The share of links."""
        return self.linked / max(self.all, 1)


def _sizes(body: HtmlElement, main_text: str = "") -> dict[HtmlElement, _Size]:
    """Return the size of each element, without what is hidden."""
    sizes = {element: _Size() for element in body.iter()}
    for element in reversed(sizes):
        size, text, tail = sizes[element], (element.text or "").strip(), (element.tail or "").strip()
        size.all += len(text)
        size.kept += len(text) if main_text and _squeezed(text) in main_text else 0
        if element is not body and is_hidden(element):
            size.all = size.linked = size.kept = 0
        elif element.tag == "a":
            size.linked = size.all
        if element is not body:
            parent = sizes[element.getparent()]
            parent.all += size.all + len(tail)
            parent.linked += size.linked
            parent.kept += size.kept + (len(tail) if main_text and _squeezed(tail) in main_text else 0)
    return sizes


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _main_text(body: HtmlElement) -> tuple[HtmlElement, list[str]]:
    """Prune what is not the text of a page; return the element that has the text, and what was pruned."""
    dropped: list[str] = []
    sizes = _sizes(body)
    _drop(body, lambda element: _is_landmark(element, sizes[element], sizes[body]), dropped)
    sizes = _sizes(body)
    named = _outermost(body, lambda element: _is_named_chrome(element, sizes[element]))
    if sum(sizes[element].all for element in named) * 7 < sizes[body].all * 6:  # else the page is about it
        _drop(body, named.__contains__, dropped)
        sizes = _sizes(body)
    marked = [e for e in sizes if e.tag == "main" or e.get("role") == "main"][:1] or [*body.iter("article")]
    if len(marked) == 1 and sizes[marked[0]].all * 2 >= sizes[body].all:
        around = {marked[0], *marked[0].iterancestors()}
        _drop(body, lambda e: None if e is marked[0] else e not in around, dropped)
    elif dropped and len(sizes) <= _MAX_ELEMENTS and sizes[body].all <= _MAX_CHARACTERS:
        sizes = _sizes(body, _squeezed(_by_trafilatura(body)))
        _drop(body, lambda element: _is_left_out(element, sizes), dropped)
    _drop(body, lambda element: _is_offer(element, sizes), dropped)
    return body, dropped


def _is_left_out(element: HtmlElement, sizes: dict[HtmlElement, _Size]) -> bool:
    """Tell whether trafilatura left out an element full of links; not if it is a list amid the main text."""
    size, parent = sizes[element], sizes[element.getparent()]
    is_apart = element.tag in {"div", "section", "td"} or parent.kept * 2 < parent.all
    return element.tag in BLOCKS and is_apart and size.links >= _LINKED and size.kept < size.all * _KEPT


def _outermost(body: HtmlElement, is_meant: Callable[[HtmlElement], bool | None]) -> list[HtmlElement]:
    """Return the elements below the body that are meant, but none inside of these, nor of those of None."""
    from lxml.etree import iterwalk  # type: ignore[import-untyped]

    walk, meant = iterwalk(body, events=("start",)), []
    for _, element in walk:
        if element is not body and (answer := is_meant(element)) is not False:
            walk.skip_subtree()
            meant += [element] * bool(answer)
    return meant


def _drop(body: HtmlElement, is_dropped: Callable[[HtmlElement], bool | None], dropped: list[str]) -> None:
    """Drop the elements that are no part of the text, and add the first words of each."""
    for element in _outermost(body, is_dropped):
        if len(dropped) < _MAX_DROPPED and (words := _words_of(element)):
            dropped.append(words[:_MAX_WORDS])
        element.drop_tree()


def _words_of(element: HtmlElement) -> str:
    builder = TextBuilder()
    add_html(builder, element)
    return " ".join(builder.text.split())


def _is_landmark(element: HtmlElement, size: _Size, whole: _Size) -> bool:
    """Tell whether an element is marked as a part of the site, not of the text."""
    tag = element.tag
    if tag == "form":  # some frameworks put the whole page in one
        return size.all * 2 < whole.all
    if tag not in {"aside", "footer", "header"}:
        return tag == "nav" or element.get("role") in _LANDMARKS
    outer = next(element.iterancestors("main", "article", "blockquote", "figure"), None)
    if tag == "footer":  # that of a quotation says whose words they are
        return outer is None or outer.tag in {"main", "article"}
    is_linked = size.links >= _LINKED
    return (outer is None and is_linked) if tag == "header" else (outer is None or is_linked)


def _is_named_chrome(element: HtmlElement, size: _Size) -> bool:
    """Tell whether an element's class or id names it as a part of the site."""
    names = _names_of(element) if element.tag in BLOCKS - {"article", "main"} else ""
    return bool(_CHROME.search(names) or (size.links >= _LINKED and _LINKED_CHROME.search(names)))


def _names_of(element: HtmlElement) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def _is_offer(element: HtmlElement, sizes: dict[HtmlElement, _Size]) -> bool:
    """Tell whether a block invites readers elsewhere, or is the list below a heading that does."""
    size, before = sizes[element], element.getprevious()
    is_below = before is not None and before.tag in HEADINGS and element.tag not in HEADINGS
    if is_below and size.links >= 0.5 and _is_offer(before, sizes):
        return True
    is_leaf = element.tag in BLOCKS and not any(child.tag in BLOCKS for child in element)
    if not is_leaf or not 0 < size.all <= _MAX_OFFER:
        return False
    text = element.text_content().strip()
    if _COOKIES.match(text):
        return size.linked > 0 or element.getparent().find("button") is not None
    return bool(_BARE_OFFER.fullmatch(text) or (size.links >= 0.5 and _OFFER.match(text)))


def _by_trafilatura(body: HtmlElement) -> str:
    """Return the main text by trafilatura; "" where it fails, which then costs nothing but its opinion."""
    import trafilatura

    page = body.getparent()
    with suppress(Exception):
        return trafilatura.extract(page, fast=True, favor_recall=True, include_comments=False) or ""
    return ""


def _metadata(root: HtmlElement, url: str) -> dict[str, str]:
    """Return the fields that a page's head, its JSON-LD and its byline give."""
    from lxml import html as lxml_html  # type: ignore[import-untyped]
    from trafilatura.metadata import Document, extract_metadata

    # Trafilatura is shown a few elements only: it takes any date in a text, and is slow on long pages.
    page = lxml_html.document_fromstring("<html><head></head><body></body></html>")
    for element in _metadata_elements(root):
        page.find("head" if element.tag == "meta" else "body").append(deepcopy(element))
    for name in ("trafilatura", "htmldate"):  # they log on the terminal what they cannot make out
        logging.getLogger(name).setLevel(logging.CRITICAL)
    document = Document()
    with suppress(Exception):
        document = extract_metadata(page, extensive=False)
    site = _line(document.sitename)
    return {
        "title": _line(document.title),
        "author": _line(document.author).replace(";", ","),
        "publisher": "" if site in _line(document.url) else site,
        "published": _line(document.date),
        "url": _canonical(root, url),
        "description": _line(document.description),
    }


def _metadata_elements(root: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that may name a page's author, site and date, but not those of comments."""
    yield from root.xpath(f"head/meta[position() <= 200][string-length(@content) <= {_MAX_FIELD}]")
    data = "//script[@type='application/ld+json'][string-length() <= 100000]"
    yield from root.xpath(f"({data})[position() <= 20]")
    bylines = "self::time or @rel='author' or contains(@class, 'author') or contains(@class, 'byline')"
    for element in root.xpath(f"(body//*[{bylines}])[position() <= 20]"):
        names = map(_names_of, (element, *element.iterancestors()))
        text = element.text_content()
        is_short = len(text) <= _MAX_OFFER and (element.tag == "time" or not re.search(r"\d", text))
        if is_short and not any(map(_CHROME.search, names)):
            yield element


def _canonical(root: HtmlElement, url: str) -> str:
    """Return the address that a page names as its own, if it is on the host that the page came from."""
    for address in root.xpath("head/link[@rel='canonical']/@href | head/meta[@property='og:url']/@content"):
        with suppress(ValueError):
            parts, source = urlsplit(address.strip()), urlsplit(url)
            is_web = parts.scheme in {"http", "https"} and parts.hostname and len(address) <= _MAX_FIELD
            if is_web and (parts.hostname == source.hostname or not url):
                return _line(address)
    return url


def _take_title(fields: dict[str, str], root: HtmlElement, body: HtmlElement) -> None:
    """Set the title, without the site's name, and drop the heading that repeats it."""
    page_title, site = _line(root.findtext("head/title")), fields["publisher"]
    title, parts = fields["title"] or page_title, _SEPARATOR.split(page_title)
    heading = next(body.iter("h1"), next(body.iter("h2"), None) if title else None)
    own = _line(_words_of(heading)) if heading is not None else ""
    names = [name.casefold() for name in (title, page_title, *parts, *_SEPARATOR.split(title))]
    if heading is not None and own and (not title or own.casefold() in names):
        heading.drop_tree()
        others = [part for part in parts if own.casefold() not in {part.casefold(), page_title.casefold()}]
        title, site = own, site or "".join(others[-1:])
    elif " | " in title and not site:
        title, _, site = title.rpartition(" | ")
    elif site:
        title = re.sub(rf"(?:\s+\W|:)\s+{re.escape(site)}$", "", title)
    fields.update(title=title, publisher=site)


def _line(text: str | None) -> str:
    """Return text as one line, without the surrogates that JSON may have escaped."""
    return " ".join((text or "")[:_MAX_FIELD].encode("utf-8", "replace").decode().split())
