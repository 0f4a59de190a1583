"""Tests of index.storage: the store's contract, damage, generations, the lock and files."""
