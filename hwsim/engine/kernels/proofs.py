"""What is proven about a layer before its first pixel: where 32 bits, 16-bit pairs and a word of the datapath are enough.

All bounds hold for every code of the input's format, per output channel. int64 is enough for them: a layer has fewer than
2^31 inputs, weights have at most 18 bits and codes 16.
"""
import numpy as np

from hwsim.engine.kernels.geometry import Reduction
from hwsim.fixed.formats import INT16, INT32, IntFormat


def magnitudes(weights: np.ndarray, bias: np.ndarray, fmt: IntFormat) -> np.ndarray:
    """Per channel: the largest magnitude that any partial sum can reach in any order. weights (OC, ...), both words of a log
    weight apart.
    """
    return _magnitude(weights) * fmt.largest + np.abs(bias)


def _magnitude(weights: np.ndarray) -> np.ndarray:
    return np.abs(weights).reshape(len(weights), -1).sum(1)


def stays_inside(weights: np.ndarray, bias: np.ndarray, fmt: IntFormat, acc_format: IntFormat) -> np.ndarray:
    """Per channel: no partial sum in any order leaves the accumulator. Zero is a code, so each term may be left out."""
    # the highest sum takes the highest code wherever the weight is positive and the lowest one where it is negative
    positive = np.maximum(weights, 0).reshape(len(weights), -1).sum(1)
    negative = positive - weights.reshape(len(weights), -1).sum(1)
    highest = positive * fmt.max - negative * fmt.min + np.maximum(bias, 0)
    lowest = positive * fmt.min - negative * fmt.max + np.minimum(bias, 0)
    return (lowest >= acc_format.min) & (highest <= acc_format.max)


def pairs_exact(weights: np.ndarray, fmt: IntFormat) -> bool:
    """Whether weights fit 16 bits and no pair of products reaches 2^31, which only two (-2^15)^2 do."""
    # pmaddwd adds two products in 32 bits: 2 * 2^15 * (2^15 - 1) still fits, 2 * (2^15)^2 = 2^31 is one too many
    fits = weights.size == 0 or (weights.min() in INT16 and weights.max() in INT16)
    return fits and fmt.min in INT16 and fmt.max in INT16 and (
        fmt.min > INT16.min or weights.size == 0 or weights.min() > INT16.min)


def beats_exact(reduction: Reduction, fmt: IntFormat, acc_format: IntFormat) -> bool:
    """Whether a stored accumulator plus one beat always fits 32 bits, in every order of the beat's products."""
    w = np.abs(reduction.weights)
    beats = w.reshape(*w.shape[:2], -1, max(reduction.beat, 1)).sum(3)
    tree = int(beats.max(initial=0)) * fmt.largest
    return tree - acc_format.min in INT32


def bytes_exact(weights: np.ndarray, bias: np.ndarray, fmt: IntFormat) -> bool:
    """Whether codes and weights fit 8 bits and the sums, of codes + 128 where they are signed, fit 32 bits."""
    fits = weights.size == 0 or (weights.min() >= -128 and weights.max() <= 127)
    if not fits or not (-128 <= fmt.min and fmt.max <= (127 if fmt.signed else 255)):
        return False
    # 383 = 255 + 128: a stored code is up to 255, and the bias has taken back up to 128 * sum |w|
    return bool((_magnitude(weights) * 383 + np.abs(bias) <= INT32.max).all())
