"""What the fast engine will do with each array layer of a network: for reading, nothing runs."""
from hwsim.engine.kernels.plan import plan
from hwsim.graph.place_sizes import placed
from hwsim.ops.cut import ARRAY_OPS, cut


def layer_plans(net, in_shapes, monitor=False):
    """[(array layer's name with its suffix, KernelPlan)] in running order; in_shapes: input name -> concrete shape."""
    graph, shapes = placed(net.graph, in_shapes)
    found = []
    for node in graph.nodes:
        if node.op in ARRAY_OPS:
            source = node.inputs[0]
            found += [(one.layer.full_name, plan(one.layer, net.datapath, net.formats[source], monitor))
                      for one in cut(node, shapes[source], net.datapath.tm)]
    return found
