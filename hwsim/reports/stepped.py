"""What `--engine stepped` leaves behind: the counters of every layer, event traces and waveforms as files."""
from dataclasses import dataclass, field
from pathlib import Path

from hwsim import files
from hwsim.hw.device.counters import Counters
from hwsim.hw.device.stepped_engine import stepped_engine
from hwsim.hw.device.trace import file_stem, trace_text
from hwsim.hw.device.vcd import vcd_text
from hwsim.reports import tables


@dataclass
class Recording:
    """layers: (layer, Counters) as they ran; traces, waves: file stem -> text. Only the first image is recorded as text."""

    layers: list[tuple[str, Counters]] = field(default_factory=list)
    traces: dict[str, str] = field(default_factory=dict)
    waves: dict[str, str] = field(default_factory=dict)


def recording_engine(device, trace=False, waves=False):
    """(Engine, Recording): the stepped engine on `device`; the Recording fills as the engine runs."""
    found = Recording()

    def observe(seen):
        found.layers.append((seen.layer, seen.run.counters))
        stem = file_stem(seen.index, seen.layer)
        if trace and seen.image == 0:
            found.traces[stem] = trace_text(seen.run)
        if waves and seen.image == 0:
            found.waves[stem] = vcd_text(seen.run)
    return stepped_engine(device, log=waves, observe=observe), found


def write(path, texts, ending):
    """Writes one text to the file `path`, several into the folder `path` as <stem>.<ending>; returns the paths."""
    path = Path(path)
    targets = [path] if len(texts) == 1 else [files.folder(path) / f"{stem}.{ending}" for stem in texts]
    for target, text in zip(targets, texts.values()):
        with files.whole(target) as file:
            file.write(text.encode())
    return targets


def text(found):
    """The counters of a Recording, summed over its layers, each with its unit and its sentence."""
    total = sum((counters for _, counters in found.layers), start=Counters())
    yield tables.table(f"counters of the stepped array, {len(found.layers)} layer runs",
                       ("<counter", "value", "<unit", "<what it counts"), total.rows())


def as_json(found):
    """Per layer run the counters by name."""
    return [{"name": layer, "counters": {name: value for name, value, *_ in counters.rows()}} for layer, counters in found.layers]
