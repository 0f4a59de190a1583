"""Tests of `bot.service`."""
