"""64-bit accumulators of a few rows, put together from the 32-bit results of several passes; plain compiled loops."""
from hwsim.engine.kernels.compiling import compiled


def _started(acc, bias):
    """acc[row, pixel, oc] = bias[oc]."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] = bias[oc]


def _added(acc, part, shift):
    """acc += part * 2^shift, channel by channel; part may have more channels."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] += part[row, pixel, oc] << shift


def _wrapped(acc, spare):
    """acc modulo 2^(64 - spare)."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] = (acc[row, pixel, oc] << spare) >> spare


start, add, wrap = compiled(_started), compiled(_added), compiled(_wrapped)
