"""Checkpoint files -> float Graphs."""
from hwsim.importers.load import load, sensor_defaults

__all__ = ["load", "sensor_defaults"]
