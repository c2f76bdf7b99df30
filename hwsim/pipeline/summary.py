"""Cycles and accumulators of a network as plain values: `layers` and `total`, the same in the Python API and in the reports.

The keys are those of spec/interfaces.md rules 6.2 and 6.3.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hwsim.engine.result import LayerStats
from hwsim.graph.accumulator import SumRange
from hwsim.graph.integer import IntegerGraph
from hwsim.hw.accumulator.bounds import LayerBounds, smallest_safe
from hwsim.hw.accumulator.shadow import Shadow
from hwsim.hw.costs.network_cycles import LayerCycles, NetworkCycles
from hwsim.hw.costs.storage import literature_of

KINDS = ("datatype", "weights", "reachable", "observed")
Row = dict[str, Any]


def cycles_summary(cycles: NetworkCycles) -> Row:
    """{layers, total} of a NetworkCycles."""
    fps = cycles.frames_per_second
    total = {"cycles": cycles.cycles, "macs": cycles.macs, "utilization": float(cycles.utilization),
             "frames_per_second": None if fps is None else float(fps), "gap_cycles": cycles.gap_cycles,
             "array_layers": cycles.array_layers, "clock_ghz": str(cycles.device.clock_ghz),
             "peak_ops_per_cycle": cycles.device.peak_ops}
    rows = [_cycles_row(layer) for layer in cycles.layers]
    return {"layers": rows, "total": total | _storage(cycles, {row["name"]: row for row in rows})}


def _cycles_row(layer: LayerCycles) -> Row:
    t = layer.traffic
    row = {"name": layer.name, "op": layer.op, "in_shape": list(layer.in_shape), "out_shape": list(layer.out_shape),
           "macs": layer.macs, "tiles": layer.tiles, "two_word_tiles": layer.two_word_tiles, "cycles": layer.cycles,
           "stall_cycles": layer.stall_cycles, "utilization": float(layer.utilization), "unit": layer.unit,
           "bits_moved": {"weights": t.weights, "inputs": t.inputs, "outputs": t.outputs},
           "line_buffer_bits": t.line_buffer, "need_bits": dict(t.need), "fit": dict(t.fit),
           "limit": layer.limit, "advice": layer.advice}
    if layer.storage is not None:
        s = layer.storage
        row["weight_storage"] = {"weights": s.weights, "second_words": s.second, "word_bits": s.word_bits,
                                 "flag_bits": s.flag_bits, "bits": s.bits}
    return row


def _storage(cycles: NetworkCycles, rows: Mapping[str, Row]) -> Row:
    """Weight bits of the network; with log weights also the 32-bit words that the literature counts, of every layer too."""
    storages = {layer.name: layer.storage for layer in cycles.layers if layer.storage is not None}
    bits = sum(storage.bits for storage in storages.values())
    if not any(storage.flag_bits for storage in storages.values()):
        return {"weight_bits": bits, "literature_words": None}
    words = literature_of(list(storages.values()))
    for name, count in zip(storages, words):
        rows[name]["weight_storage"]["literature_words"] = float(count)
    return {"weight_bits": bits, "literature_words": float(sum(words))}


def overflow_summary(net: IntegerGraph, bounds: Sequence[LayerBounds], stats: Mapping[str, LayerStats],
                     shadows: Mapping[str, Shadow] | None = None) -> Row:
    """{layers, total}. stats: node -> LayerStats of a run with monitor=True; shadows: node -> Shadow.

    Without shadows the count of changed outputs is null in a layer with events (none are changed where there is no event).
    After events what was observed is no longer what a wider accumulator would meet: its smallest safe width is null.
    """
    layers = [_overflow_row(layer, net, stats[layer.name], (shadows or {}).get(layer.name)) for layer in bounds]
    events = sum(row["events"]["count"] for row in layers)
    safe = {kind: smallest_safe(bounds, kind) for kind in KINDS}
    total = {"acc_bits": net.datapath.acc_bits, "acc_mode": str(net.datapath.acc_mode), "events": events,
             "changed_outputs": _sum(row["changed_outputs"] for row in layers),
             "smallest_safe": safe | ({"observed": None} if events else {})}
    return {"layers": layers, "total": total}


def _overflow_row(layer: LayerBounds, net: IntegerGraph, stats: LayerStats, shadow: Shadow | None) -> Row:
    first = None if shadow is None or shadow.first is None else list(shadow.first)
    return {"name": layer.name, "acc_bits": net.datapath.acc_bits, "bits": layer.bits, "range": _ends(layer.weights),
            "reachable": _ends(layer.reachable), "observed": _ends(layer.observed), "prefix_safe": layer.prefix_safe,
            "channel_bits": {kind: None if bits is None else list(bits) for kind, bits in layer.channel_bits.items()},
            "events": {"count": stats.events, "first": vars(stats.first) if stats.first else None},
            "changed_outputs": _changed(stats, shadow), "first_changed": first}


def _changed(stats: LayerStats, shadow: Shadow | None) -> int | None:
    if shadow is not None:
        return shadow.changed
    return None if stats.events else 0


def _sum(counts: Iterable[int | None]) -> int | None:
    """None as soon as one of them is not known."""
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def _ends(sums: SumRange | None) -> dict[str, int] | None:
    """{min, max} over the output channels."""
    return None if sums is None else {"min": int(sums.lo.min()), "max": int(sums.hi.max())}
