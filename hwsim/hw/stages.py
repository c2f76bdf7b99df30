"""How deep the pipeline of the array is, in cycles, for the closed form and for readers of traces (spec/device.md section 3).

The stepped device and the RTL do not read this: their registers make it so, and tests hold all equal.
"""
from hwsim.errors import UnsupportedError
from hwsim.ops.epilogue import Folded, Stage, ThreeStep

ACC = 4       # from the issue of a pixel's last beat until its accumulators show
OUT = 6       # the same until its codes show, with the requantizer Folded
UNFOLDED = 3  # more with ThreeStep: a register after each of its first three steps

_OUT = {Folded: OUT, ThreeStep: OUT + UNFOLDED}


def latency(stage: type[Stage]) -> int:
    """Cycles from the issue of a pixel's last beat until its codes show. Errors: UnsupportedError without hardware."""
    if stage not in _OUT:
        names = " or ".join(kind.__name__ for kind in _OUT)
        raise UnsupportedError(f"a stage on the array must be {names}, not {stage.__name__}")
    return _OUT[stage]
