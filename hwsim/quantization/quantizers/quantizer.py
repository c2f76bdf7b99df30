"""What a quantizer decides: the words, scales and code ranges of tensors, and the codes of weights.

One class is one method of the literature; `--weights NAME` picks it (registry.QUANTIZERS). The base class is what uniform
post-training quantization does with activations; a member overrides what it does otherwise. docs/adding-a-quantizer.md
adds one.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hwsim.errors import UsageError
from hwsim.fixed.formats import IntFormat
from hwsim.graph.node import Graph, Node
from hwsim.ops.weights import Linear, WeightFormat, Weights
from hwsim.quantization.scale_policy import Scale
from hwsim.quantization.scales import find_scales, find_words

if TYPE_CHECKING:
    from hwsim.quantization.calibration import Calibration
    from hwsim.quantization.config import Config
    from hwsim.quantization.conversion import ConversionContext


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """A float array layer and the words around it: float64 weights (OC,KH,KW,ICG) and bias (OC).

    s_in, in_bits: scale and width of the input codes; w_bits: width of a weight word; depthwise: one input channel per
    output channel, as the array's diagonal mode reads it.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    s_in: float
    in_bits: int
    w_bits: int
    depthwise: bool


@dataclass(frozen=True, eq=False)
class QuantizedWeights:
    """weights: the codes (WORDS,OC,KH,KW,ICG) and how the array reads them; scale: float64 (OC), the real value of weight
    integer 1.
    """

    weights: Weights
    scale: np.ndarray


@dataclass(frozen=True)
class Conversion:
    """How a float operator becomes integer nodes where one does not suffice: several, the last under the float node's name.

    nodes: of a float node and the context of the conversion; the quantizer's words and scales hold the added names, too.
    sizes: integer nodes of the same names and sizes, before anything is calibrated: what the cycles are counted of.
    """

    nodes: Callable[[Node, ConversionContext], tuple[Node, ...]]
    sizes: Callable[[Node, Config], tuple[Node, ...]]


class Quantizer:
    """Class attributes: name of --weights; weight_format: how the array reads a code; weight_bits (least, most) and
    default_bits of a word; channel_scales: whether every output channel has a scale of its own unless an option decides;
    padding_code: what stands outside an image; conversions: float operator -> how it is converted, if otherwise than all others.
    """

    name: ClassVar[str]
    weight_format: ClassVar[type[WeightFormat]] = Linear
    weight_bits: ClassVar[tuple[int, int]] = (2, 16)
    default_bits: ClassVar[int] = 8
    channel_scales: ClassVar[bool] = True
    padding_code: ClassVar[int] = 0
    conversions: ClassVar[Mapping[str, Conversion]] = {}

    def check(self, config: Config) -> None:
        """Raises UsageError for an option that this quantizer refuses."""
        low, high = self.weight_bits
        if not low <= config.w_bits <= high:
            raise UsageError(f"weight_bits must be {low}..{high} for {self.name} weights, not {config.w_bits}")
        if config.per_channel and not self.channel_scales:
            raise UsageError(f"per_channel must be off for {self.name} weights, whose scale is one per layer, not on")

    def weights(self, layer: LayerWeights, config: Config) -> QuantizedWeights:
        """The codes and scales of a layer's weights. Errors: QuantizeError for weights that have none."""
        raise NotImplementedError

    def weight_words(self, weights: np.ndarray, w_bits: int, depthwise: bool, config: Config) -> tuple[int, np.ndarray | None]:
        """(words of a weight, flags of its tiles) of the Weights that weights() will give, as far as cycles depend on them,
        before anything is calibrated: float weights (OC,KH,KW,ICG), the rest as in LayerWeights.
        """
        return 1, None

    def words(self, graph: Graph, config: Config) -> dict[str, IntFormat]:
        """tensor -> the format of its codes. Errors: UsageError for an option that names no such tensor."""
        return find_words(graph, config)

    def scales(self, graph: Graph, words: Mapping[str, IntFormat], calibration: Calibration, config: Config) -> dict[str, Scale]:
        """tensor (and `layer:pre`) -> scale of a prepared float graph."""
        return find_scales(graph, words, calibration, config)

    def code_range(self, word: IntFormat) -> tuple[int, int]:
        """The least and the largest code that a layer may give in format `word`."""
        return word.min, word.max
