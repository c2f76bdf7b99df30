"""How far two pictures are apart: PSNR in dB, SSIM, and the largest absolute error; in pieces, whatever their size."""
import math
from collections.abc import Iterator

import numpy as np

from hwsim.errors import UsageError
from hwsim.imaging.ssim import WINDOW, mean_ssim

CHUNK = 1 << 18


def psnr(a: np.ndarray, b: np.ndarray, peak: float) -> float:
    """10*log10(peak^2 / mse) in dB over all values of two equal shapes; inf when they are equal."""
    a, b = _pair(a, b)
    mse = math.fsum(float(d @ d) for d in _differences(a, b)) / a.size
    return float("inf") if mse == 0 else float(10 * np.log10(peak * peak / mse))


def max_abs_error(a: np.ndarray, b: np.ndarray) -> float:
    """max|a - b|, in the unit of a and b."""
    a, b = _pair(a, b)
    return max(float(np.abs(d).max()) for d in _differences(a, b))


def ssim(a: np.ndarray, b: np.ndarray, peak: float) -> float | None:
    """Mean structural similarity of two (H,W,C) over all windows of 7x7 inside them; None below 7x7 pixels."""
    a, b = _pair(a, b)
    if a.ndim != 3 or min(a.shape[:2]) < WINDOW:
        return None
    return mean_ssim(a, b, peak)


def _differences(a: np.ndarray, b: np.ndarray) -> Iterator[np.ndarray]:
    """a - b in flat float64 chunks."""
    a, b = a.ravel(), b.ravel()
    for start in range(0, a.size, CHUNK):
        part = slice(start, start + CHUNK)
        yield a[part].astype(np.float64) - b[part]


def _pair(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays; raises UsageError unless they have one shape and a value."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.size == 0:
        raise UsageError(f"pictures to compare must have one shape and at least one value, not {a.shape} and {b.shape}")
    return a, b
