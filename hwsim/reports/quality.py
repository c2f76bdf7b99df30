"""How far an output is from what it should be: PSNR, SSIM, largest error, with the peak that they refer to."""
import numpy as np

from hwsim.imaging import quality

DIM, BRIGHT = 1 / 8, 8


def is_picture(values):
    """Whether an output is measured as a picture with peak 1: N,H,W,1|3 whose largest magnitude is of the order of 1.

    The bounds are far apart (1/8 and 8), so that the exposure of one frame does not change what PSNR refers to.
    """
    return (values.ndim == 4 and values.shape[-1] in (1, 3) and min(values.shape[1:3]) > 1
            and DIM <= max(-values.min(), values.max()) <= BRIGHT)


def peak_of(reference):
    """1 for a picture, else the largest magnitude of the reference output (1 if it is all zero)."""
    return 1.0 if is_picture(reference) else float(np.abs(reference).max()) or 1.0


def against(reference, values):
    """{psnr_db, ssim, max_abs_error, signal_peak} of `values` against `reference`; psnr_db is None when they are equal."""
    peak = peak_of(reference)
    return {"psnr_db": psnr_db(reference, values), "identical": bool(np.array_equal(reference, values)),
            "ssim": _ssim(reference, values, peak), "max_abs_error": float(quality.max_abs_error(reference, values)),
            "signal_peak": peak}


def psnr_db(reference, values):
    """PSNR in dB at the peak of the reference; None when they are equal."""
    return finite(quality.psnr(reference, values, peak_of(reference)))


def finite(decibels):
    """dB, or None for infinity, which JSON does not know."""
    return float(decibels) if np.isfinite(decibels) else None


def _ssim(reference, values, peak):
    if not is_picture(reference):
        return None
    found = [quality.ssim(a, b, peak) for a, b in zip(reference, values)]
    return None if None in found else float(np.mean(found))
