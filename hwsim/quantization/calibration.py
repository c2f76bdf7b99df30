"""The range of every tensor, as calibration finds it: what quantize reads, and what can be kept in a file."""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hwsim import files
from hwsim.errors import QuantizeError, in_file
from hwsim.quantization import calibration_file


@dataclass(frozen=True)
class Calibration:
    """amax: tensor (and `layer:pre`) -> range as a float32 value, 0 for a tensor that was always 0.

    images: how many were seen; method: max, percentile or mse; headroom is in amax already; notes: warnings for people.
    code_bits: tensor -> the width of the codes that `mse` chose its range for, empty for the other methods.
    input_scales: inputs that were given as codes -> the scale that made them real numbers.
    sha256: of the checkpoint, None if it is not known; path: the file that it was loaded from, for error messages.
    """

    amax: Mapping[str, float]
    images: int
    method: str = "max"
    headroom: float = 1.0
    notes: tuple[str, ...] = ()
    code_bits: Mapping[str, int] = field(default_factory=dict)
    input_scales: Mapping[str, float] = field(default_factory=dict)
    sha256: str | None = None
    path: str | None = None

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """The Calibration in a file that save() wrote. Errors: FileError for any other file."""
        content = calibration_file.read(path)
        return cls(amax=_floats(content["ranges"]), images=content["images"], method=content["calib_method"],
                   headroom=content["headroom"], notes=tuple(content["notes"]), code_bits=content["code_bits"],
                   input_scales=_floats(content["input_scales"]), sha256=content["model_sha256"], path=str(path))

    def save(self, path: str | Path, model: str | Path | None = None) -> None:
        """Writes the file `path`, whole or not at all. model: the checkpoint, where its sha256 is not known yet.

        Errors: QuantizeError for a range that is not finite, UsageError for values that load() would refuse, FileError.
        """
        known = self if model is None else replace(self, sha256=files.sha256(model))
        ranges = {name: known.range_of(name) for name in known.amax}
        calibration_file.write(path, {
            "model_sha256": known.sha256, "calib_method": known.method, "headroom": known.headroom, "images": known.images,
            "notes": list(known.notes), "code_bits": dict(known.code_bits), "input_scales": dict(known.input_scales),
            "ranges": ranges})

    @property
    def label(self) -> str:
        """What error messages call it: its file, if it came from one."""
        return self.path or "calibration"

    def range_of(self, name: str) -> float:
        """amax of a tensor. Errors: QuantizeError where it is missing or not finite."""
        if name not in self.amax:
            error = QuantizeError(f"{name}: the calibration must hold the range of this tensor, not only of "
                                  f"{len(self.amax)} others")
            raise in_file(error, self.path) if self.path else error
        if not math.isfinite(self.amax[name]):
            raise QuantizeError(f"{name}: the calibrated range must be finite, not {self.amax[name]}")
        return self.amax[name]

    def as_json(self) -> dict[str, Any]:
        """What a .hwq and the reports say of it."""
        return {"images": self.images, "method": self.method, "headroom": self.headroom}


def _floats(numbers: Mapping[str, float]) -> dict[str, float]:
    """The numbers of a JSON object, some of which may be integers there."""
    return {name: float(value) for name, value in numbers.items()}
