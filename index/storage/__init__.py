"""The store: one collection on disk, searchable, in generations.

`store` is the protocol that everything else uses; `local` implements it on one machine,
`milvus` on a server that bots share, and `engine` chooses between them. `writer` writes the
next generation aside, `generations` publishes, rolls back and prunes, `inspection` lists and verifies, and
`vector_cache` lets an interrupted build resume.
"""

__all__ = [
    "engine",
    "generations",
    "inspection",
    "local",
    "local_engine",
    "manifest",
    "milvus",
    "store",
    "vector_cache",
    "writer",
]
