"""Articles, and the readers that read them from files.

`article`, `blocks` and `marks` say what an article is. `formats` has the registry of readers, and
`read_articles`, which reads a file or a folder. The readers are `prose` (plain text and Markdown, by
`plain_text`, `markdown` and `front_matter`), `jsonl` (JSON Lines), `html` (by `html_tree` and
`html_blocks`), and those of `documents`. `folder` finds and opens the files.
"""

__all__ = ["article", "blocks", "documents", "folder", "formats", "html", "html_tree", "marks"]
