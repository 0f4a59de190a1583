"""Questions in chat to answers. Imports `index`; the index never imports `bot`."""

import os

# NumPy reads this when it is imported. A question's matrices are small: handing them to a second thread takes
# longer than the product, a seventh of the time of a question.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__all__: list[str] = []
