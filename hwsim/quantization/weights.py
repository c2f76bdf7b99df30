"""Float weights and bias of one array layer as integer codes and their scales (spec/arithmetic.md sections 1 and 5)."""
from dataclasses import dataclass

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.graph.accumulator import MOST, signed_bits


@dataclass(frozen=True, eq=False)
class QuantizedWeights:
    """codes: int64 (WORDS,OC,KH,KW,ICG); scale: float64 (OC), the real value of weight code 1; flags: two-word tiles or None."""

    codes: np.ndarray
    scale: np.ndarray
    flags: np.ndarray | None = None


def quantize_weights(weights, bias, s_in, in_bits, w_bits, config, depthwise):
    """The QuantizedWeights of `weights` (OC,KH,KW,ICG) for input codes of `in_bits` bits at scale `s_in`."""
    if config.weights == "stlq":
        return _log(weights, w_bits, config, depthwise)
    top = (1 << (w_bits - 1)) - 1
    scale = linear_scale(_peaks(weights, config), _peaks(bias[:, None], config), s_in, top, in_bits + w_bits + 4)
    columns = scale.reshape(-1, 1, 1, 1)
    with np.errstate(over="ignore"):
        codes = np.clip(np.rint(weights / columns), -top, top).astype(np.int64)
    return QuantizedWeights(codes[None], scale)


def linear_scale(peak, bias_peak, s_in, top, room_bits):
    """S_w = max(peak / top, |b| / (S_in * (2^room_bits - 1))), 1 where both are 0: a nearly dead channel follows its bias."""
    scale = np.maximum(peak / top, bias_peak / (s_in * ((1 << room_bits) - 1)))
    return np.where(scale == 0, 1.0, scale)


def _peaks(values, config):
    """max|x| per output channel; per tensor the same value for all."""
    peaks = np.abs(values).reshape(len(values), -1).max(axis=1, initial=0.0)
    return peaks if config.channel_scales else np.full_like(peaks, peaks.max(initial=0.0))


def _log(weights, w_bits, config, depthwise):
    from hwsim.quantization import stlq  # only networks with log weights need it
    codes, scale, flags = stlq.encode_layer(weights, w_bits, config, depthwise)
    return QuantizedWeights(codes, np.full(len(weights), scale), flags)


def quantize_bias(layer, bias, s_in, s_w, acc_bits):
    """b_q = rint(b / (S_in*S_w)), int64 (OC). Errors: QuantizeError with layer, channel and the width that it would need."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        codes = np.where(bias == 0, 0.0, np.rint(bias / (s_in * s_w)))
    limit = MOST if acc_bits == "auto" else acc_bits
    for channel, code in enumerate(codes):
        if not np.isfinite(code):
            raise QuantizeError(f"{layer}: the bias of channel {channel} must be finite in units of S_in*S_w, not {code}")
        width = signed_bits(int(code), int(code))
        if width > limit:
            raise QuantizeError(f"{layer}: the bias of channel {channel} must fit {limit} accumulator bits, not need {width}")
    return codes.astype(np.int64)
