"""The run report for people: a headline, the layers, the outputs, accumulators and times."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hwsim.fixed.formats import Rounding
from hwsim.reports import cycles, overflow, tables
from hwsim.reports.tables import decibel


def text(report: Mapping[str, Any]) -> Iterator[Any]:
    """Lines and tables of a run report, best first."""
    yield headline(report)
    for sample in report["samples"]:
        yield layers(sample, report)
        yield from quality(sample)
    yield cycles.headline(report["cycles"])
    yield overflow.headline(report["overflow"])
    yield from overflow.first_events(report["overflow"])
    yield "seconds: " + ", ".join(f"{name} {value:.2f}" for name, value in report["seconds"].items())


def headline(report: Mapping[str, Any]) -> str:
    """The model, its words and its calibration in three lines."""
    config, model = report["config"], report["model"]
    rounding = Rounding(config["rounding"])
    return (f"[bold]{model['path']}[/bold]  {model['parameters']:,} parameters, sha256 {model['sha256'][:12]}\n"
            f"activations {config['act_bits']} bits, weights {config['weight_bits']} bits {config['weights']}, "
            f"multipliers {config['mult_bits']} bits, rounding {rounding} = {rounding.formula}\n"
            f"calibrated on {report['calibration']['images']} image(s) by {report['calibration']['method']}")


def layers(sample: Mapping[str, Any], report: Mapping[str, Any]) -> Any:
    """Per layer: word, SQNR against float, clamped values, top bits never used; the worst is marked."""
    rows = [(("worst > " if row["name"] == sample["worst_layer"] else "") + row["name"], row["op"], row["format"], _sqnr(row),
             row["clamped"], row["unused_bits"]) for row in sample["layers"]]
    columns = ("<layer", "<operator", "<word", "SQNR dB", "clamped values", "unused bits")
    return tables.table(f"layers on {sample['sample']}", columns, rows)


def _sqnr(row: Mapping[str, Any]) -> str:
    """An exact tensor has no error to speak of; without a float network there is no figure."""
    if row["sqnr_db"] is not None:
        return decibel(row["sqnr_db"])
    return "-" if row["unused_bits"] is None else "exact"


def quality(sample: Mapping[str, Any]) -> Iterator[Any]:
    """Integer against float, and both against the ground truth, with the peak that the dB refer to."""
    rows: list[tuple[str | None, ...]] = []
    for row in sample["quality"]:
        rows.append((f"{row['output']}: integer against float", *_figures(row)))
    for row in sample["truth"]:
        if row["float_psnr_db"] is not None:
            rows.append((f"{row['output']}: float against truth", decibel(row["float_psnr_db"]), None, None,
                         f"{row['signal_peak']:g}"))
        rows.append((f"{row['output']}: integer against truth", *_figures(row)))
    if rows:
        yield tables.table("quality", ("<comparison", "PSNR dB", "SSIM", "largest error", "peak"), rows)
    for row in sample["outputs"]:
        yield (f"output {row['name']}: {tables.shape(row['shape'])} {row['format']}, LSB {row['scale']:.6g}, "
               f"sha256 of the codes {row['sha256'][:16]}")


def _figures(row: Mapping[str, Any]) -> tuple[str, str | None, str, str]:
    psnr = "equal" if row["identical"] else decibel(row["psnr_db"])
    ssim = None if row["ssim"] is None else f"{row['ssim']:.5f}"
    return psnr, ssim, f"{row['max_abs_error']:.5g}", f"{row['signal_peak']:g}"
