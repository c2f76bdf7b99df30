"""The engine of a run by name, and what the stepped one records while it runs."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hwsim.engine.protocol import Engine
from hwsim.engine.run import engine_named
from hwsim.engine.watched import Watched
from hwsim.hw.config import Device
from hwsim.pipeline.clock import Clock

if TYPE_CHECKING:
    from hwsim.hw.device.counters import Counters
    from hwsim.hw.device.stepped_engine import Observed


@dataclass
class Recording:
    """layers: (layer, Counters) as they ran; traces, waves: file stem -> text. Only the first image is recorded as text."""

    layers: list[tuple[str, Counters]] = field(default_factory=list)
    traces: dict[str, str] = field(default_factory=dict)
    waves: dict[str, str] = field(default_factory=dict)


def engine_of(engine: str | Engine, device: Device) -> Engine:
    """An Engine, or the one of that name: fast, reference, or stepped on `device`. Errors: UsageError for another name."""
    if engine == "stepped":
        from hwsim.hw.device.stepped_engine import stepped_engine  # clock by clock, which the other engines do without
        return stepped_engine(device)
    named: Engine = engine_named(engine)
    return named


def recording_engine(device: Device, trace: bool = False, waves: bool = False) -> tuple[Engine, Recording]:
    """(Engine, Recording): the stepped engine on `device`; the Recording fills as the engine runs."""
    from hwsim.hw.device.stepped_engine import stepped_engine
    from hwsim.hw.device.trace import file_stem, trace_text
    from hwsim.hw.device.vcd import vcd_text
    recording = Recording()

    def observe(seen: Observed) -> None:
        run = seen.run
        recording.layers.append((seen.layer, run.counters))
        stem = file_stem(seen.index, seen.layer)
        if trace and seen.image == 0:
            recording.traces[stem] = trace_text(run)
        if waves and seen.image == 0:
            recording.waves[stem] = vcd_text(run)
    return stepped_engine(device, log=waves, observe=observe), recording


def timed(engine: Engine, clock: Clock) -> Engine:
    """The engine with its seconds counted as `simulate`."""
    return Watched(engine, lambda: clock.step("simulate"))
