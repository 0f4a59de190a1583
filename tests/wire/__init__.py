"""A loopback Discord."""
