"""INPUT as a model reads it (spec/interfaces.md section 3): arrays, pictures, raw frames, folders, the built-in scene."""
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from hwsim.errors import FileError, UsageError
from hwsim.imaging import arrays, cfa, picture, raw, scene
from hwsim.imaging.cfa import Pattern

PICTURES = tuple(picture.READERS)
ARRAYS = (".npy", ".npz")


@dataclass(frozen=True)
class InputSpec:
    """One input of a model: its name and its declared shape without N (None where the model leaves a size open)."""

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Optics:
    """How frames are read: the mosaic pattern (rows of letters) or None, and what a raw file holds."""

    cfa: Pattern | None = None
    raw_size: tuple[int, int] | None = None  # (width, height)
    raw_bits: int | None = None
    black: int = 0
    white: int | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """inputs: input name -> float array in 0..1 for frames, as given for .npy and .npz; integer arrays are codes.

    truth: the picture (N,H,W,3) that a mosaic was made from, or None. note: a remark for the report, or None.
    """

    name: str
    inputs: Mapping[str, np.ndarray]
    truth: np.ndarray | None = None
    note: str | None = None


def sources(path: str | os.PathLike[str] | None, specs: Sequence[InputSpec],
            optics: Optics) -> list[tuple[str, Callable[[], Sample]]]:
    """The frames of INPUT as (name, load) pairs in name order; load() gives the Sample. Errors: FileError."""
    if path is None:
        return [("built-in scene", lambda: built_in(specs, optics))]
    path = Path(path)
    if path.is_dir():
        return _folder(path, specs, optics)
    if not path.exists():
        raise FileError(f"{path}: the input must be a file or a folder, not missing")
    return [(path.name, lambda: read(path, specs, optics))]


def _folder(path: Path, specs: Sequence[InputSpec], optics: Optics) -> list[tuple[str, Callable[[], Sample]]]:
    files = [p for p in sorted(path.iterdir()) if p.suffix.lower() in PICTURES + ARRAYS + (".raw",)]
    if not files:
        raise FileError(f"{path}: a folder of inputs must hold pictures, raw frames or arrays, not none")
    return [(p.name, partial(read, p, specs, optics)) for p in files]


def read(path: Path, specs: Sequence[InputSpec], optics: Optics) -> Sample:
    """The Sample in one file. Errors: FileError, UsageError where the model or the options do not fit it."""
    suffix = path.suffix.lower()
    if suffix in ARRAYS:
        return Sample(path.name, arrays.read(path, [spec.name for spec in specs]))
    if suffix in PICTURES:
        codes, bits = picture.read_picture(path)
        return _framed(path, codes / ((1 << bits) - 1), specs, optics)
    if optics.raw_size is not None:
        return _framed(path, _raw(path, optics.raw_size, optics), specs, optics)
    raise UsageError(f"{path}: an input must be one of {' '.join(ARRAYS + PICTURES)} "
                     "or a raw frame with --raw-size and --raw-bits, not this")


def _raw(path: Path, size: tuple[int, int], optics: Optics) -> np.ndarray:
    if optics.raw_bits is None:
        raise UsageError("--raw-bits must be given with --raw-size, not left out")
    white = (1 << optics.raw_bits) - 1 if optics.white is None else optics.white
    _, values = raw.read_raw(path, *size, optics.raw_bits, optics.black, white)
    return values


def _framed(path: Path, frame: np.ndarray, specs: Sequence[InputSpec], optics: Optics) -> Sample:
    """The Sample of one frame (H,W,C) in 0..1 for a model with one input."""
    if len(specs) != 1:
        raise UsageError(f"{path}: a model with {len(specs)} inputs must be given in0, in1, ... in an .npz file, not a picture")
    channels = _channels(specs[0])
    if frame.shape[-1] == channels:
        return Sample(path.name, {specs[0].name: frame[None]})
    if frame.shape[-1] == 3 and channels == 1 and optics.cfa is not None:
        return Sample(path.name, {specs[0].name: cfa.mosaic(frame, optics.cfa)[None]}, frame[None], "mosaic made from a picture")
    raise FileError(f"{path}: a picture for input {specs[0].name} must have {channels} channels, not {frame.shape[-1]}"
                    + (" (a one-channel model reads RGB through --cfa)" if channels == 1 else ""))


def _channels(spec: InputSpec) -> int | None:
    if len(spec.shape) != 3:
        raise UsageError(f"input {spec.name} must be given as an array of rank {len(spec.shape) + 1}, not as a picture")
    return spec.shape[-1]


def built_in(specs: Sequence[InputSpec], optics: Optics) -> Sample:
    """The deterministic scene for every input: 512x512, or the size that the model declares."""
    if len(specs) == 1 and len(specs[0].shape) == 3 and specs[0].shape[-1] == 1 and optics.cfa is not None:
        height, width = _size(specs[0])
        rgb = scene.scene(height, width, 3)
        return Sample("built-in scene", {specs[0].name: cfa.mosaic(rgb, optics.cfa)[None]}, rgb[None])
    return Sample("built-in scene", {spec.name: _scene_for(spec) for spec in specs})


def _size(spec: InputSpec) -> tuple[int, int]:
    height, width = (size or scene.SIZE for size in spec.shape[:2])
    return height, width


def _scene_for(spec: InputSpec) -> np.ndarray:
    """Scene values in the shape of any input: pictures as they are, more channels by repetition, vectors from its pixels."""
    if len(spec.shape) == 3:
        height, width = _size(spec)
        channels = spec.shape[-1]
        if channels is None:
            raise UsageError(f"input {spec.name} must be given as an array, not left out: its number of channels is open")
        rgb = scene.scene(height, width, 1 if channels == 1 else 3)
        return np.take(rgb, np.arange(channels) % rgb.shape[-1], axis=-1)[None]
    shape = tuple(size or scene.SIZE for size in spec.shape)
    return np.resize(scene.scene(64, 64, 1), shape)[None]
