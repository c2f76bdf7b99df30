"""The rates of array layers on the compiled kernels, beside the machine's dot-product limit measured in turns.

All times are CPU times of the measuring thread, one core, but for the gain of a second thread, which is wall time.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.bench.layers import MODES, Shape, input_of, layer_of
from hwsim.bench.timing import Work, in_turns, medians, thread_seconds, wall_seconds
from hwsim.engine.fast.backend import COMPILED
from hwsim.engine.fast.layer import requantizer
from hwsim.engine.host.threads import in_order
from hwsim.engine.kernels import conv, limit
from hwsim.engine.kernels.target import ladder
from hwsim.engine.kernels.variant import Form
from hwsim.fixed.formats import IntFormat

CACHED, CODE = 1 << 19, 4  # bytes
PROBE_PASSES, LONG_PASSES = 15_000, 1_000_000  # a fraction of a millisecond, and long enough to share
WORK = 1.5e8  # multiply-accumulates per measurement: a millisecond is mostly over before another process interrupts


@dataclass(frozen=True)
class LayerRate:
    """A layer in a mode, GMAC/s of one core; medians.

    plan: how the fast engine runs it; tile: pixels x columns; kernel: its kernels alone, on bordered rows in the cache; limit:
    the machine's; of_limit: kernel / limit, measured in turns; whole: the whole layer from and to tensors in memory.
    """

    shape: Shape
    mode: str
    plan: str
    tile: str
    kernel: float
    limit: float
    of_limit: float
    whole: float


@dataclass(frozen=True)
class ThreadGain:
    """How many times faster two threads are than one, by wall time: on a whole layer, and on the probe of the limit."""

    shape: Shape
    speedup: float
    limit_speedup: float

    @property
    def of_limit(self) -> float:
        """The layer's gain as a fraction of the probe's."""
        return self.speedup / self.limit_speedup


@dataclass(frozen=True)
class Task:
    """Something to time: work(), and the multiply-accumulates of one call."""

    work: Work
    macs: int

    def rate(self) -> float:
        """GMAC/s of the calling thread's CPU time, over calls of WORK multiply-accumulates together."""
        times = max(1, round(WORK / self.macs))
        return times * self.macs * 1e-9 / thread_seconds(lambda: [self.work() for _ in range(times)])


@dataclass(frozen=True)
class _Kernel:
    """A layer made ready. alone: the compiled kernel with its fused requantizer on rows that are already bordered; whole: the
    whole layer from and to tensors in memory. Sums of 64 bits are put together and requantized outside the kernel."""

    plan: str
    tile: str
    form: Form
    alone: Task
    whole: Task


def layer_rate(shape: Shape, mode: str, repeats: int) -> LayerRate | None:
    """The LayerRate of a shape in a mode of MODES, or None where the layer has no kernel in this mode."""
    kernel = _kernel(shape, mode)
    if kernel is None:
        return None
    rate, fraction, top = _beside(kernel.alone, _limit(kernel.form), repeats)
    whole, _, _ = _beside(kernel.whole, _limit(kernel.form), repeats)
    return LayerRate(shape=shape, mode=mode, plan=kernel.plan, tile=kernel.tile, kernel=rate, limit=top, of_limit=fraction,
                     whole=whole)


def of_limit(shape: Shape, mode: str, repeats: int = 9) -> float:
    """A kernel's rate as a fraction of the limit, measured in turns: the median. Errors: LookupError without a kernel."""
    kernel = _existing(shape, mode)
    return _beside(kernel.alone, _limit(kernel.form), repeats)[1]


def of_plain(shape: Shape, mode: str, repeats: int = 9) -> float:
    """A kernel's rate as a fraction of that of mode `plain`, measured in turns: the median. Errors: as of_limit()."""
    return _beside(_existing(shape, mode).alone, _existing(shape, "plain").alone, repeats)[1]


def thread_gain(shape: Shape, repeats: int) -> ThreadGain:
    """The ThreadGain of a shape in mode `plain`: medians."""
    bits, weight_bits, datapath, monitor = MODES["plain"]
    layer = layer_of(shape, bits, weight_bits)
    prepared, x = conv.prepare(layer, datapath, IntFormat(bits), monitor, ladder()[:1]), input_of(layer)
    probe = limit.probe(ladder()[0], Form.PAIR)
    y = _output(prepared.facts)
    gains = [(_gain(lambda threads: conv.run_layer(prepared, x, y, None, monitor, threads)),
              _gain(lambda threads: in_order(probe, [LONG_PASSES] * 2, threads))) for _ in range(repeats)]
    return ThreadGain(shape, *medians(gains))


def _gain(work: Callable[[int], Any]) -> float:
    """How many times faster work(2) is than work(1)."""
    work(2)
    return wall_seconds(lambda: work(1)) / wall_seconds(lambda: work(2))


def _output(facts: Any) -> np.ndarray:
    return np.empty((1, *facts.layer.out_hw, facts.layer.oc), facts.out_type)


def _existing(shape: Shape, mode: str) -> _Kernel:
    kernel = _kernel(shape, mode)
    if kernel is None:
        raise LookupError(f"{shape} must have a kernel in mode {mode}")
    return kernel


def _kernel(shape: Shape, mode: str) -> _Kernel | None:
    """The _Kernel of a shape in a mode, or None where there is none."""
    bits, weight_bits, datapath, monitor = MODES[mode]
    layer = layer_of(shape, bits, weight_bits)
    prepared = conv.prepare(layer, datapath, IntFormat(bits), monitor, ladder()[:1])
    if prepared.plan.path == "portable":
        return None
    program, x = prepared.program(prepared.plan.mode), input_of(layer)
    variant, rows = program.parts[0].bands[0].variant, _cached_rows(program)
    y, store = _output(prepared.facts), requantizer(layer, datapath, IntFormat(bits), prepared.largest, COMPILED)
    worker = program.worker(rows, y.strides[1:], store)
    worker.rows(x.reshape(shape.size, -1), y[0, :rows], 0)
    target = y[0, :rows] if worker.direct else worker.outputs

    def kernels_alone() -> None:
        for jobs in worker.jobs:
            worker.run(jobs, worker.inputs, target)
    alone = Task(kernels_alone, shape.macs * rows // shape.size)
    whole = Task(lambda: conv.run_layer(prepared, x, y, store, monitor), shape.macs)
    form = Form.QUAD if program.form is Form.QUAD else Form.PAIR
    return _Kernel(plan=str(prepared.plan), tile=f"{variant.mr}x{variant.nr}", form=form, alone=alone, whole=whole)


def _cached_rows(program: Any) -> int:
    """Output rows that stay in the second cache with their inputs: the kernel is measured, not its neighbours' memory."""
    layer, word = program.layer, np.dtype(program.scratch_type).itemsize
    return max(1, CACHED // (program.columns * layer.ic * word + layer.out_hw[1] * layer.oc * CODE))


def _limit(form: Form) -> Task:
    """The probe of the machine's limit."""
    probe = limit.probe(ladder()[0], form)
    return Task(lambda: probe(PROBE_PASSES), limit.macs(ladder()[0], form, PROBE_PASSES))


def _beside(task: Task, yardstick: Task, repeats: int) -> tuple[float, ...]:
    """Medians of (GMAC/s of `task`, its fraction of the yardstick's measured just before it, GMAC/s of the yardstick)."""
    return medians([(rate, rate / below, below) for below, rate in in_turns(yardstick.rate, task.rate, repeats)])
