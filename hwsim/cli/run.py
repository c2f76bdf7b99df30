"""`hwsim run`: a float checkpoint end to end in integers."""
import click

from hwsim import files
from hwsim.cli import options, progress
from hwsim.cli.decided import config_for
from hwsim.cli.main import Command
from hwsim.engine.run import check_dump
from hwsim.errors import UsageError
from hwsim.pipeline.session import Clock, frames, open_model, start
from hwsim.quantization.float_net.cache import FloatCache
from hwsim.quantization.float_net.run import bands
from hwsim.quantization.prepare import prepare
from hwsim.reports import outputs, run, run_text
from hwsim.reports.write import write_json


@click.command("run", cls=Command)
@click.argument("model", type=click.Path())
@options.INPUTS
@options.QUANTIZATION
@options.DEVICE
@options.ENGINE
@click.option("--trace", "trace_path", type=click.Path(), help="With --engine stepped: event traces, a file or a folder.")
@click.option("--vcd", "vcd_path", type=click.Path(), help="With --engine stepped: waveforms, a file or a folder.")
@click.option("--dump", multiple=True, help="Also keep this tensor (written to --out); may be repeated.")
@click.option("--no-float", is_flag=True, help="Do not run the float network beside.")
@click.option("--out", "out_path", type=click.Path(), help="Folder for codes, real values, pictures and report.json.")
@options.OUTPUT
def command(model, trace_path, vcd_path, out_path, json_path, quiet, verbose, **given):
    """Quantize MODEL (.h5, .hdf5 or .hwq), simulate it in integers and report what the chip would output.

    \b
    Examples:
      hwsim run models/dephasenet10.h5 --act-bits 11
      hwsim run model.h5 --input photo.png --calib photos/ --weight-bits 6 --out result
      hwsim run model.h5 --acc-bits 24 --overflow saturate --json -
      hwsim run small.h5 --input tiny.npy --engine stepped --trace traces/ --vcd waves/
    """
    clock = Clock()
    with clock.step("import"):
        opened = open_model(model)
    device = options.device_of(given)
    config, notes = config_for(opened, given, device)
    engine, recording = _engine(given["engine"], device, trace_path, vcd_path)
    optics = options.optics(given, opened.sensor)
    found, calibration = frames(opened, given["input_path"], given["calib_path"], optics)
    check_dump(given["dump"], opened.network if opened.net else prepare(opened.graph))
    with progress.bar(quiet) as show, files.staged(out_path) as folder:
        float_run = FloatCache().bands if calibration is found and len(found) == 1 and not given["no_float"] else bands
        session = start(opened, config, calibration, clock, show, float_run)
        progress.warn(notes + session.notes + outputs.missing_extra())
        chosen = {"engine": engine, "threads": given["threads"], "dump": given["dump"], "with_float": not given["no_float"]}
        report = run.all_samples(session, found, chosen, device, clock, folder, show)
        if recording:
            report["stepped"] = _recorded(recording, trace_path, vcd_path)
        if folder:
            write_json(folder / "report.json", report)
    progress.publish(report, json_path, quiet, run_text.text, verbose)


def _engine(name, device, trace_path, vcd_path):
    """(engine, Recording or None); only the stepped engine has a clock to record."""
    if name == "stepped":
        from hwsim.reports import stepped
        return stepped.recording_engine(device, bool(trace_path), bool(vcd_path))
    if trace_path or vcd_path:
        raise UsageError(f"--trace and --vcd must come with --engine stepped, not {name}")
    return name, None


def _recorded(recording, trace_path, vcd_path):
    from hwsim.reports import stepped
    if trace_path:
        stepped.write(trace_path, recording.traces, "txt")
    if vcd_path:
        stepped.write(vcd_path, recording.waves, "vcd")
    return stepped.as_json(recording)
