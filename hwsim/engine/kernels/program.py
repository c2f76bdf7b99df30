"""A layer packed for one plan: what the kernels need, and the row loop that gives it to them.

Every address that a kernel will touch is derived here from arrays whose sizes have been checked.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from hwsim.engine.kernels import pack, wide
from hwsim.engine.kernels.fill import fill, keep
from hwsim.engine.kernels.geometry import Reduction
from hwsim.engine.kernels.microkernel import kernel
from hwsim.engine.kernels.target import COLUMN
from hwsim.engine.kernels.variant import COUNTS, JOB, OWNED_BYTES, WORDS, Counter, EpilogueKind, Form, Mode
from hwsim.fixed.formats import INT32
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.window import extent

if TYPE_CHECKING:
    from hwsim.engine.kernels.plan import Facts

# A chunk is a number of output rows of one image: what one thread takes at a time, input rows copied once into its own buffer.
SCRATCH = 1 << 19  # bytes of input rows that a chunk aims at: they stay in the second cache
WIDE_BYTES = 12    # of a 64-bit sum and the 32-bit sums that are added to it
LANE = 4           # bytes of a 32-bit lane of inputs, as they are packed
LEAST_ROWS = 8      # of a chunk, whose border rows are then a fourth of them or less
TURN = 1 << 24     # products that make a chunk worth handing to a thread

Jobs = Sequence[tuple[Callable[..., None], np.ndarray]]  # (compiled kernel of a band, its JOB)
Store = Callable[[np.ndarray, np.ndarray], int]  # (sums (P,OC), codes (P,OC) to fill) -> how many the clamp changed


@dataclass(frozen=True, eq=False)
class Part:
    """One pass over the inputs; its 32-bit results count 2^shift each."""

    reduction: Reduction
    bands: tuple[pack.ChannelBlock, ...]
    shift: int = 0


@dataclass(frozen=True, eq=False)
class Program:
    """`facts` of the layer, `mode` and `epilogue_kind` of its kernels, its parts; bias: int64 (OC), what 64-bit sums start at."""

    facts: Facts
    form: Form
    mode: Mode
    epilogue_kind: EpilogueKind
    parts: tuple[Part, ...]
    bias: np.ndarray

    @property
    def layer(self) -> ArrayLayer:
        """The ArrayLayer."""
        return self.facts.layer

    @property
    def scratch_type(self) -> type[np.generic]:
        """The type of a packed input: bytes for the kernels of four, else 16 bits."""
        return np.uint8 if self.form is Form.QUAD else np.int16

    @property
    def zero(self) -> int:
        """What code 0 is stored as: signed bytes are moved to 0..255."""
        return 128 if self.form is Form.QUAD and self.facts.in_format.signed else 0

    @cached_property
    def columns(self) -> int:
        """Input columns that a row of outputs reads, borders included."""
        layer = self.layer
        return (layer.out_hw[1] - 1) * layer.stride[1] + extent(layer.kernel[1], layer.dilation[1])

    @cached_property
    def in_place(self) -> bool:
        """Whether 16-bit inputs can be read where they are: there is no border, and no kernel reads past its window's end."""
        layer, (row, pixel, item) = self.layer, self.image_steps
        # kernels read whole passes, and behind the last window of an image its memory ends: a run may end where the window does,
        # no further
        end = (extent(layer.kernel[0], layer.dilation[0]) - 1) * row + (extent(layer.kernel[1], layer.dilation[1]) - 1) * pixel
        short = all(self.reach(part, row, pixel, item) <= end + layer.ic * item for part in self.parts)
        inside = self.rows(layer.out_hw[0]) <= layer.in_hw[0] and self.columns <= layer.in_hw[1]
        return self.form is Form.PAIR and short and inside and layer.pad[0] == layer.pad[2] == 0

    @property
    def image_steps(self) -> tuple[int, int, int]:
        """Bytes between two rows, pixels and channels of an int16 image."""
        item = np.dtype(np.int16).itemsize
        return self.layer.in_hw[1] * self.layer.ic * item, self.layer.ic * item, item

    def reach(self, part: Part, row: int, pixel: int, item: int) -> int:
        """How far the kernels of a Part read behind the first input of a window, in bytes, for these steps in bytes."""
        if self.form.depthwise:
            read = [(band.first + band.blocks * band.block) * item for band in part.bands]
        else:
            read = [band.weights.shape[2] * LANE for band in part.bands]
        return int(part.reduction.offsets(row, pixel, item).max()) + max(read)

    def rows(self, count: int) -> int:
        """Input rows that `count` output rows read."""
        layer = self.layer
        return (count - 1) * layer.stride[0] + extent(layer.kernel[0], layer.dilation[0])

    def chunks(self, threads: int) -> list[slice]:
        """The chunks of an image's output rows, as slices: guided self-scheduling.

        Each takes half of a thread's fair share of the rows that are left (at least `turn`, at most chunk_rows), so that chunks
        shrink towards the end and all threads finish together.
        """
        height, highest, starts = self.layer.out_hw[0], self.chunk_rows(threads), [0]
        while starts[-1] < height:
            fair = -(-(height - starts[-1]) // (2 * threads)) if threads > 1 else height
            starts.append(min(starts[-1] + min(highest, max(fair, self.turn)), height))
        return [slice(*ends) for ends in zip(starts, starts[1:])]

    def chunk_rows(self, threads: int) -> int:
        """The most output rows of a chunk; one where the kernels count events, which they do not tell apart by rows."""
        return 1 if self.mode & COUNTS else self.cached_rows(threads)

    @property
    def turn(self) -> int:
        """Output rows that are worth handing to a thread."""
        return max(TURN // max(self.layer.weights.codes[0].size * self.layer.out_hw[1], 1), 1)

    def cached_rows(self, threads: int) -> int:
        """Output rows that are few enough for the cache, and for several threads enough to be worth a turn."""
        layer = self.layer
        row = self.columns * layer.ic * np.dtype(self.scratch_type).itemsize * layer.stride[0]
        rows = max(SCRATCH // max(row, 1), LEAST_ROWS, self.turn if threads > 1 else 1)
        return int(max(min(rows, layer.out_hw[0]), 1))

    def worker(self, *given: Any) -> Worker:
        """A Worker(program, ...) of this kind of program."""
        return Worker(self, *given)


class Worker:
    """One thread's buffers for a Program: input rows, accumulators, counters.

    steps: bytes between two rows, pixels and channels of the output, which kernels of whole columns write where it is.
    in_place: the images hold int16, and the kernels read them where they are.
    store(acc int64 (P,OC), y (P,OC)) -> clamped count: the requantizer of a program whose epilogue_kind is NONE.
    """

    def __init__(self, program: Program, rows: int, steps: Sequence[int], store: Store, in_place: bool = False) -> None:
        self.program, self.store, layer = program, store, program.layer
        self.inputs: Any = None  # where the kernels read the images themselves
        self.strides: tuple[int, ...] = program.image_steps
        if not in_place:
            self.inputs = pack.aligned((program.rows(rows), program.columns, layer.ic), program.scratch_type)
            self.strides = self.inputs.strides
        self.padded = -(-layer.oc // COLUMN) * COLUMN
        self.out_type = np.dtype(np.int32 if program.epilogue_kind is EpilogueKind.NONE else program.facts.out_type)
        whole_columns = self.padded == layer.oc and steps[2] == self.out_type.itemsize
        self.direct = whole_columns and program.epilogue_kind is not EpilogueKind.NONE
        self.outputs: Any = None  # where the kernels write the outputs themselves
        self.out_steps = steps
        if not self.direct:
            self.outputs = pack.aligned((rows, layer.out_hw[1], self.padded), self.out_type)
            self.out_steps = self.outputs.strides
        self.owned = pack.owned_masks()
        if program.epilogue_kind is EpilogueKind.NONE:
            self.acc = np.empty((rows, layer.out_hw[1], layer.oc), np.int64)
        self.counters = [[pack.empty_counters(band) for band in part.bands] for part in program.parts]
        self.runs = [part.reduction.offsets(*self.strides) for part in program.parts]
        self.clamped = 0
        if not in_place:
            self._check_reach()
        self.jobs = [[(kernel(band.variant), self._job(band, counters, offsets)) for band, counters in zip(part.bands, tables)]
                     for part, tables, offsets in zip(program.parts, self.counters, self.runs)]

    def _check_reach(self) -> None:
        """No kernel may read past the slack behind the input rows."""
        layer, (row, pixel, item) = self.program.layer, self.strides
        last = (len(self.inputs) - extent(layer.kernel[0], layer.dilation[0])) * row
        last += (layer.out_hw[1] - 1) * layer.stride[1] * pixel
        end = last + max(self.program.reach(part, row, pixel, item) for part in self.program.parts)
        if end > self.inputs.nbytes + pack.SLACK:
            raise AssertionError(f"a run must end inside its rows, not at {end}")

    def rows(self, image: np.ndarray, y: np.ndarray, first: int) -> None:
        """Fills y (ROWS,OW,OC), rows first.. of the layer's output, from image (IH, IW*IC)."""
        program, layer, count = self.program, self.program.layer, len(y)
        top = first * layer.stride[0] - layer.pad[0]
        x = image[top:] if self.inputs is None else self._filled(image, top, program.rows(count))
        target = y if self.direct else self.outputs[:count]
        if program.epilogue_kind is EpilogueKind.NONE:
            self._wide(x, target, y)
            return
        self.run(self.jobs[0], x, target)
        if not self.direct:
            keep(target, y)

    def _filled(self, image: np.ndarray, top: int, count: int) -> np.ndarray:
        """`count` rows of the image from row `top` on, narrowed and bordered."""
        needed, layer = self.inputs[:count].reshape(count, -1), self.program.layer
        fill(image, needed, top, layer.pad[2] * layer.ic, self.program.zero)
        return needed

    def _wide(self, x: np.ndarray, sums: np.ndarray, y: np.ndarray) -> None:
        program, acc = self.program, self.acc[:len(y)]
        wide.start(acc, program.bias)
        self._accumulate(x, sums, acc)
        # reshape() of a strided y would silently make a copy, and the outputs would be lost
        outputs = y if y.flags.c_contiguous else np.empty(y.shape, y.dtype)
        self.clamped += self.store(acc.reshape(-1, program.layer.oc), outputs.reshape(-1, program.layer.oc))
        if outputs is not y:
            y[...] = outputs

    def _accumulate(self, x: np.ndarray, sums: np.ndarray, acc: np.ndarray) -> None:
        """Adds every part to acc; `sums` is room for one."""
        for part, jobs in zip(self.program.parts, self.jobs):
            self.run(jobs, x, sums)
            wide.add(acc, sums, part.shift)
        if self.program.mode & Mode.WRAP:
            wide.wrap(acc, 64 - self.program.facts.datapath.acc_bits)

    def run(self, jobs: Jobs, x: np.ndarray, out: np.ndarray) -> None:
        """Runs the kernels of `jobs` on the input rows x into out (ROWS,OW,OC or its padded width)."""
        for kernel_of_band, job in jobs:
            kernel_of_band(job, x.ctypes.data, out.ctypes.data, len(out))

    def _job(self, band: pack.ChannelBlock, counters: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """What a kernel is told about its band, in this worker's memory."""
        layer, fmt = self.program.layer, self.program.facts.datapath.acc_format
        (row, pixel, item), item_out = self.strides, self.out_type.itemsize
        per_channel = self.program.form.depthwise  # a block of channels then reads its own inputs, not all of them
        fields = dict(
            width=layer.out_hw[1], blocks=band.blocks,
            x=band.first * item if per_channel else 0,
            x_row=row * layer.stride[0], x_pixel=pixel * layer.stride[1], x_block=band.block * item if per_channel else 0,
            weights=band.weights.ctypes.data, w_block=band.weights.strides[0],
            runs=offsets.ctypes.data, n_runs=band.weights.shape[1], n_passes=band.passes,
            channels=band.channels.ctypes.data, per_block=band.channels.strides[0], lo=layer.epilogue.lo, hi=layer.epilogue.hi,
            acc_lo=max(fmt.min, INT32.min), acc_hi=min(fmt.max, INT32.max), wrap=max(32 - fmt.bits, 0),
            # the table's first half is zeros: a tile that repeats k pixels starts k rows before the middle
            counters=counters.ctypes.data, owned=self.owned.ctypes.data + pack.MOST_PIXELS * OWNED_BYTES,
            out=band.first * item_out, out_row=self.out_steps[0], out_pixel=self.out_steps[1],
            out_block=band.block * item_out)
        return np.array([tuple(fields[name] for name in JOB.names or ())], JOB)

    def per_channel(self, row: Counter) -> np.ndarray:
        """One row of the counters of all output channels, int64 (OC)."""
        rows = [counters[:, row].ravel()[:band.count] for band, counters in zip(self.program.parts[0].bands, self.counters[0])]
        return np.concatenate(rows).astype(np.int64)

    def take_events(self, rows: int) -> np.ndarray:
        """Events per channel in the `rows` rows since the last call, int64 (ROWS,OC)."""
        events = self.per_channel(Counter.EVENTS)
        for counters in self.counters[0]:
            counters[:, Counter.EVENTS] = 0
        return events[None]

    def all_clamped(self) -> int:
        """How many of this worker's outputs the final clamp changed. Kernels whose epilogue rounds in words count in any lane;
        their channels that are filled up are 0 and never clamped."""
        if self.program.epilogue_kind in WORDS:
            return sum(int(counters[:, Counter.CLAMPED].sum(dtype=np.int64)) for counters in self.counters[0])
        return self.clamped + int(self.per_channel(Counter.CLAMPED).sum())
