"""`hwsim bench`: the rates of single layers beside the machine's own limit and beside other libraries, in the same run.

All times are CPU times of the measuring thread, one core, but for the row of two threads; 1 GMAC/s is 1e9
multiply-accumulates per second.
"""
import platform
import statistics
import time
from dataclasses import dataclass

import llvmlite
import numba
import numpy as np

from hwsim.engine.kernels import conv, limit
from hwsim.engine.kernels.pool import in_order
from hwsim.engine.kernels.program import Worker
from hwsim.engine.kernels.target import ladder
from hwsim.engine.kernels.variant import Form
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.ops.layer import ArrayLayer
from hwsim.reports import bench_peers, tables
from hwsim.reports.cycles import pyplot, save
from hwsim.version import VERSION

PROBE_PASSES = 100_000
WORK = 1.5e8  # multiply-accumulates per measurement: a millisecond is mostly over before another process interrupts


@dataclass(frozen=True)
class Shape:
    """A convolution with `same` padding on a square image; depthwise where ic is 0."""

    ic: int
    oc: int
    size: int
    kernel: int

    def __str__(self):
        name = f"{self.ic}->{self.oc}" if self.ic else f"depthwise {self.oc}"
        return f"{name} {self.kernel}x{self.kernel}, {self.size}x{self.size}"

    @property
    def macs(self):
        return max(self.ic, 1) * self.oc * self.size ** 2 * self.kernel ** 2


SHAPES = (Shape(64, 64, 256, 3), Shape(256, 256, 64, 3), Shape(32, 32, 256, 3), Shape(16, 16, 512, 3), Shape(4, 32, 512, 3),
          Shape(1, 32, 512, 3), Shape(64, 64, 256, 1), Shape(0, 64, 256, 3))
# name -> (activation bits, datapath, monitor)
MODES = {"plain": (11, Datapath(), False), "saturate": (11, Datapath(20, Overflow.SATURATE), False),
         "monitor": (11, Datapath(), True), "8 bit": (8, Datapath(), False)}


def report(shapes=SHAPES, modes=tuple(MODES), repeats=9):
    """The bench report: one row per shape and mode that has a kernel; empty rows where this process has none.

    threads: what a second thread gains on the first shape; peers: the other libraries that are installed.
    """
    rows = [row for shape in shapes for mode in modes if (row := _measured(shape, mode, repeats))] if ladder() else []
    return {"schema": "hwsim.bench/1", "hwsim": VERSION, "machine": _machine(), "rows": rows,
            "threads": _two_threads(shapes[0], repeats) if rows else None, "peers": _beside(rows, bench_peers.measured(shapes))}


def _beside(rows, peers):
    """The peers' rows with `ratio`: the rate of the whole plain layer here, of 8 bits for a peer of 8, to theirs."""
    own = {(row["layer"], row["mode"]): row["layer_gmacs"] for row in rows}
    found = []
    for peer in peers:
        rate = own.get((peer["layer"], "8 bit" if peer["peer"].endswith(" int8") else "plain"))
        found.append(peer | {"ratio": rate and rate / peer["gmacs"]})
    return found


def _two_threads(shape, repeats):
    """{layer, speedup, of_limit} by wall time: a whole layer on two threads to one; the same for the probe of the limit."""
    bits, datapath, monitor = MODES["plain"]
    layer = layer_of(shape, bits)
    prepared, x = conv.prepare(layer, datapath, IntFormat(bits), monitor, ladder()[:1]), _input(layer)
    probe = limit.probe(ladder()[0], Form.PAIR)
    gains = [(_gain(lambda threads: conv.run_layer(prepared, x, None, monitor, threads)),
              _gain(lambda threads: in_order(probe, [PROBE_PASSES] * 2, threads))) for _ in range(repeats)]
    speedup, top = (statistics.median(column) for column in zip(*gains))
    return {"layer": str(shape), "speedup": speedup, "limit_speedup": top, "of_limit": speedup / top}


def _gain(work):
    """How many times faster work(2) is than work(1)."""
    work(2)
    seconds = []
    for threads in (1, 2):
        start = time.perf_counter()
        work(threads)
        seconds.append(time.perf_counter() - start)
    return seconds[0] / seconds[1]


def _input(layer):
    return np.random.default_rng(1).integers(-128, 128, (1, *layer.in_hw, layer.ic)).astype(np.int32)


def _machine():
    return {"cpu": platform.machine(), "rungs": [rung.name for rung in ladder()],
            "dot_instruction": bool(ladder()) and ladder()[0].vnni, "numpy": np.__version__, "numba": numba.__version__,
            "llvmlite": llvmlite.__version__, "python": platform.python_version()}


