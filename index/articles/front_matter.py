"""Front matter: the metadata at the start of a Markdown or text file, in YAML, TOML or JSON.

Values are read as the text that stands there, as far as the format allows: dates stay as written, and no tag
makes an object. YAML that is broken, as a template or `title: Skarholm: the ferry` is, is read line by line.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

__all__ = ["FrontMatter", "article_fields", "is_draft", "split_front_matter"]

FrontMatter = dict[str, Any]
"""Metadata by their names in lower case."""

_LONGEST = 64_000
"""Characters of front matter; a longer block is text. YAML is slow to parse."""
_LONGEST_VALUE = 10_000
"""Characters of one value, and items that are looked at for it; `assemble` refuses longer ones."""
_RULES = {
    "---": re.compile(r"^(?:---|\.\.\.)[^\S\n]*$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[^\S\n]*$", re.MULTILINE),
}
_LINE = re.compile(r"([A-Za-z][\w-]*)[^\S\n]*:(?:[^\S\n]+(.*))?$")
_NULLS = frozenset({"~", "null", "Null", "NULL", ""})
_NAMES = {
    "title": ("title",),
    "author": ("author", "authors", "by"),
    "publisher": ("publisher",),
    "published": ("published", "date", "publishdate", "pubdate", "lastmod", "updated"),
    "url": ("url", "permalink", "canonical_url", "link"),
    "slug": ("slug",),
}
_DESCRIBING = ("description", "summary", "keywords", "tags")


def split_front_matter(text: str) -> tuple[FrontMatter, str]:
    """Split a file's text into its metadata and the rest; without metadata, they are empty."""
    for mark, rule in _RULES.items():
        opening = re.match(rf"{re.escape(mark)}[^\S\n]*\n", text)
        closing = rule.search(text, opening.end()) if opening else None
        if opening and closing and closing.start() <= _LONGEST:
            block = text[opening.end() : closing.start()]
            found = _read_yaml(block) if mark == "---" else _read_toml(block)
            return (found, text[closing.end() :]) if found is not None else ({}, text)
    if text.startswith("{"):
        try:
            found, end = json.JSONDecoder().raw_decode(text[:_LONGEST])
        except (ValueError, RecursionError):
            return {}, text
        if isinstance(found, dict) and text[end : end + 1] == "\n":
            return _lower(found), text[end:]
    return {}, text


def _read_yaml(block: str) -> FrontMatter | None:
    import yaml

    try:
        found = yaml.load(block, Loader=yaml.BaseLoader)  # noqa: S506 - it makes only text, lists and dicts
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        matches = filter(None, map(_LINE.match, block.split("\n")))
        found = {match[1]: (match[2] or "").strip().strip("'\"") for match in matches}
    return _lower(found) if isinstance(found, dict) and found else None


def _read_toml(block: str) -> FrontMatter | None:
    try:
        found = tomllib.loads(block)
        str(found)  # raises ValueError for a number that is too long to be written
        return _lower(found)
    except (ValueError, RecursionError):
        return None


def _lower(found: Mapping[Any, Any]) -> FrontMatter:
    return {str(name).strip().lower(): value for name, value in found.items()}


def is_draft(metadata: FrontMatter) -> bool:
    """Tell whether an article is not meant to be read yet: `draft: true`, or `published: false`."""
    draft, published = (_as_text(metadata.get(name)).lower() for name in ("draft", "published"))
    return draft in {"true", "yes"} or published in {"false", "no"}


def article_fields(metadata: FrontMatter) -> dict[str, str]:
    """Return the fields of an article."""
    fields = {
        field: next(filter(None, (_as_text(metadata.get(name)) for name in names)), "")
        for field, names in _NAMES.items()
    }
    if fields["published"].lower() in {"true", "false", "yes", "no"}:
        rest = (_as_text(metadata.get(name)) for name in _NAMES["published"][1:])
        fields["published"] = next(filter(None, rest), "")
    fields["description"] = ". ".join(filter(None, (_as_text(metadata.get(name)) for name in _DESCRIBING)))
    return fields


def _as_text(value: object) -> str:
    """Return a value as one line: the items of a list with commas between, of a map its `name`.

    Reading ends after `_LONGEST_VALUE` characters or items: YAML aliases can stand for more than there is.
    """
    texts: list[str] = []
    length = 0
    waiting = [iter([value])]
    for _ in range(_LONGEST_VALUE):
        if not waiting or length > _LONGEST_VALUE:
            break
        item = next(waiting[-1], waiting)
        if item is waiting:
            waiting.pop()
        elif isinstance(item, list):
            waiting.append(iter(item))
        elif isinstance(item, dict):
            waiting.append(iter([item.get("name") or item.get("title")]))
        elif item is not None and str(item).strip() not in _NULLS:
            texts.append(" ".join(str(item).split()))
            length += len(texts[-1]) + 2
    return ", ".join(texts)
