"""The stable text form of a graph: one line per node, for people, diffs and tests."""
import hashlib
from typing import Any

import numpy as np

from hwsim.graph.node import Graph
from hwsim.graph.shapes import infer
from hwsim.ops.dims import show
from hwsim.ops.kinds import Params


def to_text(graph: Graph) -> str:
    """`name = op(inputs) {parameters} -> shape`, arrays as dtype[shape]#digest, then the outputs."""
    shapes = infer(graph)
    lines = [f"{n.name} = {n.op}({', '.join(n.inputs)}) {_params(n.params)} -> {show(shapes[n.name])}" for n in graph.nodes]
    return "\n".join([*lines, f"outputs: {', '.join(graph.outputs)}"]) + "\n"


def _params(params: Params) -> str:
    return "{" + ", ".join(f"{key}={_value(params[key])}" for key in sorted(params) if params[key] is not None) + "}"


def _value(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:8]
    return f"{value.dtype}{list(value.shape)}#{digest}"
