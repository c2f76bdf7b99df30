"""A cache of large memory blocks for output tensors: fresh pages from the system cost up to a third of a run.

ARENA is state of the process: blocks of finished arrays that wait for the next layer, at most KEPT bytes of them. A block is
returned when the last array that views it is freed.
"""
from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

LARGE = 1 << 20  # bytes from which on an array takes a block
KEPT = 1 << 26   # bytes of free blocks


class _Owner:
    """The base of an array in a block: it lives as long as any view of that array, and its finalizer returns the block."""

    __slots__ = ("__array_interface__", "__weakref__")
    __array_interface__: dict[str, Any]


class Arena:
    """Blocks of memory that arrays take and give back; safe for threads and for finalizers that run during an allocation."""

    def __init__(self) -> None:
        self._free, self._lock = list[np.ndarray](), threading.RLock()  # a finalizer may run inside any allocation, also in here

    def empty(self, shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
        """An uninitialized array, C-contiguous, as numpy.empty gives it; below LARGE bytes it is one of numpy.empty."""
        size = prod(shape) * np.dtype(dtype).itemsize
        if size < LARGE:
            return np.empty(shape, dtype)
        block, owner = self._take(size), _Owner()
        owner.__array_interface__ = {"data": (block.ctypes.data, False), "shape": tuple(shape), "version": 3,
                                     "typestr": np.dtype(dtype).str}
        weakref.finalize(owner, self._give, block).atexit = False
        return np.asarray(owner)

    def _take(self, size: int) -> np.ndarray:
        """The smallest free block of at least `size` bytes and at most twice that, or a new one."""
        with self._lock:
            fitting = [block for block in self._free if size <= block.size <= 2 * size]
            if not fitting:
                return np.empty(size, np.uint8)
            smallest = min(fitting, key=lambda block: block.size)
            self._free = [block for block in self._free if block is not smallest]
            return smallest

    def _give(self, block: np.ndarray) -> None:
        """Puts `block` into the cache; beyond KEPT bytes the oldest blocks are dropped."""
        with self._lock:
            self._free.append(block)
            while sum(free.size for free in self._free) > KEPT:
                self._free.pop(0)


ARENA = Arena()
