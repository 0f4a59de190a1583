"""Tests of the readers of files that are not text."""
