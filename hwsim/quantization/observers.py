"""Range observers of calibration: max, percentile and mse, in bounded memory.

What an observer keeps does not depend on the order of the images.
"""
import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

PERCENT = 99.99
STEPS = 100


class Observer(Protocol):
    """Made with `levels`, the highest code that the tensor's scale is made for.

    Values come as float arrays of any shape.
    """

    @property
    def exact(self) -> bool:
        """Whether amax() is what the rule says, not an upper bound."""

    def see(self, values: np.ndarray) -> None:
        """Takes more values of the tensor."""

    def amax(self) -> float:
        """The range -amax..amax of all values so far, 0 without any."""


class MaxObserver:
    """The largest |x|."""

    exact = True

    def __init__(self, levels: int) -> None:
        self._largest = 0.0

    def see(self, values: np.ndarray) -> None:
        """Takes more values of the tensor."""
        self._largest = max(self._largest, float(values.max(initial=0.0)), -float(values.min(initial=0.0)))

    def amax(self) -> float:
        """The range -amax..amax of all values so far, 0 without any."""
        return self._largest


class PercentileObserver:
    """The 99.99 percentile of |x| over all values, linear between neighbours, as numpy.percentile gives it.

    Only the KEPT largest values are held, which is exact up to KEPT * 10^4 values of a tensor; past that the least
    value held, which is larger, is the answer and `exact` is False.
    """

    KEPT = 1 << 18

    def __init__(self, levels: int) -> None:
        self._top = np.empty(0)
        self._count = 0

    def see(self, values: np.ndarray) -> None:
        """Takes more values of the tensor."""
        magnitudes = np.abs(values).ravel()
        self._count += magnitudes.size
        if self._top.size == self.KEPT:
            magnitudes = magnitudes[magnitudes > self._top.min()]
        top = np.concatenate([self._top, magnitudes])
        self._top = top if top.size <= self.KEPT else np.partition(top, top.size - self.KEPT)[-self.KEPT:]

    @property
    def exact(self) -> bool:
        """Whether no value that decides the percentile was dropped."""
        return self._count - math.floor(self._position()) <= self._top.size

    def _position(self) -> float:
        return (self._count - 1) * (PERCENT / 100)

    def amax(self) -> float:
        """The range -amax..amax of all values so far, 0 without any."""
        if not self._count:
            return 0.0
        ordered = np.sort(self._top)
        position = self._position() - (self._count - ordered.size)
        if position < 0:
            return float(ordered[0])
        return float(np.interp(position, np.arange(ordered.size), ordered))


class MseObserver:
    """The clipping point of least squared error among STEPS equal steps up to the maximum; the widest of equals.

    The error is that of the codes -levels..levels on a histogram of |x| with BINS equal bins up to a power of two
    above the maximum; a value stands at the middle of its bin.
    """

    BITS = 16
    BINS = 1 << BITS
    exact = True

    def __init__(self, levels: int) -> None:
        self._levels = levels
        self._largest = 0.0
        self._exponent = 0      # the bins end at 2^exponent; the first value decides
        self._counts = np.zeros(self.BINS, np.int64)

    def see(self, values: np.ndarray) -> None:
        """Takes more values of the tensor."""
        magnitudes = np.abs(values).ravel()
        largest = float(magnitudes.max(initial=0.0))
        if largest > 0 and math.isfinite(largest):
            self._widen(math.frexp(largest)[1])
            bins = np.ldexp(magnitudes, self.BITS - self._exponent).astype(np.int64)
            self._counts += np.bincount(bins, minlength=self.BINS)
        self._largest = max(self._largest, largest)

    def _widen(self, exponent: int) -> None:
        """Bins up to 2^exponent at least; merging pairs of bins is exact, so the order of images is free."""
        if self._largest == 0:
            self._exponent = exponent
        for _ in range(min(exponent - self._exponent, self.BITS + 1)):
            pairs = self._counts.reshape(-1, 2).sum(axis=1)
            self._counts = np.concatenate([pairs, np.zeros_like(pairs)])
        self._exponent = max(exponent, self._exponent)

    def amax(self) -> float:
        """The range -amax..amax of all values so far, 0 without any."""
        if self._largest == 0 or not math.isfinite(self._largest):
            return self._largest
        used = np.flatnonzero(self._counts)
        values = np.ldexp(used + 0.5, self._exponent - self.BITS)
        weights = self._counts[used]
        errors = [self._error(values, weights, step) for step in range(STEPS, 0, -1)]
        return self._largest * (STEPS - int(np.argmin(errors))) / STEPS

    def _error(self, values: np.ndarray, weights: np.ndarray, step: int) -> float:
        scale = self._largest * step / STEPS / self._levels
        codes = np.minimum(np.rint(values / scale), self._levels)
        return math.fsum(weights * np.square(values - codes * scale))


OBSERVERS: dict[str, Callable[[int], Observer]] = {"max": MaxObserver, "percentile": PercentileObserver, "mse": MseObserver}
