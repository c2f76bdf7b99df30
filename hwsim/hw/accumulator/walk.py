"""The walk of engine.run with every node's input tensors still at hand."""
from hwsim.engine.run import steps


def with_inputs(net, inputs, engine, monitor=False, threads=None):
    """Yields (node, its input tensors, its tensor, LayerStats) in graph order; a tensor is forgotten after its last reader."""
    alive, left = {}, dict(net.graph.use_count)
    for node, tensor, stats in steps(net, inputs, engine, monitor, threads):
        yield node, [alive[name] for name in node.inputs], tensor, stats
        alive[node.name] = tensor
        for name in node.inputs:
            left[name] -= 1
        for name in {*node.inputs, node.name}:
            if not left.get(name):
                alive.pop(name, None)
