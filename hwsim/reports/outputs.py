"""Outputs of a run on disk: codes and real values as .npy, and pictures of the float, the integer and their difference."""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hwsim.files import safe_name
from hwsim.imaging import arrays
from hwsim.imaging.picture import write_picture
from hwsim.pipeline.quality import is_picture
from hwsim.pipeline.result import SampleResult

AMPLIFY = 32
HALF = 0.5


def missing_extra() -> tuple[str, ...]:
    """The one warning about what pictures lack without the extra `images`, or none."""
    if find_spec("PIL"):
        return ()
    return ("pictures are written as .ppm without the extra: pip install 'hwsim[images]'",)


def rows(result: SampleResult, folder: Path | None) -> list[dict[str, Any]]:
    """One entry per output; with a `folder` codes, real values, pictures and whatever was dumped are written there."""
    each = [entry(result, name) for name in dict.fromkeys(result.net.outputs)]
    if folder is None:
        return each
    stems = file_names([*result.net.outputs, *result.result.tensors])
    each = [_write(folder, stems[row["name"]], row, result) for row in each]
    _write_dumped(folder, stems, result)
    return each


def entry(result: SampleResult, name: str) -> dict[str, Any]:
    """{name, shape, format, scale, file, sha256} of one output; sha256 is of the int32 codes, little-endian, in N,H,W,C order."""
    codes, net = result.result[name], result.net
    digest = hashlib.sha256(np.ascontiguousarray(codes, "<i4").data).hexdigest()
    return {"name": name, "shape": list(codes.shape), "format": str(net.formats[name]), "scale": float(net.scales[name]),
            "file": None, "sha256": digest}


def _write(folder: Path, stem: str, row: dict[str, Any], result: SampleResult) -> dict[str, Any]:
    """The row with its files: STEM.codes.npy, STEM.npy and pictures for N,H,W,1|3."""
    name = row["name"]
    arrays.write_npy(folder / f"{stem}.codes.npy", result.result[name].astype(np.int32, copy=False))
    arrays.write_npy(folder / f"{stem}.npy", result.real[name])
    pictures = _pictures(folder, stem, result.real[name], (result.floats or {}).get(name))
    return row | {"file": f"{stem}.codes.npy", "pictures": pictures}


def _write_dumped(folder: Path, stems: Mapping[str, str], result: SampleResult) -> None:
    """STEM.codes.npy of every tensor that was asked for besides the outputs."""
    for name in result.result.tensors:
        if name not in result.net.outputs:
            arrays.write_npy(folder / f"{stems[name]}.codes.npy", result.result[name])


def file_names(names: Sequence[str]) -> dict[str, str]:
    """name -> file name: characters outside [A-Za-z0-9_.-] become _ (spec/vectors.md rule 2.2); a taken name gets ~2, ~3, ..."""
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        plain = safe_name(name)
        stem = next(stem for stem in (plain, *(f"{plain}~{n}" for n in range(2, len(names) + 2))) if stem not in taken)
        taken.add(stem)
        stems[name] = stem
    return stems


def _pictures(folder: Path, stem: str, real: np.ndarray, wanted: np.ndarray | None) -> list[str]:
    """The first image: as the float network sees it, as integers, and 32 times their difference around middle grey."""
    if real.ndim != 4 or real.shape[-1] not in (1, 3):
        return []
    low, high = _range(real if wanted is None else wanted)
    views: dict[str, Callable[[], np.ndarray]] = {"integer": lambda: _view(real[0], low, 1 / (high - low), 0.0)}
    if wanted is not None:
        views["float"] = lambda: _view(wanted[0], low, 1 / (high - low), 0.0)
        views[f"difference_x{AMPLIFY}"] = lambda: _view(real[0], wanted[0], AMPLIFY / (high - low), 0.5)
    return [write_picture(folder / f"{stem}.{kind}.png", views[kind]()).name for kind in sorted(views)]


def _view(values: np.ndarray, dark: float | np.ndarray, gain: float, grey: float) -> np.ndarray:
    """(values - dark) * gain + grey in one new array: pictures are large, and made one at a time."""
    view = values - dark
    view *= gain
    view += grey
    return view


def _range(values: np.ndarray) -> tuple[float, float]:
    """What is shown as black and white: 0..1, or the whole range of an output that is no picture or goes well below 0."""
    low, high = float(values.min()), float(values.max())
    if is_picture(values) and low > -HALF:
        return 0.0, 1.0
    return (low, high) if high > low else (low, low + 1)
