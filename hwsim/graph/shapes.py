"""Shape inference: symbolic (H, W stay symbols) or for concrete inputs."""
from hwsim.errors import GraphError
from hwsim.ops.dims import Dim, known, show


def infer(graph, inputs=None):
    """name -> shape (N first). `inputs` maps input names to concrete shapes; without it unknown sizes stay symbols."""
    shapes = {}
    for node in graph.nodes:
        try:
            shape = node.spec.shape(node.params, [shapes[name] for name in node.inputs])
        except GraphError as error:
            raise GraphError(f"{node.name}: {error}") from None
        shapes[node.name] = _given(node, shape, inputs[node.name]) if inputs and node.op == "input" else shape
    return shapes


def _given(node, declared, shape):
    """The concrete `shape` of an input, once it agrees with what the model declares."""
    fits = len(shape) == len(declared) and all(not known(d) or d == s for d, s in zip(declared, shape))
    if not fits or min(shape) < 1:
        raise GraphError(f"{node.name}: input shape must be {show(declared)}, not {show(shape)}")
    return tuple(int(s) for s in shape)


def free(graph):
    """The graph with input sizes H and W forgotten: a fully convolutional model that declares a size runs at any."""
    changes = {node.name: node.but(shape=(*(None for _ in node.params["shape"][:-1]), node.params["shape"][-1]))
               for node in graph.nodes if node.op == "input"}
    return graph.replaced(changes)


def is_symbolic(shape):
    return any(isinstance(size, Dim) for size in shape)
