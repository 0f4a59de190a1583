"""The reader of HTML: a page's metadata, and its main text without what surrounds it on the site.

Navigation, banners, share bars, comments and the like are pruned by their landmarks, class names and words.
Where a page has such parts but does not mark its main one, trafilatura judges which of the rest belong to the
text. A document without such parts keeps all of its text. What was pruned is named in `dropped`.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from index.articles.article import DraftError, ParsedArticle, RefusedError
from index.articles.blocks import TextBuilder
from index.articles.folder import SourceFile
from index.articles.html_blocks import add_html
from index.articles.html_tree import BLOCKS, decode_html, empty_hidden, parse_html

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]

__all__ = ["read_html"]

_LANDMARKS = frozenset("alertdialog banner contentinfo dialog menu menubar navigation search".split())
_CHROME = re.compile(
    r"(?i)(?:^|[\s_-])(?:ads?|advert\w*|author-(?:bio|box)|comments?|consent|cookie-?(?:banner|notice)"
    r"|most-(?:popular|read)|newsletter|pagination)(?:$|[\s_-])|\sfooter$"
)
"""The names, as a class or an id, of what is no part of the text."""
_LINKED_CHROME = re.compile(
    r"(?i)(?:^|[\s_-])(?:breadcrumbs?|catlinks|footer|menu|nav|navbar|navigation|page-header|related\w*|share\w*"
    r"|sharing|sidebar|social|tags|teasers?|topbar|widgets?)(?:$|[\s_-])"
)
"""The names of what is no part of the text if it is full of links."""
_CONTENTS = re.compile(r"(?i)(?:^|[\s_-])(?:table-of-contents|toc)(?:$|[\s_-])")
"""The names of a table of contents: however long, it answers nothing."""
_OFFER = re.compile(
    r"(?is)\W*(?:click here|continue reading|edit (?:on|this)|follow us|read (?:more|the (?:full|original))"
    r"|share (?:on|this|via)|skip to|subscribe|tweet this)\b"
)
"""The first words of a block that is an offer if it is mostly a link."""
_BARE_OFFER = re.compile(
    r"(?i)\W*(?:(?:click here to )?(?:read|view|see) the (?:full|original)"
    r"(?: (?:article|post|report|story|text|version))?|share this (?:article|page|post|story)"
    r"(?: on [\w ,/]{1,60})?)\W*"
)
"""The whole of a block that is an offer without a link too."""
_NEEDS_SCRIPT = re.compile(r"(?:enable|requires?|without|turn on) javascript|javascript is", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s+[|–—·•»«-]\s+|:\s+")
_METADATA = (
    "(head/meta | head/link[@rel='canonical'] | //script[@type='application/ld+json'] | body//*[self::time"
    " or @rel='author' or contains(@class, 'author') or contains(@class, 'byline')]"
    "[not(ancestor::*[contains(@class, 'comment') or contains(@id, 'comment')])])[position() <= 200]"
)

_LINKED = 0.3  # the share of links from which a part is navigation
_MAX_ELEMENTS, _MAX_CHARACTERS = 20_000, 500_000  # of a page that trafilatura is asked about
_MAX_FIELD, _MAX_DATA, _MAX_OFFER, _MAX_WORDS, _MAX_DROPPED = 2_000, 100_000, 200, 100, 50  # the last: parts


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
    body = root.find("body")
    empty_hidden(body)
    dropped = _prune(body)
    _take_title(fields, root, body)
    builder = TextBuilder()
    add_html(builder, body, base)
    text = builder.text
    if len(text) < _MAX_OFFER and (_NEEDS_SCRIPT.search(text) or (not text and "<script" in html)):
        raise RefusedError("has no text without JavaScript, which is not run; save it in a browser as HTML")
    yield ParsedArticle(file.id, fields, builder, dropped=tuple(dropped))


def _prune(body: HtmlElement) -> list[str]:
    """Prune what is not the main text of a page; return the first words of each part that was pruned."""
    dropped: list[str] = []
    length = len(body.text_content())
    _drop(body, lambda element: _is_chrome(element, length), dropped)
    length = len(body.text_content())
    main = body.xpath("(.//main | .//*[@role='main'])[1]") or body.xpath("(.//article)[last() = 1]")
    if main and len(main[0].text_content()) * 2 >= length:
        outer = set(main[0].iterancestors())
        _drop(body, lambda e: e.getparent() in outer and e not in {main[0], *outer}, dropped)
    elif dropped and length <= _MAX_CHARACTERS and sum(1 for _ in body.iter()) <= _MAX_ELEMENTS:
        _drop(body, _left_out_by_trafilatura(body).__contains__, dropped)
    _drop(body, _is_offer, dropped)
    return dropped


def _left_out_by_trafilatura(body: HtmlElement) -> set[HtmlElement]:
    """Return the parts full of links whose text trafilatura holds to be none of the main text."""
    import trafilatura

    page = body.getparent()
    with suppress(Exception):  # then nothing is left out
        main_text = trafilatura.extract(page, fast=True, favor_recall=True, include_comments=False) or ""
        main_text, texts = "".join(main_text.split()), [*body.itertext()]
        kept = {text for text in texts if len(words := "".join(text.split())) > 12 and words in main_text}
        parts = (part for part in body.iter("div", "section", "td") if kept.isdisjoint(part.itertext()))
        return {part for part in parts if _share_of_links(part) >= _LINKED}
    return set()


def _share_of_links(element: HtmlElement) -> float:
    """Return the share of links in the text of an element; 0 if it is longer than what surrounds a text."""
    text = element.text_content()
    if len(text) > _MAX_DATA:
        return 0
    links = " ".join(link.text_content() for link in itertools.islice(element.iter("a"), 2_000))
    return len("".join(links.split())) / max(len("".join(text.split())), 1)


def _drop(body: HtmlElement, is_dropped: Callable[[HtmlElement], bool], dropped: list[str]) -> None:
    """Drop the outermost elements below the body that are meant, and add the first words of each."""
    from lxml.etree import iterwalk  # type: ignore[import-untyped]

    walk, meant = iterwalk(body, events=("start",)), []
    for _, element in walk:
        if element is not body and is_dropped(element):
            walk.skip_subtree()
            meant.append(element)
    for element in meant:
        if len(dropped) < _MAX_DROPPED and (words := _line(" ".join(element.itertext()))):
            dropped.append(words[:_MAX_WORDS])
        element.clear(keep_tail=True)  # removing it would copy the text before it, each time
        element.tag = "div"


def _is_chrome(element: HtmlElement, length: int) -> bool:
    """Tell whether an element is marked or named as a part of the site, not of a text of this length."""
    tag, get = element.tag, element.get
    names = f"{get('class')} {get('id')}" if tag in BLOCKS - {"article", "main"} else ""
    if _CONTENTS.search(names) and _share_of_links(element) >= _LINKED:
        return True
    is_marked = tag in {"form", "nav"} or get("role") in _LANDMARKS or _CHROME.search(names)
    is_likely = tag in {"aside", "footer", "header"} or _LINKED_CHROME.search(names)
    if not (is_marked or is_likely) or len(element.text_content()) * 7 >= length * 6:
        return False  # what is nearly all of a page is what the page is about
    if is_marked:
        return True
    outer = ("blockquote", "figure") if tag == "footer" else ("main", "article", "blockquote", "figure")
    is_inside = next(element.iterancestors(*outer), None) is not None
    if tag in {"aside", "footer"} and not is_inside:
        return True
    return not (tag == "header" and is_inside) and _share_of_links(element) >= _LINKED


def _is_offer(element: HtmlElement) -> bool:
    """Tell whether a block is a short one that invites readers elsewhere by a link."""
    if element.tag not in BLOCKS or any(child.tag in BLOCKS for child in element):
        return False
    text = element.text_content()
    if len(text) > _MAX_OFFER:
        return False
    return bool(_BARE_OFFER.fullmatch(text) or (_OFFER.match(text) and _share_of_links(element) >= 0.5))


def _metadata(root: HtmlElement, url: str) -> dict[str, str]:
    """Return the fields that a page's head, its JSON-LD and its byline give."""
    from lxml import html as lxml_html  # type: ignore[import-untyped]
    from trafilatura.metadata import Document, extract_metadata

    # Trafilatura is shown a few elements only: it takes any date in a text, and is slow on long pages.
    page = lxml_html.document_fromstring("<html><head></head><body></body></html>")
    for element in root.xpath(_METADATA):
        if len(element.text_content()) <= (_MAX_DATA if element.tag == "script" else _MAX_OFFER):
            page.find("head" if element.tag in {"link", "meta"} else "body").append(deepcopy(element))
    for name in ("trafilatura", "htmldate"):  # they log on the terminal what they cannot make out
        logging.getLogger(name).setLevel(logging.CRITICAL)
    document, address = Document(), url
    with suppress(Exception):
        document = extract_metadata(page, extensive=False)
        own = _line(document.url)
        address = own if own and url and urlsplit(own).hostname == urlsplit(url).hostname else url or own
    site = _line(document.sitename)
    return {
        "title": _line(document.title),
        "author": _line(document.author).replace(";", ","),
        "publisher": "" if site in _line(document.url) else site,
        "published": _line(document.date),
        "url": address,
        "description": _line(document.description),
    }


def _take_title(fields: dict[str, str], root: HtmlElement, body: HtmlElement) -> None:
    """Set the title, without the site's name, and drop the heading that repeats it."""
    page_title, site = _line(root.findtext("head/title")), fields["publisher"]
    title, parts = fields["title"] or page_title, [page_title, *_SEPARATOR.split(page_title)]
    heading = next(body.iter("h1", "h2"), None)
    own = "" if heading is None else _line(heading.text_content())
    if heading is not None and own and (own in {title, *parts} or (not title and heading.tag == "h1")):
        heading.drop_tree()
        others = [part for part in parts if part not in {own, page_title}]
        title, site = own, site or "".join(others[-1:])
    elif " | " in title and not site:
        title, _, site = title.rpartition(" | ")
    fields.update(title=title, publisher=site)


def _line(text: str | None) -> str:
    """Return text as one line, without the surrogates that JSON may have escaped."""
    return " ".join((text or "")[:_MAX_FIELD].encode("utf-8", "replace").decode().split())
