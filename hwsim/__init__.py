"""hwsim: what an image-sensor NPU would output, bit for bit, in integers. The public names, loaded when first used."""
import importlib
from typing import Any

from hwsim.version import VERSION as __version__

_PUBLIC = {
    "load": "hwsim.importers", "prepare": "hwsim.quantization.prepare", "calibrate": "hwsim.quantization.calibrate",
    "Config": "hwsim.quantization.config", "Calibration": "hwsim.quantization.calibration",
    "quantize": "hwsim.quantization.convert", "run": "hwsim.api", "evaluate": "hwsim.quantization.float_net.run",
    "compare": "hwsim.quantization.compare", "dequantize": "hwsim.quantization.boundary", "save": "hwsim.graph.store",
    "open": "hwsim.api",
    "Graph": "hwsim.graph.node", "Node": "hwsim.graph.node", "IntegerGraph": "hwsim.graph.integer",
    "IntFormat": "hwsim.fixed.formats", "Datapath": "hwsim.fixed.formats", "Rounding": "hwsim.fixed.formats",
    "Overflow": "hwsim.fixed.formats", "HwsimError": "hwsim.errors",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hwsim' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
