"""The rules of a legal graph, one line each; run after every pass. A breach is a GraphError that names the node."""
from typing import Any

from hwsim.errors import GraphError
from hwsim.graph.node import LAYOUTS, Graph, Node
from hwsim.graph.shapes import infer
from hwsim.ops.spec import ANY, BOTH, FLOAT, INTEGER


def check(graph: Graph, dialect: str = FLOAT) -> Graph:
    """`graph` itself; raises GraphError unless it is legal in `dialect` (float or integer) and its shapes can be inferred."""
    _check_names(graph)
    for node in graph.nodes:
        problem = _problem(node, dialect)
        if problem:
            raise GraphError(f"{node.name}: {problem}")
    infer(graph)
    return graph


def check_integer(graph: Graph) -> Graph:
    """`graph` itself; raises GraphError unless it is a legal graph of integer operators."""
    return check(graph, INTEGER)


def _check_names(graph: Graph) -> None:
    if graph.layout not in LAYOUTS:
        raise GraphError(f"the layout of a graph must be one of {', '.join(LAYOUTS)}, not {graph.layout!r}")
    seen = set()
    for node in graph.nodes:
        for name in node.inputs:
            if name not in seen:
                raise GraphError(f"{node.name}: an input must be an earlier node, not {name!r}")
        if node.name in seen:
            raise GraphError(f"{node.name}: a node name must be unique")
        seen.add(node.name)
    for kind, names in (("input", graph.inputs), ("output", graph.outputs)):
        if not names:
            raise GraphError(f"a graph must have an {kind}, not none")
        for name in names:
            if name not in seen:
                raise GraphError(f"an {kind} of the graph must be a node, not {name!r}")
    inputs = tuple(node.name for node in graph.nodes if node.op == "input")
    if sorted(inputs) != sorted(graph.inputs):
        raise GraphError(f"the inputs of the graph must be its input nodes {inputs}, not {graph.inputs}")


def _problem(node: Node, dialect: str) -> str | None:
    """The sentence that `node` breaks, or None."""
    spec = node.spec
    least, most = spec.arity
    if spec.dialect not in (dialect, BOTH):
        return f"{node.op} must stand in a graph of {spec.dialect} nodes, not of {dialect} ones"
    if not least <= len(node.inputs) <= most:
        return f"{node.op} must have {_count(least, most)} inputs, not {len(node.inputs)}"
    if set(node.params) != set(spec.params):
        return f"parameters of {node.op} must be {sorted(spec.params)}, not {sorted(node.params)}"
    for name, kind in spec.params.items():
        sentence = kind(node.params[name])
        if sentence:
            return f"{name} must be {sentence}, not {_brief(node.params[name])}"
    return spec.extra(node.params) if spec.extra else None


def _count(least: int, most: int) -> str:
    if most == ANY:
        return f"at least {least}"
    return str(least) if least == most else f"{least}..{most}"


def _brief(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"{value.dtype} of shape {value.shape}"
    return f"{value!r}"[:80]
