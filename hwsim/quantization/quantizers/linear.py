"""Uniform symmetric weights, a scale per channel or per layer (spec/arithmetic.md section 1)."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.ops.weights import Weights
from hwsim.quantization.quantizers.quantizer import LayerWeights, QuantizedWeights, Quantizer

if TYPE_CHECKING:
    from hwsim.quantization.config import Config


class Linear(Quantizer):
    """`linear`: w_q = clip(rint(w / S_w)), codes -(2^(W-1)-1) .. 2^(W-1)-1."""

    name = "linear"

    def weights(self, layer: LayerWeights, config: Config) -> QuantizedWeights:
        """Codes rounded to even at the scale of the largest weight, or of the bias where that needs more."""
        top = IntFormat(layer.w_bits).max
        peak, bias_peak = (_peaks(values, config.channel_scales) for values in (layer.weights, layer.bias[:, None]))
        scale = linear_scale(peak, bias_peak, layer.s_in, top, layer.in_bits + layer.w_bits + 4)
        with np.errstate(over="ignore"):
            codes = np.clip(np.rint(layer.weights / scale.reshape(-1, 1, 1, 1)), -top, top).astype(np.int64)
        return QuantizedWeights(Weights(codes[None], self.weight_format(layer.w_bits)), scale)


def linear_scale(peak: np.ndarray, bias_peak: np.ndarray, s_in: float, top: int, bias_bits: int) -> np.ndarray:
    """S_w = max(peak / top, |b| / (S_in * (2^bias_bits - 1))), 1 where both are 0: a nearly dead channel follows its bias."""
    scale = np.maximum(peak / top, bias_peak / (s_in * ((1 << bias_bits) - 1)))
    return np.where(scale == 0, 1.0, scale)


def _peaks(values: np.ndarray, per_channel: bool) -> np.ndarray:
    """max|x| per output channel; else the same value for all."""
    peaks = np.abs(values).reshape(len(values), -1).max(axis=1, initial=0.0)
    return peaks if per_channel else np.full_like(peaks, peaks.max(initial=0.0))
