"""`hwsim cycles`: rows -> JSON, text and a picture (spec/interfaces.md rule 6.2)."""
from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import Any

from hwsim.hw.costs.network_cycles import NetworkCycles
from hwsim.pipeline.summary import cycles_summary
from hwsim.reports import tables
from hwsim.reports.plotting import pyplot, save
from hwsim.version import VERSION

BAR = 20
COLOURS = {"array": "tab:blue", "vector": "tab:orange", "address": "tab:grey"}


def report(model: dict[str, Any], config: dict[str, Any], cycles: NetworkCycles) -> dict[str, Any]:
    """The cycles report; model: its JSON entry {path, sha256, parameters}; config: options as JSON."""
    return {"schema": "hwsim.cycles/1", "hwsim": VERSION, "model": model, "config": config, "device": cycles.device.as_json(),
            **cycles_summary(cycles)}


def text(report: dict[str, Any]) -> Iterator[Any]:
    """Lines and tables of a cycles report for people."""
    rows = [(row["name"], row["op"], tables.shape(row["out_shape"][1:]), row["unit"], row["macs"], row["cycles"],
             row["stall_cycles"], f"{100 * row['utilization']:.1f}", _fit(row)) for row in report["layers"]]
    columns = ("<layer", "<operator", "<output", "<unit", "MACs", "cycles", "stalls", "use %", "<fits")
    yield tables.table(f"{report['model']['path']} on {report['device']['TN']} x {report['device']['TM']}", columns, rows)
    yield roofline(report)
    if report["total"]["literature_words"] is not None:
        yield storage(report)
    yield headline(report)


def headline(report: dict[str, Any]) -> str:
    """The totals in one line."""
    total = report["total"]
    fps = "-" if total["frames_per_second"] is None else f"{total['frames_per_second']:.2f}"
    line = (f"{total['cycles']:,} cycles per image, {100 * total['utilization']:.1f} % of the multipliers' slots useful, "
            f"{fps} images per second at {total['clock_ghz']} GHz")
    if total.get("literature_words") is None:
        return line
    return (f"{line}\nweights {total['weight_bits']:,} bits with flags; as the literature counts, "
            f"{total['literature_words']:,.0f} words of 32 bits")


def storage(report: dict[str, Any]) -> Any:
    """A table: what the log weights of each layer cost in cycles and in bits, and how the literature counts them."""
    rows = [(row["name"], row["tiles"], row["two_word_tiles"], row["cycles"], s["weights"], s["second_words"], s["flag_bits"],
             s["bits"], f"{s['literature_words']:,.0f}") for row in report["layers"] if (s := row.get("weight_storage"))]
    return tables.table("log weights: words and flags of each layer, and its words of 32 bits as the literature counts",
                        ("<layer", "tiles", "two-word\ntiles", "cycles", "weights", "second\nwords", "flag\nbits", "bits",
                         "literature\nwords"), rows)


def roofline(report: dict[str, Any]) -> Any:
    """A table: of each layer a bar of its useful share of the peak (#) under its roof (-), what limits it, what would help."""
    rows = [(row["name"], _bar(row, report["device"]), _intensity(row), "; ".join(filter(None, (row["limit"], row["advice"]))))
            for row in report["layers"] if row["unit"] != "address"]
    return tables.table("roofline: # useful share of the peak, - under the roof that the weights' bandwidth allows",
                        ("<layer", "share of the peak", "MACs\nper bit", "<what limits the layer; what would help"), rows)


def _bar(row: dict[str, Any], device: dict[str, Any]) -> str:
    used, roof = round(BAR * row["utilization"]), round(BAR * _roof(row, device))
    return f"|{'#' * used}{'-' * (roof - used)}{'.' * (BAR - max(roof, used))}|"


def _roof(row: dict[str, Any], device: dict[str, Any]) -> float:
    """min(1, MACs per weight bit * DMA bits per cycle / PEs); 1 with resident weights, 0 off the array."""
    if row["unit"] != "array":
        return 0
    if not device["dma_bits"]:
        return 1
    return min(1.0, row["macs"] / row["bits_moved"]["weights"] * device["dma_bits"] / (device["TN"] * device["TM"]))


def _intensity(row: dict[str, Any]) -> str | None:
    bits = row["bits_moved"]["weights"]
    return f"{row['macs'] / bits:.1f}" if bits else None


def _fit(row: dict[str, Any]) -> str:
    missing = [name for name, fits in row["fit"].items() if not fits]
    return "all" if not missing else "not " + ", ".join(missing)


def plot(report: dict[str, Any], path: str | PathLike[str]) -> None:
    """Writes the picture of a cycles report: cycles per layer as bars, coloured by unit, stalls marked."""
    rows = report["layers"]
    figure = pyplot().figure(figsize=(10, 1.5 + 0.3 * len(rows)))
    axes = figure.add_subplot()
    for unit, colour in COLOURS.items():
        axes.barh(range(len(rows)), [row["cycles"] if row["unit"] == unit else 0 for row in rows], color=colour, label=unit)
    axes.barh(range(len(rows)), [row["stall_cycles"] for row in rows], color="tab:red", label="waiting for weights")
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("cycles per image")
    axes.set_title(headline(report).splitlines()[0], fontsize=9)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)
