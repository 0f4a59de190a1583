"""The bot on Discord, tested over the wire: the real client on the loopback Discord of `tests.wire`."""
