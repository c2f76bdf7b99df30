"""The volume: numbered random array layers over every kind, width, rounding and overflow rule; a third of them wide.

Kind, weights and width follow from the number, so that each combination has its share; all else is drawn. Everything that
makes a kernel another one costs 0.4 s of compiling where nothing is cached: what is rare in one respect is ordinary in others.
"""
from dataclasses import dataclass

import numpy as np

from hwsim.engine.context import Context, word_type
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.graph.node import Node

KINDS = ("plain", "pointwise", "depthwise", "grouped", "strided", "dilated", "transposed", "dense", "rowpack")
WORDS = ("linear", "linear", "one log word", "two log words")
BLOCK = len(KINDS) * len(WORDS)
LAYERS = 28 * BLOCK  # 1008, and every third block is wide
NARROW = (1, 2, 3, 5, 7, 15, 16, 17, 20, 31, 32, 33)
INPUTS = (1, 3, 16, 17, 32)  # few, for each length of a run has kernels of its own
WIDE = (17, 18, 20, 24, 31, 32, 33, 48)
MOST_BITS = 48


@dataclass(frozen=True, eq=False)
class Case:
    """A random layer: run_node(node, [x], context), with what it was made as."""

    number: int
    kind: str
    words: str
    wide: bool
    room: str
    rare: bool
    node: Node
    x: np.ndarray
    context: Context

    def rung(self, rungs):
        """One of `rungs`: in turn, but layers of the same rare shape share one."""
        kernel_width, ic = self.node.params["codes"].shape[3:]
        return rungs[(kernel_width + ic // 2 if self.rare else self.number) % len(rungs)]

    def __str__(self):
        c, d = self.context, self.context.datapath
        return (f"layer {self.number}: {'wide ' if self.wide else ''}{self.kind}, {self.words}, codes "
                f"{self.node.params['codes'].shape} on {self.x.dtype} {self.x.shape} {c.in_formats[0]} -> {c.out_format}, "
                f"{d.acc_bits} bits {d.acc_mode}, {d.rounding}, monitor {c.monitor}")


def layer(number):
    """The Case of that number."""
    r = np.random.default_rng(number)
    kind, words = KINDS[number % len(KINDS)], WORDS[number // len(KINDS) % len(WORDS)]
    wide = number // BLOCK % 3 == 0
    in_format, out_format = _in_format(number, r), IntFormat(int(r.integers(2, 17)), bool(r.random() < 0.85))
    op, shape, geometry, size = _shapes(r, kind, wide)
    params = _weights(number, r, words, shape) | geometry
    monitor = bool(r.random() < 0.5)
    rare = _is_rare(kind, shape, size)
    datapath, room = _datapath(r, params, in_format, rare)
    params |= _requantization(r, datapath, params, in_format, out_format)
    node = Node.make("layer", op, ("x",), **params)
    context = Context(datapath, (in_format,), out_format, monitor, int(r.integers(1, 4)))
    return Case(number, kind, words, wide, room, rare or datapath.tn != 16, node, _codes(r, in_format, size, number), context)


def _is_rare(kind, shape, size):
    """Whether a kernel for this shape serves few other layers."""
    return kind in ("rowpack", "depthwise") or shape[3] < 16 or len(size) < 4 or size[2] < 7


def pick(r, values):
    return values[int(r.integers(len(values)))]


def _in_format(number, r):
    """Bits 2..16 in turn; often signed, at times without the lowest code."""
    signed = bool(r.random() < 0.75)
    return IntFormat(2 + number // 7 % 15, signed, signed and bool(r.random() < 0.2))


# ---- shapes

def _shapes(r, kind, wide):
    """(op, shape of the codes without words, geometry, shape of the input)."""
    channels = WIDE if wide else NARROW
    ic, oc = pick(r, channels if wide else INPUTS), pick(r, channels)
    if kind == "dense":
        middle = ((1, int(r.integers(65, 99))),) if wide else ((), (3,), (2, 5), (2, 2, 3))
        return "qdense", (oc, 1, 1, ic), {}, (1 + int(r.random() < 0.3), *pick(r, middle), ic)
    if kind == "transposed":
        return _transposed(r, ic, oc, wide)
    kernel, groups = (1, 1) if kind == "pointwise" else pick(r, ((1, 3), (3, 1), (3, 3), (2, 3), (3, 3), (5, 1))), 1
    if kind == "depthwise":
        ic = oc = groups = max(oc, 2)
    if kind == "grouped":
        groups, ic, oc = 2, 2 * ic, 2 * oc
    steps = {"stride": pick(r, ((2, 2), (1, 2), (2, 1), (3, 2))) if kind == "strided" else (1, 1),
             "dilation": pick(r, ((2, 2), (1, 2), (2, 1))) if kind == "dilated" else (1, 1)}
    size = _image(r, steps, wide)
    geometry = {**steps, "groups": groups, "padding": _padding(r, kernel, steps["dilation"], size), "rowpack": kind == "rowpack"}
    return "qconv2d", (oc, *kernel, ic // groups), geometry, (1 + int(r.random() < 0.2), *size, ic)


def _image(r, steps, wide):
    """(rows, columns), so wide that more than 64 columns come out."""
    if not wide:
        return int(r.integers(1, 8)), pick(r, (1, 7, 11, 12, 13, 16, 17, 29))
    return int(r.integers(1, 4)), int(r.integers(70, 100)) * steps["stride"][1]


def _padding(r, kernel, dilation, size):
    """`same`, or zeros on every side, enough for the window to fit."""
    if r.random() < 0.6:
        return "same"
    pads = []
    for axis in (0, 1):
        before, after = (int(v) for v in r.integers(0, 3, 2))
        pads += [before, max(after, (kernel[axis] - 1) * dilation[axis] + 1 - size[axis] - before)]
    return tuple(pads)


def _transposed(r, ic, oc, wide):
    size = (int(r.integers(1, 3)), int(r.integers(70, 90))) if wide else (int(r.integers(1, 5)), pick(r, (1, 2, 7, 13)))
    stride, kernel = pick(r, ((2, 2), (1, 2), (2, 1), (1, 1), (3, 2))), pick(r, ((2, 2), (1, 3), (3, 3), (2, 4), (1, 1)))
    crop = tuple(int(v) for v in r.integers(-1, 1, 4)) if min(kernel) < 2 or r.random() < 0.5 else (0, 1, 1, 0)
    full = [(n - 1) * s + k for n, s, k in zip(size, stride, kernel)]
    if min(full[0] - crop[0] - crop[1], full[1] - crop[2] - crop[3]) < 1:
        crop = (0, 0, 0, 0)
    return "qconv2d_transpose", (oc, *kernel, ic), {"stride": stride, "crop": crop}, (1, *size, ic)


# ---- values

def _codes(r, fmt, size, number):
    """Input codes: noise of full or small range, the two ends alone, ramps along the row."""
    noise = r.integers(fmt.min, fmt.max + 1, size)
    look = pick(r, ("full", "full", "small", "ends", "ramp"))
    if look == "small":
        noise = noise >> max(fmt.bits - 3, 0)
    if look == "ends":
        noise = np.where(noise > (fmt.min + fmt.max) // 2, fmt.max, fmt.min)
    if look == "ramp":
        span = np.arange(size[-2]) * (fmt.max - fmt.min) // max(size[-2] - 1, 1)
        noise = np.broadcast_to((fmt.min + span)[:, None], size)
    return np.ascontiguousarray(noise, word_type(fmt.min, fmt.max) if number // 2 % 2 else np.int32)


def _weights(number, r, words, shape):
    """Fields codes, w_format, w_bits; linear words of 2..16 bits in turn, log words of 2..5."""
    log = words != "linear"
    bits, count = int(r.integers(2, 6)) if log else 2 + number // 11 % 15, 2 if words == "two log words" else 1
    end = 1 << (bits - 1)
    low = -end + int(not log and r.random() < 0.8)
    codes = r.integers(low, end, (count, *shape)) * (r.random((count, *shape)) < pick(r, (0.5, 1, 1)))
    if not log and r.random() < 0.2:
        codes = np.where(codes > 0, end - 1, low)
    return {"codes": codes.astype(np.int64), "w_format": "stlq" if log else "linear", "w_bits": bits}


def _datapath(r, params, fmt, rare):
    """(Datapath, room): its accumulator holds every partial sum, lacks some bits for it, or has any width."""
    mode, room, needed = pick(r, tuple(Overflow)), pick(r, ("inside", "tight", "any")), _bits_needed(params, fmt)
    bits = {"inside": lambda: int(r.integers(needed, MOST_BITS + 1)), "tight": lambda: needed - int(r.integers(1, 9)),
            "any": lambda: int(r.integers(8, MOST_BITS + 1))}[room]()
    tn = 16 if rare or r.random() < 0.8 else min(pick(r, (1, 4, 8, 32)), params["codes"].shape[4] // 16 * 16)
    return Datapath(min(max(bits, 8), MOST_BITS), mode, tn=tn, tm=pick(r, (16, 16, 16, 4, 64)),
                    **_rounding(r, (rare or tn != 16) and r.random() < 0.9)), room


def _rounding(r, ordinary):
    """How the Datapath requantizes."""
    rounding = Rounding.HALF_UP if ordinary else pick(r, tuple(Rounding))
    mult_bits = 16 if ordinary else 31 if rounding is Rounding.GEMMLOWP else pick(r, (4, 8, 16, 16, 24, 31))
    return {"rounding": rounding, "mult_bits": mult_bits,
            "folded": ordinary or rounding is Rounding.GEMMLOWP or bool(r.random() < 0.7)}


def _magnitudes(params):
    """|weight| (WORDS,OC,...) as integers, log words decoded."""
    codes = np.abs(params["codes"])
    return codes if params["w_format"] == "linear" else np.where(codes, 1 << ((1 << (params["w_bits"] - 1)) - codes), 0)


def _bits_needed(params, fmt):
    """Bits that hold every partial sum of every order, with a bias of up to a quarter of their range."""
    reach = int(_magnitudes(params).sum((0, 2, 3, 4)).max()) * max(-fmt.min, fmt.max)
    return min(max((reach + reach // 2 + 1).bit_length() + 1, 8), MOST_BITS)


def _requantization(r, datapath, params, fmt, out_format):
    """Fields whose outputs lie in and around the word; shifts and multipliers at their ends now and then."""
    oc, top = params["codes"].shape[1], 1 << datapath.mult_bits
    end = min(1 << (datapath.acc_bits - 2), 1 << max(_bits_needed(params, fmt) - 3, 1))
    typical = int(np.sqrt((_magnitudes(params).astype(float) ** 2).sum() / oc) * (fmt.max - fmt.min) / 3 + 1).bit_length()
    shift = min(typical, datapath.acc_bits) + datapath.mult_bits - out_format.bits + r.integers(-2, 2, oc)
    if r.random() < 0.05:
        shift = np.where(r.random(oc) < 0.5, pick(r, (0, 1, 31, 32, 33, 62)), shift)
    least = 31 if datapath.rounding is Rounding.GEMMLOWP else 0
    m_pos, slope = r.integers(0, top, oc), r.integers(1 - top, top, oc)
    low, high = sorted(int(v) for v in r.integers(out_format.min, out_format.max + 1, 2))
    lo, hi = pick(r, ((out_format.min, out_format.max),) * 4 + ((max(0, out_format.min), out_format.max), (low, high)))
    found = {"bias": r.integers(-end, end, oc), "m_pos": m_pos, "m_neg": pick(r, (m_pos, m_pos * 0, slope, slope)),
             "shift": np.clip(shift, least, 62), "lo": lo, "hi": hi}
    return found if datapath.folded else found | _steps(r, datapath, m_pos)


def _steps(r, datapath, m_pos):
    """The fields of an activation that is not folded: a slope of 14 fraction bits, a second multiplier near 1."""
    oc, top = len(m_pos), 1 << datapath.mult_bits
    return {"m_neg": m_pos, "alpha_q": r.integers(1 - (1 << 15), 1 << 15, oc), "m2": r.integers(top // 2, top, oc),
            "shift2": r.integers(datapath.mult_bits - 1, datapath.mult_bits + 1, oc)}
