"""Tests of index.passages: exact spans, whole sentences, the encoder's input and its key."""
