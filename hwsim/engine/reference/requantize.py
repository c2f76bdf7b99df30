"""From accumulators to codes: the stages of an epilogue, channel by channel, and the clamp (spec/arithmetic.md section 3)."""
from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hwsim.fixed.formats import ALPHA_SHIFT, IntFormat, Rounding
from hwsim.fixed.narrow import clamp, saturate
from hwsim.fixed.rounding import round_shift
from hwsim.ops.epilogue import Epilogue, Folded, Raw, Stage, ThreeStep


def scale(value: np.ndarray, m: int, s: int, rounding: Rounding) -> np.ndarray:
    """round(value*m, s), exact: in int64 where the product and the rounding constant fit, else in Python integers."""
    m, s = int(m), int(s)
    # the bound adds 2^s, more than any rounding constant, so that one test is right for all roundings
    largest = max(abs(int(value.min())), abs(int(value.max())))
    exact = value if largest * abs(m) + (1 << s) < 1 << 63 else value.astype(object)
    return round_shift(exact * m, s, rounding)


def clamped(value: np.ndarray, lo: int, hi: int) -> tuple[np.ndarray, int]:
    """(codes int64, how many the clamp changed)."""
    y = clamp(value, lo, hi)
    return y.astype(np.int64), int((y != value).sum())


def requantize(acc: np.ndarray, epilogue: Epilogue, out_format: IntFormat, rounding: Rounding) -> tuple[np.ndarray, int]:
    """(codes int64, clamped count) of accumulators (..., OC)."""
    y, count = np.empty(acc.shape, np.int64), 0
    for oc in range(acc.shape[-1]):
        value = acc[..., oc]
        for stage in epilogue.stages:
            value = STAGES[type(stage)](value, stage, oc, IntFormat(out_format.bits), rounding)
        y[..., oc], changed = clamped(value, epilogue.lo, epilogue.hi)
        count += changed
    return y, count


def _folded(acc: np.ndarray, stage: Folded, oc: int, word: IntFormat, rounding: Rounding) -> np.ndarray:
    positive, negative = (scale(acc, m[oc], stage.shift[oc], rounding) for m in (stage.m_pos, stage.m_neg))
    return np.where(acc >= 0, positive, negative)


def _three_step(acc: np.ndarray, stage: ThreeStep, oc: int, word: IntFormat, rounding: Rounding) -> np.ndarray:
    t = saturate(scale(acc, stage.m1[oc], stage.shift1[oc], rounding), word).astype(np.int64)
    # the slope acts on the saturated word t, not on the accumulator
    t = np.where(t < 0, saturate(scale(t, stage.alpha_q[oc], ALPHA_SHIFT, rounding), word), t)
    return scale(t, stage.m2[oc], stage.shift2[oc], rounding)


def _raw(acc: np.ndarray, stage: Raw, oc: int, word: IntFormat, rounding: Rounding) -> np.ndarray:
    return acc


STAGES: Mapping[type[Stage], Callable[..., np.ndarray]] = {Folded: _folded, ThreeStep: _three_step, Raw: _raw}
