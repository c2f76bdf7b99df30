"""Small memory that a thread uses again, block after block: fresh pages cost more than the work that is done on them."""
import threading
from math import prod

import numpy as np


class Scratch:
    """scratch(name, shape, dtype) -> an array that its thread keeps under `name` until it asks for it again; any values."""

    def __init__(self):
        self._own = threading.local()

    def __call__(self, name, shape, dtype):
        size, key = prod(shape), (name, dtype)
        held = self._own.__dict__.get(key)
        if held is None or held.size < size:
            held = self._own.__dict__[key] = np.empty(size, dtype)
        return held[:size].reshape(shape)


SCRATCH = Scratch()
