"""The array layers of a network as VectorLayers: the network runs on an engine, each layer is handed on with its tensors."""
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from hwsim.engine.protocol import Engine
from hwsim.engine.run import steps_with_inputs
from hwsim.errors import UsageError
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Node
from hwsim.hw.config import Device, of_network
from hwsim.ops.cut import ARRAY_OPS, cut, image_shape
from hwsim.vectors.write.vector_layer import VectorLayer, make_vector_layer


def network_cases(net: IntegerGraph, codes: Mapping[str, np.ndarray], device: Device, layers: Collection[str] | None = None,
                  engine: str | Engine = "fast", threads: int | None = None) -> Iterator[VectorLayer]:
    """Yields the VectorLayer of every array layer of an IntegerGraph in the order of the array, or of those named in `layers`.

    codes: input name -> integer codes of one image. Tensors are dropped after their last reader.
    Errors: UsageError for an unknown layer or more than one image.
    """
    array = [node.name for node in net.nodes if node.op in ARRAY_OPS]
    for name in layers or ():
        if name not in array:
            raise UsageError(f"--layers must name array layers ({', '.join(array)}), not {name!r}")
    if any(len(value) != 1 for value in codes.values()):
        raise UsageError(f"vectors must be of one image, not {max(map(len, codes.values()))}")
    device = of_network(device, net)
    wanted = [name for name in array if not layers or name in layers]
    for node, reads, tensor, _ in steps_with_inputs(net, codes, engine, threads=threads):
        if node.name in wanted:
            yield from _node_cases(array.index(node.name), node, reads[0], tensor, net, device)
        if node.name == wanted[-1]:
            return


def _node_cases(number: int, node: Node, source: np.ndarray, tensor: np.ndarray, net: IntegerGraph,
                device: Device) -> Iterator[VectorLayer]:
    """The cases of one array node: of itself, or of its groups or phases."""
    x = source.reshape(image_shape(source.shape))[0]
    out = tensor.reshape(image_shape(tensor.shape))[0]
    formats = net.formats[node.inputs[0]], net.formats[node.name]
    for part in cut(node, source.shape, device.TM):
        yield make_vector_layer(number, part.layer, x[..., part.in_channels], out[part.rows, part.cols, part.out_channels],
                                formats, device)


def crop_codes(codes: Mapping[str, np.ndarray], height: int, width: int) -> dict[str, np.ndarray]:
    """The top-left height x width of every image input (N,H,W,C); UsageError when it is not inside."""
    for name, value in codes.items():
        if value.ndim != 4 or not (1 <= height <= value.shape[1] and 1 <= width <= value.shape[2]):
            raise UsageError(f"--crop must lie inside the {value.shape[1:]} input {name}, not be {height}x{width}")
    return {name: value[:, :height, :width] for name, value in codes.items()}