def layer_of(shape, bits):
    """A random ArrayLayer of 8-bit weights for `bits`-bit activations, with a folded PReLU."""
    r, oc, pad = np.random.default_rng(0), shape.oc, shape.kernel // 2
    codes = r.integers(-127, 128, (1, oc, shape.kernel, shape.kernel, max(shape.ic, 1)))
    end = 1 << (bits - 1)
    return ArrayLayer("bench", "", shape.ic == 0, codes, r.integers(-999, 1000, oc), r.integers(1 << 15, 1 << 16, oc),
                      r.integers(1 << 13, 1 << 14, oc), r.integers(24, 28, oc), None, None, None, -end, end - 1,
                      (1, 1), (1, 1), (pad,) * 4, (shape.size,) * 2, (shape.size,) * 2)


def _measured(shape, mode, repeats):
    """One row, or None where the layer has no kernel in this mode."""
    bits, datapath, monitor = MODES[mode]
    layer = layer_of(shape, bits)
    prepared = conv.prepare(layer, datapath, IntFormat(bits), monitor, ladder()[:1])
    if prepared.plan.path == "portable" or (mode == "8 bit" and prepared.plan.path != "dot8"):
        return None
    program = prepared.program(prepared.plan.mode)
    form = program.form if program.form is not Form.CHANNEL else Form.PAIR
    x = _input(layer)
    kernel, kernel_macs = _kernel_alone(program, shape, x)
    rates, fractions, limits = _beside_the_limit(kernel, kernel_macs, form, repeats)
    whole, _, _ = _beside_the_limit(lambda: conv.run_layer(prepared, x, None, monitor), shape.macs, form, repeats)
    band = program.parts[0].bands[0].variant
    return {"layer": str(shape), "mode": mode, "plan": str(prepared.plan), "tile": f"{band.mr}x{band.nr}",
            "kernel_gmacs": rates, "limit_gmacs": limits, "of_limit": fractions, "layer_gmacs": whole}


def _kernel_alone(program, shape, x):
    """(work, macs): the compiled kernel, fused requantizer included, on rows that are already narrowed and bordered."""
    rows = program.chunk_rows(1, 1)
    worker, y = Worker(program, rows, None), np.empty((rows, shape.size, shape.oc), np.int32)
    worker.rows(x.reshape(shape.size, -1), y, 0)
    return lambda: worker.kernels(0, y if worker.direct else worker.outputs), shape.macs * rows // shape.size


def _beside_the_limit(work, macs, form, repeats):
    """Medians of (GMAC/s, fraction of the limit measured next to it, limit)."""
    probe, times, found = limit.probe(ladder()[0], form), max(1, round(WORK / macs)), []
    probe(1), work()
    for _ in range(repeats):
        top = limit.macs(ladder()[0], form, PROBE_PASSES) / _seconds(lambda: probe(PROBE_PASSES)) * 1e-9
        rate = times * macs / _seconds(lambda: [work() for _ in range(times)]) * 1e-9
        found.append((rate, rate / top, top))
    return tuple(statistics.median(column) for column in zip(*found))


def _seconds(work):
    start = time.thread_time()
    work()
    return time.thread_time() - start


def text(bench):
    """The report as tables."""
    rows = [(r["layer"], r["mode"], r["tile"], f"{r['kernel_gmacs']:.0f}", f"{r['limit_gmacs']:.0f}", f"{r['of_limit']:.2f}",
             f"{r['layer_gmacs']:.0f}") for r in bench["rows"]]
    machine, threads = bench["machine"], bench["threads"]
    title = f"{machine['cpu']} {'/'.join(machine['rungs']) or 'no kernels'}, one core, GMAC/s"
    yield tables.table(title, ("<layer", "<mode", "<tile", "kernel", "limit", "of limit", "whole layer"), rows)
    if threads:
        yield (f"two threads: {threads['layer']} {threads['speedup']:.2f} times as fast as one, the limit "
               f"{threads['limit_speedup']:.2f} times")
    if bench["peers"]:
        rows = [(r["layer"], r["peer"], f"{r['gmacs']:.1f}", r["ratio"] and f"{r['ratio']:.2f}") for r in bench["peers"]]
        yield tables.table("other libraries, one core, GMAC/s", ("<layer", "<library", "whole layer", "hwsim to it"), rows)


def plot(bench, path):
    """Bars of the rates per layer and mode beside the limit, written as a picture. Errors: MissingExtraError."""
    plt, rows = pyplot(), bench["rows"]
    figure, axes = plt.subplots(figsize=(8, 1 + 0.25 * len(rows)))
    names, places = [f"{row['layer']} {row['mode']}" for row in rows], range(len(rows))
    axes.barh(places, [row["limit_gmacs"] for row in rows], color="0.85", label="limit")
    axes.barh(places, [row["kernel_gmacs"] for row in rows], height=0.6, label="kernel")
    axes.barh(places, [row["layer_gmacs"] for row in rows], height=0.25, label="whole layer")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlabel("GMAC/s, one core")
    axes.legend()
    save(figure, path)
