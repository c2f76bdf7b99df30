"""Which form of a graph runs on given inputs: as declared, or with its declared H and W forgotten."""
from hwsim.errors import GraphError
from hwsim.graph.shapes import free, infer


def fitted(graph, shapes):
    """`graph` where inputs of `shapes` (name -> N first) agree with what it declares, else the graph without declared sizes.

    A fully convolutional network runs at any size; one that cannot raises a GraphError that says why.
    """
    if sorted(shapes) != sorted(graph.inputs):
        raise GraphError(f"inputs must be {', '.join(graph.inputs)}, not {', '.join(shapes) or 'none'}")
    try:
        infer(graph, shapes)
    except GraphError as declared:
        loose = free(graph)
        try:
            infer(loose, shapes)
        except GraphError as error:
            same = str(error).split(":")[0] == str(declared).split(":")[0]
            raise GraphError(str(error) if same else f"{error} ({declared})") from None
        return loose
    return graph
