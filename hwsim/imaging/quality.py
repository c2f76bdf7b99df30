"""How far two pictures are apart: PSNR in dB, SSIM, and the largest absolute error."""

import importlib

import numpy as np

from hwsim.errors import UsageError

SSIM_WINDOW = 7


def psnr(a, b, peak):
    """10*log10(peak^2 / mse) in dB over all values of two equal shapes; inf when they are equal."""
    a, b = _pair(a, b)
    mse = float(np.mean(np.square(a - b)))
    return float("inf") if mse == 0 else float(10 * np.log10(peak * peak / mse))


def max_abs_error(a, b):
    """max|a - b|, in the unit of a and b."""
    a, b = _pair(a, b)
    return float(np.max(np.abs(a - b)))


def ssim(a, b, peak):
    """Mean structural similarity of two (H,W,C); None without scikit-image or below 7x7 pixels."""
    a, b = _pair(a, b)
    metrics = _metrics()
    if metrics is None or a.ndim != 3 or min(a.shape[:2]) < SSIM_WINDOW:
        return None
    return float(metrics.structural_similarity(a, b, data_range=peak, channel_axis=-1, win_size=SSIM_WINDOW))


def _metrics():
    try:
        return importlib.import_module("skimage.metrics")
    except ImportError:
        return None


def _pair(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.size == 0:
        raise UsageError(f"pictures to compare must have one shape and at least one value, not {a.shape} and {b.shape}")
    return a, b
