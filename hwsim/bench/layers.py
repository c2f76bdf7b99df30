"""The convolutions that are measured: their shapes, their modes, and a random layer of each."""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.ops.epilogue import Epilogue, Folded
from hwsim.ops.geometry import Geometry
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.weights import Linear, Weights


@dataclass(frozen=True)
class Shape:
    """A convolution with `same` padding on a square image of `size` pixels a side; depthwise where ic is 0."""

    ic: int
    oc: int
    size: int
    kernel: int

    def __str__(self) -> str:
        name = f"{self.ic}->{self.oc}" if self.ic else f"depthwise {self.oc}"
        return f"{name} {self.kernel}x{self.kernel}, {self.size}x{self.size}"

    @property
    def channels(self) -> int:
        """Of the input."""
        return self.ic or self.oc

    @property
    def groups(self) -> int:
        """Independent convolutions: one, or one per channel."""
        return 1 if self.ic else self.oc

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image."""
        return max(self.ic, 1) * self.oc * self.size ** 2 * self.kernel ** 2


class LayerMode(NamedTuple):
    """The numbers that a layer is measured with: bits of its codes, the datapath, whether counters are filled."""

    activation_bits: int
    weight_bits: int
    datapath: Datapath
    monitor: bool


SHAPES = (Shape(64, 64, 256, 3), Shape(256, 256, 64, 3), Shape(32, 32, 256, 3), Shape(16, 16, 512, 3), Shape(4, 32, 512, 3),
          Shape(1, 32, 512, 3), Shape(64, 64, 256, 1), Shape(0, 64, 256, 3))
MODES = {"plain": LayerMode(11, 8, Datapath(), False), "saturate": LayerMode(11, 8, Datapath(20, Overflow.SATURATE), False),
         "monitor": LayerMode(11, 8, Datapath(), True), "8 bit": LayerMode(8, 8, Datapath(), False),
         "16x16 bit": LayerMode(16, 16, Datapath(), False)}


def layer_of(shape: Shape, bits: int, weight_bits: int) -> ArrayLayer:
    """A random ArrayLayer for `bits`-bit activations, with a folded PReLU."""
    r, oc, pad, form = np.random.default_rng(0), shape.oc, shape.kernel // 2, Linear(weight_bits)
    codes = r.integers(form.codes.min, form.codes.max + 1, (1, oc, shape.kernel, shape.kernel, max(shape.ic, 1)))
    bias, ends = r.integers(-999, 1000, oc), IntFormat(bits)
    stage = Folded(m_pos=r.integers(1 << 15, 1 << 16, oc), m_neg=r.integers(1 << 13, 1 << 14, oc), shift=r.integers(24, 28, oc))
    geometry = Geometry(stride=(1, 1), dilation=(1, 1), pad=(pad,) * 4, in_hw=(shape.size,) * 2, out_hw=(shape.size,) * 2,
                        depthwise=shape.ic == 0)
    return ArrayLayer(name="bench", suffix="", geometry=geometry, weights=Weights(codes, form),
                      epilogue=Epilogue(bias, (stage,), ends.min, ends.max))


def input_of(layer: ArrayLayer) -> np.ndarray:
    """Random 8-bit codes for one image of a layer: int16 (1,IH,IW,IC)."""
    return np.random.default_rng(1).integers(-128, 128, (1, *layer.in_hw, layer.ic)).astype(np.int16)
