"""How far two pictures are apart: PSNR in dB, SSIM, and the largest absolute error; in pieces, whatever their size."""
import math

import numpy as np

from hwsim.errors import UsageError

SSIM_WINDOW = 7
C1, C2 = 0.01 ** 2, 0.03 ** 2  # of the peak squared
CHUNK = 1 << 18


def psnr(a, b, peak):
    """10*log10(peak^2 / mse) in dB over all values of two equal shapes; inf when they are equal."""
    a, b = _pair(a, b)
    mse = math.fsum(float(d @ d) for d in _differences(a, b)) / a.size
    return float("inf") if mse == 0 else float(10 * np.log10(peak * peak / mse))


def max_abs_error(a, b):
    """max|a - b|, in the unit of a and b."""
    a, b = _pair(a, b)
    return max(float(np.abs(d).max()) for d in _differences(a, b))


def ssim(a, b, peak):
    """Mean structural similarity of two (H,W,C) over all windows of 7x7 inside them; None below 7x7 pixels.

    Uniform windows, sample covariance, K1 = 0.01, K2 = 0.03 (Wang et al. 2004); the mean over channels.
    """
    a, b = _pair(a, b)
    if a.ndim != 3 or min(a.shape[:2]) < SSIM_WINDOW:
        return None
    border = SSIM_WINDOW - 1
    height, step = a.shape[0] - border, max(1, CHUNK // a[0].size)
    parts = [_similarity(*(np.asarray(x[top:top + step + border], np.float64) for x in (a, b)), peak)
             for top in range(0, height, step)]
    return math.fsum(parts) / (height * (a.shape[1] - border) * a.shape[2])


def _similarity(a, b, peak):
    """The sum of the similarities of all windows inside two bands (n,W,C)."""
    count = SSIM_WINDOW ** 2
    mean_a, mean_b = _sums(a) / count, _sums(b) / count
    energy = (_sums(a * a + b * b) - count * (mean_a * mean_a + mean_b * mean_b)) / (count - 1)
    shared = (_sums(a * b) - count * mean_a * mean_b) / (count - 1)
    c1, c2 = C1 * peak * peak, C2 * peak * peak
    found = (2 * mean_a * mean_b + c1) * (2 * shared + c2) / ((mean_a * mean_a + mean_b * mean_b + c1) * (energy + c2))
    return float(found.sum())


def _sums(x):
    """The sums over the windows of 7x7 inside (n,W,C)."""
    return _seven(_seven(x).swapaxes(0, 1)).swapaxes(0, 1)


def _seven(x):
    """x[i] + ... + x[i+6] on the first axis."""
    two = x[:-1] + x[1:]
    return two[:-5] + two[2:-3] + two[4:-1] + x[6:]


def _differences(a, b):
    """a - b in flat float64 chunks."""
    a, b = a.ravel(), b.ravel()
    for start in range(0, a.size, CHUNK):
        part = slice(start, start + CHUNK)
        yield a[part].astype(np.float64) - b[part]


def _pair(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.size == 0:
        raise UsageError(f"pictures to compare must have one shape and at least one value, not {a.shape} and {b.shape}")
    return a, b
