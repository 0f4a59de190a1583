"""The crash harness: runs `footnote` in child processes and kills them, cuts power, or fails the disk.

Everything goes through the command line, so the harness knows nothing of how an index is stored. Faults
fall before any file operation that Python makes, or at a random time. Writes inside SQLite, FAISS and tantivy
are not told apart: a full disk and random-time kills are what reaches them.
"""
