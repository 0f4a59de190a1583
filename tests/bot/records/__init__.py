"""Tests of what Footnote keeps on disk."""
