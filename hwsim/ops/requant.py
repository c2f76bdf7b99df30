"""The fields that every array layer shares: bias, weight words, requantization with a folded activation, clamp.

Integer layers (conv2d, conv2d_transpose, dense), OC values each, int64 (spec/arithmetic.md sections 2 and 3):
    bias, m_pos, m_neg, shift                      folded:   y = clamp(round(acc * (m_pos if acc >= 0 else m_neg), shift), lo, hi)
    alpha_q, m2, shift2 (None when folded)         unfolded: m_pos, shift hold M1 and m_neg = m_pos
Weight words: `w_format` linear or stlq, `w_bits` wide; codes have one word, or two (stlq), the second 0 where a tile has one.
`flags` (COT,CIT,KH,KW) bool, only for stlq: which tiles take two words; depthwise (COT,1,KH,KW).

Float layers carry what was folded into them: alpha (OC) PReLU slopes or None, clip (lo, hi) or None, applied in that order.
"""
from hwsim.ops import kinds

PARAMS = {
    "bias": kinds.array("int", 1),
    "m_pos": kinds.array("int", 1), "m_neg": kinds.array("int", 1), "shift": kinds.array("int", 1),
    "alpha_q": kinds.optional(kinds.array("int", 1)),
    "m2": kinds.optional(kinds.array("int", 1)), "shift2": kinds.optional(kinds.array("int", 1)),
    "lo": kinds.integer(), "hi": kinds.integer(),
    "w_format": kinds.choice("linear", "stlq"), "w_bits": kinds.integer(2, 16),
    "flags": kinds.optional(kinds.array("bool", 4)),
}
DEFAULTS = {"alpha_q": None, "m2": None, "shift2": None, "w_format": "linear", "w_bits": 8, "flags": None}

FLOAT_PARAMS = {"bias": kinds.array("float", 1),
                "alpha": kinds.optional(kinds.array("float", 1)), "clip": kinds.optional(kinds.clip_range)}
FLOAT_DEFAULTS = {"alpha": None, "clip": None}


def float_rules(params):
    """Rules between the float parameters: one value per output channel."""
    return _per_channel(params, params["weights"].shape[0], ("bias", "alpha"))


def rules(params):
    """Rules between the integer parameters: one value per output channel, codes inside their word, shifts 0..62."""
    codes = params["codes"]
    return (_per_channel(params, codes.shape[1], ("bias", "m_pos", "m_neg", "shift", "alpha_q", "m2", "shift2"))
            or _words(codes, params) or _shifts(params) or _ordered(params) or _both_or_neither(params))


def _per_channel(params, channels, names):
    for name in names:
        if params[name] is not None and params[name].shape != (channels,):
            return f"{name} must hold {channels} values, not {params[name].shape}"
    return None


def _words(codes, params):
    most = 2 if params["w_format"] == "stlq" else 1
    if not 1 <= codes.shape[0] <= most:
        return f"{params['w_format']} weights must have at most {most} words, not {codes.shape[0]}"
    limit = 1 << (params["w_bits"] - 1)
    if codes.size and (codes.min() < -limit or codes.max() >= limit):
        return f"codes must fit {params['w_bits']} bits, not {codes.min()}..{codes.max()}"
    return None


def _shifts(params):
    for name in ("shift", "shift2"):
        values = params[name]
        if values is not None and values.size and (values.min() < 0 or values.max() > 62):
            return f"{name} must be 0..62, not {values.min()}..{values.max()}"
    return None


def _ordered(params):
    return None if params["lo"] <= params["hi"] else f"lo must be at most hi {params['hi']}, not {params['lo']}"


def _both_or_neither(params):
    given = [params[name] is not None for name in ("alpha_q", "m2", "shift2")]
    return None if len(set(given)) == 1 else "alpha_q, m2 and shift2 must come together"
