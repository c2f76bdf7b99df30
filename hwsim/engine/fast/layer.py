"""One array layer on the fast engine. run_layer() is the seam: whatever computes an ArrayLayer keeps this signature."""
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from hwsim.engine.fast.backend import BEST, INTERPRETED, Backend
from hwsim.engine.fast.portable.loop_plan import make_plan
from hwsim.engine.fast.portable.requantize import MODES, fits, raw
from hwsim.engine.host.threads import in_order
from hwsim.engine.kernels import conv
from hwsim.engine.result import AccEvent, LayerStats
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.ops.epilogue import Folded, Raw, Stage, ThreeStep
from hwsim.ops.layer import ArrayLayer

CHUNK = 1 << 17  # accumulators that are worked on at a time: they stay in cache
NEVER = (1 << 63) - 1


def run_layer(layer, x, y, context, loops=BEST):
    """Fills y (N,OH,OW,OC), of word_type(lo, hi) and any steps; the LayerStats of an ArrayLayer for x (N,IH,IW,IC), C-contiguous.

    The counters are filled when `context` monitors; `first` also in overflow mode `error`.
    """
    if x.shape[1:] != (*layer.in_hw, layer.ic):
        raise ValueError(f"{layer.name}: the input must be (N, {layer.in_hw}, {layer.ic}), not {x.shape}")
    prepared = _prepared(layer, context, loops)
    if prepared.plan.path == "portable":
        return _portable(layer, x, y, context, loops)
    store = requantizer(layer, context.datapath, context.out_format, prepared.largest, loops)
    return conv.run_layer(prepared, x, y, store, context.monitor, context.threads)


def _prepared(layer, context, loops):
    """The layer as the kernels need it; the bands of a frame share everything but their rows."""
    def prepare():
        return conv.prepare(layer, context.datapath, context.in_formats[0], context.monitor, loops.rungs)
    prepared = prepare() if context.prepared is None else context.prepared.of(layer.full_name, prepare)
    return prepared.on(layer)


def _portable(layer, x, y, context, loops):
    plan = make_plan(layer, context.datapath, context.in_formats[0], context.monitor)
    made = np.empty((len(x), layer.out_hw[0] * layer.out_hw[1], layer.oc), y.dtype)
    store = requantizer(layer, context.datapath, context.out_format, plan.largest, loops)
    accumulate = (_by_beats if plan.beats else _plain)(layer, context.datapath, plan, loops)
    tallies = in_order(partial(_chunk, x, made, accumulate, store), _chunks(made), context.threads)
    y[...] = made.reshape(y.shape)
    return _stats(layer, context.datapath, plan, tallies, context.monitor) if plan.beats else LayerStats()


