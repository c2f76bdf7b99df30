"""How far an output is from what it should be: PSNR, SSIM, largest error, with the peak that they refer to."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.imaging import quality

DIM, BRIGHT = 1 / 8, 8


@dataclass(frozen=True)
class Quality:
    """Values against a reference. psnr_db: at the peak, None when they are equal; ssim: of pictures, else None;
    signal_peak: 1 for a picture, else the largest magnitude of the reference.
    """

    psnr_db: float | None
    identical: bool
    ssim: float | None
    max_abs_error: float
    signal_peak: float

    def as_json(self) -> dict[str, Any]:
        """The figures by name, as in the reports."""
        return dict(vars(self))


def is_picture(values: np.ndarray) -> bool:
    """Whether an output is measured as a picture with peak 1: N,H,W,1|3 whose largest magnitude is of the order of 1.

    The bounds are far apart (1/8 and 8), so that the exposure of one frame does not change what PSNR refers to.
    """
    return bool(values.ndim == 4 and values.shape[-1] in (1, 3) and min(values.shape[1:3]) > 1
                and DIM <= max(-values.min(), values.max()) <= BRIGHT)


def peak_of(reference: np.ndarray) -> float:
    """1 for a picture, else the largest magnitude of the reference output, float64 of any shape (1 if it is all zero)."""
    return 1.0 if is_picture(reference) else float(np.abs(reference).max()) or 1.0


def against(reference: np.ndarray, values: np.ndarray) -> Quality:
    """The Quality of `values` against `reference`, float64 of one shape, N first."""
    peak = peak_of(reference)
    return Quality(psnr_db=psnr_db(reference, values), identical=bool(np.array_equal(reference, values)),
                   ssim=_ssim(reference, values, peak), max_abs_error=float(quality.max_abs_error(reference, values)),
                   signal_peak=peak)


def psnr_db(reference: np.ndarray, values: np.ndarray) -> float | None:
    """PSNR in dB at the peak of the reference, both float64 of one shape; None when they are equal."""
    decibels = quality.psnr(reference, values, peak_of(reference))
    return float(decibels) if np.isfinite(decibels) else None


def _ssim(reference: np.ndarray, values: np.ndarray, peak: float) -> float | None:
    if not is_picture(reference):
        return None
    each = [quality.ssim(a, b, peak) for a, b in zip(reference, values)]
    known = [value for value in each if value is not None]
    return float(np.mean(known)) if len(known) == len(each) else None
