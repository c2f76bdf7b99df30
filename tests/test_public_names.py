"""The public surface, pinned."""
import subprocess
import sys

import pytest

import hwsim

PUBLIC = {"__version__", "Calibration", "Config", "Datapath", "Graph", "HwsimError", "IntFormat", "IntegerGraph", "Node",
          "Overflow", "Rounding", "calibrate", "compare", "dequantize", "evaluate", "load", "open", "prepare",
          "quantize", "run", "save"}


def test_names():
    assert set(hwsim.__all__) == PUBLIC == set(dir(hwsim))
    assert all(callable(getattr(hwsim, name)) for name in PUBLIC - {"__version__"})


def test_quantize_stays_a_function():
    from hwsim.quantization.config import Config
    assert hwsim.quantize.__name__ == "quantize" and hwsim.Config is Config


def test_unknown_name():
    with pytest.raises(AttributeError, match=r"^module 'hwsim' has no attribute 'warp'$"):
        _ = hwsim.warp


def test_importing_loads_nothing_heavy():
    code = "import sys, hwsim.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "numba", "h5py", "rich"} & set(loaded)
