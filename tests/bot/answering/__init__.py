"""Tests of `bot.answering`."""
