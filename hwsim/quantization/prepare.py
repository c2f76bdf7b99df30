"""The float graph as it is quantized: folded, lowered, checked after every pass. Its node names are the integer network's."""
from hwsim.graph.check import check
from hwsim.graph.fold_activation import fold_activation
from hwsim.graph.fold_batchnorm import fold_batchnorm
from hwsim.graph.fuse import Report, silent
from hwsim.graph.lower import lower
from hwsim.graph.node import Graph

PASSES = (fold_batchnorm, lower, fold_activation)


def prepare(graph: Graph, report: Report = silent) -> Graph:
    """The prepared float graph; preparing it again changes nothing. Errors: GraphError, UnsupportedError.

    `report(layer, text)` hears of every layer that is folded, lowered or left alone, and why, in the order of the passes.
    """
    check(graph)
    for step in PASSES:
        graph = check(step(graph, report))
    return graph


def preparation_notes(graph: Graph) -> tuple[tuple[str, str], ...]:
    """((layer, what happens to it), ...): what prepare does to `graph`, for people."""
    notes: list[tuple[str, str]] = []
    prepare(graph, lambda layer, text: notes.append((layer, text)))
    return tuple(notes)
