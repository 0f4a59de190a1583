"""Answering as a service: the async face that every surface uses, and the process that rebuilds.

`service` is the face: a bounded queue, one thread that answers and one that looks things up, hot swap to a
new generation, rebuilds. `schedule` refreshes sources when they are due. `answerer` answers from one open
generation without any of that, for one-shot commands and evaluation. `catalogue` lists and finds articles by
title.
"""

__all__ = ["answerer", "catalogue", "job_queue", "live_index", "rebuild", "schedule", "service", "services"]
