"""Faults on purpose: builds that are killed, starved or refused by the disk at every file operation."""
