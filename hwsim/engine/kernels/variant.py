"""What makes one compiled kernel different from another (Variant), and the arguments of each call (Tile, JOB).

Integers only: numba's compile cache tells closures apart by the integers that they hold, and by nothing else that is the same
in every process. Words of this folder:

epilogue kind  how a 32-bit accumulator becomes an output
owned          the mask of owned pixels: all ones for a pixel that this tile computes first, zero for one that its left
               neighbour did
counters       of monitoring, per channel: extremes, clamped outputs, events
watch          to monitor the extremes by one instruction per accumulator as long as no new minimum turns up
backoff        the back-off counter that decides whether the next tile tries the optimistic path or takes the fallback
"""
from __future__ import annotations

from collections import namedtuple
from enum import IntEnum, IntFlag

import numpy as np


class Form(IntEnum):
    """What one 32-bit lane of an activation holds."""

    CHANNEL = 1  # depthwise: the lane's own channel
    PAIR = 2     # two 16-bit inputs, the same for all lanes
    TAPS = 3     # depthwise: the lane's own channel at two taps
    QUAD = 4     # four unsigned 8-bit inputs, the same for all lanes

    @property
    def inputs(self) -> int:
        """Inputs per lane."""
        return {Form.CHANNEL: 1, Form.QUAD: 4}.get(self, 2)

    @property
    def depthwise(self) -> bool:
        """Whether every output channel has its own input channel."""
        return self in (Form.CHANNEL, Form.TAPS)


class Mode(IntFlag):
    """What happens after every beat (WRAP: after the last one)."""

    PLAIN = 0
    WRAP = 1           # the finished accumulator is taken modulo 2^acc_bits
    SATURATE = 2       # the accumulator is limited to acc_lo..acc_hi
    OBSERVE = 4        # smallest and largest accumulator per channel
    COUNT_WRAP = 8     # events are counted, then the accumulator wraps
    COUNT_SATURATE = 16  # events are counted, then the accumulator saturates
    WATCH = 32         # as OBSERVE, for sums of less than SPAN: minima are updated only in tiles that have a new one


class EpilogueKind(IntEnum):
    """The epilogue: how an accumulator becomes an output."""

    NONE = 0        # it does not: 32-bit accumulators are stored
    HALF_UP = 1     # 64-bit arithmetic, any shift 1..62
    HALF_AWAY = 2
    HALF_EVEN = 3
    FLOOR = 4
    HIGH_HALF_UP = 5  # from the high word of the product (kernels/epilogue.py)
    HIGH_FLOOR = 6
    WORD_HALF_UP = 7  # the same, rounded and clamped in 16 bits
    WORD_FLOOR = 8


class Counter(IntEnum):
    """The monitoring counters, rows of a block's table: 32 bits per channel."""

    LEAST = 0    # extremes of the accumulator after a beat
    MOST = 1
    CLAMPED = 2  # outputs that the final clamp changed
    EVENTS = 3


COUNTS = Mode.COUNT_WRAP | Mode.COUNT_SATURATE
PER_BEAT = COUNTS | Mode.SATURATE | Mode.OBSERVE | Mode.WATCH
MONITORED = COUNTS | Mode.OBSERVE | Mode.WATCH  # modes that fill the counters

WORDS = (EpilogueKind.WORD_HALF_UP, EpilogueKind.WORD_FLOOR)

# The last tile of a row is moved left so that it ends with the row, and computes some pixels a second time. Their outputs are
# the same bits, but they must be counted once: a table of masks, one row per pixel, says which pixels are `owned`.
OWNED_BYTES = 64  # a row of that table: one vector of the widest kind

SPAN = 1 << 30  # the difference of two sums of smaller magnitude fits 31 bits, so its sign bit is free to mean "new minimum"

# mr pixels x nr columns of 16 channels in registers of `lanes` 32-bit lanes; item: bytes of a stored output, 2 or 4.
# Everything here is a constant of the compiled code: loops over mr and nr are unrolled while the IR is built.
Variant = namedtuple("Variant", "lanes mr nr form lanes_per_pass mode epilogue_kind item")

# What one tile is given, as 64-bit values of the IR. Addresses: x (first input), weights, runs (byte offsets of the runs),
# channels (bias, m_pos, m_neg, shift), counters, owned, out; x_pixel and out_pixel: bytes from one pixel to the next.
Tile = namedtuple("Tile", "x x_pixel weights runs n_runs n_passes channels lo hi acc_lo acc_hi wrap counters owned out out_pixel "
                  "backoff")

# What stays the same in all calls of a kernel: addresses and steps in bytes, `x` and `out` counted from the first pixel;
# counts of pixels, blocks, runs and passes. A record in memory: numba takes an array with a tenth of the ceremony of a tuple.
JOB = np.dtype([(name, np.int64) for name in (
    "width blocks x x_row x_pixel x_block weights w_block runs n_runs n_passes channels per_block "
    "lo hi acc_lo acc_hi wrap counters owned out out_row out_pixel out_block").split()])
