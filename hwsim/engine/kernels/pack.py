"""Weights, channels and borders laid out as the kernels read them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from hwsim.engine.kernels import tap_pairs
from hwsim.engine.kernels.geometry import Reduction
from hwsim.engine.kernels.target import COLUMN, Rung
from hwsim.engine.kernels.variant import OWNED_BYTES, SPAN, Counter, Form, Mode, Variant

if TYPE_CHECKING:
    from hwsim.engine.kernels.plan import Requantizer

# A kernel reads whole passes and whole columns: the last one reaches past the data. What it reads there meets weights of zero or
# belongs to channels that nobody stores; the memory must only be there.
SLACK = 4096  # readable bytes behind every buffer: runs that are filled up and full columns read past their data
LONGEST_PASS = 8
MOST_PIXELS = 16  # of any tile


@dataclass(frozen=True, eq=False)
class ChannelBlock:
    """Output channels first..first+count-1 of a layer, packed for one variant.

    weights: [block][run][lane group][nr*16 channels][inputs per lane]; channels int32 [block][4][nr*16]: bias, m_pos,
    m_neg, shift. The last block is filled up with zero channels.
    """

    first: int
    count: int
    variant: Variant
    weights: np.ndarray
    channels: np.ndarray
    passes: int

    @property
    def block(self) -> int:
        """Channels that one call of the kernel computes: the width of its tile."""
        return self.variant.nr * COLUMN

    @property
    def blocks(self) -> int:
        """How many such blocks there are, the last one filled up."""
        return len(self.weights)


def aligned(shape: int | Sequence[int], dtype: DTypeLike) -> np.ndarray:
    """A zeroed array on a 64-byte boundary with SLACK readable bytes behind it."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64 + SLACK, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + size].view(dtype).reshape(shape)


def bands(reduction: Reduction, bias: np.ndarray, requantizer: Requantizer, rung: Rung, width: int, form: Form, mode: Mode,
          item: int) -> list[ChannelBlock]:
    """The ChannelBlocks of a layer: as many whole tiles of the widest kind as fit, then the rest in narrow ones.

    item: bytes of an output.
    """
    careful = bool(reduction.beat)
    channels, first, blocks = len(bias), 0, []
    while first < channels:
        columns = -(-(channels - first) // COLUMN)
        mr, nr = rung.tile(columns, width, careful)
        count = min(channels - first, columns // nr * nr * COLUMN)
        lanes_per_pass = _pass(reduction, form)
        variant = Variant(rung.lanes, mr, nr, int(form), lanes_per_pass, int(mode), int(requantizer.epilogue_kind), item)
        blocks.append(_band(reduction, bias, requantizer, variant, first, count))
        first += count
    return blocks


def _pass(reduction: Reduction, form: Form) -> int:
    """32-bit lanes of inputs that the inner loop takes at once: a beat, or enough that its branch is rarely guessed wrong."""
    lanes = -(-reduction.weights.shape[2] // form.inputs)
    if reduction.beat:
        return max(reduction.beat // form.inputs, 1)
    return lanes if lanes <= LONGEST_PASS else next((n for n in (8, 6) if lanes % n == 0), 4)


def _band(reduction: Reduction, bias: np.ndarray, requantizer: Requantizer, variant: Variant, first: int,
          count: int) -> ChannelBlock:
    here = slice(first, first + count)
    weights = _packed(reduction.weights[here], variant)
    fields: tuple[Any, ...] = (bias,)
    if requantizer.epilogue_kind:
        fields = (bias, requantizer.m_pos, requantizer.m_neg, requantizer.shift)
    channels = _per_block([field[here] for field in fields], len(weights), variant.nr * COLUMN)
    passes = weights.shape[2] // variant.lanes_per_pass
    return ChannelBlock(first=first, count=count, variant=variant, weights=weights, channels=channels, passes=passes)


def _packed(weights: np.ndarray, variant: Variant) -> np.ndarray:
    count, runs, length = weights.shape
    block = variant.nr * COLUMN
    form = Form(variant.form)
    unit = form.inputs * variant.lanes_per_pass
    blocks, groups = -(-count // block), -(-length // unit) * variant.lanes_per_pass
    dtype, inputs = (np.int8, 4) if form is Form.QUAD else (np.int16, 2)
    full = np.zeros((blocks * block, runs, groups, inputs), dtype)
    flat = np.zeros((count, runs, groups * form.inputs), np.int64)
    flat[..., :length] = weights
    full[:count, ..., :form.inputs] = flat.reshape(count, runs, groups, form.inputs)
    # in the order in which the inner loop reads them, so that weights stream through the cache line by line: for each run and
    # lane group all channels of the block, each with its inputs of one 32-bit lane
    packed = aligned((blocks, runs, groups, block, inputs), dtype)
    channels = tap_pairs.order(variant.lanes, variant.nr) if form is Form.TAPS else slice(None)
    packed[...] = full.reshape(blocks, block, runs, groups, inputs).transpose(0, 2, 3, 1, 4)[..., channels, :]
    return packed


def _per_block(fields: Sequence[np.ndarray], blocks: int, block: int) -> np.ndarray:
    table = aligned((blocks, len(Counter), block), np.int32)
    for index, field in enumerate(fields):
        row = np.zeros(blocks * block, np.int64)
        row[:len(field)] = field
        table[:, index] = row.astype(np.int32).reshape(blocks, block)
    return table


@cache
def owned_masks() -> np.ndarray:
    """Rows of OWNED_BYTES, MOST_PIXELS of zeros, then as many of ones: from row MOST_PIXELS - k on, those of a tile whose first k
    pixels were done before.
    """
    masks = aligned((2 * MOST_PIXELS, OWNED_BYTES), np.uint8)
    masks[MOST_PIXELS:] = 255
    return masks


def empty_counters(band: ChannelBlock) -> np.ndarray:
    """A counters [block][least, most, clamped, events][nr*16] before the first pixel."""
    counters = aligned((band.blocks, len(Counter), band.block), np.int32)
    info = np.iinfo(np.int32)
    # a monitored tile counts from LEAST: the first one must not overflow when it subtracts SPAN from a sum
    ends = (SPAN, -SPAN) if band.variant.mode & Mode.WATCH else (info.max, info.min)
    counters[:, Counter.LEAST], counters[:, Counter.MOST] = ends
    return counters
