"""The fields that every array layer shares: bias, weight words, requantization with a folded activation, clamp.

Integer layers (conv2d, conv2d_transpose, dense), OC values each, int64 (spec/arithmetic.md sections 2 and 3):
    bias, m_pos, m_neg, shift                      folded:   y = clamp(round(acc * (m_pos if acc >= 0 else m_neg), shift), lo, hi)
    alpha_q, m2, shift2 (None when folded)         unfolded: m_pos, shift hold M1 and m_neg = m_pos
    none of the six                                raw sums: y = clamp(acc, lo, hi); no device does this
Weight words: `w_format` a key of ops/weights.FORMATS, `w_bits` wide; codes have one word, or two (stlq), the second 0
where a tile has one.
ops/epilogue.py and ops/weights.py make objects of both.
`flags` (COT,CIT,KH,KW) bool, only for stlq: which tiles take two words; depthwise (COT,1,KH,KW).

Float layers carry what was folded into them: alpha (OC) PReLU slopes or None, clip (lo, hi) or None, applied in that order.
"""
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwsim.ops import kinds
from hwsim.ops.epilogue import LATE, PARAMETERS
from hwsim.ops.weights import FORMATS, weight_format

PARAMS = {
    "bias": kinds.array("int", 1),
    **{name: kinds.optional(kinds.array("int", 1)) for name in PARAMETERS},
    "lo": kinds.integer(), "hi": kinds.integer(),
    "w_format": kinds.choice(*FORMATS), "w_bits": kinds.integer(2, 16),
    "flags": kinds.optional(kinds.array("bool", 4)),
}
DEFAULTS = {**dict.fromkeys(PARAMETERS), "w_format": "linear", "w_bits": 8, "flags": None}

FIRST = tuple(name for name in PARAMETERS if name not in LATE)

FLOAT_PARAMS = {"bias": kinds.array("float", 1),
                "alpha": kinds.optional(kinds.array("float", 1)), "clip": kinds.optional(kinds.clip_range)}
FLOAT_DEFAULTS = {"alpha": None, "clip": None}


def float_rules(params: Mapping[str, Any]) -> str | None:
    """Rules between the float parameters: one value per output channel."""
    return _per_channel(params, params["weights"].shape[0], ("bias", "alpha"))


def rules(params: Mapping[str, Any]) -> str | None:
    """Rules between the integer parameters: one value per output channel, codes inside their word, shifts 0..62."""
    codes = params["codes"]
    return (_per_channel(params, codes.shape[1], ("bias", *PARAMETERS))
            or _words(codes, params) or _shifts(params) or _ordered(params) or _together(params))


def _per_channel(params: Mapping[str, Any], channels: int, names: tuple[str, ...]) -> str | None:
    for name in names:
        if params[name] is not None and params[name].shape != (channels,):
            return f"{name} must hold {channels} values, not {params[name].shape}"
    return None


def _words(codes: np.ndarray, params: Mapping[str, Any]) -> str | None:
    form = weight_format(params["w_format"], params["w_bits"])
    if not 1 <= codes.shape[0] <= form.most_words:
        return f"{form.name} weights must have at most {form.most_words} words, not {codes.shape[0]}"
    if codes.size and (codes.min() not in form.word or codes.max() not in form.word):
        return f"codes must fit {form.bits} bits, not {codes.min()}..{codes.max()}"
    return None


def _shifts(params: Mapping[str, Any]) -> str | None:
    for name in ("shift", "shift2"):
        values = params[name]
        if values is not None and values.size and (values.min() < 0 or values.max() > 62):
            return f"{name} must be 0..62, not {values.min()}..{values.max()}"
    return None


def _ordered(params: Mapping[str, Any]) -> str | None:
    return None if params["lo"] <= params["hi"] else f"lo must be at most hi {params['hi']}, not {params['lo']}"


def _together(params: Mapping[str, Any]) -> str | None:
    first, late = ({params[name] is not None for name in names} for names in (FIRST, LATE))
    if len(first) > 1 or late == {True} and first == {False}:
        return "m_pos, m_neg and shift must come together"
    return None if len(late) == 1 else "alpha_q, m2 and shift2 must come together"
