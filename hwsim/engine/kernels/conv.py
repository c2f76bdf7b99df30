"""The entry point of the kernels: an array layer and its input codes in, output codes and counters out.

Everything that a kernel relies on is checked here or follows from a proof: shapes, types, the codes' format.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwsim.engine.host.jit import lost
from hwsim.engine.host.threads import for_chunks
from hwsim.engine.kernels.build import build
from hwsim.engine.kernels.events import first_event
from hwsim.engine.kernels.plan import Facts, KernelPlan, plan_of
from hwsim.engine.kernels.program import Program, Worker
from hwsim.engine.kernels.target import Rung
from hwsim.engine.kernels.variant import COUNTS, MONITORED, Counter, Mode
from hwsim.engine.result import LayerStats
from hwsim.errors import UsageError
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.ops.layer import ArrayLayer

COUNTING = {Overflow.WRAP: Mode.COUNT_WRAP, Overflow.SATURATE: Mode.COUNT_SATURATE, Overflow.ERROR: Mode.COUNT_WRAP}

Store = Callable[[np.ndarray, np.ndarray], int]  # store(acc int64 (P,OC), y (P,OC)) -> outputs that the clamp changed


class Prepared:
    """A layer with its proofs, its plan and, once they are needed, the programs of its modes."""

    def __init__(self, facts: Facts, plan: KernelPlan, programs: dict[Mode, Program] | None = None) -> None:
        self.facts, self.plan, self._programs = facts, plan, {} if programs is None else programs

    def program(self, mode: Mode) -> Program:
        """The Program of a mode, built at its first use."""
        if mode not in self._programs:
            self._programs[mode] = build(self.facts, self.plan, mode)
        return replace(self._programs[mode], facts=self.facts)

    def on(self, layer: ArrayLayer) -> Prepared:
        """The same for other rows of the layer: proofs, plan and packed weights are those that are there."""
        return Prepared(self.facts.on(layer), self.plan, self._programs)

    @property
    def largest(self) -> int:
        """The largest magnitude that an accumulator can hold."""
        return self.facts.largest


def prepare(layer: ArrayLayer, datapath: Datapath, in_format: IntFormat, monitor: bool, rungs: Iterable[Rung]) -> Prepared:
    """The Prepared layer on the first of `rungs` whose kernels compile; its plan may say that no kernel runs it."""
    facts = Facts(layer, datapath, in_format)
    for rung in rungs:
        prepared = Prepared(facts, plan_of(facts, monitor, rung))
        if prepared.plan.path == "portable" or _compiles(prepared, rung):
            return prepared
    return Prepared(facts, plan_of(facts, monitor, None))


def _compiles(prepared: Prepared, rung: Rung) -> bool:
    """Whether the kernels of every mode that the layer may need could be made; if not, says so once per instruction set."""
    # compiled now, not when the first event is met: a failure must choose another rung before anything has run
    modes = [prepared.plan.mode]
    if prepared.plan.mode & MONITORED and not prepared.facts.inside:
        modes.append(COUNTING[prepared.facts.datapath.acc_mode])
    try:
        for mode in modes:
            prepared.program(mode)
    except Exception as error:  # whatever the compiler says: the next rung gives the same bits
        lost(f"kernels for {rung.name}", error)
        return False
    return True


def run_layer(prepared: Prepared, x: np.ndarray, y: np.ndarray, store: Store | None, monitor: bool = False,
              threads: int = 1) -> LayerStats:
    """Fills y (N,OH,OW,OC) of facts.out_type, any steps; the LayerStats of a prepared layer on x (N,IH,IW,IC), its input's codes.

    store(acc int64 (P,OC), y (P,OC)) -> clamped count requantizes where the plan's epilogue_kind is NONE.
    The counters are filled when `monitor` is set; `first` also in overflow mode `error`.
    """
    layer = prepared.facts.layer
    _check_input(layer, x)
    _check_output(prepared.facts, len(x), y)
    totals = _run(prepared.program(prepared.plan.mode), x, y, store, threads)
    return _counted(prepared, x, y, store, monitor, threads, totals) if prepared.plan.mode & MONITORED else LayerStats()


def _check_input(layer: ArrayLayer, x: np.ndarray) -> None:
    if x.ndim != 4 or x.shape[1:] != (*layer.in_hw, layer.ic) or x.dtype.kind != "i" or not x.flags.c_contiguous:
        raise UsageError(f"{layer.name}: input codes must be a contiguous array of signed integers (N, {layer.in_hw[0]}, "
                         f"{layer.in_hw[1]}, {layer.ic}), not {x.dtype} {x.shape}")


def _check_output(facts: Facts, images: int, y: np.ndarray) -> None:
    shape = (images, *facts.layer.out_hw, facts.layer.oc)
    if y.shape != shape or y.dtype != facts.out_type or not y.flags.writeable:
        raise UsageError(f"{facts.layer.name}: outputs must be a writeable array of {np.dtype(facts.out_type)} {shape}, "
                         f"not {y.dtype} {y.shape}")


@dataclass(frozen=True, eq=False)
class Totals:
    """Counters of a whole run, int64: least and most (OC), clamped (one number), events (N,OH,OC), (0,OH,OC)
    where they are not counted."""

    least: np.ndarray
    most: np.ndarray
    clamped: int
    events: np.ndarray


def _run(program: Program, x: np.ndarray, out: np.ndarray, store: Store | None, threads: int) -> Totals:
    """Fills `out`; the Totals of the run."""
    counting = bool(program.mode & COUNTS)
    chunks = program.chunks(threads)
    rows = max(chunk.stop - chunk.start for chunk in chunks)
    events = np.zeros((len(x) if counting else 0, program.layer.out_hw[0], program.layer.oc), np.int64)
    flat = x.reshape(len(x), program.layer.in_hw[0], -1)

    def work(numbers: Iterable[int]) -> Worker:
        worker = program.worker(rows, out.strides[1:], store, program.in_place and x.dtype == np.int16)
        for number in numbers:
            n, chunk = divmod(number, len(chunks))
            here = chunks[chunk]
            worker.rows(flat[n], out[n, here], here.start)
            if counting:
                events[n, here] = worker.take_events(here.stop - here.start)
        return worker

    workers = for_chunks(len(x) * len(chunks), threads, work)
    return _totals(workers, events)


def _totals(workers: Sequence[Worker], events: np.ndarray) -> Totals:
    least = np.min([worker.per_channel(Counter.LEAST) for worker in workers], axis=0)
    most = np.max([worker.per_channel(Counter.MOST) for worker in workers], axis=0)
    return Totals(least, most, sum(worker.all_clamped() for worker in workers), events)


def _counted(prepared: Prepared, x: np.ndarray, out: np.ndarray, store: Store | None, monitor: bool, threads: int,
             totals: Totals) -> LayerStats:
    """The LayerStats of a monitored layer. Where exact sums left the accumulator it runs again, beat by beat."""
    fmt, mode = prepared.facts.datapath.acc_format, prepared.facts.datapath.acc_mode
    events, first, clamped = 0, None, totals.clamped
    if totals.least.min() < fmt.min or totals.most.max() > fmt.max:
        counted = _run(prepared.program(COUNTING[mode]), x, out, store, threads)
        # the order of the first run was free, so it knows only that the exact sums left the accumulator, not at which beat
        events, first, clamped = int(counted.events.sum()), first_event(prepared.facts, x, counted.events), counted.clamped
    if not monitor:
        return LayerStats(first=first)
    return LayerStats(events=events, first=first, observed_min=totals.least, observed_max=totals.most, clamped=clamped)
