"""Running an integer network on an engine, the same for every engine: what is checked, what is kept, what is forgotten.

bands() yields every tensor as it is made, node by node or, of large images, in bands of rows (graph.bands), and forgets what
nobody reads any more; steps() always goes node by node; run() keeps what was asked for.
"""
from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwsim.engine import ENGINES
from hwsim.engine.context import word_type
from hwsim.engine.first_event import located, merged, stopping, stopping_at_the_end
from hwsim.engine.legality import check_codes, check_runnable
from hwsim.engine.protocol import Engine, EngineSession, Job
from hwsim.engine.result import LayerStats, Result
from hwsim.errors import UsageError
from hwsim.fixed.formats import IntFormat, Overflow
from hwsim.graph.bands import ARRAYS, RowBand, computed, gathered, rows_per_step
from hwsim.graph.integer import IntegerGraph, check_network
from hwsim.graph.node import Graph, Node
from hwsim.graph.place_sizes import placed
from hwsim.graph.rows import height
from hwsim.graph.shapes import Shapes
from hwsim.graph.walk import walk

Codes = Mapping[str, np.ndarray]
Progress = Callable[[Node, int, int], None]


def run(net: IntegerGraph, inputs: Codes, engine: str | Engine = "fast", dump: str | Iterable[str] = (), monitor: bool = False,
        threads: int | None = None, progress: Progress | None = None, rows: int | None = None) -> Result:
    """The Result of `net` on `inputs` (name -> integer codes, N first): its outputs, and the tensors named in `dump`.

    rows: input rows per step; None goes node by node while the tensors are small, else in bands (graph.bands.rows_per_step).
    An engine whose tensors cannot be cut into rows always goes node by node.
    progress(node, done, total) is called after each node, or after each band with the rows of all tensors as the measure.
    Errors: as steps(), UsageError for an unknown name in `dump` and for `rows` that is no integer of at least 1.
    """
    dump = (dump,) if isinstance(dump, str) else tuple(dump)
    check_dump(dump, net.graph)
    execution = place(net, inputs, engine, monitor, threads)
    rows = execution.in_rows(execution.rows_per_step() if rows is None else _count("rows", rows))
    # all other tensors go as soon as their last reader is done: a network's peak memory is its live tensors'
    keep, done = {*net.outputs, *dump}, 0
    tensors: dict[str, np.ndarray] = {}
    stats: dict[str, LayerStats] = {}
    for band in _native_bands(execution, rows):
        name = band.node.name
        stats[name] = joined_stats(execution, band, stats.get(name))
        if name in keep:
            tensors[name] = gathered(tensors.get(name), _on_host(execution, band), execution.shapes[name], np.int32)
        done += measure(band, rows)
        if progress:
            progress(band.node, done, execution.size(rows))
    return Result(net.outputs, tensors, stats)


def steps(net: IntegerGraph, inputs: Codes, engine: str | Engine = "fast", monitor: bool = False,
          threads: int | None = None) -> Iterator[tuple[Node, np.ndarray, LayerStats]]:
    """Yields (node, int32 codes, LayerStats) for every node of `net`, in graph order, its inputs included.

    engine: fast, reference, or an Engine; threads: None takes every CPU that the process may use.
    Errors: GraphError and UnsupportedError for a network that cannot run, UsageError for codes that do not belong to
    it, OverflowFault at the first accumulator event in mode `error`.
    """
    return _tensors(place(net, inputs, engine, monitor, threads))


def _tensors(execution: Execution) -> Iterator[tuple[Node, np.ndarray, LayerStats]]:
    for band in bands(execution, None):
        yield band.node, band.tensor.astype(np.int32, copy=False), band.note


def steps_with_inputs(net: IntegerGraph, inputs: Codes, engine: str | Engine = "fast", monitor: bool = False,
                      threads: int | None = None) -> Iterator[tuple[Node, list[np.ndarray], np.ndarray, LayerStats]]:
    """As steps(), but yields (node, its input tensors, its tensor, LayerStats)."""
    tensors = steps(net, inputs, engine, monitor, threads)

    def following(node: Node, reads: list[np.ndarray]) -> tuple[np.ndarray, tuple[list[np.ndarray], LayerStats]]:
        _, tensor, stats = next(tensors)
        return tensor, (reads, stats)
    for node, tensor, (reads, stats) in walk(net.graph, following):
        yield node, reads, tensor, stats
        del reads, tensor


@dataclass(frozen=True, eq=False)
class Execution:
    """A network on its way through an engine: `job` as the engine's `session` was prepared for it, checked; int32 codes."""

    net: IntegerGraph
    job: Job
    codes: Codes
    session: EngineSession[Any]

    @property
    def shapes(self) -> Shapes:
        """Concrete shape of every tensor."""
        return self.job.shapes

    def rows_per_step(self) -> int | None:
        """Input rows per step that suit the host's memory; None: whole tensors."""
        return rows_per_step(self.job.graph, self.job.shapes, code_bytes(self.job.formats))

    def in_rows(self, rows: int | None) -> int | None:
        """`rows`, or None where the engine's tensors cannot be cut into rows."""
        return None if self.session.rows is None else rows

    def size(self, rows: int | None) -> int:
        """What measure() comes to at the end."""
        shapes = [self.shapes[node.name] for node in self.net.nodes]
        return len(shapes) if rows is None else sum(shape[0] * height(shape) for shape in shapes)


