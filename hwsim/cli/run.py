"""`hwsim run`: a float checkpoint end to end in integers."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hwsim import files
from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.cli.prepared import run_of
from hwsim.errors import UsageError
from hwsim.pipeline.clock import Clock
from hwsim.pipeline.engines import Recording
from hwsim.pipeline.model import open_model
from hwsim.pipeline.session import RunOptions, Session, prepare
from hwsim.pipeline.simulate import PixelProgress
from hwsim.pipeline.sources import shapes_of
from hwsim.reports import outputs, run, run_text
from hwsim.reports.write import write_json


@click.command("run", cls=Command)
@click.argument("model", type=click.Path())
@options.INPUTS
@options.CALIBRATION
@options.SAVE_CALIBRATION
@options.QUANTIZATION
@options.DEVICE
@options.ENGINE
@click.option("--trace", "trace_path", type=click.Path(), help="With --engine stepped: event traces, a file or a folder.")
@click.option("--vcd", "vcd_path", type=click.Path(), help="With --engine stepped: waveforms, a file or a folder.")
@click.option("--dump", multiple=True, help="Also keep this tensor (written to --out); may be repeated.")
@click.option("--no-float", is_flag=True, help="Do not run the float network beside.")
@click.option("--out", "out_path", type=click.Path(), help="Folder for codes, real values, pictures and report.json.")
@options.OUTPUT
def command(model: str, trace_path: str | None, vcd_path: str | None, out_path: str | None, json_path: str | None, quiet: bool,
            verbose: bool, **given: Any) -> None:
    """Quantize MODEL (.h5, .hdf5 or .hwq), simulate it in integers and report what the chip would output.

    \b
    Examples:
      hwsim run models/dephasenet10.h5 --act-bits 11
      hwsim run model.h5 --input photo.png --calib photos/ --weight-bits 6 --out result
      hwsim run model.h5 --acc-bits 24 --overflow saturate --json -
      hwsim run small.h5 --input tiny.npy --engine stepped --trace traces/ --vcd waves/
    """
    _check_recorded(given["engine"], trace_path, vcd_path)
    clock = Clock()
    with clock.step("import"):
        opened = open_model(model)
    how = RunOptions(engine=given["engine"], threads=given["threads"], dump=given["dump"], with_float=not given["no_float"],
                     trace=bool(trace_path), waves=bool(vcd_path))
    task, notes = run_of(opened, given, how)
    with progress.bar(quiet) as show, files.staged(out_path) as folder:
        session = prepare(task, clock, show)
        progress.warn(notes + session.notes + outputs.missing_extra())
        if given["save_calibration_path"] and session.calibration:
            session.calibration.save(given["save_calibration_path"])
        report = _simulated(session, folder, show)
        if session.recording:
            report["stepped"] = _recorded(session.recording, trace_path, vcd_path)
        if folder:
            write_json(folder / "report.json", report)
    progress.publish(report, json_path, quiet, run_text.text, verbose)


def _check_recorded(engine: str, trace_path: str | None, vcd_path: str | None) -> None:
    """Only the stepped engine has a clock to record."""
    if engine != "stepped" and (trace_path or vcd_path):
        raise UsageError(f"--trace and --vcd must come with --engine stepped, not {engine}")


def _simulated(session: Session, folder: Path | None, show: PixelProgress) -> dict[str, Any]:
    """The report over every sample; with a `folder` each sample's files go there, or to its own subfolder."""
    names = [name for name, _ in session.run.inputs]
    stems, rows, stats = outputs.file_names(names), [], []
    in_shapes: dict[str, tuple[int, ...]] = {}
    for name, sample in zip(names, session.samples()):
        in_shapes = in_shapes or shapes_of(sample.inputs)
        here = folder if folder is None or len(names) == 1 else files.folder(folder / stems[name])
        result = session.simulate(sample, show)
        rows.append(run.sample_report(result, here))
        stats.append(result.result.stats)
    return run.report(session, rows, session.total(stats, in_shapes))


def _recorded(recording: Recording, trace_path: str | None, vcd_path: str | None) -> list[dict[str, Any]]:
    """Writes what was recorded; returns the counters for the report."""
    from hwsim.reports import stepped
    if trace_path:
        stepped.write(trace_path, recording.traces, "txt")
    if vcd_path:
        stepped.write(vcd_path, recording.waves, "vcd")
    return stepped.as_json(recording)
