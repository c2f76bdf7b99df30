"""The two doors of an integer network, on the host: real values to codes at the input, codes to real values at the output.

Nothing between them touches a float (spec/arithmetic.md section 1).
"""
from fractions import Fraction

import numpy as np

from hwsim.errors import UsageError
from hwsim.fixed.narrow import saturate

CHUNK = 1 << 18  # values that are quantized at a time


def read_input(net, inputs):
    """({input: int32 codes}, {input: how many saturated}); integer arrays are taken as codes, real ones are quantized."""
    codes, clamped = {}, {}
    for name, values in inputs.items():
        values = np.asarray(values)
        door = check_codes if values.dtype.kind in "iu" else quantize_input
        codes[name], clamped[name] = door(net, name, values)
    return codes, clamped


def quantize_input(net, name, values):
    """(int32 codes, how many saturated) of real `values`: clip(rint(x / S)) in float64, ties to even."""
    word = net.formats[_known(net, name)]
    values = np.asarray(values)
    flat, codes, clamped = values.ravel(), np.empty(values.size, np.int32), 0
    for start in range(0, flat.size, CHUNK):
        real = np.asarray(flat[start:start + CHUNK], np.float64)
        if not np.isfinite(real).all():
            raise UsageError(f"{name}: an input must hold finite numbers, not NaN or infinity")
        found = np.rint(real / float(net.scales[name]))
        clamped += int(np.count_nonzero((found < word.min) | (found > word.max)))
        codes[start:start + CHUNK] = np.clip(found, word.min, word.max)
    return codes.reshape(values.shape), clamped


def check_codes(net, name, codes):
    """(int32 codes, how many saturated) of integer `codes`: outside the word they are an error under the scale policy
    `calib`, and saturate as the narrowed bus does under `frozen` and `lsb`.
    """
    word = net.formats[_known(net, name)]
    codes = np.asarray(codes)
    low, high = int(codes.min(initial=0)), int(codes.max(initial=0))
    if low in word and high in word:
        return codes.astype(np.int32), 0
    if net.meta["config"]["scale_policy"] == "calib":
        raise UsageError(f"{name}: input codes must be {word.min}..{word.max} ({word}), not {low}..{high}")
    clamped = int(np.count_nonzero((codes < word.min) | (codes > word.max)))
    return saturate(codes.astype(np.int64), word).astype(np.int32), clamped


def dequantize(net, name, codes):
    """codes * S of tensor `name`, float64."""
    return codes * float(net.scales[name])


def code_scale(config):
    """The S that integer input codes have when no calibration says otherwise: 1/(2^b - 1), b = input_bits or act_bits - 1."""
    bits = config.act_bits - 1 if config.input_bits is None else config.input_bits
    return Fraction(1, (1 << bits) - 1)


def _known(net, name):
    if name not in net.inputs:
        raise UsageError(f"inputs must be {', '.join(net.inputs)}, not {name}")
    return name
