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

from hwsim.engine.fast.backend import COMPILED
from hwsim.engine.fast.layer import requantizer
from hwsim.engine.host.threads import in_order
from hwsim.engine.kernels import conv, limit
from hwsim.engine.kernels.target import ladder
from hwsim.engine.kernels.variant import Form
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.ops.epilogue import Epilogue, Folded
from hwsim.ops.geometry import Geometry
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.weights import Linear, Weights
from hwsim.reports import bench_peers, bench_vector, tables
from hwsim.reports.plotting import pyplot, save
from hwsim.version import VERSION

CACHED, CODE = 1 << 19, 4  # bytes
PROBE_PASSES, LONG_PASSES = 15_000, 1_000_000  # a fraction of a millisecond, and long enough to share
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
    def channels(self):
        """Of the input."""
        return self.ic or self.oc

    @property
    def groups(self):
        return 1 if self.ic else self.oc

    @property
    def macs(self):
        return max(self.ic, 1) * self.oc * self.size ** 2 * self.kernel ** 2


SHAPES = (Shape(64, 64, 256, 3), Shape(256, 256, 64, 3), Shape(32, 32, 256, 3), Shape(16, 16, 512, 3), Shape(4, 32, 512, 3),
          Shape(1, 32, 512, 3), Shape(64, 64, 256, 1), Shape(0, 64, 256, 3))
# name -> (activation bits, weight bits, datapath, monitor)
MODES = {"plain": (11, 8, Datapath(), False), "saturate": (11, 8, Datapath(20, Overflow.SATURATE), False),
         "monitor": (11, 8, Datapath(), True), "8 bit": (8, 8, Datapath(), False), "16x16 bit": (16, 16, Datapath(), False)}


def report(shapes=SHAPES, modes=tuple(MODES), repeats=9, vector_cases=bench_vector.CASES):
    """The bench report: one row per shape and mode that has a kernel; empty rows where this process has none.

    threads: what a second thread gains on the first shape; vector: vector operators beside a copy; peers: the other libraries
    that are installed.
    """
    rows = [row for shape in shapes for mode in modes if (row := _measured(shape, mode, repeats))] if ladder() else []
    return {"schema": "hwsim.bench/1", "hwsim": VERSION, "machine": _machine(), "rows": rows,
            "threads": _two_threads(shapes[0], repeats) if rows else None,
            "vector": bench_vector.measured(repeats, vector_cases), "peers": _beside(rows, bench_peers.measured(shapes))}


def _beside(rows, peers):
    """The peers' rows with `ratio`: the rate of the whole layer here to theirs; `mode`: 8 bit for peers of 8 bits, else plain."""
    own = {(row["layer"], row["mode"]): row["layer_gmacs"] for row in rows}
    found = []
    for peer in peers:
        mode = "8 bit" if peer["peer"].endswith(" int8") else "plain"
        rate = own.get((peer["layer"], mode))
        found.append(peer | {"mode": mode, "ratio": rate and rate / peer["gmacs"]})
    return found


def _two_threads(shape, repeats):
    """{layer, speedup, of_limit} by wall time: a whole layer on two threads to one; the same for the probe of the limit."""
    bits, weight_bits, datapath, monitor = MODES["plain"]
    layer = layer_of(shape, bits, weight_bits)
    prepared, x = conv.prepare(layer, datapath, IntFormat(bits), monitor, ladder()[:1]), _input(layer)
    probe = limit.probe(ladder()[0], Form.PAIR)
    y = _output(prepared.facts)
    gains = [(_gain(lambda threads: conv.run_layer(prepared, x, y, None, monitor, threads)),
              _gain(lambda threads: in_order(probe, [LONG_PASSES] * 2, threads))) for _ in range(repeats)]
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
    return np.random.default_rng(1).integers(-128, 128, (1, *layer.in_hw, layer.ic)).astype(np.int16)


def _output(facts):
    return np.empty((1, *facts.layer.out_hw, facts.layer.oc), facts.out_type)


def _machine():
    return {"cpu": platform.machine(), "rungs": [rung.name for rung in ladder()],
            "dot_instruction": bool(ladder()) and ladder()[0].vnni, "numpy": np.__version__, "numba": numba.__version__,
            "llvmlite": llvmlite.__version__, "python": platform.python_version()}


def layer_of(shape: Shape, bits: int, weight_bits: int) -> ArrayLayer:
    """A random ArrayLayer for `bits`-bit activations, with a folded PReLU."""
    r, oc, pad, form = np.random.default_rng(0), shape.oc, shape.kernel // 2, Linear(weight_bits)
    codes = r.integers(form.codes.min, form.codes.max + 1, (1, oc, shape.kernel, shape.kernel, max(shape.ic, 1)))
    bias, ends = r.integers(-999, 1000, oc), IntFormat(bits)
    stage = Folded(m_pos=r.integers(1 << 15, 1 << 16, oc), m_neg=r.integers(1 << 13, 1 << 14, oc), shift=r.integers(24, 28, oc))
    geometry = Geometry(stride=(1, 1), dilation=(1, 1), pad=(pad,) * 4, in_hw=(shape.size,) * 2, out_hw=(shape.size,) * 2,
                        depthwise=shape.ic == 0)
    return ArrayLayer("bench", "", geometry, Weights(codes, form), Epilogue(bias, (stage,), ends.min, ends.max))


def of_limit(shape, mode, repeats=9):
    """A kernel's rate as a fraction of the limit, measured in turns: the median."""
    kernel = _kernel(shape, mode)
    return _in_turns(kernel.alone, _limit(kernel.form), repeats)[1]


