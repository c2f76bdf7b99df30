"""The float network run once where calibration and comparison both need it: the tensors of an input are kept between the two."""
from collections import deque
from dataclasses import replace
from math import prod

import numpy as np

from hwsim.graph.shapes import infer
from hwsim.quantization.float_net.run import VALUE_BYTES, bands

KEPT_BYTES = 1 << 27


class Once:
    """The latest input whose tensors came to KEPT_BYTES at most, all together; who asks for it again takes them away."""

    def __init__(self):
        self._forget()

    def bands(self, graph, inputs, rows):
        """The RowBands of float_run.bands; of an input that is kept, the very same arrays, without `note`."""
        if self._is_kept(graph, inputs):
            return self._taken()
        made = bands(graph, inputs, rows)
        return made if rows is not None or _bytes(graph, inputs) > KEPT_BYTES else self._keeping(graph, inputs, made)

    def _is_kept(self, graph, inputs):
        """Whether all of it was run, by the identity of nodes and arrays: equal values in another array are run again."""
        return (len(self._bands) == len(graph.nodes) and self._nodes == graph.nodes
                and all(inputs[name] is self._inputs[name] for name in graph.inputs))

    def _keeping(self, graph, inputs, made):
        self._nodes, self._inputs, self._bands = graph.nodes, dict(inputs), deque()
        for band in made:
            self._bands.append(replace(band, note=None))
            yield band

    def _taken(self):
        while self._bands:
            yield self._bands.popleft()
        self._forget()

    def _forget(self):
        self._nodes, self._inputs, self._bands = (), {}, deque()


def _bytes(graph, inputs):
    shapes = infer(graph, {name: np.shape(inputs[name]) for name in graph.inputs})
    return sum(VALUE_BYTES * prod(shape) for shape in shapes.values())
