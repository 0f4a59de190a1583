"""The store: one collection on disk, searchable, in generations.

`store` is the protocol that everything else uses; `local` implements it on one machine. `writer` writes the
next generation aside, `generations` publishes, rolls back and prunes, `inspection` lists and verifies, and
`vector_cache` lets an interrupted build resume.
"""

__all__ = ["generations", "inspection", "local", "manifest", "store", "vector_cache", "writer"]
