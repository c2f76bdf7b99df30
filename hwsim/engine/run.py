"""Running an integer network on an engine: the walk over the graph, the same for every engine.

bands() yields every tensor as it is made, node by node or, of large images, in bands of rows, and forgets what nobody reads any
more; steps() always goes node by node; run() keeps what was asked for.
"""
import difflib
import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwsim.engine.context import Context, Engine, word_type
from hwsim.engine.legality import check_codes, check_runnable
from hwsim.engine.result import LayerStats, Result
from hwsim.engine.stream import first_faults, merged, stream
from hwsim.errors import OverflowFault, UsageError
from hwsim.fixed.formats import Overflow
from hwsim.graph.bands import count, gathered, rows_per_step, whole
from hwsim.graph.fit import fitted
from hwsim.graph.integer import IntegerGraph, check_network
from hwsim.graph.node import Graph
from hwsim.graph.place_sizes import place_sizes
from hwsim.graph.rows import height
from hwsim.graph.shapes import infer

ENGINES = {"fast": "hwsim.engine.fast", "reference": "hwsim.engine.reference"}


def run(net, inputs, engine="fast", dump=(), monitor=False, threads=None, progress=None, rows=None):
    """The Result of `net` on `inputs` (name -> integer codes, N first): its outputs, and the tensors named in `dump`.

    rows: input rows per step; None goes node by node while the tensors are small, else in bands (graph.bands.rows_per_step).
    progress(node, done, total) is called after each node, or after each band with the rows of all tensors as the measure.
    Errors: as steps(), UsageError for an unknown name in `dump` and for `rows` that is no integer of at least 1.
    """
    dump = (dump,) if isinstance(dump, str) else dump
    check_dump(dump, net.graph)
    job = place(net, inputs, engine, monitor, threads)
    rows = rows_per_step(job.graph, job.shapes, code_bytes(job.formats)) if rows is None else _count("rows", rows)
    keep, tensors, stats, done = {*net.outputs, *dump}, {}, {}, 0
    for band in bands(job, rows):
        name = band.node.name
        stats[name] = joined_stats(job, band, stats.get(name))
        if name in keep:
            tensors[name] = gathered(tensors.get(name), band, job.shapes[name], np.int32)
        done += measure(band, rows)
        if progress:
            progress(band.node, done, job.size(rows))
    return Result(net.outputs, tensors, stats)


def steps(net, inputs, engine="fast", monitor=False, threads=None):
    """Yields (node, int32 codes, LayerStats) for every node of `net`, in graph order, its inputs included.

    engine: fast, reference, or an Engine; threads: None takes every CPU that the process may use.
    Errors: GraphError and UnsupportedError for a network that cannot run, UsageError for codes that do not belong to
    it, OverflowFault at the first accumulator event in mode `error`.
    """
    return _tensors(place(net, inputs, engine, monitor, threads))


def _tensors(job):
    for band in bands(job, None):
        yield band.node, band.tensor.astype(np.int32, copy=False), band.note


def code_bytes(formats):
    """Bytes that a code takes in the widest of these formats."""
    return max(np.dtype(word_type(fmt.min, fmt.max)).itemsize for fmt in formats.values())


@dataclass(frozen=True, eq=False)
class Job:
    """A network made ready for its inputs: graph, formats and concrete shapes after graph.place_sizes, checked; int32 codes."""

    net: IntegerGraph
    graph: Graph
    formats: Mapping
    shapes: Mapping
    codes: Mapping
    engine: Engine
    context: Context

    def size(self, rows):
        """What measure() comes to at the end."""
        shapes = [self.shapes[node.name] for node in self.net.nodes]
        return len(shapes) if rows is None else sum(shape[0] * height(shape) for shape in shapes)


def measure(band, rows):
    """What a band counts for progress: a node by node, else its rows."""
    return 1 if rows is None else count(band.tensor)


def place(net, inputs, engine="fast", monitor=False, threads=None):
    """The Job of a run. Errors: as steps(), but for OverflowFault."""
    chosen, threads = engine_named(engine), _threads(threads)
    check_network(net)
    codes = check_codes(net, inputs)
    in_shapes = {name: array.shape for name, array in codes.items()}
    graph = fitted(net.graph, in_shapes)
    graph = place_sizes(graph, infer(graph, in_shapes))
    formats = {node.name: net.formats[node.name if node.name in net.formats else graph.consumers[node.name][0].name]
               for node in graph.nodes}
    shapes = infer(graph, in_shapes)
    check_runnable(graph, formats, net.datapath, shapes)
    return Job(net, graph, formats, shapes, codes, chosen, Context(net.datapath, (), None, monitor, threads))


def bands(job, rows):
    """Yields a RowBand with its LayerStats for every tensor of the network, whole where `rows` is None, else row by row; its
    codes are in the engine's own type, int16 or int32.

    Errors: OverflowFault in mode `error`, for the earliest node that has an event.
    """
    early = LayerStats()
    for band in _walk(job) if rows is None else _stream(job, rows):
        if band.node.name in job.net.graph.by_name:
            stats = band.note if early.clamped is None else early
            yield replace(band, node=job.net.graph[band.node.name], note=stats)
            early = LayerStats()
        else:
            early = band.note  # a step that placing made: the net's own node is the next one and reports its counters
        del band


def _stream(job, rows):
    made = stream(job.graph, job.formats, job.shapes, job.codes, job.engine, job.context, rows)
    if job.net.datapath.acc_mode is not Overflow.ERROR:
        return made
    return _stopped(job, made)


def _stopped(job, made):
    event = yield from first_faults(job.graph, job.shapes, job.net.datapath.tm, made)
    _stop_at_event(event, job.net.datapath)


def _walk(job):
    alive, left = dict(job.codes), dict(job.graph.use_count)
    for node in job.graph.nodes:
        if node.op == "input":
            tensor, stats = alive[node.name], LayerStats()
        else:
            reads = tuple(job.formats[name] for name in node.inputs)
            context = replace(job.context, in_formats=reads, out_format=job.formats[node.name])
            tensor, stats = job.engine.run_node(node, [alive[name] for name in node.inputs], context)
            _stop_at_event(stats.first, job.net.datapath)
            alive[node.name] = tensor
        _forget(alive, left, node)
        yield whole(node, tensor, stats)
        tensor = None


def joined_stats(job, band, before):
    """The LayerStats of a node with those of another band of it; None: there is none before."""
    return band.note if before is None else merged(job.graph[band.node.name], job.shapes, job.net.datapath.tm, before, band.note)


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
    return _count("threads", threads)


def _count(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise UsageError(f"{name} must be an integer of at least 1, not {value!r}")
    return int(value)


def check_dump(names, graph):
    """Nothing, once every name is a tensor of the graph; else a UsageError that lists near ones."""
    for name in names:
        if name not in graph.by_name:
            near = difflib.get_close_matches(str(name), list(graph.by_name), 3, 0) or list(graph.by_name)[:3]
            raise UsageError(f"dump must name a tensor of the network (near: {', '.join(near)}), not {name!r}")
