"""Quantizing the inputs of an integer network and dequantizing its outputs, on the host.

Nothing between them touches a float (spec/arithmetic.md section 1).
"""
from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import UsageError
from hwsim.fixed.narrow import saturate
from hwsim.graph.integer import IntegerGraph
from hwsim.quantization.scale_policy import Calibrated

if TYPE_CHECKING:
    from hwsim.quantization.config import Config

CHUNK = 1 << 18  # values that are quantized at a time


def read_input(net: IntegerGraph, inputs: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """({input: int32 codes}, {input: how many saturated}); integer arrays are taken as codes, real ones are quantized.

    inputs: name -> array, N first; the codes have the same shapes. Errors: those of quantize_input and check_codes.
    """
    codes: dict[str, np.ndarray] = {}
    clamped: dict[str, int] = {}
    for name, values in inputs.items():
        values = np.asarray(values)
        read = check_codes if values.dtype.kind in "iu" else quantize_input
        codes[name], clamped[name] = read(net, name, values)
    return codes, clamped


def quantize_input(net: IntegerGraph, name: str, values: np.ndarray) -> tuple[np.ndarray, int]:
    """(int32 codes, how many saturated) of real `values`: clip(rint(x / S)) in float64, ties to even.

    values: any shape, which the codes keep. Errors: UsageError for an unknown input and for values that are not finite.
    """
    word = net.formats[_known(net, name)]
    values = np.asarray(values)
    flat, codes, clamped = values.ravel(), np.empty(values.size, np.int32), 0
    for start in range(0, flat.size, CHUNK):
        real = np.asarray(flat[start:start + CHUNK], np.float64)
        if not np.isfinite(real).all():
            raise UsageError(f"{name}: an input must hold finite numbers, not NaN or infinity")
        code = np.rint(real / float(net.scales[name]))
        clamped += int(np.count_nonzero((code < word.min) | (code > word.max)))
        codes[start:start + CHUNK] = np.clip(code, word.min, word.max)
    return codes.reshape(values.shape), clamped


def check_codes(net: IntegerGraph, name: str, codes: np.ndarray) -> tuple[np.ndarray, int]:
    """(int32 codes, how many saturated) of integer `codes`: outside the word they are an error under the scale policy
    `calib`, and saturate as the narrowed bus does under `frozen` and `lsb`. The codes keep their shape.

    Errors: UsageError for an unknown input, and for codes outside the word under `calib`.
    """
    word = net.formats[_known(net, name)]
    codes = np.asarray(codes)
    low, high = int(codes.min(initial=0)), int(codes.max(initial=0))
    if low in word and high in word:
        return codes.astype(np.int32), 0
    if net.meta["config"]["scale_policy"] == Calibrated.name:
        raise UsageError(f"{name}: input codes must be {word.min}..{word.max} ({word}), not {low}..{high}")
    clamped = int(np.count_nonzero((codes < word.min) | (codes > word.max)))
    return saturate(codes.astype(np.int64), word).astype(np.int32), clamped


def dequantize(net: IntegerGraph, name: str, codes: np.ndarray) -> np.ndarray:
    """codes * S of tensor `name`: integer codes of any shape -> float64 of that shape."""
    return codes * float(net.scales[name])


def code_scale(config: Config) -> Fraction:
    """The S that integer input codes have when no calibration says otherwise: 1/(2^b - 1), b = input_bits or act_bits - 1."""
    bits = config.act_bits - 1 if config.input_bits is None else config.input_bits
    return Fraction(1, (1 << bits) - 1)


def _known(net: IntegerGraph, name: str) -> str:
    if name not in net.inputs:
        raise UsageError(f"inputs must be {', '.join(net.inputs)}, not {name}")
    return name
