"""Reports as JSON: plain values, no NaN, whole files."""
from __future__ import annotations

import json
import math
import os
from fractions import Fraction
from typing import Any

import numpy as np

from hwsim import files


def dumps(report: Any) -> str:
    """The report as JSON text: numbers that JSON cannot hold become null."""
    return json.dumps(plain(report), indent=2, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
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


def write_json(path: str | os.PathLike[str], report: Any) -> None:
    """Writes the report as JSON, whole or not at all."""
    with files.whole(path) as file:
        file.write(dumps(report).encode())
