"""The bias of an array layer in units of its accumulator (spec/arithmetic.md section 1)."""
from __future__ import annotations

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.graph.accumulator import MOST, signed_bits


def quantize_bias(layer: str, bias: np.ndarray, s_in: float, s_w: np.ndarray, acc_bits: int | str) -> np.ndarray:
    """b_q = rint(b / (S_in*S_w)), int64 (OC), of float64 `bias` and `s_w` (OC); acc_bits: a width, or `auto`.

    Errors: QuantizeError with layer, channel and the width that the bias would need.
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        codes = np.where(bias == 0, 0.0, np.rint(bias / (s_in * s_w)))
    limit = acc_bits if isinstance(acc_bits, int) else MOST
    for channel, code in enumerate(codes):
        if not np.isfinite(code):
            raise QuantizeError(f"{layer}: the bias of channel {channel} must be finite in units of S_in*S_w, not {code}")
        width = signed_bits(int(code), int(code))
        if width > limit:
            raise QuantizeError(f"{layer}: the bias of channel {channel} must fit {limit} accumulator bits, not need {width}")
    return codes.astype(np.int64)
