"""The door to the kernels: an array layer and its input codes in, output codes and counters out.

Everything that a kernel relies on is checked here or follows from a proof: shapes, types, the codes' format.
"""
from dataclasses import dataclass

import numpy as np

from hwsim.engine.kernels import pool
from hwsim.engine.kernels.build import build
from hwsim.engine.kernels.events import first_event
from hwsim.engine.kernels.plan import Facts, Plan, plan_of
from hwsim.engine.kernels.program import Worker, watched
from hwsim.engine.kernels.variant import Mode, Tally
from hwsim.engine.result import LayerStats
from hwsim.errors import UsageError
from hwsim.fixed.formats import Overflow

COUNTING = {Overflow.WRAP: Mode.COUNT_WRAP, Overflow.SATURATE: Mode.COUNT_SATURATE, Overflow.ERROR: Mode.COUNT_WRAP}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A layer that the kernels can run, with its proofs and its plan."""

    facts: Facts
    plan: Plan


def prepare(layer, context, rung=None):
    """The Prepared layer for a context (its datapath, formats and monitor); its plan may say that no kernel runs it."""
    facts = Facts(layer, context.datapath, context.in_formats[0], context.out_format)
    return Prepared(facts, plan_of(facts, context.monitor, rung))


def run_layer(prepared, x, context, out=None):
    """(int32 codes (N,OH,OW,OC), LayerStats) of a prepared layer on x (N,IH,IW,IC), integers in its input's format.

    out: where the codes go, an int32 view with contiguous channels; a new array by default.
    """
    layer = prepared.facts.layer
    _check_input(layer, x)
    if out is None:
        out = np.empty((len(x), *layer.out_hw, layer.oc), np.int32)
    _check_output(layer, x, out)
    program = build(prepared.facts, prepared.plan)
    totals = _run(program, x, out, context.threads)
    if not watched(program):
        return out, LayerStats()
    return out, _counted(prepared, x, out, context, totals)


def _check_input(layer, x):
    if x.ndim != 4 or x.shape[1:] != (*layer.in_hw, layer.ic) or x.dtype.kind != "i" or not x.flags.c_contiguous:
        raise UsageError(f"{layer.name}: input codes must be a contiguous array of signed integers (N, {layer.in_hw[0]}, "
                         f"{layer.in_hw[1]}, {layer.ic}), not {x.dtype} {x.shape}")


def _check_output(layer, x, out):
    expected = (len(x), *layer.out_hw, layer.oc)
    if out.shape != expected or out.dtype != np.int32 or out.strides[3] != 4 or not out.flags.writeable:
        raise UsageError(f"{layer.name}: output codes must be an int32 array {expected}, not {out.dtype} {out.shape}")


@dataclass(frozen=True, eq=False)
class Totals:
    """Counters of a whole run, int64: least and most (OC), clamped (one number), events (N,OH,OC) or None."""

    least: np.ndarray
    most: np.ndarray
    clamped: int
    events: np.ndarray | None


def _run(program, x, out, threads):
    """Fills `out`; the Totals of the run."""
    counting = bool(program.mode & (Mode.COUNT_WRAP | Mode.COUNT_SATURATE))
    height = program.layer.out_hw[0]
    rows = 1 if counting else program.chunk_rows(len(x), threads)
    chunks = -(-height // rows)
    events = np.zeros((len(x), height, program.layer.oc), np.int64) if counting else None
    flat = x.reshape(len(x), program.layer.in_hw[0], -1)

    def work(numbers):
        worker = Worker(program, rows)
        for number in numbers:
            n, first = number // chunks, number % chunks * rows
            worker.rows(flat[n], out[n, first:first + rows], first)
            if counting:
                events[n, first] = worker.take_events()
        return worker

    workers = pool.for_chunks(len(x) * chunks, threads, work)
    return _totals(workers, events)


def _totals(workers, events):
    least = np.min([worker.tally(Tally.LEAST) for worker in workers], axis=0)
    most = np.max([worker.tally(Tally.MOST) for worker in workers], axis=0)
    return Totals(least, most, sum(worker.all_clamped() for worker in workers), events)


def _counted(prepared, x, out, context, totals):
    """The LayerStats of a watched layer. Where exact sums left the accumulator it runs again, beat by beat."""
    fmt, events, first = prepared.facts.datapath.acc_format, 0, None
    least, most, clamped = totals.least, totals.most, totals.clamped
    if least.min() < fmt.min or most.max() > fmt.max:
        again = _run(build(prepared.facts, prepared.plan, COUNTING[context.datapath.acc_mode]), x, out, context.threads)
        events, clamped = int(again.events.sum()), again.clamped
        first = first_event(prepared.facts, x, again.events)
    if not context.monitor:
        return LayerStats(first=first)
    return LayerStats(events, first, least, most, clamped)
