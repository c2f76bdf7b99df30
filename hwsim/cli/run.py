"""`hwsim run`: a float checkpoint end to end in integers."""
from pathlib import Path

import click

from hwsim import files
from hwsim.cli import options, progress
from hwsim.imaging.source import sources
from hwsim.reports import run, run_text
from hwsim.reports.session import Clock, doors_of, open_model, start
from hwsim.reports.write import write_json


@click.command("run")
@click.argument("model", type=click.Path())
@options.INPUTS
@options.QUANTIZATION
@options.DEVICE
@options.ENGINE
@click.option("--dump", multiple=True, help="Also keep this tensor (written to --out); may be repeated.")
@click.option("--no-float", is_flag=True, help="Do not run the float network beside.")
@click.option("--out", "out_path", type=click.Path(), help="Folder for codes, real values, pictures and report.json.")
@options.OUTPUT
def command(model, out_path, json_path, quiet, verbose, **given):
    """Quantize MODEL (.h5, .hdf5 or .hwq), simulate it in integers and report what the chip would output.

    \b
    Examples:
      hwsim run models/dephasenet10.h5 --act-bits 11
      hwsim run model.h5 --input photo.png --calib photos/ --weight-bits 6 --out result
      hwsim run model.h5 --acc-bits 20 --overflow saturate --json -
    """
    clock = Clock()
    with clock.step("import"):
        opened = open_model(model)
    config, notes = options.config_of(given, opened.sensor, options.device_of(given))
    optics = options.optics(given, opened.sensor)
    found = sources(given["input_path"], doors_of(opened.network), optics)
    calibration = sources(given["calib_path"], doors_of(opened.network), optics) if given["calib_path"] else found
    folder = files.folder(out_path) if out_path else None
    with progress.bar(quiet) as show:
        session = start(opened, config, calibration, clock, show)
        progress.warn(notes + session.notes)
        report = run.all_samples(session, found, _engine_options(given), clock, folder, show)
    if folder:
        write_json(Path(folder) / "report.json", report)
    progress.publish(report, json_path, quiet, run_text.text)


def _engine_options(given):
    return {"engine": given["engine"], "threads": given["threads"], "dump": given["dump"], "with_float": not given["no_float"]}
