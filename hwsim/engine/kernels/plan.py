"""Which way an array layer takes through the kernels, decided at load from proofs (kernels/proofs.py) and never from data."""
from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hwsim.engine.context import word_type
from hwsim.engine.kernels import geometry, proofs
from hwsim.engine.kernels.target import Rung, ladder
from hwsim.engine.kernels.variant import SPAN, EpilogueKind, Mode
from hwsim.fixed.formats import INT16, INT32, Datapath, IntFormat, Overflow, Rounding
from hwsim.ops.epilogue import Folded
from hwsim.ops.layer import ArrayLayer

FULL = {Rounding.HALF_UP: EpilogueKind.HALF_UP, Rounding.HALF_AWAY: EpilogueKind.HALF_AWAY,
        Rounding.HALF_EVEN: EpilogueKind.HALF_EVEN, Rounding.FLOOR: EpilogueKind.FLOOR}
HIGH = {Rounding.HALF_UP: (EpilogueKind.HIGH_HALF_UP, 33), Rounding.FLOOR: (EpilogueKind.HIGH_FLOOR, 32)}
WORD = {EpilogueKind.HIGH_HALF_UP: EpilogueKind.WORD_HALF_UP, EpilogueKind.HIGH_FLOOR: EpilogueKind.WORD_FLOOR}
# In 16 bits: v rounded by a halving, then clamped. Saturating v to 16 bits first changes nothing where lo and hi are within
# 2^14 - 1 of zero: a v beyond 16 bits is clamped to the same end as +-2^15, whose half is still outside lo..hi.
WORD_END = (1 << 14) - 1


@dataclass(frozen=True)
class KernelPlan:
    """How one layer runs. path: dot16, dot8 (bytes), split (64-bit sums of several passes), beats (as split, put together after
    every beat) or portable (no kernel).

    rung: the instruction set, "" where none; mode, epilogue_kind: as in kernels/variant.py, with NONE the engine's own
    requantizer runs; reason: why not a faster path.
    """

    path: str
    rung: str
    mode: Mode
    epilogue_kind: EpilogueKind
    reason: str = ""

    def __str__(self) -> str:
        if self.path == "portable":
            return f"portable ({self.reason})"
        text = f"{self.path} {self.rung} {_names(self.mode)}, {self.epilogue_kind.name.lower().replace('_', '-')}"
        return f"{text} ({self.reason})" if self.reason else text


def _names(mode: Mode) -> str:
    return "+".join(str(flag.name).lower().replace("_", "-") for flag in Mode if flag and flag in mode) or "plain"


@dataclass(frozen=True)
class Requantizer:
    """m_pos, m_neg, shift as the kernel takes them (int64, OC) for an EpilogueKind, in 32 bits; with NONE there are none."""

    epilogue_kind: EpilogueKind
    m_pos: np.ndarray | None = None
    m_neg: np.ndarray | None = None
    shift: np.ndarray | None = None


