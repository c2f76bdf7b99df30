"""64-bit accumulators of a few rows, put together from the 32-bit results of several passes; plain compiled loops.

Three loops over (rows, pixels, channels) each: the inner one runs over channels, which lie side by side, so that LLVM vectorises
it. `acc` is not flattened, because `part` may have more channels than `acc`.
"""
from __future__ import annotations

import numpy as np

from hwsim.engine.host.jit import compiled


def _started(acc: np.ndarray, bias: np.ndarray) -> None:
    """acc[row, pixel, oc] = bias[oc]."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] = bias[oc]


def _added(acc: np.ndarray, part: np.ndarray, shift: int) -> None:
    """acc += part * 2^shift, channel by channel; part may have more channels."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] += part[row, pixel, oc] << shift


def _wrapped(acc: np.ndarray, spare: int) -> None:
    """acc modulo 2^(64 - spare)."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] = (acc[row, pixel, oc] << spare) >> spare


def _observed(acc: np.ndarray, least: np.ndarray, most: np.ndarray) -> None:
    """least, most (OC) with every acc[row, pixel, oc]: vectors only look whether there is a new one, which is rare."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            # without a branch inside, this loop is vectorised; the second one, with its stores, seldom runs
            new = 0
            for oc in range(acc.shape[2]):
                new |= (acc[row, pixel, oc] < least[oc]) | (acc[row, pixel, oc] > most[oc])
            if new:
                for oc in range(acc.shape[2]):
                    least[oc] = min(least[oc], acc[row, pixel, oc])
                    most[oc] = max(most[oc], acc[row, pixel, oc])


def _limited(acc: np.ndarray, low: int, high: int, wraps: bool, events: np.ndarray) -> None:
    """acc outside low..high (powers of two) counted in events (ROWS,OC), then wrapped or saturated."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                value = acc[row, pixel, oc]
                inside = min(max(value, low), high)
                events[row, oc] += inside != value
                acc[row, pixel, oc] = ((value - low) & (high - low)) + low if wraps else inside


start, add, wrap = compiled(_started), compiled(_added), compiled(_wrapped)
observe, limit = compiled(_observed), compiled(_limited)
