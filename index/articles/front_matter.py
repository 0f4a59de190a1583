"""Front matter: the YAML block at the start of an article's file. Imported only where a file has one."""

from __future__ import annotations

from typing import Any

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler

__all__ = ["FrontMatterError", "split_front_matter"]

_LONGEST = 64_000
"""Characters of a block that is read: some lines on an article. YAML takes long to read more."""

_YAML_NULLS = ("~", "null", "Null", "NULL")


class FrontMatterError(ValueError):
    """The block cannot be read; `line` is that of the fault where it is known, counted from 1, else 0."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


class _TextHandler(YAMLHandler):
    """Reads every value as the text that stands there: dates stay as written, and no tag makes an object."""

    def load(self, fm: str, **options: object) -> Any:
        """Parse the block between the `---` lines; YAML's ways to write nothing are nothing."""
        if len(fm) > _LONGEST:
            raise FrontMatterError(f"it has more than {_LONGEST:,} characters; shorten it")
        found = super().load(fm, Loader=yaml.BaseLoader)
        if not isinstance(found, dict):
            return found
        named = {str(name).strip().lower(): value for name, value in found.items()}
        return {name: None if value in _YAML_NULLS else value for name, value in named.items()}


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Split off a YAML block between two `---` lines at the start; without one, the mapping is empty.

    Raises:
        FrontMatterError: there is one, and it cannot be read.
    """
    handler = _TextHandler()
    if not handler.detect(text):
        return {}, text
    try:
        metadata, body = frontmatter.parse(text, handler=handler)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "not valid YAML"
        raise FrontMatterError(reason, mark.line + 1 if mark else 0) from error
    except FrontMatterError:
        raise
    except (ValueError, OverflowError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        raise FrontMatterError("nested too deep" if deep else str(error)) from error
    return metadata, body
