"""HTML to a tree of elements, within limits, and what of the tree a browser shows."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from index.articles.article import RefusedError

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]

__all__ = ["BLOCKS", "HEADINGS", "WHOLE", "decode_html", "empty_hidden", "parse_html"]

_MAX_CHARACTERS, _MAX_TAGS = 10_000_000, 300_000  # some 300 MB of memory

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
"""The tags of headings, by level."""
BLOCKS = frozenset(
    "address article aside blockquote body caption dd details dialog div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hr li main menu nav ol p pre section summary table tbody td tfoot"
    " th thead tr ul".split()
)
"""The tags of elements that stand apart from the text around them."""
WHOLE = frozenset([*HEADINGS, "summary", "dt", "tr"])
"""The tags of elements whose content is one block, whatever is in them."""
_UNSEEN_TAGS = frozenset(
    "audio head iframe noscript object rp rt script select style svg template textarea title video".split()
)
_UNSEEN_CLASSES = frozenset("lineno linenos mw-editsection sr-only visually-hidden".split())
_ANCHOR = re.compile(r"[\s¶#§🔗↑^]+|\s*↩[\s\d\ufe0e]*")
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_CODEC = re.compile(r"(?:ascii|big5|cp\d|euc_|gb|hz|iso\d|koi8|mac|shift_jis|tis|utf-8).*")
_LARGER = {"iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
"""The encodings that browsers, and so people, mean by the names of smaller ones."""
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_DATA = re.compile(r"\bdata:[\w/+.;=-]*;base64,[A-Za-z0-9+/=\s]+")
_SELF_CLOSED = re.compile(r"<(?!(?:br|col|hr|img|input|link|meta|wbr)\b)([a-z]\w*)([^<>]*)/>", re.IGNORECASE)


def decode_html(data: bytes, charset: str = "") -> str:
    """Return the text of HTML: by its mark of byte order, by `charset`, by what it names, or by a guess."""
    for bom, encoding in _BOMS.items():
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, "replace")
    named = _CHARSET.search(data[:4096])
    for name in (charset, named[1].decode("ascii", "replace") if named else "", "utf-8"):
        with suppress(LookupError, ValueError):
            codec = codecs.lookup(name).name
            if _CODEC.fullmatch(codec):
                text = data.decode(_LARGER.get(codec, codec), "replace")
                if text.count("\ufffd") * 200 <= len(text):
                    return text
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:200_000]).best()
    is_likely = guess is not None and _CODEC.fullmatch(guess.encoding)
    return data.decode(guess.encoding if guess and is_likely else "cp1252", "replace")


def parse_html(html: str) -> HtmlElement:
    """Return the root element of a page or a fragment.

    Raises:
        RefusedError: it is empty, too large, or nested too deeply.
    """
    from lxml import html as lxml_html  # type: ignore[import-untyped]
    from lxml.etree import ParserError  # type: ignore[import-untyped]

    html = _DATA.sub("", html.replace("\x00", ""))
    if len(html) > _MAX_CHARACTERS or html.count("<") > _MAX_TAGS:
        raise RefusedError(
            f"more than {_MAX_CHARACTERS:,} characters of HTML or {_MAX_TAGS:,} tags; split it"
        )
    if html.lstrip().startswith("<?xml"):
        html = _SELF_CLOSED.sub(r"<\1\2></\1>", html)
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        data = html.encode("utf-8", "replace")
        root = lxml_html.document_fromstring(data, parser=parser, ensure_head_body=True)
    except ParserError as error:
        raise RefusedError("empty") from error
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise RefusedError("the elements are nested more than 256 deep; simplify the HTML")
    return root


def empty_hidden(root: HtmlElement) -> None:
    """Empty the elements of a tree of which a browser shows nothing, or nothing that belongs to the text."""
    for element in [element for element in root.iter() if element is not root and _is_hidden(element)]:
        element.clear(keep_tail=True)
        element.tag = "span"


def _is_hidden(element: HtmlElement) -> bool:
    tag, get, parent = element.tag, element.get, element.getparent()
    style = (get("style") or "").replace(" ", "").lower()
    folds = get("role") in {"region", "tabpanel"}  # and a click shows it
    if tag in _UNSEEN_TAGS or "display:none" in style or (get("hidden") is not None and not folds):
        return True
    if tag == "button":  # one that is a whole heading folds what is below
        return parent.tag not in WHOLE or len(parent) > 1 or bool((parent.text or "").strip())
    if tag == "sup":  # the number of a footnote
        links = (each for each in (parent, *element[:1]) if each.tag == "a")
        return any((link.get("href") or "").startswith("#") for link in links)
    if tag == "a":  # the anchor of a heading; only so deep, since links may be nested
        near = [element.text, *(text for child in element[:3] for text in (child.text, child.tail))]
        return bool(_ANCHOR.fullmatch("".join(filter(None, near))))
    is_unseen = not _UNSEEN_CLASSES.isdisjoint((get("class") or "").split())
    return is_unseen or (get("aria-hidden") == "true" and tag not in BLOCKS)
