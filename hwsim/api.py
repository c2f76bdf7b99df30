"""The Python door to a run: real values or codes in, a Result out (INTERFACES.md, Python)."""
from collections.abc import Mapping

import numpy as np

from hwsim.engine import run as engine_run
from hwsim.errors import UsageError
from hwsim.graph.store import open_net as open  # noqa: A004  the public name is hwsim.open
from hwsim.quantization.doors import read_input

__all__ = ["open", "run"]


def run(net, x, engine="fast", dump=(), monitor=True, threads=None, progress=None):
    """The Result of an IntegerGraph on `x`: one array, a list in the order of net.inputs, or a map from input name to array.

    Real values are quantized at the door, integer arrays are codes; N comes first. The other arguments are those of
    hwsim.engine.run.run.
    """
    codes, _ = read_input(net, _by_name(net, x))
    return engine_run.run(net, codes, engine, dump, monitor, threads, progress)


def _by_name(net, x):
    if isinstance(x, Mapping):
        return dict(x)
    arrays = [x] if isinstance(x, np.ndarray) else list(x)
    if len(arrays) != len(net.inputs):
        raise UsageError(f"inputs must be {len(net.inputs)} arrays ({', '.join(net.inputs)}), not {len(arrays)}")
    return dict(zip(net.inputs, arrays))
