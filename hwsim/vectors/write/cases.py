"""Making single array layers for directed sets: codes, requantization fields and inputs, from a seed or by hand."""
from dataclasses import replace

import numpy as np

from hwsim.fixed.formats import ALPHA_BITS, ALPHA_SHIFT, IntFormat
from hwsim.hw.config import Device, datapath, override
from hwsim.ops.dims import ceil_div
from hwsim.ops.epilogue import REQUANTIZERS, Epilogue, Folded, Stage, ThreeStep
from hwsim.ops.geometry import Geometry
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.weights import Weights, weight_format
from hwsim.ops.window import extent
from hwsim.vectors.write.vector_layer import VectorLayer, make_vector_layer


class Maker:
    """Makes layers of one directed set from a seed. TN, TM, widths and rules are the device's."""

    def __init__(self, device: Device, seed: int | list[int]) -> None:
        self.device, self.rng = device, np.random.default_rng(seed)
        self.act, self.acc = IntFormat(device.act_bits), datapath(device).acc_format
        self.requantizer = REQUANTIZERS[device.prelu]
        self.format = weight_format(device.w_format, device.w_bits)

    def codes(self, oc: int, kernel: tuple[int, int], ic: int, words: int = 1) -> np.ndarray:
        """Random weight codes (WORDS,OC,KH,KW,IC) over their whole range, every end present."""
        low, high = self.format.codes.min, self.format.codes.max
        codes = self.rng.integers(low, high + 1, (words, oc, *kernel, ic))
        codes.reshape(-1)[:2] = (low, high)[:codes.size]
        return codes

    def image(self, size: tuple[int, int], ic: int) -> np.ndarray:
        """Random codes (IH,IW,IC), a quarter of them corners of the format."""
        shape = (*size, ic)
        corners = np.array([self.act.min, self.act.min + 1, -1, 0, 1, self.act.max])
        random = self.rng.integers(self.act.min, self.act.max + 1, shape)
        return np.where(self.rng.random(shape) < 0.25, self.rng.choice(corners, shape), random)

    def slopes(self, oc: int) -> np.ndarray:
        """Activation slopes per channel as (numerator of 4): none, ReLU, leaky, negative and steeper than one, by turns."""
        return np.resize([4, 0, 1, -2, 6, 2], oc)

    def requant(self, oc: int, reach: int) -> Stage:
        """The requantizer's stage that spreads accumulators up to `reach` over the output, multipliers of full width."""
        device, slopes = self.device, self.slopes(oc)
        full = (1 << device.mult_bits) - 1
        m_pos = self.rng.integers(max(1, full // 4), max(2, full // 2), oc)
        spread = np.array([int(reach) * int(m) for m in m_pos], object)
        shift = [min((1 << device.shift_bits) - 1, 62, max(0, int(value).bit_length() - device.act_bits)) for value in spread]
        if self.requantizer is Folded:
            return Folded(m_pos, m_pos * slopes // 4, np.array(shift))
        alpha_q = np.minimum(slopes << (ALPHA_SHIFT - 2), IntFormat(ALPHA_BITS).max)
        m2 = self.rng.integers(max(1, full // 2), full + 1, oc)
        shift2 = np.full(oc, min((1 << device.shift_bits) - 1, device.mult_bits))
        return ThreeStep(m1=m_pos, shift1=np.array(shift), alpha_q=alpha_q, m2=m2, shift2=shift2)

    def bias(self, oc: int, reach: int) -> np.ndarray:
        """Biases up to a quarter of `reach`, inside the accumulator."""
        limit = min(int(reach) // 4 + 1, self.acc.max)
        return self.rng.integers(-limit, limit + 1, oc)

    def flags(self, oc: int, kernel: tuple[int, int], ic: int, depthwise: bool, ratio: float) -> np.ndarray | None:
        """Two-word tiles (COT,CIT,KH,KW) with about `ratio` of them set; None where the format has none."""
        if not self.format.flagged:
            return None
        cit = 1 if depthwise else ceil_div(ic, self.device.TN)
        return self.rng.random((ceil_div(oc, self.device.TM), cit, *kernel)) < ratio

    def layer(self, name: str, size: tuple[int, int], ic: int, oc: int, kernel: tuple[int, int] = (3, 3),
              stride: tuple[int, int] = (1, 1), dilation: tuple[int, int] = (1, 1),
              pad: tuple[int, int, int, int] | None = None, depthwise: bool = False, ratio: float = 0.5, rowpack: bool = False,
              **changes: object) -> ArrayLayer:
        """A random ArrayLayer of `size` (IH,IW). pad None: the odd-kernel "same"; ratio: of two-word tiles; changes: as in
        with_parameters."""
        rows, cols = (extent(k, d) for k, d in zip(kernel, dilation))
        top, bottom, left, right = pad or (rows // 2, rows // 2, cols // 2, cols // 2)
        out_hw = (size[0] + top + bottom - rows) // stride[0] + 1, (size[1] + left + right - cols) // stride[1] + 1
        flags = self.flags(oc, kernel, ic, depthwise, ratio)
        codes = self.codes(oc, kernel, 1 if depthwise else ic, 1 if flags is None else 2)
        if flags is not None:
            codes[1] *= _spread(flags, codes.shape[1:], self.device, depthwise)
        reach = int(np.abs(self.format.integer(codes).sum(0)).sum(axis=(1, 2, 3)).max()) * -self.act.min // 4 + 1
        geometry = Geometry(stride=stride, dilation=dilation, pad=(top, bottom, left, right), in_hw=size, out_hw=out_hw,
                            depthwise=depthwise, rowpack=rowpack)
        epilogue = Epilogue(self.bias(oc, reach), (self.requant(oc, reach),), self.act.min, self.act.max)
        return with_parameters(ArrayLayer(name=name, suffix="", geometry=geometry, weights=Weights(codes, self.format, flags),
                                          epilogue=epilogue), **changes)

    def case(self, layer: ArrayLayer, x: np.ndarray | None = None, dma_bits: int | None = None) -> VectorLayer:
        """The VectorLayer of a layer, number 0; x defaults to a random image."""
        device = self.device if dma_bits is None else override(self.device, dma_bits=dma_bits)
        x = self.image(layer.in_hw, layer.ic) if x is None else x
        return make_vector_layer(0, layer, np.asarray(x, np.int32), None, (self.act, self.act), device)


def _spread(flags: np.ndarray, shape: tuple[int, ...], device: Device, depthwise: bool) -> np.ndarray:
    """flags per tile -> 1 per weight of `shape` (OC,KH,KW,IC)."""
    wide = np.repeat(flags.transpose(0, 2, 3, 1), device.TM, axis=0)[:shape[0]]
    return wide if depthwise else np.repeat(wide, device.TN, axis=3)[..., :shape[3]]


def with_parameters(layer: ArrayLayer, **changes: object) -> ArrayLayer:
    """The layer with parameters changed that have the names of an integer array node's: codes, bias, m_pos, lo, ..."""
    parameters = {**layer.weights.to_fields(), **layer.epilogue.to_fields()} | changes
    return replace(layer, weights=Weights.from_fields(parameters), epilogue=Epilogue.from_fields(parameters))
