"""What `--engine stepped` leaves behind: the counters of every layer, event traces and waveforms as files."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hwsim import files
from hwsim.hw.device.counters import Counters
from hwsim.pipeline.engines import Recording
from hwsim.reports import tables


def write(path: str | Path, texts: Mapping[str, str], ending: str) -> list[Path]:
    """Writes one text to the file `path`, several into the folder `path` as <stem>.<ending>; returns the paths."""
    path = Path(path)
    targets = [path] if len(texts) == 1 else [files.folder(path) / f"{stem}.{ending}" for stem in texts]
    for target, text in zip(targets, texts.values()):
        with files.whole(target) as file:
            file.write(text.encode())
    return targets


def text(recording: Recording) -> Iterator[Any]:
    """The counters of a Recording, summed over its layers, each with its unit and its sentence."""
    total = sum((counters for _, counters in recording.layers), start=Counters())
    yield tables.table(f"counters of the stepped array, {len(recording.layers)} layer runs",
                       ("<counter", "value", "<unit", "<what it counts"), total.rows())


def as_json(recording: Recording) -> list[dict[str, Any]]:
    """Per layer run the counters by name."""
    return [{"name": layer, "counters": {name: value for name, value, *_ in counters.rows()}}
            for layer, counters in recording.layers]
