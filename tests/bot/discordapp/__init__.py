"""Tests of the Discord surface, over the wire against the loopback Discord."""