class Facts:
    """A layer on a datapath with its input's format: its integer weights, and every proof about them, each made once."""

    def __init__(self, layer: ArrayLayer, datapath: Datapath, in_format: IntFormat) -> None:
        self.layer, self.datapath, self.in_format = layer, datapath, in_format
        self.words = layer.weights.integers

    def on(self, layer: ArrayLayer) -> Facts:
        """The same facts of other rows of the layer."""
        facts = copy(self)  # with the cached proofs: rows do not change weights, formats or widths
        facts.layer = layer
        return facts

    @property
    def out_type(self) -> type:
        """What the layer's outputs are stored in."""
        return word_type(self.layer.epilogue.lo, self.layer.epilogue.hi)

    @property
    def bias(self) -> np.ndarray:
        """int64 (OC), of the epilogue."""
        return self.layer.epilogue.bias

    @cached_property
    def summed(self) -> np.ndarray:
        """(OC,KH,KW,IC): both words of a log weight in one, which exact sums may do."""
        return self.words.sum(0)

    @cached_property
    def free(self) -> geometry.Reduction:
        """The Reduction in free order."""
        return geometry.free_order(self.layer, self.summed)

    @property
    def in_beats(self) -> bool:
        """Whether kernels can go beat by beat: not where a chunk of a packed row is several stretches of memory."""
        return not self.layer.rowpack or self.layer.depthwise or self.layer.dilation[1] <= 1

    @cached_property
    def beats(self) -> geometry.Reduction:
        """The Reduction in beat order; only where `in_beats`."""
        if not self.in_beats:
            raise AssertionError(f"{self.layer.name}: beats must be single stretches of memory, not packed with dilated columns")
        return geometry.beat_order(self.layer, self.words, self.datapath.tn)

    @cached_property
    def beats_alone(self) -> geometry.Reduction:
        """The Reduction in beat order with one beat in each run."""
        return self.beats.one_by_one()

    @cached_property
    def inside(self) -> bool:
        """No partial sum leaves the accumulator, so that every overflow mode gives the exact sum and no event."""
        weights = np.moveaxis(self.words, 0, 1)
        return bool(proofs.stays_inside(weights, self.bias, self.in_format, self.datapath.acc_format).all())

    @property
    def exact32(self) -> bool:
        """No order of the sum can leave 32 bits."""
        return self.reach <= INT32.max

    @cached_property
    def reach(self) -> int:
        """The largest magnitude of any exact partial sum."""
        weights = np.moveaxis(self.words, 0, 1)
        return int(proofs.magnitudes(weights, self.bias, self.in_format).max(initial=0))

    @property
    def largest(self) -> int:
        """The largest magnitude that an accumulator can hold: what proves the 64-bit requantizer exact."""
        return min(self.reach, -self.datapath.acc_format.min)

    @cached_property
    def pairs(self) -> bool:
        """Whether 16-bit pair dot products are exact for both words of a weight in one."""
        return proofs.pairs_exact(self.summed, self.in_format)

    @cached_property
    def beats_fit(self) -> bool:
        """Whether a clamp or a count after every beat is exact in 32 bits."""
        return self.in_beats and bool(
            proofs.pairs_exact(self.words, self.in_format)
            and proofs.beats_exact(self.beats, self.in_format, self.datapath.acc_format)
            and int(np.abs(self.bias).max(initial=0)) <= INT32.max)


def plan(layer: ArrayLayer, datapath: Datapath, in_format: IntFormat, monitor: bool = False) -> KernelPlan:
    """The KernelPlan of an ArrayLayer on this process's fastest instruction set, for codes of `in_format`."""
    return plan_of(Facts(layer, datapath, in_format), monitor, ladder()[0] if ladder() else None)


def plan_of(facts: Facts, monitor: bool, rung: Rung | None) -> KernelPlan:
    """The KernelPlan for a Rung; without one, portable code runs the layer."""
    if rung is None:
        return _portable("no kernels in this process")
    monitored = monitor or facts.datapath.acc_mode is Overflow.ERROR
    return _monitored(facts, rung) if monitored else _unmonitored(facts, rung)


def _monitored(facts: Facts, rung: Rung) -> KernelPlan:
    """Counters wanted: exact partial sums are monitored, and where one may leave the accumulator, events can be counted."""
    if not facts.in_beats:
        return _portable("row-packed beats with dilated columns")
    if not proofs.pairs_exact(facts.words, facts.in_format):
        return _beats(facts, rung, Mode.OBSERVE, "products may need more than 32 bits")
    if not facts.exact32:
        return _beats(facts, rung, Mode.OBSERVE, "exact partial sums may need more than 32 bits")
    if not facts.inside and not facts.beats_fit:
        return _beats(facts, rung, Mode.OBSERVE, "an accumulator plus a beat may need more than 32 bits")
    return KernelPlan("dot16", rung.name, Mode.WATCH if facts.reach < SPAN else Mode.OBSERVE, requantizer(facts).epilogue_kind)


def _portable(reason: str) -> KernelPlan:
    return KernelPlan(path="portable", rung="", mode=Mode.PLAIN, epilogue_kind=EpilogueKind.NONE, reason=reason)


