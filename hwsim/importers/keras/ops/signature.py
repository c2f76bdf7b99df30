"""How a framework's function is called: its parameters in order, bound to the arguments of a call."""
from collections.abc import Callable
from dataclasses import dataclass

from hwsim.importers.keras.layers.call import Tensor, tensors


@dataclass(frozen=True)
class Signature:
    """`operation(call, *values)` gets one value per name of `parameters`, None where nothing is given.

    A first parameter with a star takes all positional tensors as a list.
    """

    operation: Callable
    parameters: tuple[str, ...]


def signature(operation, parameters):
    return Signature(operation, tuple(parameters.split()))


def bound(call, sign, args, kwargs):
    """The output of `sign.operation` for positional and keyword arguments."""
    names = sign.parameters
    if names[0].startswith("*"):
        args = [tensors(args) or tensors(kwargs.get(names[0][1:])), *[arg for arg in args if not tensors(arg)]]
    if len(args) > len(names) or set(kwargs) - {name.lstrip("*") for name in names}:
        raise call.config.refuse(f"the arguments must be {', '.join(names)}", sorted(kwargs) or len(args))
    values = dict(zip(names, args)) | kwargs
    values = [values.get(name) for name in names]
    first = values[0] if isinstance(values[0], list) else values
    if not any(isinstance(value, Tensor) for value in first):
        raise call.config.refuse("an operation must have a tensor to work on", values[0])
    return sign.operation(call, *values)
