"""`hwsim overflow`: four accumulator widths, events with address, what a narrower one would do (spec/interfaces.md rule 6.3)."""
from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from hwsim.graph.accumulator import bias_bits
from hwsim.pipeline.overflow import OverflowResult
from hwsim.pipeline.summary import KINDS, overflow_summary
from hwsim.reports import tables
from hwsim.reports.plotting import pyplot, save
from hwsim.version import VERSION

if TYPE_CHECKING:
    from hwsim.hw.accumulator.what_if import WhatIf

LEGEND = ("datatype: any weights and codes; weights: these weights, any codes",
          "reachable: the codes that the layers before can emit; observed: this data; DAQ rule: a cost model, no bound")
PREFIX = {True: "prefix safe: `weights` holds every partial sum in every order, as 0 is a code and the bias joins by its sign",
          False: "prefix safe no: partial sums of that layer may leave `weights`, which holds the finished sums"}


def report(model: dict[str, Any], observed: OverflowResult) -> dict[str, Any]:
    """The overflow report of an OverflowResult; model: its JSON entry."""
    net, shadow = observed.net, observed.shadow
    rows = {"schema": "hwsim.overflow/1", "hwsim": VERSION, "model": model, "config": net.meta.get("config", {}),
            **overflow_summary(net, observed.bounds, shadow.stats, shadow.layers)}
    if observed.what_if is None:
        return rows
    rows["total"]["smallest_safe"]["observed"] = observed.what_if.widths[-1]
    return rows | {"what_if": _what_if(observed, observed.what_if)}


def _what_if(observed: OverflowResult, what_if: WhatIf) -> dict[str, Any]:
    widths = [{"acc_bits": bits, "out_of_range": what_if.total.out_of_range(bits),
               "layers": {name: spread.out_of_range(bits) for name, spread in what_if.layers.items()}} for bits in what_if.widths]
    reruns = [{"acc_bits": rerun.acc_bits, "events": rerun.events, "changed_outputs": rerun.changed,
               "psnr_db": dict(observed.rerun_psnr_db[rerun.acc_bits])} for rerun in what_if.reruns]
    return {"widths": widths, "bias_bits": bias_bits(observed.net), "reruns": reruns}


def text(report: dict[str, Any], channels: bool = False) -> Iterator[Any]:
    """Lines and tables for people; with `channels` also the widths of every output channel."""
    yield tables.table(f"accumulator bits, {report['model']['path']}", ("<layer", *KINDS, "DAQ\nrule", "prefix\nsafe", "events",
                       "changed\noutputs"), [_cells(row) for row in report["layers"]])
    yield from LEGEND
    yield PREFIX[all(row["prefix_safe"] for row in report["layers"])]
    if channels:
        yield from _channels(report)
    yield headline(report)
    yield from first_events(report)
    if "what_if" in report:
        yield from _what_if_text(report["what_if"])


def headline(report: dict[str, Any]) -> str:
    """The accumulator, its events and the smallest safe widths in one line."""
    total = report["total"]
    safe = ", ".join(f"{kind} {bits}" for kind, bits in total["smallest_safe"].items() if bits is not None)
    changed = "" if total["changed_outputs"] is None else f", {total['changed_outputs']:,} layer outputs changed by them"
    return (f"accumulator: {total['acc_bits']} bits, {total['acc_mode']}: {total['events']:,} overflow events{changed}; "
            f"smallest safe: {safe}")


def first_events(report: dict[str, Any]) -> Iterator[str]:
    """The address of the first event of every layer that has one."""
    for row in report["layers"]:
        if row["events"]["first"]:
            yield f"first event of {row['name']}: " + address(row["events"]["first"])


def address(first: dict[str, Any]) -> str:
    """Where an event happened, in words."""
    return ", ".join(f"{key} {value}" for key, value in first.items())


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    bits = row["bits"]
    return (row["name"], *(bits[kind] for kind in KINDS), bits["daq_rule"], row["prefix_safe"], row["events"]["count"],
            row["changed_outputs"])


def _channels(report: dict[str, Any]) -> Iterator[Any]:
    for row in report["layers"]:
        lists = [bits for bits in row["channel_bits"].values() if bits is not None]
        names = [name for name, bits in row["channel_bits"].items() if bits is not None]
        rows = list(zip(range(len(lists[0])), *lists))
        yield tables.table(f"{row['name']}: bits per output channel", ("channel", *names), rows)


def _what_if_text(what_if: dict[str, Any]) -> Iterator[Any]:
    counted = ("beats", "pixels", "outputs")
    rows = [(row["acc_bits"], *(row["out_of_range"][name] for name in counted)) for row in what_if["widths"]]
    yield tables.table("what if the accumulator had n bits: exact partial sums that leave it (not events)",
                       ("bits", *counted), rows)
    yield (f"beats: pairs of a beat and an output channel; a bias needs {what_if['bias_bits']} bits: "
           "no narrower width is run again")
    rows = [(row["acc_bits"], row["events"], row["changed_outputs"], *map(_equal, row["psnr_db"].values()))
            for row in what_if["reruns"]]
    names = [f"PSNR dB\n{name}" for name in what_if["reruns"][0]["psnr_db"]] if what_if["reruns"] else []
    yield tables.table("run again at these widths, against an accumulator that no sum leaves",
                       ("bits", "events", "changed\nvalues", *names), rows)


def _equal(psnr: float | None) -> str:
    return "equal" if psnr is None else tables.decibel(psnr)


def plot(report: dict[str, Any], path: str | PathLike[str]) -> None:
    """Writes the picture of an overflow report: the four widths of each layer beside the accumulator."""
    figure = pyplot().figure(figsize=(10, 1.5 + 0.5 * len(report["layers"])))
    axes = figure.add_subplot()
    place = np.arange(len(report["layers"]))
    for offset, kind in enumerate(KINDS):
        axes.barh(place + 0.2 * offset, [row["bits"][kind] or 0 for row in report["layers"]], 0.2, label=kind)
    axes.axvline(report["total"]["acc_bits"], color="black", label="accumulator")
    axes.set_yticks(place + 0.3, [row["name"] for row in report["layers"]])
    axes.invert_yaxis()
    axes.set_xlabel("bits")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)
