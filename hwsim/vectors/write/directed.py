"""Directed layers: small ones that tell neighbouring rules apart (spec/vectors.md rule 5.5).

Corners of every word, ties of the rounding, overflow of the accumulator, sizes one beside the array's, every kind of
window, load time below, at and above compute time, then layers drawn from the seed.
"""
from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from hwsim.errors import UsageError
from hwsim.fixed.formats import ALPHA_BITS, ALPHA_SHIFT, IntFormat
from hwsim.hw.config import Device
from hwsim.ops.dims import ceil_div
from hwsim.ops.epilogue import ThreeStep
from hwsim.ops.window import extent
from hwsim.vectors.write.cases import Maker, with_parameters
from hwsim.vectors.write.golden import accumulate
from hwsim.vectors.write.vector_layer import VectorLayer


def directed_cases(device: Device, seed: int = 0, count: int = 20,
                   names: Collection[str] | None = None) -> Iterator[VectorLayer]:
    """Yields the VectorLayers of a device's directed set: the fixed layers, then `count` random ones. Its acc_bits is a number.

    names: only these layers, each by its own name or by its family's (`dma` is dma_fast, dma_equal, ...). In mode `error`
    layers with accumulator events are left out. Equal arguments make equal layers.
    Errors: UsageError for acc_bits `auto`, and for a name that no layer has.
    """
    if device.acc_bits == "auto":
        raise UsageError("acc_bits must be a number for directed vectors, not auto")
    number, missing = 0, set(names or ())
    for index, name in enumerate([*LAYERS, *(f"random{i}" for i in range(count))]):
        if names and not any(wanted.startswith(name) for wanted in names):
            continue
        missing -= {name}
        for case in LAYERS.get(name, _random)(Maker(device, [seed, index]), name):
            asked = not names or name in names or case.name in names
            missing -= {case.name}
            if asked and (device.acc_mode != "error" or not _leaves(case)):
                yield replace(case, number=number)
                number += 1
    if missing:
        raise UsageError(f"--layers must name directed layers ({', '.join(LAYERS)}, random0...), not {sorted(missing)[0]!r}")


