"""Tests of `bot.chat`."""