def of_plain(shape, mode, repeats=9):
    """A kernel's rate as a fraction of that of mode `plain`, measured in turns: the median."""
    return _in_turns(_kernel(shape, mode).alone, _kernel(shape, "plain").alone, repeats)[1]


def _measured(shape, mode, repeats):
    """One row, or None where the layer has no kernel in this mode."""
    kernel = _kernel(shape, mode)
    if kernel is None:
        return None
    rate, fraction, top = _in_turns(kernel.alone, _limit(kernel.form), repeats)
    whole, _, _ = _in_turns(kernel.whole, _limit(kernel.form), repeats)
    return {"layer": str(shape), "mode": mode, "plan": kernel.plan, "tile": kernel.tile,
            "kernel_gmacs": rate, "limit_gmacs": top, "of_limit": fraction, "layer_gmacs": whole}


@dataclass(frozen=True)
class _Kernel:
    """A layer made ready. alone, whole: (work, its multiply-accumulates), of the compiled kernel with its fused requantizer
    on rows that are already bordered, and of the whole layer from and to tensors in memory. Sums of 64 bits are put together
    and requantized outside the kernel."""

    plan: str
    tile: str
    form: Form
    alone: tuple
    whole: tuple


def _kernel(shape, mode):
    """The _Kernel of a shape in a mode, or None where there is none."""
    bits, weight_bits, datapath, monitor = MODES[mode]
    layer = layer_of(shape, bits, weight_bits)
    prepared = conv.prepare(layer, datapath, IntFormat(bits), monitor, ladder()[:1])
    if prepared.plan.path == "portable":
        return None
    program, x = prepared.program(prepared.plan.mode), _input(layer)
    band, rows = program.parts[0].bands[0].variant, _cached_rows(program)
    y, store = _output(prepared.facts), requantizer(layer, datapath, IntFormat(bits), prepared.largest, COMPILED)
    worker = program.worker(rows, y.strides[1:], store)
    worker.rows(x.reshape(shape.size, -1), y[0, :rows], 0)
    target = y[0, :rows] if worker.direct else worker.outputs
    alone = (lambda: [worker.run(jobs, worker.inputs, target) for jobs in worker.jobs], shape.macs * rows // shape.size)
    return _Kernel(str(prepared.plan), f"{band.mr}x{band.nr}", Form.QUAD if program.form is Form.QUAD else Form.PAIR, alone,
                   (lambda: conv.run_layer(prepared, x, y, store, monitor), shape.macs))


def _cached_rows(program):
    """Output rows that stay in the second cache with their inputs: the kernel is measured, not its neighbours' memory."""
    layer, word = program.layer, np.dtype(program.scratch_type).itemsize
    return max(1, CACHED // (program.columns * layer.ic * word + layer.out_hw[1] * layer.oc * CODE))


def _limit(form):
    """(work, its multiply-accumulates) of the probe of the machine's limit."""
    probe = limit.probe(ladder()[0], form)
    return lambda: probe(PROBE_PASSES), limit.macs(ladder()[0], form, PROBE_PASSES)


def _in_turns(one, other, repeats):
    """Medians of (GMAC/s of one, its fraction of the other's measured next to it, GMAC/s of the other)."""
    found = []
    for _ in range(repeats + 1):  # the first warms up
        below, rate = _rate(*other), _rate(*one)
        found.append((rate, rate / below, below))
    return tuple(statistics.median(column) for column in zip(*found[1:]))


def _rate(work, macs):
    times = max(1, round(WORK / macs))
    return times * macs * 1e-9 / _seconds(lambda: [work() for _ in range(times)])


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
    if bench["vector"]:
        rows = [(f"{r['op']} {r['variant']}".strip(), r["layer"], f"{r['ns']:.2f}", f"{r['gbytes_per_s']:.1f}",
                 f"{r['copy_gbytes_per_s']:.1f}", f"{r['of_copy']:.2f}") for r in bench["vector"]]
        yield tables.table("vector operators beside a copy of as many bytes, one core, 11-bit codes",
                           ("<operator", "<inputs", "ns per value", "GB/s", "copy, GB/s", "of the copy"), rows)
    if bench["peers"]:
        rows = [(r["layer"], r["peer"], f"{r['gmacs']:.1f}", r["mode"], r["ratio"] and f"{r['ratio']:.2f}")
                for r in bench["peers"]]
        columns = "<layer", "<library", "whole layer", "<hwsim's mode", "hwsim to it"
        yield tables.table("other libraries, one core, GMAC/s", columns, rows)


def plot(bench, path):
    """Bars of the rates per layer and mode beside the limit, written as a picture. Errors: MissingExtraError."""
    plt, rows = pyplot(), bench["rows"]
    figure, axes = plt.subplots(figsize=(8, 1.5 + 0.25 * len(rows)), layout="constrained")
    names, places = [f"{row['layer']} {row['mode']}" for row in rows], range(len(rows))
    axes.barh(places, [row["limit_gmacs"] for row in rows], color="0.85", label="limit")
    axes.barh(places, [row["kernel_gmacs"] for row in rows], height=0.6, label="kernel")
    axes.barh(places, [row["layer_gmacs"] for row in rows], height=0.25, label="whole layer")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlabel("GMAC/s, one core")
    axes.set_title(f"{bench['machine']['cpu']} {bench['machine']['rungs'][0]}" if rows else "no kernels")
    figure.legend(loc="outside lower center", ncols=3)
    save(figure, path)
