"""`hwsim run`: quality, layers, outputs and overflow of one integer run as rows (spec/interfaces.md rule 6.4)."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from hwsim.pipeline.result import RunResult, SampleResult
from hwsim.pipeline.session import Session
from hwsim.pipeline.summary import cycles_summary, overflow_summary
from hwsim.reports import outputs
from hwsim.version import VERSION

FIRST_SAMPLE = ("quality", "truth", "outputs", "layers", "worst_layer")     # stand at the top of the report, too


def sample_report(result: SampleResult, folder: Path | None = None) -> dict[str, Any]:
    """What the report says of one sample: outputs (written to `folder` if given), quality, truth, layers."""
    return {"sample": result.sample.name, "note": result.sample.note, "outputs": outputs.rows(result, folder),
            "quality": [{"output": name, **quality.as_json()} for name, quality in result.quality.items()],
            "truth": [{"output": name, **truth.quality.as_json(), "float_psnr_db": truth.float_psnr_db}
                      for name, truth in result.truth.items()],
            "layers": [layer.as_json() for layer in result.layers], "worst_layer": result.worst_layer}


def report(session: Session, samples: list[dict[str, Any]], total: RunResult) -> dict[str, Any]:
    """The whole report. samples: of sample_report; total: what all of them together say."""
    meta = session.net.meta
    head = {"schema": "hwsim.run/1", "hwsim": VERSION, "model": session.model.as_json(), "config": meta["config"],
            "calibration": meta["calibration"], "notes": list(meta["notes"])}
    first = {key: samples[0][key] for key in FIRST_SAMPLE}
    return head | {"samples": samples} | first | {
        "cycles": cycles_summary(total.cycles), "overflow": overflow_summary(session.net, total.bounds, total.stats),
        "device": total.cycles.device.as_json(), "seconds": dict(session.clock.seconds)}
