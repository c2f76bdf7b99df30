"""The phases of a transposed convolution (spec/device.md rule 4.7): one ordinary convolution each, with its flipped taps.

On one axis: out index o takes input i with tap k where i*S + k = o + before. For outputs o = p, p+S, ... (phase p)
these are the taps k = r, r+S, ... with r = (p + before) mod S, read last to first as i grows.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class AxisPhase:
    """taps: kernel indices in the order of growing input; pad: zeros before the first input (negative: inputs skipped)."""

    taps: tuple[int, ...]
    pad: int
    count: int  # outputs of this phase


def axis_phase(phase: int, stride: int, kernel: int, before: int, out_size: int) -> AxisPhase:
    """The AxisPhase `phase` (0..stride-1) of an axis with `out_size` outputs; no taps at all is a single zero tap (-1)."""
    count = max(0, -(-(out_size - phase) // stride))
    first = (phase + before) % stride
    taps = tuple(reversed(range(first, kernel, stride)))
    # output number j has the newest input (phase + before)//stride + j under its first kernel tap, the last in `taps`
    pad = len(taps) - 1 - (phase + before) // stride
    return AxisPhase(taps, pad, count) if taps else AxisPhase((-1,), 0, count)
