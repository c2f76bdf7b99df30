"""How a framework's function is called: its parameters in order, bound to the arguments of a call."""
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwsim.importers.keras.layers.call import LayerCall, Tensor, tensors


@dataclass(frozen=True)
class Signature:
    """`operation(call, *values)` gets one value per name of `parameters`, None where nothing is given.

    A first parameter with a star takes all positional tensors as a list.
    """

    operation: Callable[..., Any]
    parameters: tuple[str, ...]


def signature(operation: Callable[..., Any], parameters: str) -> Signature:
    """The Signature of `operation` with these parameter names, divided by blanks."""
    return Signature(operation, tuple(parameters.split()))


def bind(call: LayerCall, sign: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | list[str]:
    """The output of `sign.operation` for positional and keyword arguments. Errors: UnsupportedError where they do not fit."""
    names = sign.parameters
    if names[0].startswith("*"):
        args = [tensors(args) or tensors(kwargs.get(names[0][1:])), *[arg for arg in args if not tensors(arg)]]
    if len(args) > len(names) or set(kwargs) - {name.lstrip("*") for name in names}:
        raise call.config.refuse(f"the arguments must be {', '.join(names)}", sorted(kwargs) or len(args))
    given = dict(zip(names, args)) | dict(kwargs)
    values = [given.get(name) for name in names]
    first = values[0] if isinstance(values[0], list) else values
    if not any(isinstance(value, Tensor) for value in first):
        raise call.config.refuse("an operation must have a tensor to work on", values[0])
    return sign.operation(call, *values)
