"""The media type of what a server sent, by its header, its first bytes and its address."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

__all__ = ["DOCX", "judge_media_type"]

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_UNKNOWN = "application/octet-stream"
_SAME = {
    **dict.fromkeys(["text/xml", "application/rss+xml", "application/atom+xml"], "application/xml"),
    **dict.fromkeys(["text/json", "application/feed+json"], "application/json"),
    "application/x-gzip": "application/gzip",
    "application/x-pdf": "application/pdf",
    "application/xhtml+xml": "text/html",
    "text/x-markdown": "text/markdown",
}
_FIRST_BYTES = 1_024
_SIGNATURES = {
    rb"%PDF-": "application/pdf",
    rb"\x1f\x8b": "application/gzip",
    rb"<\?xml[^>]*>\s*<(!doctype )?html[\s>]": "text/html",
    rb"<(\?xml|rss|feed|urlset|sitemapindex)[\s>]": "application/xml",
    # After comments, each of which can be matched in one way only.
    rb"(?:<!--(?:(?!-->).)*-->\s*)*<(!doctype html|html|head|body)[\s>]": "text/html",
    rb'\{\s*"|\[\s*\{\s*"': "application/json",
}
_SUFFIXES = {".md": "text/markdown", ".markdown": "text/markdown", ".html": "text/html", ".htm": "text/html"}
_TRUSTED = {"text/markdown", "text/csv", "text/css", "text/javascript", "image/svg+xml"}


def judge_media_type(header: str, content: bytes, path: str) -> str:
    """Return the media type of what was fetched, one name for formats that have several.

    `header` is the Content-Type, or "". First bytes that are the signature of a format decide; the suffix of
    `path` is asked where the header says nothing.
    """
    named = header.partition(";")[0].strip().lower()
    named = _SAME.get(named, named) or _UNKNOWN
    start = content[:_FIRST_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PK\x03\x04"):
        return _in_zip(content, named)
    if named not in _TRUSTED:
        for signature, media_type in _SIGNATURES.items():
            if re.match(signature, start, re.IGNORECASE | re.DOTALL):
                return media_type
    is_text = b"\0" not in start or start.startswith((b"\xff\xfe", b"\xfe\xff"))
    if is_text and named in {_UNKNOWN, "text/plain"}:
        return _SUFFIXES.get(PurePosixPath(path).suffix.lower(), "text/plain")
    return _UNKNOWN if named.startswith("text/") and not is_text else named


def _in_zip(content: bytes, named: str) -> str:
    """Tell formats in a zip apart by what is not compressed: the first entry, and the names of all."""
    if content[30:38] == b"mimetype" and (match := re.match(rb"application/[a-z0-9.+-]+", content[38:138])):
        return match[0].decode()
    if b"word/document.xml" in content:
        return DOCX
    if b"META-INF/container.xml" in content:
        return "application/epub+zip"
    return "application/zip" if named.startswith("text/") else named
