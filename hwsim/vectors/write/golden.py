"""Expected accumulators and outputs of an array layer, by rows, in the device's beat order (spec/arithmetic.md sections 2 and 3).

Vectorised over pixels and channels, exact in int64; it shares no code with the engines that made the network's tensors,
and every output it computes is compared with theirs when a set is written.
"""
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.fixed.formats import ALPHA_SHIFT, Datapath, IntFormat, Overflow
from hwsim.fixed.narrow import clamp, saturate, wrap
from hwsim.fixed.rounding import round_shift
from hwsim.ops.epilogue import Folded, Stage, ThreeStep
from hwsim.ops.layer import ArrayLayer


@dataclass(frozen=True, eq=False)
class GoldenRows:
    """Rows of a layer: acc int64 and out int64 (ROWS,OW,OC), accumulator events, outputs changed by the last clamp."""

    acc: np.ndarray
    out: np.ndarray
    events: int
    clamped: int


def band(layer: ArrayLayer, datapath: Datapath, x: np.ndarray, out_format: IntFormat, first: int, last: int) -> GoldenRows:
    """The GoldenRows of output rows first..last-1 of an ordinary ArrayLayer on x (IH,IW,IC)."""
    acc, events = accumulate(layer, datapath, x, first, last)
    out, clamped = requantize(layer, datapath, acc, out_format)
    return GoldenRows(acc, out, events, clamped)


def accumulate(layer: ArrayLayer, datapath: Datapath, x: np.ndarray, first: int, last: int) -> tuple[np.ndarray, int]:
    """(acc int64 (ROWS,OW,OC), events) of output rows first..last-1."""
    weights = layer.weights.integers
    acc = np.broadcast_to(layer.epilogue.bias, (last - first, layer.out_hw[1], layer.oc)).astype(np.int64)
    fmt = datapath.acc_format
    cannot_leave = _cannot_leave(layer, weights, x, fmt)
    events = 0
    for ky, kx in np.ndindex(*layer.kernel):
        tap = _tap(layer, x, ky, kx, first, last)
        if cannot_leave:
            acc += _product(layer, tap, weights.sum(0)[:, ky, kx])
            continue
        for lanes in _lanes(layer, datapath):
            for word in weights:
                exact = acc + _product(layer, tap[..., lanes], word[:, ky, kx, slice(None) if layer.depthwise else lanes])
                events += int(((exact < fmt.min) | (exact > fmt.max)).sum())
                acc = saturate(exact, fmt) if datapath.acc_mode is Overflow.SATURATE else wrap(exact, fmt)
    return acc, events


def _lanes(layer: ArrayLayer, datapath: Datapath) -> list[slice]:
    """The input channels of each beat at one tap; a depthwise channel sees only itself."""
    if layer.depthwise:
        return [slice(None)]
    return [slice(start, start + datapath.tn) for start in range(0, layer.ic, datapath.tn)]


def _product(layer: ArrayLayer, tap: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """tap (ROWS,OW,LANES) times weights (OC,LANES), summed over lanes; depthwise: channel by channel."""
    return tap * weights[:, 0] if layer.depthwise else tap @ weights.T


def _tap(layer: ArrayLayer, x: np.ndarray, ky: int, kx: int, first: int, last: int) -> np.ndarray:
    """The input (ROWS,OW,IC) int64 under tap (ky,kx), zeros outside the image."""
    rows = np.arange(first, last) * layer.stride[0] + ky * layer.dilation[0] - layer.pad[0]
    cols = np.arange(layer.out_hw[1]) * layer.stride[1] + kx * layer.dilation[1] - layer.pad[2]
    in_rows, in_cols = (rows >= 0) & (rows < x.shape[0]), (cols >= 0) & (cols < x.shape[1])
    tap = np.zeros((len(rows), len(cols), x.shape[2]), np.int64)
    tap[np.ix_(in_rows, in_cols)] = x[rows[in_rows]][:, cols[in_cols]]
    return tap


def _cannot_leave(layer: ArrayLayer, weights: np.ndarray, x: np.ndarray, fmt: IntFormat) -> bool:
    """True when no partial sum of any order can leave `fmt` with these weights and the extremes of x."""
    largest = max(abs(int(x.min(initial=0))), abs(int(x.max(initial=0))))
    reach = np.abs(weights).sum(axis=(0, 2, 3, 4)) * largest + np.abs(layer.epilogue.bias)
    return bool((reach <= fmt.max).all())


def requantize(layer: ArrayLayer, datapath: Datapath, acc: np.ndarray, out_format: IntFormat) -> tuple[np.ndarray, int]:
    """(out int64, outputs that the last clamp changed) of accumulators (..., OC)."""
    epilogue = layer.epilogue
    exact = STAGES[type(epilogue.stage)](epilogue.stage, datapath, acc, out_format)
    out = clamp(exact, epilogue.lo, epilogue.hi).astype(np.int64)
    return out, int((out != exact).sum())


def _folded(stage: Folded, datapath: Datapath, acc: np.ndarray, out_format: IntFormat) -> np.ndarray:
    return scaled(acc, np.where(acc >= 0, stage.m_pos, stage.m_neg), stage.shift, datapath)


def _three_step(stage: ThreeStep, datapath: Datapath, acc: np.ndarray, out_format: IntFormat) -> np.ndarray:
    """The steps between run in the signed word of the output's width."""
    word = IntFormat(out_format.bits)
    y1 = saturate(scaled(acc, stage.m1, stage.shift1, datapath), word)
    slope = saturate(scaled(y1, stage.alpha_q, np.full(y1.shape[-1], ALPHA_SHIFT), datapath), word)
    return scaled(np.where(y1 < 0, slope, y1).astype(np.int64), stage.m2, stage.shift2, datapath)


STAGES: Mapping[type[Stage], Callable[..., np.ndarray]] = {Folded: _folded, ThreeStep: _three_step}


def scaled(values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, datapath: Datapath) -> np.ndarray:
    """round(values * multiplier, shift) channel by channel, exact: Python integers where int64 could not hold a product."""
    largest = int(np.abs(values).max(initial=0)) * int(np.abs(multiplier).max(initial=0)) + (1 << int(shift.max(initial=0)))
    dtype = np.int64 if largest < 1 << 63 else object
    product = np.asarray(values).astype(dtype) * np.broadcast_to(multiplier, values.shape).astype(dtype)
    rounded = np.empty_like(product)
    for channel, s in enumerate(shift.tolist()):
        rounded[..., channel] = round_shift(product[..., channel], s, datapath.rounding)
    return rounded

