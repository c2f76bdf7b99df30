"""The kernel plan of every array layer of a network, to be read: nothing runs."""
from __future__ import annotations

from collections.abc import Mapping

from hwsim.engine.kernels.plan import KernelPlan, plan
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.place_sizes import placed
from hwsim.ops.cut import ARRAY_OPS, cut


def layer_plans(net: IntegerGraph, in_shapes: Mapping[str, tuple[int, ...]],
                monitor: bool = False) -> list[tuple[str, KernelPlan]]:
    """[(array layer's name with its suffix, KernelPlan)] in running order; in_shapes: input name -> concrete shape."""
    graph, shapes = placed(net.graph, in_shapes)
    plans: list[tuple[str, KernelPlan]] = []
    for node in graph.nodes:
        if node.op in ARRAY_OPS:
            source = node.inputs[0]
            layers = [part.layer for part in cut(node, shapes[source], net.datapath.tm)]
            plans += [(layer.full_name, plan(layer, net.datapath, net.formats[source], monitor)) for layer in layers]
    return plans
