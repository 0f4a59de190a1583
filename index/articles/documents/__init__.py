"""The readers of files that are not text: PDF, Word and EPUB.

`pdf` has the lines of a page, which `pdf_layout` parses in a process of its own, put together to blocks by
`pdf_blocks`. `docx` and `epub` are archives, opened within `zip_limits`, whose HTML becomes blocks.
"""

__all__ = ["docx", "epub", "pdf"]
