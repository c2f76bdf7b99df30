"""docs/device.md says what the code says: every counter, every key of the device file."""
from dataclasses import fields
from pathlib import Path

from hwsim.hw.config import Device
from hwsim.hw.device.counters import Counters

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "device.md").read_text()


def test_every_counter_is_listed():
    for name, _, unit, sentence in Counters().rows():
        assert f"| `{name}` | {unit} | {sentence} |" in PAGE


def test_every_key_is_listed():
    assert all(f"`{field.name}`" in PAGE for field in fields(Device))
