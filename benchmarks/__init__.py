"""Measurements that stand outside the tests, because they take long or depend on the machine."""
