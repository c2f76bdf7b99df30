"""The calibration file: a JSON object of schema hwsim.calibration/1 (docs/quantization.md), read as untrusted text.

Numbers are the shortest decimals that read back as the same float64, so that nothing is lost.
"""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hwsim import files
from hwsim.errors import FileError, UsageError
from hwsim.importers.json_text import parse_object
from hwsim.settings import is_int, setting
from hwsim.version import VERSION

SCHEMA = "hwsim.calibration/1"
MAX_FILE = 1 << 24      # bytes: 20,000 tensors with long names
MAX_NOTE = 1000         # characters
LARGEST = float(np.finfo(np.float32).max)
SHA256 = re.compile("[0-9a-f]{64}")
METHOD, HEADROOM = setting("calib_method").kind, setting("headroom").kind


def write(path: str | Path, content: Mapping[str, Any]) -> None:
    """Writes the file, whole or not at all. content: every key of KINDS but `hwsim`. Errors: UsageError for a value that
    read() would refuse, FileError.
    """
    content = {"hwsim": VERSION, **content}
    for key in KINDS:
        problem = _problem(key, content[key])
        if problem:
            raise UsageError(f"{path}: {problem}")
    text = json.dumps({"schema": SCHEMA, **content}, indent=1, allow_nan=False) + "\n"
    with files.whole(path) as file:
        file.write(text.encode())


def read(path: str | Path) -> dict[str, Any]:
    """The content of a calibration file, every value checked. Errors: FileError."""
    content = parse_object(_text(path), f"{path}: a calibration")
    if content.get("schema") != SCHEMA:
        raise FileError(f"{path}: a calibration must be of schema {SCHEMA}, not {_brief(content.get('schema'))}")
    if set(content) != {"schema", *KINDS}:
        raise FileError(f"{path}: a calibration must have the keys {', '.join(('schema', *KINDS))}, "
                        f"not {_brief(', '.join(content))}")
    for key in KINDS:
        problem = _problem(key, content[key])
        if problem:
            raise FileError(f"{path}: {problem}")
    return content


def _problem(key: str, value: Any) -> str | None:
    """The sentence that a value breaks, or None; of an object it shows the entry that is wrong."""
    kind, sentence = KINDS[key]
    if kind(value):
        return None
    wrong = {name: entry for name, entry in value.items() if not kind({name: entry})} if isinstance(value, dict) else value
    return f"{key} must be {sentence}, not {_brief(wrong)}"


def _text(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise FileError(f"{path}: a calibration must be a JSON file, not {files.reason(error)}") from error
    if len(data) > MAX_FILE:
        raise FileError(f"{path}: a calibration must be at most {MAX_FILE} bytes, not more")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FileError(f"{path}: a calibration must be UTF-8 text, not binary data") from None


def _brief(value: object) -> str:
    """A value for an error message, in one short line."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_number(value: Any, low: float, high: float) -> bool:
    return (is_int(value) or isinstance(value, float)) and low <= value <= high


def _is_count(value: Any, low: int, high: int) -> bool:
    return is_int(value) and low <= value <= high


def _is_map(value: Any, kind: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(kind, value.values()))


def _is_range(value: Any) -> bool:
    return _is_number(value, 0, LARGEST) and float(np.float32(value)) == value


def _is_note(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NOTE and value.isprintable()


# key -> (whether a value is legal, what it must be)
KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "hwsim": (lambda value: isinstance(value, str), "the version that wrote it"),
    "model_sha256": (lambda value: value is None or (isinstance(value, str) and bool(SHA256.fullmatch(value))),
                     "the checkpoint's sha256 as 64 hex digits, or null"),
    "calib_method": (METHOD.allows, str(METHOD)),
    "headroom": (HEADROOM.allows, f"a number in {HEADROOM}"),
    "images": (lambda value: _is_count(value, 1, 1 << 53), "a count of at least 1"),
    "notes": (lambda value: isinstance(value, list) and all(map(_is_note, value)),
              f"a list of lines of at most {MAX_NOTE} printable characters"),
    "code_bits": (lambda value: _is_map(value, lambda bits: _is_count(bits, 2, 16)), "an object of widths in 2..16"),
    "input_scales": (lambda value: _is_map(value, lambda scale: _is_number(scale, 1e-30, 1e30)),
                     "an object of numbers in 1e-30..1e30"),
    "ranges": (lambda value: _is_map(value, _is_range), "an object of float32 values of at least 0"),
}
