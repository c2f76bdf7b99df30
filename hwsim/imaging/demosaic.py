"""Bilinear demosaicing: the baseline that a network has to beat.

Each colour plane is filled by a normalised convolution: a triangular kernel, as wide as the pattern's
period reaches, over the pixels that measured this colour, divided by the same kernel over their mask.
Measured values stay as they are. White pixels do not contribute.
"""

import numpy as np

from hwsim.errors import UsageError
from hwsim.imaging.cfa import Pattern, sites


def bilinear(frame: np.ndarray, rows: Pattern) -> np.ndarray:
    """RGB (H,W,3) float64 from the mosaic `frame` (H,W,1) behind the pattern `rows`, in the frame's unit.

    Errors: UsageError where the frame does not show every colour.
    """
    frame = np.asarray(frame, np.float64)
    if frame.ndim != 3 or frame.shape[-1] != 1 or 0 in frame.shape:
        raise UsageError(f"a mosaic must be (H,W,1), not {frame.shape}")
    values = frame[..., 0]
    where = sites(rows, *values.shape)
    periods = len(rows), len(rows[0])
    return np.stack([_fill(values, where == letter, periods) for letter in "RGB"], axis=-1)


def _fill(values: np.ndarray, measured: np.ndarray, periods: tuple[int, int]) -> np.ndarray:
    """One colour plane (H,W): measured pixels as they are, the others from their neighbours."""
    weight = _blur(measured.astype(np.float64), periods)
    if not weight.all():
        smallest = "x".join(str(period) for period in reversed(periods))
        raise UsageError(f"a mosaic must show every colour (at least {smallest} pixels), not {values.shape[::-1]}")
    return np.where(measured, values, _blur(np.where(measured, values, 0), periods) / weight)


def _blur(plane: np.ndarray, periods: tuple[int, int]) -> np.ndarray:
    """The plane (H,W) under the triangle 1..p..1 along each axis, p its period; zeros outside."""
    for axis, period in enumerate(periods):
        plane = np.apply_along_axis(_under_triangle, axis, plane, period)
    return plane


def _under_triangle(line: np.ndarray, period: int) -> np.ndarray:
    triangle = np.convolve(np.ones(period), np.ones(period))
    return np.convolve(line, triangle)[period - 1:period - 1 + len(line)]
