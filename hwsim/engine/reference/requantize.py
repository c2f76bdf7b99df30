"""From accumulators to codes: requantization with a folded or an unfolded activation (spec/arithmetic.md section 3)."""
import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.fixed.narrow import clamp, saturate
from hwsim.fixed.rounding import round_shift

ALPHA_SHIFT = 14


def scale(value, m, s, rounding):
    """round(value*m, s), exact: in int64 where the product and the rounding constant fit, else in Python integers."""
    m, s = int(m), int(s)
    largest = max(abs(int(value.min())), abs(int(value.max())))
    exact = value if largest * abs(m) + (1 << s) < 1 << 63 else value.astype(object)
    return round_shift(exact * m, s, rounding)


def clamped(value, lo, hi):
    """(codes int64, how many the clamp changed)."""
    y = clamp(value, lo, hi)
    return y.astype(np.int64), int((y != value).sum())


def requantize(acc, params, channels, out_format, rounding):
    """(codes int64, clamped count) of accumulators (..., OC); `channels` says which of the node's channels they are."""
    stage = _folded if params["alpha_q"] is None else _unfolded
    y, count = np.empty(acc.shape, np.int64), 0
    for oc, channel in enumerate(np.arange(len(params["bias"]))[channels]):
        field = {name: int(params[name][channel]) for name in ("m_pos", "m_neg", "shift", "alpha_q", "m2", "shift2")
                 if params[name] is not None}
        value = stage(acc[..., oc], field, IntFormat(out_format.bits), rounding)
        y[..., oc], changed = clamped(value, params["lo"], params["hi"])
        count += changed
    return y, count


def _folded(acc, p, word, rounding):
    positive, negative = (scale(acc, m, p["shift"], rounding) for m in (p["m_pos"], p["m_neg"]))
    return np.where(acc >= 0, positive, negative)


def _unfolded(acc, p, word, rounding):
    t = saturate(scale(acc, p["m_pos"], p["shift"], rounding), word).astype(np.int64)
    t = np.where(t < 0, saturate(scale(t, p["alpha_q"], ALPHA_SHIFT, rounding), word), t)
    return scale(t, p["m2"], p["shift2"], rounding)
