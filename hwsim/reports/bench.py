"""The report of `hwsim bench`: rates of single layers beside the machine's limit and beside other libraries; 1 GMAC/s is 1e9
multiply-accumulates per second."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hwsim.bench.array import LayerRate, ThreadGain
from hwsim.bench.measure import BenchResult, Machine
from hwsim.bench.peers import PeerRate
from hwsim.bench.vector import VectorRate
from hwsim.reports import tables
from hwsim.reports.plotting import pyplot, save
from hwsim.version import VERSION

Row = dict[str, Any]


def report(result: BenchResult) -> Row:
    """The bench report: one row per shape and mode that has a kernel; empty rows where the process had none.

    threads: what a second thread gains on the first shape; vector: vector operators beside a copy; peers: the other libraries
    that are installed.
    """
    rows = [_layer(rate) for rate in result.layers]
    return {"schema": "hwsim.bench/1", "hwsim": VERSION, "machine": _machine(result.machine), "rows": rows,
            "threads": result.threads and _threads(result.threads),
            "vector": [_vector(rate) for rate in result.vector], "peers": _peers(rows, result.peers)}


def _machine(machine: Machine) -> Row:
    return {"cpu": machine.cpu, "rungs": list(machine.isa_levels), "dot_instruction": machine.dot_instruction,
            "numpy": machine.numpy, "numba": machine.numba, "llvmlite": machine.llvmlite, "python": machine.python}


def _layer(rate: LayerRate) -> Row:
    return {"layer": str(rate.shape), "mode": rate.mode, "plan": rate.plan, "tile": rate.tile,
            "kernel_gmacs": rate.kernel, "limit_gmacs": rate.limit, "of_limit": rate.of_limit, "layer_gmacs": rate.whole}


def _threads(gain: ThreadGain) -> Row:
    return {"layer": str(gain.shape), "speedup": gain.speedup, "limit_speedup": gain.limit_speedup, "of_limit": gain.of_limit}


def _vector(rate: VectorRate) -> Row:
    return {"layer": " + ".join("x".join(map(str, shape)) for shape in rate.case.shapes), "op": rate.case.op,
            "variant": rate.case.variant, "ns": rate.ns, "gbytes_per_s": rate.gbytes_per_s,
            "copy_gbytes_per_s": rate.copy_gbytes_per_s, "of_copy": rate.of_copy}


def _peers(rows: list[Row], peers: tuple[PeerRate, ...]) -> list[Row]:
    """The peers' rows with `ratio`: the rate of the whole layer here to theirs; `mode`: 8 bit for peers of 8 bits, else plain."""
    own = {(row["layer"], row["mode"]): row["layer_gmacs"] for row in rows}
    return [_peer(peer, own) for peer in peers]


def _peer(peer: PeerRate, own: Mapping[tuple[str, str], float]) -> Row:
    mode = "8 bit" if peer.name.endswith(" int8") else "plain"
    rate = own.get((str(peer.shape), mode))
    return {"layer": str(peer.shape), "peer": peer.name, "gmacs": peer.gmacs, "mode": mode, "ratio": rate and rate / peer.gmacs}


def text(bench: Row) -> Iterator[Any]:
    """The report as tables."""
    yield _layer_table(bench["machine"], bench["rows"])
    if threads := bench["threads"]:
        yield (f"two threads: {threads['layer']} {threads['speedup']:.2f} times as fast as one, the limit "
               f"{threads['limit_speedup']:.2f} times")
    if bench["vector"]:
        yield _vector_table(bench["vector"])
    if bench["peers"]:
        yield _peer_table(bench["peers"])


def _layer_table(machine: Row, rows: list[Row]) -> Any:
    cells = [(r["layer"], r["mode"], r["tile"], f"{r['kernel_gmacs']:.0f}", f"{r['limit_gmacs']:.0f}", f"{r['of_limit']:.2f}",
              f"{r['layer_gmacs']:.0f}") for r in rows]
    title = f"{machine['cpu']} {'/'.join(machine['rungs']) or 'no kernels'}, one core, GMAC/s"
    return tables.table(title, ("<layer", "<mode", "<tile", "kernel", "limit", "of limit", "whole layer"), cells)


def _vector_table(rows: list[Row]) -> Any:
    cells = [(f"{r['op']} {r['variant']}".strip(), r["layer"], f"{r['ns']:.2f}", f"{r['gbytes_per_s']:.1f}",
              f"{r['copy_gbytes_per_s']:.1f}", f"{r['of_copy']:.2f}") for r in rows]
    return tables.table("vector operators beside a copy of as many bytes, one core, 11-bit codes",
                        ("<operator", "<inputs", "ns per value", "GB/s", "copy, GB/s", "of the copy"), cells)


def _peer_table(rows: list[Row]) -> Any:
    cells = [(r["layer"], r["peer"], f"{r['gmacs']:.1f}", r["mode"], r["ratio"] and f"{r['ratio']:.2f}") for r in rows]
    columns = "<layer", "<library", "whole layer", "<hwsim's mode", "hwsim to it"
    return tables.table("other libraries, one core, GMAC/s", columns, cells)


def plot(bench: Row, path: str) -> None:
    """Bars of the rates per layer and mode beside the limit, written as a picture. Errors: MissingExtraError."""
    plt, rows = pyplot(), bench["rows"]
    figure, axes = plt.subplots(figsize=(8, 1.5 + 0.25 * len(rows)), layout="constrained")
    names, places = [f"{row['layer']} {row['mode']}" for row in rows], range(len(rows))
    axes.barh(places, [row["limit_gmacs"] for row in rows], color="0.85", label="limit")
    axes.barh(places, [row["kernel_gmacs"] for row in rows], height=0.6, label="kernel")
    axes.barh(places, [row["layer_gmacs"] for row in rows], height=0.25, label="whole layer")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlabel("GMAC/s, one core")
    axes.set_title(f"{bench['machine']['cpu']} {bench['machine']['rungs'][0]}" if rows else "no kernels")
    figure.legend(loc="outside lower center", ncols=3)
    save(figure, path)