def measure(band: RowBand[Any, Any], rows: int | None) -> int:
    """What a band counts for progress: a node by node, else its rows."""
    return 1 if rows is None else int(band.rows.stop - band.rows.start)


def code_bytes(formats: Mapping[str, IntFormat]) -> int:
    """Bytes that a code takes in the widest of these formats."""
    return max(np.dtype(word_type(fmt.min, fmt.max)).itemsize for fmt in formats.values())


def place(net: IntegerGraph, inputs: Codes, engine: str | Engine = "fast", monitor: bool = False,
          threads: int | None = None) -> Execution:
    """The Execution of a run. Errors: as steps(), but for OverflowFault."""
    runner, threads = engine_named(engine), _threads(threads)
    # first the network alone, then the codes given to it, then both on the datapath: an error names the first that is wrong
    check_network(net)
    codes = check_codes(net, inputs)
    graph, shapes = placed(net.graph, {name: array.shape for name, array in codes.items()})
    formats = net.placed_formats(graph)
    check_runnable(graph, formats, net.datapath, shapes)
    job = Job(graph=graph, formats=formats, shapes=shapes, datapath=net.datapath, monitor=monitor, threads=threads)
    return Execution(net, job, codes, runner.prepare(job))


def bands(execution: Execution, rows: int | None) -> Iterator[RowBand[np.ndarray, LayerStats]]:
    """Yields a RowBand with its LayerStats for every tensor of the network, whole where `rows` is None, else row by row; its
    codes are int16 or int32.

    Errors: OverflowFault in mode `error`, for the earliest node that has an event.
    """
    for band in _native_bands(execution, rows):
        yield _on_host(execution, band)
        del band


def _on_host(execution: Execution, band: RowBand[Any, LayerStats]) -> RowBand[np.ndarray, LayerStats]:
    return replace(band, tensor=execution.session.get(band.tensor))


def _native_bands(execution: Execution, rows: int | None) -> Iterator[RowBand[Any, LayerStats]]:
    """The bands of the network's own nodes, their tensors still where the engine keeps them."""
    graph, early = execution.net.graph, LayerStats()
    for band in _computed(execution, rows):
        if band.node.name in graph.by_name:
            # placing may split a node into steps; the clamp is counted by the step that clamps, whatever comes after it
            stats = band.note if early.clamped is None else early
            yield replace(band, node=graph[band.node.name], note=stats)
            early = LayerStats()
        else:
            early = band.note  # a step that placing made: the net's own node is the next one and reports its counters
        del band


def _computed(execution: Execution, rows: int | None) -> Iterator[RowBand[Any, LayerStats]]:
    """The bands of the placed graph; in overflow mode `error` up to an event."""
    job, session = execution.job, execution.session
    every = computed(job.graph, job.shapes, execution.codes, _compute(session), rows, session.rows or ARRAYS)
    every = located(job, _releasing(execution, every))
    if job.datapath.acc_mode is not Overflow.ERROR:
        return every
    # in bands a later row of an early node may still have an event, so that only the end tells which node is first
    return stopping(job, every) if rows is None else stopping_at_the_end(job, every)


def _releasing(execution: Execution, every: Iterator[RowBand[Any, LayerStats]]) -> Iterator[RowBand[Any, LayerStats]]:
    """The bands; after the last of a node the session lets go what it has prepared for that node, such as packed weights."""
    for band in every:
        shape = execution.shapes[band.node.name]
        if band.images.stop == shape[0] and band.rows.stop == height(shape):
            execution.session.release(band.node)
        yield band
        del band


def _compute(session: EngineSession[Any]) -> Callable[[Node, tuple[Node, ...], list[Any]], tuple[Any, LayerStats]]:
    """compute() of graph.bands on an engine; the counters of a chain are those of its last node."""
    def compute(node: Node, chain: tuple[Node, ...], tensors: list[Any]) -> tuple[Any, LayerStats]:
        if node.op == "input":
            return session.put(tensors[0]), LayerStats()
        # the rules of rows (graph.rows.Rule) see to it that the last node of a chain is the one that counts
        for part in chain:
            tensor, stats = session.run(part, tensors)
            tensors = [tensor]
        return tensor, stats
    return compute


def joined_stats(execution: Execution, band: RowBand[Any, LayerStats], before: LayerStats | None) -> LayerStats:
    """The LayerStats of a node with those of another band of it; None: there is none before."""
    return merged(execution.job, execution.job.graph[band.node.name], before, band.note)


def engine_named(engine: str | Engine) -> Engine:
    """The Engine of that name, or `engine` itself if it is one. Errors: UsageError for a name not in ENGINES."""
    if isinstance(engine, Engine):
        return engine
    if engine not in ENGINES:
        raise UsageError(f"engine must be {' or '.join(ENGINES)}, not {engine!r}")
    runner: Engine = importlib.import_module(ENGINES[engine]).ENGINE
    return runner


def _threads(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _count("threads", threads)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise UsageError(f"{name} must be an integer of at least 1, not {value!r}")
    return int(value)


def check_dump(names: Iterable[str], graph: Graph) -> None:
    """Nothing, once every name is a tensor of the graph; else a UsageError that lists near ones."""
    for name in names:
        if name not in graph.by_name:
            near = difflib.get_close_matches(str(name), list(graph.by_name), 3, 0) or list(graph.by_name)[:3]
            raise UsageError(f"dump must name a tensor of the network (near: {', '.join(near)}), not {name!r}")
