"""Structural similarity (Wang et al. 2004) as scikit-image defines it; importing that would take longer than a run."""
import numpy as np

WINDOW = 7
SAMPLES = WINDOW * WINDOW
K1, K2 = 0.01, 0.03
BAND_VALUES = 1 << 15  # of the windows of one band: a dozen arrays of it stay in cache


def mean_ssim(a: np.ndarray, b: np.ndarray, peak: float) -> float:
    """The mean over all windows of 7x7 inside a and b, float (H,W,C) of at least 7x7 pixels whose values span `peak`.

    Computed in bands of rows that share their border: the same windows, in bounded memory.
    """
    border = WINDOW - 1
    height, step = a.shape[0] - border, max(1, BAND_VALUES // a[0].size)
    total = 0.0
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height) + border)
        first, second = (np.asarray(x[rows], np.float64) for x in (a, b))
        total += float(_similarities(first, second, peak).sum())
    return total / (height * (a.shape[1] - border) * a.shape[2])


def _similarities(a: np.ndarray, b: np.ndarray, peak: float) -> np.ndarray:
    """(2*ma*mb + c1)(2*cov + c2) / ((ma^2 + mb^2 + c1)(va + vb + c2)) of every window, with sample (co)variances."""
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    ma, mb, squares, products = map(_means, (a, b, a * a + b * b, a * b))
    both, level = ma * mb, ma * ma + mb * mb
    unbiased = SAMPLES / (SAMPLES - 1)
    return (2 * both + c1) * (2 * unbiased * (products - both) + c2) / ((level + c1) * (unbiased * (squares - level) + c2))


def _means(x: np.ndarray) -> np.ndarray:
    """The mean of every window of 7x7: (H,W,C) -> (H-6,W-6,C)."""
    return _sevens(_sevens(x).swapaxes(0, 1)).swapaxes(0, 1) / SAMPLES


def _sevens(x: np.ndarray) -> np.ndarray:
    """x[i] + ... + x[i+6] along the first axis."""
    two = x[:-1] + x[1:]
    four = two[:-2] + two[2:]
    return four[:-3] + two[4:-1] + x[6:]
