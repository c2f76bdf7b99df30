"""Per-thread work arrays that are kept from block to block: fresh pages would cost more than the work that is done on them."""
import threading
from math import prod

import numpy as np


class Scratch:
    """scratch(name, shape, dtype) -> an array that its thread keeps under `name` until it asks for it again; any values."""

    def __init__(self):
        self._own = threading.local()

    def __call__(self, name, shape, dtype):
        size, key = prod(shape), (name, dtype)
        array = self._own.__dict__.get(key)
        if array is None or array.size < size:  # it only grows: the blocks of a layer have nearly the same size
            array = self._own.__dict__[key] = np.empty(size, dtype)
        return array[:size].reshape(shape)


SCRATCH = Scratch()
