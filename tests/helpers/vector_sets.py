"""Small devices and sets that the tests of vectors share."""
from dataclasses import replace
from pathlib import Path

from hwsim.hw.config import Device
from hwsim.vectors.read.vectorset import open_set
from hwsim.vectors.write.directed import directed_cases
from hwsim.vectors.write.write_set import Origin, write_set

ROOT = Path(__file__).resolve().parents[2]
SMALL = Device(TN=4, TM=4, acc_bits=20)
DEVICES = {
    "wrap half-up": SMALL,
    "saturate half-even": replace(SMALL, acc_bits=18, acc_mode="saturate", round="half-even"),
    "log floor": replace(SMALL, w_format="stlq", w_bits=4, round="floor"),
    "unfolded half-away": replace(SMALL, acc_bits=19, acc_mode="saturate", prelu="unfolded", round="half-away"),
    "wide 8x2": replace(SMALL, TN=8, TM=2, act_bits=16, w_bits=12, acc_bits=40, mult_bits=24),
    "tall 2x4 log": replace(SMALL, TN=2, act_bits=8, w_format="stlq", w_bits=3, acc_bits=16, round="half-even"),
}


def write(folder, device=SMALL, names=None, count=0, **options):
    """The directed set of a device in a new folder, opened."""
    write_set(directed_cases(device, 0, count, names), folder, Origin("hwsim vectors --directed"), **options)
    return open_set(folder)
