"""Typed access to one layer's configuration. Every value is untrusted; errors name the layer, the key and the value."""
import math
from typing import Any, TypeGuard

from hwsim.errors import FileError, UnsupportedError

MISSING = object()
MAX_SPAN = 1024  # kernels, strides, dilated extents, factors


class LayerConfig:
    """`name` and `kind` (the class) of a layer for messages, `values` its configuration."""

    def __init__(self, name: str, kind: str, values: dict[str, Any]) -> None:
        self.name = name
        self.kind = kind
        self.values = values

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def get(self, key: str, default: Any = None) -> Any:
        """The unchecked value at `key`; `default` where it is missing or null."""
        value = self.values.get(key)
        return default if value is None else value

    def bad(self, key: str, rule: str) -> FileError:
        """The error for a value that is not what its key must be."""
        return FileError(f"{self.name}: {key} of {self.kind} must be {rule}, not {repr(self.values.get(key))[:60]}")

    def refuse(self, rule: str, value: object) -> UnsupportedError:
        """The error for a legal layer that is not supported; reads `layer (class): rule, not value`."""
        return UnsupportedError(f"{self.name} ({self.kind}): {rule}, not {repr(value)[:60]}")

    def integer(self, key: str, default: int | None = None, low: int = 1) -> int:
        """The whole number at `key`, at least `low`. Errors: FileError."""
        value = self.get(key, default)
        if not _is_whole(value) or value < low:
            raise self.bad(key, f"an integer of at least {low}")
        return int(value)

    def number(self, key: str, default: float | None = None) -> float:
        """The finite number at `key`. Errors: FileError."""
        value = self.get(key, default)
        if not is_number(value):
            raise self.bad(key, "a number")
        return float(value)

    def boolean(self, key: str, default: bool) -> bool:
        """The truth value at `key`. Errors: FileError."""
        value = self.get(key, default)
        if not isinstance(value, (bool, int)):
            raise self.bad(key, "true or false")
        return bool(value)

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        """The text at `key`, in lower case, one of `allowed`. Errors: FileError for no text, UnsupportedError for another one."""
        value = self.get(key, default)
        if not isinstance(value, str):
            raise self.bad(key, "a text")
        if value.lower() not in allowed:
            raise self.refuse(f"{key} must be {' or '.join(allowed)}", value)
        return value.lower()

    def pair(self, key: str, default: Any = MISSING, low: int = 1) -> tuple[int, int]:
        """Two integers (rows, columns), from one or two, small enough that no window or factor can exhaust the memory.

        Errors: FileError.
        """
        value = self.get(key, None if default is MISSING else default)
        value = [value, value] if _is_whole(value) else value
        is_pair = isinstance(value, (list, tuple)) and len(value) == 2
        if not is_pair or not all(_is_whole(v) and low <= v <= MAX_SPAN for v in value):
            raise self.bad(key, f"two integers in {low}..{MAX_SPAN}")
        return int(value[0]), int(value[1])

    def channels_last(self) -> None:
        """Raises UnsupportedError unless the layer's data_format is channels_last."""
        self.choice("data_format", "channels_last", ("channels_last",))


def _is_whole(value: object) -> TypeGuard[int]:
    """True for whole numbers; Keras writes some of them as 2.0."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == math.floor(value)


def is_number(value: object) -> TypeGuard[float]:
    """Whether `value` is an int or float of less than 1e300, and no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
