"""What is decided about an array layer before its first pixel: the proofs, and the packed operands they allow.

Proofs are exact integers per output channel: the extremes that any partial sum can reach in any order, for any codes of
the input's format (a position outside the image is code 0).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.fixed.formats import INT16, INT32, Datapath, IntFormat, Overflow
from hwsim.ops.layer import ArrayLayer

STEP = 16  # reductions are padded with zeros to whole vectors


@dataclass(frozen=True, eq=False)
class LoopPlan:
    """How a layer runs.

    beats:   the accumulator is followed beat by beat; else one dot product per output, wrapped once at the end
    offsets: int64 (KH*KW), where the IC lanes of each tap begin in a patch of `size` lanes
    weights: plain (OC,size), depthwise (KH*KW,C); by beats (BEATS,WORDS,TN,OC), depthwise (KH*KW,WORDS,C)
    word:    the type in which sums are exact (plain: exact modulo 2^acc_bits)
    largest: the largest magnitude that an accumulator can hold
    """

    beats: bool
    offsets: np.ndarray
    size: int
    weights: np.ndarray
    word: type[np.signedinteger[Any]]
    largest: int


def make_plan(layer: ArrayLayer, datapath: Datapath, in_format: IntFormat, monitor: bool) -> LoopPlan:
    """The narrowest exact LoopPlan for an ArrayLayer and inputs of `in_format`."""
    w = layer.weights.integers
    low, high = reach(w, in_format)
    acc, bias = datapath.acc_format, layer.epilogue.bias
    safe = int((bias + low).min()) in acc and int((bias + high).max()) in acc
    beats = monitor or not (safe or datapath.acc_mode is Overflow.WRAP)
    pack = _pack_beats if beats else _pack_plain
    narrow = (_narrow_beats if beats else _narrow_plain)(layer, w, low, high, safe, datapath, in_format)
    largest = max(-int((bias + low).min()), int((bias + high).max()))
    return LoopPlan(beats, *pack(layer, w, datapath.tn, narrow), np.int32 if narrow else np.int64,
                largest if safe else -acc.min)


def reach(w: np.ndarray, in_format: IntFormat) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) int64 (OC): what the products of any set of taps and words can sum to, bias excluded."""
    ends = np.stack([w * 0, w * in_format.min, w * in_format.max])
    axes = (0, 2, 3, 4)
    return ends.min(0).sum(axes), ends.max(0).sum(axes)


def _both_in(fmt: IntFormat, low: np.ndarray, high: np.ndarray) -> bool:
    return int(low.min()) in fmt and int(high.max()) in fmt


def _narrow_plain(layer: ArrayLayer, w: np.ndarray, low: np.ndarray, high: np.ndarray, safe: bool, datapath: Datapath,
                  in_format: IntFormat) -> bool:
    """16-bit operands and 32-bit sums: exact, or exact modulo 2^32 where the accumulator is no wider."""
    operands = in_format.min in INT16 and in_format.max in INT16 and _both_in(INT16, w.sum(0), w.sum(0))
    return operands and (datapath.acc_bits <= INT32.bits or _both_in(INT32, low, high))


def _narrow_beats(layer: ArrayLayer, w: np.ndarray, low: np.ndarray, high: np.ndarray, safe: bool, datapath: Datapath,
                  in_format: IntFormat) -> bool:
    """32-bit state: the exact shadow fits, and so does any stored accumulator plus one tree."""
    room = (0 if safe else -datapath.acc_format.min) + max(-int(low.min()), int(high.max()))
    operands = in_format.min in INT32 and in_format.max in INT32 and _both_in(INT32, w, w)
    return operands and _both_in(INT32, layer.epilogue.bias + low, layer.epilogue.bias + high) and room in INT32


def _pack_plain(layer: ArrayLayer, w: np.ndarray, tn: int, narrow: bool) -> tuple[np.ndarray, int, np.ndarray]:
    """(offsets, size, weights) with the words summed and the lanes of all taps side by side."""
    w, ic = w.sum(0), layer.ic
    oc, kh, kw, _ = w.shape
    dtype = np.int16 if narrow else np.int64
    if layer.depthwise:
        return _offsets(kh * kw, ic), kh * kw * ic, np.ascontiguousarray(w.reshape(oc, kh * kw).T)
    size = -(-kh * kw * ic // STEP) * STEP
    packed = np.zeros((-(-oc // 4) * 4, size), dtype)
    packed[:oc, :kh * kw * ic] = w.reshape(oc, -1)
    return _offsets(kh * kw, ic), size, packed


def _pack_beats(layer: ArrayLayer, w: np.ndarray, tn: int, narrow: bool) -> tuple[np.ndarray, int, np.ndarray]:
    """(offsets, size, weights) with the lanes of each beat side by side, in beat order."""
    words, oc, kh, kw, _ = w.shape
    ic, dtype = layer.ic, np.int32 if narrow else np.int64
    if layer.depthwise:
        return (_offsets(kh * kw, ic), kh * kw * ic,
                np.ascontiguousarray(w.reshape(words, oc, kh * kw).transpose(2, 0, 1), dtype))
    if layer.rowpack:
        row = -(-kw * ic // tn) * tn
        offsets = (np.arange(kh)[:, None] * row + np.arange(kw) * ic).ravel()
        size = kh * row
    else:
        offsets = _offsets(kh * kw, -(-ic // tn) * tn)
        size = kh * kw * (-(-ic // tn) * tn)
    packed = np.zeros((words, oc, size), dtype)
    for tap, offset in enumerate(offsets):
        packed[:, :, offset:offset + ic] = w[:, :, tap // kw, tap % kw]
    return offsets, size, np.ascontiguousarray(packed.reshape(words, oc, size // tn, tn).transpose(2, 0, 3, 1))


def _offsets(taps: int, step: int) -> np.ndarray:
    return np.arange(taps, dtype=np.int64) * step