def _chunks(y):
    """[(image, first pixel, last + 1)] in order."""
    images, pixels, channels = y.shape
    step = max(1, CHUNK // channels)
    return [(n, p, min(p + step, pixels)) for n in range(images) for p in range(0, pixels, step)]


def _chunk(x, y, accumulate, store, chunk):
    """Fills the chunk of y; (tally of the accumulators or None, outputs that the clamp changed)."""
    n, first, end = chunk
    acc = np.empty((end - first, y.shape[2]), np.int64)
    tally = accumulate(x[n], first, n * y.shape[1] + first, acc)
    return tally, store(acc, y[n, first:end])


def _geometry(layer):
    return (*layer.stride, *layer.dilation, layer.pad[0], layer.pad[2], layer.kernel[1], layer.out_hw[1])


def _plain(layer, datapath, plan, loops):
    """accumulate(x, first, number, acc) by one dot product per output."""
    run, acc_format = loops.depthwise_plain if layer.depthwise else loops.plain, datapath.acc_format
    bias = layer.epilogue.bias

    def accumulate(x, first, number, acc):
        run(x, first, _geometry(layer), plan.offsets, plan.weights, bias, plan.word, acc_format.min, acc_format.max, acc)
    return accumulate


def _by_beats(layer, datapath, plan, loops):
    """accumulate(x, first, number, acc) beat by beat; returns (events, seen, marks)."""
    ends = np.iinfo(plan.word)
    # the overflow rule in the type of the sums: ends past it are never met, since plan.py proved that every sum fits it
    low, high = (plan.word(min(max(end, ends.min), ends.max)) for end in (datapath.acc_format.min, datapath.acc_format.max))
    wraps = datapath.acc_mode is not Overflow.SATURATE
    bias = layer.epilogue.bias.astype(plan.word)

    def accumulate(x, first, number, acc):
        seen = np.empty((2, layer.oc), plan.word)
        seen[0], seen[1] = ends.max, ends.min
        marks = np.full((2, -(-layer.oc // datapath.tm)), NEVER)
        events = loops.beats(x, first, number, _geometry(layer), plan.offsets, plan.weights, bias, wraps, low, high,
                             datapath.tm, acc, seen, marks)
        return events, seen, marks
    return accumulate


def requantizer(layer: ArrayLayer, datapath: Datapath, out_format: IntFormat, largest: int, loops: Backend) -> Callable:
    """store(acc, y) -> clamped count: compiled where int64 holds every product, else in Python integers."""
    epilogue, mode = layer.epilogue, MODES[datapath.rounding]
    exact = fits(largest, LARGEST_MULTIPLIER[type(epilogue.stage)](epilogue.stage))
    run, fields = STORES[type(epilogue.stage)](epilogue.stage, loops if exact else INTERPRETED, out_format)
    return lambda acc, y: run(acc if exact else acc.astype(object), *fields, mode, epilogue.lo, epilogue.hi, y)


def _folded(stage: Folded, loops: Backend, out_format: IntFormat) -> tuple[Callable, tuple]:
    return loops.folded, (stage.m_pos, stage.m_neg, stage.shift)


def _three_step(stage: ThreeStep, loops: Backend, out_format: IntFormat) -> tuple[Callable, tuple]:
    word = IntFormat(out_format.bits)
    steps = np.stack([stage.m1, stage.shift1, stage.alpha_q, stage.m2, stage.shift2])
    return loops.unfolded, (steps, (word.min, word.max))


def _raw(stage: Raw, loops: Backend, out_format: IntFormat) -> tuple[Callable, tuple]:
    return raw, ()


# of an accumulator; the later steps of ThreeStep start from an output word and always fit
LARGEST_MULTIPLIER: Mapping[type[Stage], Callable[..., int]] = {
    Folded: lambda stage: max(np.abs(stage.m_pos).max(), np.abs(stage.m_neg).max()),
    ThreeStep: lambda stage: np.abs(stage.m1).max(), Raw: lambda stage: 1}
STORES: Mapping[type[Stage], Callable[..., tuple[Callable, tuple]]] = {Folded: _folded, ThreeStep: _three_step, Raw: _raw}


def _stats(layer, datapath, plan, tallies, monitor):
    parts, changed = zip(*tallies)
    events, seen, marks = zip(*parts)
    # in each output tile the lowest key is the first event
    keys = np.stack([m[0] for m in marks])
    at = keys.argmin(0)
    values = [int(marks[chunk][1, cot]) for cot, chunk in enumerate(at)]
    first = _first(layer, datapath, plan, keys.min(0), values)
    if not monitor:
        return LayerStats(first=first if datapath.acc_mode is Overflow.ERROR else None)
    return LayerStats(sum(events), first, np.min([s[0] for s in seen], 0).astype(np.int64),
                      np.max([s[1] for s in seen], 0).astype(np.int64), sum(changed))


def _first(layer, datapath, plan, keys, values):
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
    return AccEvent(layer.full_name, n, cot, oy, ox, oc, ky, kx, cit, word, values[cot])


def _beat_address(layer, beat_count, beat, cot):
    kh, kw = layer.kernel
    if layer.depthwise:
        return (*divmod(beat, kw), cot)
    if layer.rowpack:
        ky, chunk = divmod(beat, beat_count // kh)
        return ky, 0, chunk
    tap, cit = divmod(beat, beat_count // (kh * kw))
    return (*divmod(tap, kw), cit)
