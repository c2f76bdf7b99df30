"""Reports as JSON: plain values, no NaN, whole files."""
import json
import math
from fractions import Fraction

import numpy as np

from hwsim import files


def dumps(report):
    """The report as JSON text: numbers that JSON cannot hold become null."""
    return json.dumps(plain(report), indent=2, allow_nan=False) + "\n"


def plain(value):
    """`value` as what JSON knows: dicts, lists, text, finite numbers, null."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Fraction):
        return float(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(path, report):
    with files.whole(path) as file:
        file.write(dumps(report).encode())
