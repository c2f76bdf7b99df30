"""One array layer on the fast engine: by a kernel where its plan allows one, else by loops, plain or beat by beat."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from hwsim.engine.context import Context
from hwsim.engine.fast.backend import BEST, INTERPRETED, Backend
from hwsim.engine.fast.portable.loop_plan import LoopPlan, make_plan
from hwsim.engine.fast.portable.requantize import MODES, fits, raw
from hwsim.engine.host.threads import in_order
from hwsim.engine.kernels import conv
from hwsim.engine.result import AccEvent, LayerStats
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.ops.epilogue import Folded, Raw, Stage, ThreeStep
from hwsim.ops.layer import ArrayLayer

CHUNK = 1 << 17  # accumulators that are worked on at a time: they stay in cache
NEVER = (1 << 63) - 1

Loop = tuple[Callable[..., int], tuple[Any, ...]]  # of portable/requantize.py, and its arguments between the sums and `mode`
# (codes of an image, its first pixel, that pixel's number in the batch, sums int64 (P,OC) to fill) -> what was seen, or None
Accumulate = Callable[[np.ndarray, int, int, np.ndarray], Any]
Store = Callable[[np.ndarray, np.ndarray], int]  # (sums (P,OC), codes (P,OC) to fill) -> how many the clamp changed
Seen = tuple[int, np.ndarray, np.ndarray]        # events, extremes (2,OC), marks (2,COT): what compiled.beats keeps


def run_layer(layer: ArrayLayer, x: np.ndarray, y: np.ndarray, context: Context, backend: Backend = BEST) -> LayerStats:
    """Fills y with an ArrayLayer's codes for x; its LayerStats. Whatever computes an ArrayLayer keeps this signature.

    x (N,IH,IW,IC) int16 or int32, C-contiguous; y (N,OH,OW,OC) of word_type(lo, hi), any strides.
    The counters are filled when `context` monitors; `first` also in overflow mode `error`.
    Errors: ValueError for x of another shape, CannotCompile.
    """
    if x.shape[1:] != (*layer.in_hw, layer.ic):
        raise ValueError(f"{layer.name}: the input must be (N, {layer.in_hw}, {layer.ic}), not {x.shape}")
    prepared = _prepared(layer, context, backend)
    if prepared.plan.path == "portable":
        return _portable(layer, x, y, context, backend)
    store = requantizer(layer, context.datapath, context.out_format, prepared.largest, backend)
    return conv.run_layer(prepared, x, y, store, context.monitor, context.threads)


def _prepared(layer: ArrayLayer, context: Context, backend: Backend) -> conv.Prepared:
    """The layer as the kernels need it; the bands of a frame share everything but their rows."""
    def prepare() -> conv.Prepared:
        return conv.prepare(layer, context.datapath, context.in_formats[0], context.monitor, backend.rungs)
    prepared = prepare() if context.prepared is None else context.prepared.of(layer.name, layer.suffix, prepare)
    return prepared.on(layer)


def _portable(layer: ArrayLayer, x: np.ndarray, y: np.ndarray, context: Context, backend: Backend) -> LayerStats:
    plan = make_plan(layer, context.datapath, context.in_formats[0], context.monitor)
    codes = np.empty((len(x), layer.out_hw[0] * layer.out_hw[1], layer.oc), y.dtype)
    store = requantizer(layer, context.datapath, context.out_format, plan.largest, backend)
    accumulate = (_by_beats if plan.beats else _plain)(layer, context.datapath, plan, backend)
    chunks = in_order(partial(_chunk, x, codes, accumulate, store), _chunks(codes), context.threads)
    y[...] = codes.reshape(y.shape)
    return _stats(layer, context.datapath, plan, chunks, context.monitor) if plan.beats else LayerStats()


def _chunks(y: np.ndarray) -> list[tuple[int, int, int]]:
    """[(image, first pixel, last + 1)] of codes (N,PIXELS,OC), in order."""
    images, pixels, channels = y.shape
    step = max(1, CHUNK // channels)
    return [(n, p, min(p + step, pixels)) for n in range(images) for p in range(0, pixels, step)]


def _chunk(x: np.ndarray, y: np.ndarray, accumulate: Accumulate, store: Store, chunk: tuple[int, int, int]) -> tuple[Any, int]:
    """Fills the chunk of y; (what its accumulators have seen or None, outputs that the clamp changed)."""
    n, first, end = chunk
    acc = np.empty((end - first, y.shape[2]), np.int64)
    seen = accumulate(x[n], first, n * y.shape[1] + first, acc)
    return seen, store(acc, y[n, first:end])


def _geometry(layer: ArrayLayer) -> tuple[int, ...]:
    """As the loops take it (portable/compiled.py)."""
    return (*layer.stride, *layer.dilation, layer.pad[0], layer.pad[2], layer.kernel[1], layer.out_hw[1])


def _plain(layer: ArrayLayer, datapath: Datapath, plan: LoopPlan, backend: Backend) -> Accumulate:
    """One dot product per output."""
    run, acc_format = backend.depthwise_plain if layer.depthwise else backend.plain, datapath.acc_format
    bias = layer.epilogue.bias

    def accumulate(x: np.ndarray, first: int, number: int, acc: np.ndarray) -> None:
        run(x, first, _geometry(layer), plan.offsets, plan.weights, bias, plan.word, acc_format.min, acc_format.max, acc)
    return accumulate


def _by_beats(layer: ArrayLayer, datapath: Datapath, plan: LoopPlan, backend: Backend) -> Accumulate:
    """Beat by beat, as the array does; what it has Seen."""
    ends = np.iinfo(plan.word)
    # the overflow rule in the type of the sums: ends past it are never met, since loop_plan.py proved that every sum fits it
    low, high = (plan.word(min(max(end, ends.min), ends.max)) for end in (datapath.acc_format.min, datapath.acc_format.max))
    wraps = datapath.acc_mode is not Overflow.SATURATE
    bias = layer.epilogue.bias.astype(plan.word)

    def accumulate(x: np.ndarray, first: int, number: int, acc: np.ndarray) -> Seen:
        extremes = np.empty((2, layer.oc), plan.word)
        extremes[0], extremes[1] = ends.max, ends.min
        marks = np.full((2, -(-layer.oc // datapath.tm)), NEVER)
        events = backend.beats(x, first, number, _geometry(layer), plan.offsets, plan.weights, bias, wraps, low, high,
                               datapath.tm, acc, extremes, marks)
        return events, extremes, marks
    return accumulate


def requantizer(layer: ArrayLayer, datapath: Datapath, out_format: IntFormat, largest: int, backend: Backend) -> Store:
    """The layer's epilogue after the bias, for sums of at most `largest` in magnitude: compiled where int64 holds every product,
    else in Python integers.
    """
    epilogue, mode = layer.epilogue, MODES[datapath.rounding]
    exact = fits(largest, LARGEST_MULTIPLIER[type(epilogue.stage)](epilogue.stage))
    run, fields = STORES[type(epilogue.stage)](epilogue.stage, backend if exact else INTERPRETED, out_format)

    def store(acc: np.ndarray, y: np.ndarray) -> int:
        return run(acc if exact else acc.astype(object), *fields, mode, epilogue.lo, epilogue.hi, y)
    return store


def _folded(stage: Folded, backend: Backend, out_format: IntFormat) -> Loop:
    return backend.folded, (stage.m_pos, stage.m_neg, stage.shift)


def _three_step(stage: ThreeStep, backend: Backend, out_format: IntFormat) -> Loop:
    word = IntFormat(out_format.bits)
    steps = np.stack([stage.m1, stage.shift1, stage.alpha_q, stage.m2, stage.shift2])
    return backend.unfolded, (steps, (word.min, word.max))


def _raw(stage: Raw, backend: Backend, out_format: IntFormat) -> Loop:
    return raw, ()


# of an accumulator; the later steps of ThreeStep start from an output word and always fit
LARGEST_MULTIPLIER: Mapping[type[Stage], Callable[..., int]] = {
    Folded: lambda stage: max(np.abs(stage.m_pos).max(), np.abs(stage.m_neg).max()),
    ThreeStep: lambda stage: np.abs(stage.m1).max(), Raw: lambda stage: 1}
STORES: Mapping[type[Stage], Callable[..., Loop]] = {Folded: _folded, ThreeStep: _three_step, Raw: _raw}


def _stats(layer: ArrayLayer, datapath: Datapath, plan: LoopPlan, chunks: Sequence[tuple[Seen, int]],
           monitor: bool) -> LayerStats:
    seen, clamped = zip(*chunks)
    events, extremes, marks = zip(*seen)
    # in each output tile the lowest key is the first event
    keys = np.stack([m[0] for m in marks])
    at = keys.argmin(0)
    values = [int(marks[chunk][1, cot]) for cot, chunk in enumerate(at)]
    first = _first(layer, plan, keys.min(0), values)
    if not monitor:
        return LayerStats(first=first if datapath.acc_mode is Overflow.ERROR else None)
    return LayerStats(events=sum(events), first=first, observed_min=np.min([least for least, _ in extremes], 0).astype(np.int64),
                      observed_max=np.max([most for _, most in extremes], 0).astype(np.int64), clamped=sum(clamped))


def _first(layer: ArrayLayer, plan: LoopPlan, keys: np.ndarray, values: Sequence[int]) -> AccEvent | None:
    """The AccEvent of the earliest image and then the lowest output tile; keys number (pixel of the batch, beat, word, oc)."""
    if keys.min() == NEVER:
        return None
    oh, ow = layer.out_hw
    beat_count, words = plan.weights.shape[:2]
    images = keys // (oh * ow * beat_count * words * layer.oc)
    cot = int(np.flatnonzero(images == images.min())[0])
    rest, oc = divmod(int(keys[cot]), layer.oc)
    rest, word = divmod(rest, words)
    rest, beat = divmod(rest, beat_count)
    rest, ox = divmod(rest, ow)
    n, oy = divmod(rest, oh)
    ky, kx, cit = _beat_address(layer, beat_count, beat, cot)
    return AccEvent(layer=layer.full_name, n=n, cot=cot, oy=oy, ox=ox, oc=oc, ky=ky, kx=kx, cit=cit, word=word, value=values[cot])


def _beat_address(layer: ArrayLayer, beat_count: int, beat: int, cot: int) -> tuple[int, int, int]:
    """(ky, kx, cit) of a beat."""
    kh, kw = layer.kernel
    if layer.depthwise:
        return (*divmod(beat, kw), cot)
    if layer.rowpack:
        ky, chunk = divmod(beat, beat_count // kh)
        return ky, 0, chunk
    tap, cit = divmod(beat, beat_count // (kh * kw))
    return (*divmod(tap, kw), cit)
