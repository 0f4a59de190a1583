"""Tests of index.encoding."""
