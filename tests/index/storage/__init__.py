"""The local store: what a crash may not harm, and what a damaged index is refused for."""
