"""Writes the checked-in vector sets again: python vectors/regenerate.py [FOLDER]. A test compares every byte.

The manifest of each set holds the command line that makes the same bytes.
"""
import sys
from pathlib import Path

from hwsim.hw.config import Device
from hwsim.vectors.write.directed import directed_cases
from hwsim.vectors.write.write_set import Origin, write_set

SETS = {
    "linear_11_8": (
        Device(acc_bits=26), ("corners", "ties", "shifts", "overflow", "sizes", "depthwise", "window", "random0"),
        "hwsim vectors --acc-bits=26 --count=20 --directed {layers}"),
    "stlq_two_word": (
        Device(acc_bits=24, acc_mode="saturate", round="half-even", w_format="stlq", w_bits=4),
        ("corners", "ties", "overflow", "phase", "clamp", "words", "dma"),
        "hwsim vectors --acc-bits=24 --count=20 --directed {layers} --overflow=saturate --rounding=half-even --weights=stlq"),
}


def write(folder):
    """Every set of SETS as a folder of `folder`."""
    for name, (device, layers, command) in SETS.items():
        origin = Origin(command.format(layers=" ".join(f"--layers={layer}" for layer in layers)))
        write_set(directed_cases(device, names=layers), Path(folder) / name, origin, force=True)


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
