"""Per-thread work arrays that are kept from block to block: fresh pages would cost more than the work that is done on them."""
from __future__ import annotations

import threading
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike


class Scratch:
    """scratch(name, shape, dtype) -> an array that its thread keeps under `name` until it asks for it again; any values."""

    def __init__(self) -> None:
        # threads of one layer run the same passes at the same time: each must have its own array under a name
        self._own = threading.local()

    def __call__(self, name: str, shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
        size, key = prod(shape), (name, dtype)
        kept: dict[Any, np.ndarray] = self._own.__dict__
        array = kept.get(key)
        if array is None or array.size < size:  # it only grows: the blocks of a layer have nearly the same size
            array = kept[key] = np.empty(size, dtype)
        return array[:size].reshape(shape)


SCRATCH = Scratch()
