"""Memory for large outputs that is kept for the next layer: fresh pages from the system cost as much as a third of the run.

A block comes back when the last array that shows any of it is gone; at most KEPT bytes wait here.
"""
import threading
import weakref
from math import prod

import numpy as np

LARGE = 1 << 20
KEPT = 1 << 26


class _Owner:
    """What an array of a block has as its base: it lives as long as any view of the array."""

    __slots__ = ("__array_interface__", "__weakref__")


class Arena:
    def __init__(self):
        self._free, self._lock = [], threading.RLock()  # a finalizer may run inside any allocation, also in here

    def empty(self, shape, dtype):
        """An array like numpy.empty: its values are whatever the memory held."""
        size = prod(shape) * np.dtype(dtype).itemsize
        if size < LARGE:
            return np.empty(shape, dtype)
        block, owner = self._take(size), _Owner()
        owner.__array_interface__ = {"data": (block.ctypes.data, False), "shape": tuple(shape), "version": 3,
                                     "typestr": np.dtype(dtype).str}
        weakref.finalize(owner, self._give, block).atexit = False
        return np.asarray(owner)

    def _take(self, size):
        """The smallest free block of at least `size` bytes and at most twice that, or a new one."""
        with self._lock:
            fitting = [block for block in self._free if size <= block.size <= 2 * size]
            if not fitting:
                return np.empty(size, np.uint8)
            chosen = min(fitting, key=lambda block: block.size)
            self._free = [block for block in self._free if block is not chosen]
            return chosen

    def _give(self, block):
        """Keeps `block`; the oldest ones leave when there are too many bytes."""
        with self._lock:
            self._free.append(block)
            while sum(kept.size for kept in self._free) > KEPT:
                self._free.pop(0)


ARENA = Arena()
