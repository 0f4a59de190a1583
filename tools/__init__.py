"""Programs for maintainers; a running Footnote needs none of them."""
