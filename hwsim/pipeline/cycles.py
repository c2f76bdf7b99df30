"""The cycles of a float network before anything is quantized: its sizes and words are decided, its values are not."""
from __future__ import annotations

from collections.abc import Mapping

from hwsim.graph.node import Graph
from hwsim.hw.config import Device, config_fields
from hwsim.hw.costs.network_cycles import NetworkCycles, graph_cycles
from hwsim.quantization.config import Config
from hwsim.quantization.shape_twin import shape_twin


def float_cycles(graph: Graph, in_shapes: Mapping[str, tuple[int, ...]], device: Device,
                 config: Config | None = None) -> NetworkCycles:
    """The NetworkCycles of a prepared float `graph` for one image of `in_shapes` (name -> N,H,W,C).

    config: the options under which it will be quantized (rowpack, layer_bits, two-word options, input_bits and scales decide
    sizes, and what a concat moves); by default what the device says. Errors: GraphError when the shapes do not fit,
    UsageError for a layer_bits or scale that names no layer.
    """
    config = config or Config(**config_fields(device))
    words = config.quantizer.words(graph, config)
    return graph_cycles(shape_twin(graph, words, config), {name: fmt.bits for name, fmt in words.items()}, in_shapes, device)
