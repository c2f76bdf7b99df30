"""Running an integer network on an engine: the walk over the graph, the same for every engine.

steps() yields each tensor once, in graph order, and forgets it after its last reader; run() keeps what was asked for.
"""
import difflib
import importlib
import os

import numpy as np

from hwsim.engine.context import Context, Engine
from hwsim.engine.legality import check_codes, check_runnable
from hwsim.engine.result import LayerStats, Result
from hwsim.errors import OverflowFault, UsageError
from hwsim.fixed.formats import Overflow
from hwsim.graph.integer import check_network
from hwsim.graph.place_sizes import place_sizes
from hwsim.graph.shapes import free, infer

ENGINES = {"fast": "hwsim.engine.fast", "reference": "hwsim.engine.reference"}


def run(net, inputs, engine="fast", dump=(), monitor=False, threads=None, progress=None):
    """The Result of `net` on `inputs` (name -> integer codes, N first): its outputs, and the tensors named in `dump`.

    progress(node, done, total) is called after each node. Errors: as steps(), UsageError for an unknown name in `dump`.
    """
    check_dump(dump, net.graph)
    keep = {*net.outputs, *dump}
    tensors, stats = {}, {}
    for done, (node, tensor, counters) in enumerate(steps(net, inputs, engine, monitor, threads), 1):
        stats[node.name] = counters
        if node.name in keep:
            tensors[node.name] = tensor
        if progress:
            progress(node, done, len(net.nodes))
    return Result(net.outputs, tensors, stats)


def steps(net, inputs, engine="fast", monitor=False, threads=None):
    """Yields (node, int32 codes, LayerStats) for every node of `net`, in graph order, its inputs included.

    engine: fast, reference, or an Engine; threads: None takes every CPU that the process may use.
    Errors: GraphError and UnsupportedError for a network that cannot run, UsageError for codes that do not belong to
    it, OverflowFault at the first accumulator event in mode `error`.
    """
    chosen, threads = engine_named(engine), _threads(threads)
    check_network(net)
    codes = check_codes(net, inputs)
    graph, formats = _placed(net, {name: array.shape for name, array in codes.items()})
    return _walk(net, graph, formats, codes, chosen, monitor, threads)


def _walk(net, graph, formats, codes, engine, monitor, threads):
    alive, left, early = dict(codes), dict(graph.use_count), LayerStats()
    for node in graph.nodes:
        if node.op == "input":
            tensor, stats = alive[node.name], LayerStats()
        else:
            context = Context(net.datapath, tuple(formats[name] for name in node.inputs), formats[node.name], monitor, threads)
            tensor, stats = engine.run_node(node, [alive[name] for name in node.inputs], context)
            _stop_at_event(stats.first, net.datapath)
            alive[node.name] = tensor
        _forget(alive, left, node)
        if node.name in net.graph.by_name:
            yield net.graph[node.name], tensor, stats if early.clamped is None else early
            early = LayerStats()
        else:
            early = stats  # a step that placing made: the net's own node is the next one and reports its counters
        tensor = None


def _forget(alive, left, node):
    for name in node.inputs:
        left[name] -= 1
    for name in {*node.inputs, node.name}:
        if not left.get(name):
            alive.pop(name, None)


def _stop_at_event(event, datapath):
    if event is None or datapath.acc_mode is not Overflow.ERROR:
        return
    fmt = datapath.acc_format
    raise OverflowFault(f"{event.layer}: the accumulator must stay in {fmt.min}..{fmt.max} ({fmt}), not {event.value} at "
                        f"n={event.n} cot={event.cot} oy={event.oy} ox={event.ox} oc={event.oc} "
                        f"ky={event.ky} kx={event.kx} cit={event.cit} word={event.word}", event)


def _placed(net, in_shapes):
    """The graph for these input shapes, checked, and the format of every tensor in it."""
    graph = net.graph
    if any(_resized(graph[name], shape) for name, shape in in_shapes.items()):
        graph = free(graph)
    graph = place_sizes(graph, infer(graph, in_shapes))
    formats = {node.name: net.formats[node.name if node.name in net.formats else graph.consumers[node.name][0].name]
               for node in graph.nodes}
    check_runnable(graph, formats, net.datapath, infer(graph, in_shapes))
    return graph, formats


def _resized(node, shape):
    """Whether only the image size of `shape` differs from what the input declares."""
    declared = node.params["shape"]
    return len(shape) == len(declared) + 1 and any(d not in (None, s) for d, s in zip(declared[:-1], shape[1:-1]))


def engine_named(engine):
    """The Engine of that name, or `engine` itself if it is one."""
    if isinstance(engine, Engine):
        return engine
    if engine not in ENGINES:
        raise UsageError(f"engine must be {' or '.join(ENGINES)}, not {engine!r}")
    return importlib.import_module(ENGINES[engine]).ENGINE


def _threads(threads):
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise UsageError(f"threads must be at least 1, not {threads}")
    return int(threads)


def check_dump(names, graph):
    """Nothing, once every name is a tensor of the graph; else a UsageError that lists near ones."""
    for name in names:
        if name not in graph.by_name:
            near = difflib.get_close_matches(str(name), list(graph.by_name), 3, 0) or list(graph.by_name)[:3]
            raise UsageError(f"dump must name a tensor of the network (near: {', '.join(near)}), not {name!r}")
