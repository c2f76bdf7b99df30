"""`hwsim overflow`: four accumulator widths, events with their address, and what a narrower one would do (INTERFACES.md)."""
import numpy as np

from hwsim.graph.accumulator import bias_bits
from hwsim.hw.accumulator.bounds import smallest_safe
from hwsim.quantization.boundary import dequantize
from hwsim.reports import quality, tables
from hwsim.reports.plotting import pyplot, save
from hwsim.version import VERSION

LEGEND = ("datatype: any weights and codes; weights: these weights, any codes",
          "reachable: the codes that the layers before can emit; observed: this data; DAQ rule: a cost model, no bound")
PREFIX = {True: "prefix safe: `weights` holds every partial sum in every order, as 0 is a code and the bias joins by its sign",
          False: "prefix safe no: partial sums of that layer may leave `weights`, which holds the finished sums"}
KINDS = ("datatype", "weights", "reachable", "observed")


def report(model, net, bounds, shadow, what_if=None):
    """The overflow report. bounds: accumulator_bounds; shadow: ShadowRun; what_if: WhatIf or None; model: its JSON entry."""
    found = {"schema": "hwsim.overflow/1", "hwsim": VERSION, "model": model, "config": net.meta.get("config", {}),
             **body(net, bounds, shadow.stats, shadow.layers)}
    if what_if is None:
        return found
    found["total"]["smallest_safe"]["observed"] = what_if.widths[-1]
    return found | {"what_if": _what_if(net, what_if)}


def body(net, bounds, stats, shadows=None):
    """`layers` and `total`, as the run report holds them too. stats: node -> LayerStats; shadows: node -> Shadow.

    Without shadows the count of changed outputs is null in a layer with events (none are changed where there is no event).
    After events what was observed is no longer what a wider accumulator would meet: its smallest safe width is null.
    """
    layers = [_row(layer, net, stats[layer.name], (shadows or {}).get(layer.name)) for layer in bounds]
    events = sum(row["events"]["count"] for row in layers)
    safe = {kind: smallest_safe(bounds, kind) for kind in KINDS}
    total = {"acc_bits": net.datapath.acc_bits, "acc_mode": str(net.datapath.acc_mode), "events": events,
             "changed_outputs": _sum(row["changed_outputs"] for row in layers),
             "smallest_safe": safe | ({"observed": None} if events else {})}
    return {"layers": layers, "total": total}


def _sum(counts):
    counts = list(counts)
    return None if None in counts else sum(counts)


def _row(layer, net, stats, shadow):
    first = None if shadow is None or shadow.first is None else list(shadow.first)
    return {"name": layer.name, "acc_bits": net.datapath.acc_bits, "bits": layer.bits, "range": _ends(layer.weights),
            "reachable": _ends(layer.reachable), "observed": _ends(layer.observed), "prefix_safe": layer.prefix_safe,
            "channel_bits": {kind: None if bits is None else list(bits) for kind, bits in layer.channel_bits.items()},
            "events": {"count": stats.events, "first": vars(stats.first) if stats.first else None},
            "changed_outputs": _changed(stats, shadow), "first_changed": first}


def _changed(stats, shadow):
    if shadow is not None:
        return shadow.changed
    return None if stats.events else 0


def _ends(sums):
    """{min, max} over the output channels."""
    return None if sums is None else {"min": int(sums.lo.min()), "max": int(sums.hi.max())}


def _what_if(net, found):
    widths = [{"acc_bits": bits, "out_of_range": found.total.out_of_range(bits),
               "layers": {name: spread.out_of_range(bits) for name, spread in found.layers.items()}} for bits in found.widths]
    return {"widths": widths, "bias_bits": bias_bits(net), "reruns": [_rerun(net, rerun, found.wide) for rerun in found.reruns]}


