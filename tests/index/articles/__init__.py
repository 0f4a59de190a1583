"""Tests of index.articles: the contract of readers, each format, the walk over a folder, refusals."""