def _unmonitored(facts: Facts, rung: Rung) -> KernelPlan:
    epilogue_kind = requantizer(facts).epilogue_kind
    if facts.inside or facts.datapath.acc_mode is Overflow.WRAP:
        return _free(facts, rung, epilogue_kind)
    if not facts.in_beats:
        return _portable("row-packed beats with dilated columns")
    if facts.beats_fit:
        return KernelPlan("dot16", rung.name, Mode.SATURATE, epilogue_kind)
    return _beats(facts, rung, Mode.SATURATE, "a saturating accumulator plus a beat may need more than 32 bits")


def _beats(facts: Facts, rung: Rung, mode: Mode, reason: str) -> KernelPlan:
    """Sums of single beats by the kernels, everything else in 64 bits."""
    if not _in_16_bits(facts.in_format):
        return _portable("activations of more than 16 bits")
    return KernelPlan(path="beats", rung=rung.name, mode=mode, epilogue_kind=EpilogueKind.NONE, reason=reason)


def _in_16_bits(fmt: IntFormat) -> bool:
    return fmt.min in INT16 and fmt.max in INT16


def _free(facts: Facts, rung: Rung, epilogue_kind: EpilogueKind) -> KernelPlan:
    """The order of the sums is free: the accumulator never overflows, or wraps once at the end."""
    narrow = facts.datapath.acc_bits <= 32 and facts.datapath.acc_mode is Overflow.WRAP
    mode = Mode.PLAIN if facts.inside or facts.datapath.acc_bits == 32 else Mode.WRAP
    if _bytes(facts, rung):
        return KernelPlan("dot8", rung.name, mode, epilogue_kind)
    if facts.pairs and (facts.exact32 or narrow):
        return KernelPlan("dot16", rung.name, mode, epilogue_kind)
    if not _in_16_bits(facts.in_format):
        return _portable("activations of more than 16 bits")
    reason = "sums may need more than 32 bits" if facts.pairs else "products may need more than 32 bits"
    return KernelPlan(path="split", rung=rung.name, mode=Mode.WRAP if not facts.inside else Mode.PLAIN,
                      epilogue_kind=EpilogueKind.NONE, reason=reason)


def _bytes(facts: Facts, rung: Rung) -> bool:
    return rung.vnni and not facts.layer.depthwise and proofs.bytes_exact(facts.summed, facts.bias, facts.in_format)


def requantizer(facts: Facts) -> Requantizer:
    """The Requantizer of the fastest exact EpilogueKind; kernels do one stage, Folded, and leave any other to the engine."""
    epilogue, rounding = facts.layer.epilogue, facts.datapath.rounding
    stage = epilogue.stage
    if not isinstance(stage, Folded) or rounding is Rounding.GEMMLOWP:
        return Requantizer(EpilogueKind.NONE)
    in_words = -WORD_END <= epilogue.lo <= 0 <= epilogue.hi <= WORD_END
    return _high(stage, rounding, in_words) or _full(stage, rounding) or Requantizer(EpilogueKind.NONE)


def _high(stage: Folded, rounding: Rounding, in_words: bool) -> Requantizer | None:
    """Multipliers scaled so that every shift reaches the high word of the product, if they then still fit 32 bits."""
    if rounding not in HIGH:
        return None
    epilogue_kind, least = HIGH[rounding]
    return _scaled(stage, WORD[epilogue_kind] if in_words else epilogue_kind, np.maximum(least - stage.shift, 0), least)


def _full(stage: Folded, rounding: Rounding) -> Requantizer | None:
    """Shift 0 becomes shift 1 of the doubled multiplier, which rounds nothing either."""
    return _scaled(stage, FULL[rounding], (stage.shift == 0).astype(np.int64), 0)


def _scaled(stage: Folded, epilogue_kind: EpilogueKind, more: np.ndarray, least: int) -> Requantizer | None:
    m_pos, m_neg = stage.m_pos << more, stage.m_neg << more
    if max(np.abs(m_pos).max(initial=0), np.abs(m_neg).max(initial=0)) > INT32.max:
        return None
    return Requantizer(epilogue_kind, m_pos, m_neg, stage.shift + more - least)
