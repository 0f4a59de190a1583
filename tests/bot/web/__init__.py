"""Tests of `bot.web`, over HTTP on loopback."""
