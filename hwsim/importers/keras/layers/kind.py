"""One entry in the table of Keras layers."""
from collections.abc import Callable
from dataclasses import dataclass


def no_weights(config):
    return [], []


def nothing_missing(config):
    return None


@dataclass(frozen=True)
class LayerKind:
    """`convert(call)` adds nodes and returns the output tensor (or a list of them);
    `slots(config)` gives the names of its (trainable, other) weights in the order in which Keras stores them;
    `missing(config)` names what the layer wraps when that is not supported, else None."""

    convert: Callable
    slots: Callable = no_weights
    missing: Callable = nothing_missing
