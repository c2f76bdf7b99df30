"""One ordinary convolution as the array runs it: the unit that engines, device, vectors and RTL speak of.

Grouped layers, transposed ones and dense ones are cut into these (ops/cut.py); nothing else reaches the array.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hwsim.ops.epilogue import Epilogue
from hwsim.ops.geometry import Geometry
from hwsim.ops.weights import Weights


@dataclass(frozen=True, eq=False)
class ArrayLayer:
    """An ordinary or depthwise convolution with its integer parameters: where it reads, what it sums, what becomes of sums.

    suffix: "" for a whole node, .g0 ... for its groups, .p00 ... for its phases.
    """

    name: str
    suffix: str
    geometry: Geometry
    weights: Weights
    epilogue: Epilogue

    @property
    def full_name(self) -> str:
        """The name that reports, counters and files use."""
        return self.name + self.suffix

    @property
    def oc(self) -> int:
        """Output channels."""
        return self.weights.oc

    @property
    def ic(self) -> int:
        """Input channels that the layer reads; as many as output channels where it is depthwise."""
        return self.oc if self.geometry.depthwise else self.weights.codes.shape[4]

    @property
    def kernel(self) -> tuple[int, int]:
        """(KH, KW)."""
        return self.weights.kernel

    @property
    def stride(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.geometry.stride

    @property
    def dilation(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.geometry.dilation

    @property
    def pad(self) -> tuple[int, int, int, int]:
        """(top, bottom, left, right); may be negative for a transposed phase."""
        return self.geometry.pad

    @property
    def in_hw(self) -> tuple[int, int]:
        """(IH, IW) of the image that the layer reads."""
        return self.geometry.in_hw

    @property
    def out_hw(self) -> tuple[int, int]:
        """(OH, OW) of the image that it makes."""
        return self.geometry.out_hw

    @property
    def depthwise(self) -> bool:
        """Whether output channel c reads input channel c alone."""
        return self.geometry.depthwise

    @property
    def rowpack(self) -> bool:
        """Whether the inputs of a kernel row are packed into whole words (hw/rowpack.py)."""
        return self.geometry.rowpack

    def reshaped(self, **geometry: Any) -> ArrayLayer:
        """The same weights and epilogue with some fields of the geometry changed."""
        return replace(self, geometry=replace(self.geometry, **geometry))
