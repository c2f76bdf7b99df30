"""The first accumulator event of a network that was computed band by band: where it lies, which of two the array meets first."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

from hwsim.engine.protocol import Job
from hwsim.engine.result import AccEvent, LayerStats, merge
from hwsim.errors import OverflowFault
from hwsim.fixed.formats import Datapath
from hwsim.graph.bands import RowBand
from hwsim.graph.node import Node
from hwsim.graph.rows import unit
from hwsim.graph.shapes import Shapes
from hwsim.ops.cut import cut

Bands = Iterator[RowBand[Any, LayerStats]]


def located(job: Job, bands: Bands) -> Bands:
    """The bands with the n and oy of their first event counted in the whole tensor."""
    for band in bands:
        first = band.note.first
        yield band if first is None else replace(band, note=replace(band.note, first=_in_whole(job, band, first)))
        del band


def _in_whole(job: Job, band: RowBand[Any, LayerStats], first: AccEvent) -> AccEvent:
    """The band's first event there; phases of a transposed layer have a row per unit."""
    above = band.rows.start // unit(band.node, job.shapes)
    return replace(first, n=first.n + band.images.start, oy=first.oy + above)


def merged(job: Job, node: Node, before: LayerStats | None, stats: LayerStats) -> LayerStats:
    """The counters of a node with those of another band of it; before: None at first."""
    return stats if before is None else merge([before, stats], issue_order(node, job.shapes, job.datapath.tm))


def issue_order(node: Node, shapes: Shapes, tm: int) -> Callable[[AccEvent], tuple[int, ...]]:
    """A key of AccEvents of a node: layer by layer of the cut, then image, output tile, pixel, beat, channel."""
    layers = cache(partial(_layers, node, shapes, tm))  # most bands meet no event and need no cut

    def key(e: AccEvent) -> tuple[int, ...]:
        return layers().index(e.layer), e.n, e.cot, e.oy, e.ox, e.ky, e.kx, e.cit, e.word, e.oc
    return key


def _layers(node: Node, shapes: Shapes, tm: int) -> list[str]:
    return [part.layer.name + part.layer.suffix for part in cut(node, shapes[node.inputs[0]], tm)]


def stopping(job: Job, bands: Bands) -> Bands:
    """Whole tensors, node by node, up to the first event. Errors: OverflowFault."""
    for band in bands:
        stop_at(band.note.first, job.datapath)
        yield band
        del band


def stopping_at_the_end(job: Job, bands: Bands) -> Bands:
    """Bands of rows up to the last: only then is known which node is the earliest with an event. Errors: OverflowFault."""
    first: dict[str, LayerStats] = {}
    for band in bands:
        name = band.node.name
        if band.note.first is not None:
            first[name] = merged(job, band.node, first.get(name), LayerStats(first=band.note.first))
        yield band
        del band
    stop_at(next((first[node.name].first for node in job.graph.nodes if node.name in first), None), job.datapath)


def stop_at(event: AccEvent | None, datapath: Datapath) -> None:
    """Raises the OverflowFault of mode `error` if there is an event."""
    if event is None:
        return
    fmt = datapath.acc_format
    raise OverflowFault(f"{event.layer}: the accumulator must stay in {fmt.min}..{fmt.max} ({fmt}), not {event.value} at "
                        f"n={event.n} cot={event.cot} oy={event.oy} ox={event.ox} oc={event.oc} "
                        f"ky={event.ky} kx={event.kx} cit={event.cit} word={event.word}", event)
