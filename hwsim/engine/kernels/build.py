"""From a KernelPlan to a Program: the parts that a path needs, packed."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwsim.engine.kernels import pack
from hwsim.engine.kernels.beat_by_beat import BeatProgram
from hwsim.engine.kernels.geometry import Reduction, free_order
from hwsim.engine.kernels.microkernel import kernel
from hwsim.engine.kernels.plan import Facts, KernelPlan, Requantizer, requantizer
from hwsim.engine.kernels.program import Part, Program
from hwsim.engine.kernels.target import Rung, rung_named
from hwsim.engine.kernels.variant import PER_BEAT, EpilogueKind, Form, Mode
from hwsim.fixed.formats import INT32, IntFormat

BYTE = 8
SHORT_RUN = 256  # inputs whose products of 16 and 8 bits always sum to less than 2^31


def build(facts: Facts, plan: KernelPlan, mode: Mode | None = None) -> Program:
    """The Program of a layer for `plan`, or for another `mode` of the same plan, its kernels compiled."""
    mode = plan.mode if mode is None else mode
    rung = rung_named(plan.rung)
    program = _program(facts, plan, rung, mode)
    for part in program.parts:
        for band in part.bands:
            kernel(band.variant)
    return program


def _program(facts: Facts, plan: KernelPlan, rung: Rung, mode: Mode) -> Program:
    if plan.path == "split":
        return _split(facts, rung, mode)
    if plan.path == "beats":
        return _beats(facts, rung, mode)
    requantizing = requantizer(facts)
    if plan.path == "dot8":
        return _bytes(facts, rung, mode, requantizing)
    if mode & PER_BEAT:
        return _single(facts, rung, mode, requantizing, facts.beats, _form(facts, Form.CHANNEL), facts.bias)
    reduction = facts.free.paired() if facts.layer.depthwise else facts.free
    return _single(facts, rung, mode, requantizing, reduction, _form(facts, Form.TAPS), facts.bias)


def _form(facts: Facts, depthwise: Form) -> Form:
    return depthwise if facts.layer.depthwise else Form.PAIR


def _single(facts: Facts, rung: Rung, mode: Mode, requantizing: Requantizer, reduction: Reduction, form: Form,
            bias: np.ndarray) -> Program:
    bands = _bands(facts, reduction, bias, requantizing, rung, form, mode)
    return Program(facts=facts, form=form, mode=mode, epilogue_kind=requantizing.epilogue_kind, parts=(Part(reduction, bands),),
                   bias=np.zeros(facts.layer.oc, np.int64))


def _bands(facts: Facts, reduction: Reduction, bias: np.ndarray, requantizing: Requantizer, rung: Rung, form: Form,
           mode: Mode) -> tuple[pack.ChannelBlock, ...]:
    item = np.dtype(np.int32 if requantizing.epilogue_kind is EpilogueKind.NONE else facts.out_type).itemsize
    return tuple(pack.bands(reduction, bias, requantizing, rung, facts.layer.out_hw[1], form, mode, item))


def _bytes(facts: Facts, rung: Rung, mode: Mode, requantizing: Requantizer) -> Program:
    """Signed codes are stored 128 higher, because vpdpbusd takes unsigned inputs; the bias takes 128 * sum(w) back."""
    moved = 128 if facts.in_format.signed else 0
    bias = facts.bias - moved * facts.summed.reshape(facts.layer.oc, -1).sum(1)
    return _single(facts, rung, mode, requantizing, facts.free, Form.QUAD, bias)


def _split(facts: Facts, rung: Rung, mode: Mode) -> Program:
    """Weights in signed bytes of 2^0, 2^8, ..., runs in stretches, so that every pass fits 32 bits; the sums have 64."""
    form, none = _form(facts, Form.TAPS), np.zeros(facts.layer.oc, np.int64)
    requantizing = Requantizer(EpilogueKind.NONE)
    parts = []
    for shift, weights in _signed_bytes(facts.summed):
        for stretch in _stretches(free_order(facts.layer, weights).shortened(SHORT_RUN), facts.in_format):
            reduction = stretch.paired() if facts.layer.depthwise else stretch
            bands = _bands(facts, reduction, none, requantizing, rung, form, Mode.PLAIN)
            parts.append(Part(reduction, bands, shift))
    return Program(facts=facts, form=form, mode=mode, epilogue_kind=EpilogueKind.NONE, parts=tuple(parts), bias=facts.bias)


def _beats(facts: Facts, rung: Rung, mode: Mode) -> Program:
    """Weights in signed bytes; every beat is a run, whose sum fits 32 bits: at most 64 products of 16 and 8 bits."""
    form, alone = _form(facts, Form.CHANNEL), facts.beats_alone
    none = np.zeros(facts.layer.oc, np.int64)
    requantizing, parts = Requantizer(EpilogueKind.NONE), []
    for shift, weights in _signed_bytes(alone.weights):
        reduction = Reduction(weights, alone.starts)
        parts.append(Part(reduction, _bands(facts, reduction, none, requantizing, rung, form, Mode.PLAIN), shift))
    return BeatProgram(facts, form, mode, EpilogueKind.NONE, tuple(parts), facts.bias)


def _signed_bytes(weights: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """(shift, digits) with weights = sum of digits * 2^shift and digits in -128..128; 128 spares a last part of a few ones."""
    # digits of base 256 around zero, low ones first: what is left is exactly divisible by 256 after each is taken off
    shift = 0
    while np.abs(weights).max(initial=0) > 128:
        digits = (weights + 128) % 256 - 128
        yield shift, digits
        weights = (weights - digits) >> BYTE
        shift += BYTE
    yield shift, weights


def _stretches(reduction: Reduction, fmt: IntFormat) -> Iterator[Reduction]:
    """Consecutive runs, as many at a time as fit 32 bits."""
    # greedy: a stretch ends before the run with which its largest possible sum would leave 32 bits in some channel
    reach = (np.abs(reduction.weights).sum(2) * fmt.largest).max(0)
    first, total = 0, 0
    for run, more in enumerate(reach):
        if total + more > INT32.max and run > first:
            yield reduction.cut(first, run)
            first, total = run, 0
        total += more
    yield reduction.cut(first, len(reach))
