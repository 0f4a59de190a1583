"""Tests of index.search: questions read, passages found, scores explained."""