def _rerun(net, rerun, wide):
    """PSNR of each output against the run with an accumulator that no sum leaves; None where they are equal."""
    real = {name: (dequantize(net, name, wide[name]), dequantize(net, name, rerun.outputs[name])) for name in wide}
    return {"acc_bits": rerun.acc_bits, "events": rerun.events, "changed_outputs": rerun.changed,
            "psnr_db": {name: quality.psnr_db(*pair) for name, pair in real.items()}}


def text(found, channels=False):
    """Lines and tables for people; with `channels` also the widths of every output channel."""
    yield tables.table(f"accumulator bits, {found['model']['path']}", ("<layer", *KINDS, "DAQ\nrule", "prefix\nsafe", "events",
                       "changed\noutputs"), [_cells(row) for row in found["layers"]])
    yield from LEGEND
    yield PREFIX[all(row["prefix_safe"] for row in found["layers"])]
    if channels:
        yield from _channels(found)
    yield headline(found)
    yield from first_events(found)
    if "what_if" in found:
        yield from _what_if_text(found["what_if"])


def headline(found):
    """The accumulator, its events and the smallest safe widths in one line."""
    total = found["total"]
    safe = ", ".join(f"{kind} {bits}" for kind, bits in total["smallest_safe"].items() if bits is not None)
    changed = "" if total["changed_outputs"] is None else f", {total['changed_outputs']:,} layer outputs changed by them"
    return (f"accumulator: {total['acc_bits']} bits, {total['acc_mode']}: {total['events']:,} overflow events{changed}; "
            f"smallest safe: {safe}")


def first_events(found):
    """The address of the first event of every layer that has one."""
    for row in found["layers"]:
        if row["events"]["first"]:
            yield f"first event of {row['name']}: " + address(row["events"]["first"])


def address(first):
    return ", ".join(f"{key} {value}" for key, value in first.items())


def _cells(row):
    bits = row["bits"]
    return (row["name"], *(bits[kind] for kind in KINDS), bits["daq_rule"], row["prefix_safe"], row["events"]["count"],
            row["changed_outputs"])


def _channels(found):
    for row in found["layers"]:
        lists = [bits for bits in row["channel_bits"].values() if bits is not None]
        names = [name for name, bits in row["channel_bits"].items() if bits is not None]
        rows = list(zip(range(len(lists[0])), *lists))
        yield tables.table(f"{row['name']}: bits per output channel", ("channel", *names), rows)


def _what_if_text(found):
    rows = [(row["acc_bits"], *(row["out_of_range"][name] for name in ("beats", "pixels", "outputs"))) for row in found["widths"]]
    yield tables.table("what if the accumulator had n bits: exact partial sums that leave it (not events)",
                       ("bits", "beats", "pixels", "outputs"), rows)
    yield f"beats: pairs of a beat and an output channel; a bias needs {found['bias_bits']} bits: no narrower width is run again"
    rows = [(row["acc_bits"], row["events"], row["changed_outputs"], *map(_equal, row["psnr_db"].values()))
            for row in found["reruns"]]
    names = [f"PSNR dB\n{name}" for name in found["reruns"][0]["psnr_db"]] if found["reruns"] else []
    yield tables.table("run again at these widths, against an accumulator that no sum leaves",
                       ("bits", "events", "changed\nvalues", *names), rows)


def _equal(psnr):
    return "equal" if psnr is None else tables.decibel(psnr)


def plot(found, path):
    """Writes the picture of an overflow report: the four widths of each layer beside the accumulator."""
    figure = pyplot().figure(figsize=(10, 1.5 + 0.5 * len(found["layers"])))
    axes = figure.add_subplot()
    place = np.arange(len(found["layers"]))
    for offset, kind in enumerate(KINDS):
        axes.barh(place + 0.2 * offset, [row["bits"][kind] or 0 for row in found["layers"]], 0.2, label=kind)
    axes.axvline(found["total"]["acc_bits"], color="black", label="accumulator")
    axes.set_yticks(place + 0.3, [row["name"] for row in found["layers"]])
    axes.invert_yaxis()
    axes.set_xlabel("bits")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)