def _corners(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Every pairing of an input corner with a weight corner, alone in its beat, and all lanes at the lowest code at once."""
    t = make.device.TN
    layer = make.layer(name, (3, 4), t, 5, (1, 1), ratio=1.0)
    codes, legal = layer.weights.codes.copy(), make.format.codes
    codes[:, 0] = legal.min
    for channel, code in enumerate((legal.min, -1, 1, legal.max), 1):
        codes[:, channel] = 0
        codes[0, channel, ..., t - 1] = code
    x = np.zeros((12, t), np.int64)
    corners = [make.act.min, make.act.min + 1, -2, -1, 0, 1, 2, make.act.max - 1, make.act.max]
    x[:9, t - 1] = corners
    x[9], x[10], x[11] = make.act.min, make.act.max, make.act.min
    yield make.case(with_parameters(layer, codes=codes), x.reshape(3, 4, t))


def _ties(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Accumulators -8..7 with multiplier 1 and shifts 0..3: every tie of both signs, to even and to odd results.

    The last channels shift by more than the product is wide, where only the rounding constant is left.
    """
    most = min(62, (1 << make.device.shift_bits) - 1)
    shift = np.array([0, 1, 2, 3, 1, 2, min(40, most), most])
    m_neg = np.array([1, 1, 1, 1, -1, 3, 1, 1])
    fields = {"m_pos": np.ones(8, np.int64), "m_neg": m_neg, "shift": shift}
    if make.requantizer is ThreeStep:
        unit = 1 << ALPHA_SHIFT
        fields |= {"m_neg": fields["m_pos"], "m2": np.array([1, 1, 1, 1, 2, 1, 1, 1]),
                   "shift2": np.array([0, 1, 2, 1, 2, 0, 0, 0]),
                   "alpha_q": np.array([unit, unit // 2, 3 * unit // 4, 1, -unit // 2, -1, unit, IntFormat(ALPHA_BITS).max])}
    codes = np.full((1, 8, 1, 1, 1), make.format.unit_code)
    layer = with_parameters(make.layer(name, (4, 4), 1, 8, (1, 1), ratio=0.0), codes=codes, bias=np.zeros(8, np.int64), **fields)
    low = max(make.act.min, -8)
    yield make.case(layer, (np.arange(16) % (2 * -low) + low).reshape(4, 4, 1))


def _shifts(make: Maker, name: str) -> Iterator[VectorLayer]:
    """The largest products of both signs, shifted by as many bits as they have, one less, one more: the top bits of a
    shift and the rounding constant decide."""
    device = make.device
    top, full = make.acc.max, (1 << device.mult_bits) - 1
    bits = (top * full).bit_length()
    most = min(62, (1 << device.shift_bits) - 1)
    shift = np.array([min(most, bits + step) for step in (-3, -2, -1, 0, 1, -9, -10, 8)])
    bias = np.array([top, -top, top, -top, top, top // 3, -top // 3, top])
    layer = make.layer(name, (2, 2), 1, 8, (1, 1), ratio=0.0)
    fields = {"m_pos": np.full(8, full), "m_neg": np.full(8, full), "shift": shift}
    if make.requantizer is ThreeStep:
        fields |= {"m2": np.full(8, full), "shift2": np.array([min(most, device.mult_bits + step) for step in range(8)])}
    yield make.case(with_parameters(layer, bias=bias, codes=layer.weights.codes * 0, **fields))


def _overflow(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Sums that leave the accumulator upwards, downwards, and come back: the order of beats and the rule show."""
    top, t = make.acc.max, make.device.TN
    layer = make.layer(name, (3, 3), 2 * t, 6, (3, 1), ratio=0.5)
    bias = np.array([top, -top - 1, top - 5, -top + 5, 0, top // 2])
    yield make.case(with_parameters(layer, bias=bias))


def _random_walk(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Many beats with biases at the ends of the accumulator: what was lost early shows at the end."""
    top = make.acc.max
    oc = make.device.TM + 1
    bias = np.resize([top, -top - 1, top - 1000, 1000 - top], oc)
    yield make.case(make.layer(name, (2, 3), 2 * make.device.TN - 1, oc, (2, 2), pad=(1, 0, 0, 1), bias=bias))


def _sizes(make: Maker, name: str) -> Iterator[VectorLayer]:
    """1, T-1, T and T+1 in each of channels in, channels out, rows and columns."""
    t = make.device.TN
    ring = [1, max(1, t - 1), t, t + 1]
    for turn in range(4):
        ic, oc, height, width = ring[turn:] + ring[:turn]
        yield make.case(make.layer(f"{name}{turn}", (height, width), ic, oc, (3, 3) if turn % 2 else (1, 3)))


def _dense(make: Maker, name: str) -> Iterator[VectorLayer]:
    """A fully connected layer with a partial tile on both sides."""
    yield make.case(make.layer(name, (1, 1), 3 * make.device.TN + 1, 2 * make.device.TM + 1, (1, 1), pad=(0, 0, 0, 0)))


def _depthwise(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Channels that end inside a tile, stride (2, 1)."""
    channels = 2 * max(make.device.TN, make.device.TM) + 3
    yield make.case(make.layer(name, (5, 4), channels, channels, (3, 3), stride=(2, 1), depthwise=True))


def _window(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Stride, dilation and padding that differ between the axes."""
    yield make.case(make.layer(name, (9, 8), 3, 4, (3, 2), stride=(2, 3), dilation=(2, 3), pad=(2, 1, 3, 0)))


def _borders(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Padding wider than the kernel: pixels that see no input at all."""
    yield make.case(make.layer(name, (3, 2), 2, 3, (2, 2), pad=(3, 2, 2, 3)))


def _phase(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Negative padding, as a phase of a transposed layer has."""
    yield make.case(make.layer(name, (5, 5), 4, 4, (2, 3), pad=(-1, 1, 1, -2)))


def _rowpack(make: Maker, name: str) -> Iterator[VectorLayer]:
    """A packed first layer of three channels."""
    yield make.case(make.layer(name, (5, 6), 3, make.device.TM, (3, 3), stride=(2, 1), rowpack=True))


def _tiles(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Five output tiles, so that both weight banks hold more than one."""
    yield make.case(make.layer(name, (2, 2), make.device.TN + 1, 4 * make.device.TM + 1, (2, 1), pad=(1, 0, 0, 0)))


def _clamp(make: Maker, name: str) -> Iterator[VectorLayer]:
    """A tight range of the output with values below, inside and above it."""
    yield make.case(make.layer(name, (3, 5), 5, make.device.TM - 1 or 1, (1, 1), lo=-(1 << (make.device.act_bits - 3)),
                               hi=(1 << (make.device.act_bits - 2)) - 3))
    yield make.case(make.layer(f"{name}_above", (2, 2), 2, make.device.TM + 1, (1, 1), lo=1, hi=make.act.max))


def _words(make: Maker, name: str) -> Iterator[VectorLayer]:
    """No tile, then every tile with two words; formats without flags have neither."""
    if make.format.flagged:
        for ratio, suffix in ((0.0, "none"), (1.0, "all")):
            yield make.case(make.layer(f"{name}_{suffix}", (3, 3), make.device.TN + 1, make.device.TM + 1, (2, 2), ratio=ratio))


def _dma(make: Maker, name: str) -> Iterator[VectorLayer]:
    """Weights by DMA, five output tiles: a load faster than, as long as and slower than its tile's computation."""
    word = make.device.sb_word_bits()
    for label, pixels in (("fast", 12), ("equal", 4), ("slow", 1)):
        layer = make.layer(f"{name}_{label}", (1, pixels), make.device.TN + 1, 4 * make.device.TM + 1, (1, 1))
        yield make.case(layer, dma_bits=max(1, ceil_div(word, 4)))
    layer = make.layer(f"{name}_wide", (1, 2), 3, 3 * make.device.TM, (3, 3))
    yield make.case(layer, dma_bits=3 * word // 2)


def _random(make: Maker, name: str) -> Iterator[VectorLayer]:
    """A layer drawn from the seed: kernel 1..7, stride 1..3, dilation 1..2, channels around the array's size."""
    rng, t = make.rng, make.device.TN
    kernel, dilation, stride = _pair(rng, 1, 8), _pair(rng, 1, 3), _pair(rng, 1, 4)
    top, bottom, left, right = (int(p) for p in rng.integers(0, 4, 4))
    height = int(rng.integers(1, 7)) + max(0, extent(kernel[0], dilation[0]) - top - bottom)
    width = int(rng.integers(1, 7)) + max(0, extent(kernel[1], dilation[1]) - left - right)
    depthwise = bool(rng.random() < 0.2)
    ic, oc = (int(c) for c in rng.choice([1, 2, max(1, t - 1), t, t + 1, 2 * t], 2))
    layer = make.layer(name, (height, width), ic, ic if depthwise else oc, kernel, stride, dilation, (top, bottom, left, right),
                       depthwise)
    word = make.device.sb_word_bits()
    pixels = layer.geometry.pixels
    pace = [None, ceil_div(word, 2 * pixels), ceil_div(word, pixels), ceil_div(2 * word, pixels)]
    yield make.case(layer, dma_bits=pace[int(rng.integers(0, 4))])


def _pair(rng: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    """Two numbers of low..high-1."""
    first, second = rng.integers(low, high, 2)
    return int(first), int(second)


def _leaves(case: VectorLayer) -> bool:
    """Whether some sum leaves the accumulator: no layer for mode `error`."""
    _, events = accumulate(case.layer, case.datapath, case.x, 0, case.layer.out_hw[0])
    return events > 0


LAYERS = {"corners": _corners, "ties": _ties, "shifts": _shifts, "overflow": _overflow, "random_walk": _random_walk,
          "sizes": _sizes, "dense": _dense, "depthwise": _depthwise, "window": _window, "borders": _borders, "phase": _phase,
          "rowpack": _rowpack, "tiles": _tiles, "clamp": _clamp, "words": _words, "dma": _dma}
