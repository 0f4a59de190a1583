"""Tests of index.sources; `web` is the server that they fetch from."""
