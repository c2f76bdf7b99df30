"""JSON of untrusted files: bounded depth, finite numbers, no surprises for the code that walks it."""
import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from hwsim.errors import FileError

MAX_DEPTH = 64


def parse(text: str, what: str) -> Any:
    """The value of a JSON text; `what` names it in errors. Errors: FileError."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise FileError(f"{what} must be at most {MAX_DEPTH} levels deep, not deeper") from None
    except ValueError as error:
        raise FileError(f"{what} must be JSON, not broken text ({error})") from None
    _check_depth(value, what)
    return value


def parse_object(text: str, what: str) -> dict[str, Any]:
    """The JSON object of a text; `what` names it in errors. Errors: FileError."""
    value = parse(text, what)
    if not isinstance(value, dict):
        raise FileError(f"{what} must be a JSON object, not {type(value).__name__}")
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return value


def _check_depth(value: Any, what: str) -> None:
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        level = _containers(inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer))
    if level:
        raise FileError(f"{what} must be at most {MAX_DEPTH} levels deep, not deeper")


def _containers(values: Iterable[Any]) -> list[Any]:
    """The dicts and lists among `values`."""
    return [value for value in values if isinstance(value, (dict, list))]
