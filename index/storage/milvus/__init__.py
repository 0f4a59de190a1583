"""The store on Milvus: published generations, copied there for any number of bots.

`client` connects and holds the lease, `weights` is our BM25 as sparse vectors, `store` reads a generation,
and `copying` copies, publishes, lists, rolls back and drops generations. `shards` has what
several machines encode for one build. `pymilvus` is imported only here.
"""

__all__ = ["copying", "shards"]
