"""A Keras Model and its weights become the float Graph: every layer call in an order that feeds it, nested models inlined."""
import heapq
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from hwsim.errors import FileError, UnsupportedError
from hwsim.graph.node import Graph
from hwsim.importers.builder import Builder
from hwsim.importers.hdf5_file import show
from hwsim.importers.keras.layers.call import LayerCall, Tensor, tensors
from hwsim.importers.keras.layers.table import LAYERS, unsupported
from hwsim.importers.keras.model import Call, Layer, Model, Ref
from hwsim.importers.keras.weights import WeightStore

MAX_CALLS = 20_000
Outputs: TypeAlias = dict[tuple[str, int], list[str]]
"""(layer, call number) -> the tensors that this call made."""


def to_graph(model: Model, weights: WeightStore, keras: int) -> Graph:
    """The checked float Graph of `model`; `keras` is the major version that wrote it.

    Errors: UnsupportedError for layers without a converter, FileError, GraphError.
    """
    problems = list(_unsupported(model, ""))
    if problems:
        raise UnsupportedError(f"layers must be of a supported kind, not {', '.join(problems[:20])}")
    for layer in model.layers.values():
        weights.place(layer)
    builder = Builder()
    inputs = [_input(builder, model.layers[ref.layer], index) for index, ref in enumerate(model.inputs)]
    outputs = _Emitter(builder, weights, keras).model(model, inputs, (), "")
    return builder.finish(inputs, outputs)


def _unsupported(model: Model, prefix: str) -> Iterator[str]:
    """`kind (layer)` of every layer that has no converter, nested ones included."""
    for layer in model.layers.values():
        if layer.model is not None:
            yield from _unsupported(layer.model, f"{prefix}{layer.name}/")
        else:
            problem = unsupported(layer)
            if problem:
                yield f"{problem} ({prefix}{layer.name})"


def _input(builder: Builder, layer: Layer, index: int) -> str:
    """The input node of an InputLayer; H and W may be open, channels and rank may not."""
    shape = layer.config.get("batch_input_shape") or layer.config.get("batch_shape")
    good = isinstance(shape, list) and 2 <= len(shape) <= 4 and all(_is_size(size) for size in shape[1:])
    if not good or shape[-1] is None:
        raise FileError(f"{layer.name}: the model must declare its input as [N, H, W, channels], not {show(shape)}")
    return builder.add(layer.name, "input", shape=tuple(shape[1:]), index=index)


def _is_size(size: object) -> bool:
    return size is None or (isinstance(size, int) and not isinstance(size, bool) and 0 < size < 1 << 24)


class _Emitter:
    """Adds the nodes of a model, layer call by layer call; nested models by calling itself."""

    def __init__(self, builder: Builder, weights: WeightStore, keras: int) -> None:
        self._builder = builder
        self._weights = weights
        self._keras = keras
        self._calls = 0

    def model(self, model: Model, inputs: Sequence[str], path: tuple[str, ...], prefix: str) -> list[str]:
        """The output tensors of `model` for the tensors `inputs`; nodes are named `prefix` + layer.

        Errors: FileError for another number of inputs than the model has.
        """
        if len(inputs) != len(model.inputs):
            raise FileError(f"{prefix or 'the model'} must be called on {len(model.inputs)} tensors, not {len(inputs)}")
        outputs: Outputs = {(ref.layer, ref.call): [tensor] for ref, tensor in zip(model.inputs, inputs)}
        for layer, number, call in calls_in_order(model):
            name = f"{prefix}{layer.name}" + (f":{number}" if number else "")
            args, kwargs = _with_tensors(call.args, outputs), _with_tensors(call.kwargs, outputs)
            outputs[layer.name, number] = self._layer(layer, args, kwargs, path, name)
        return [_tensor_of(ref, outputs) for ref in model.outputs]

    def _layer(self, layer: Layer, args: list[Any], kwargs: dict[str, Any], path: tuple[str, ...], name: str) -> list[str]:
        """The output tensors of one call of a layer or of a nested model."""
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise UnsupportedError(f"{name}: a network must have at most {MAX_CALLS} layer calls, not more")
        path = (*path, layer.name)
        if layer.model is not None:
            return self.model(layer.model, tensors([args, kwargs]), path, f"{name}/")
        call = LayerCall(name=name, layer=layer, args=args, kwargs=kwargs, builder=self._builder, keras=self._keras,
                         read=lambda slot, shape: self._weights.read(path, slot, shape))
        outputs = LAYERS[layer.kind].convert(call)
        return outputs if isinstance(outputs, list) else [outputs]


def _with_tensors(value: Any, outputs: Outputs) -> Any:
    """The arguments of a call with every Ref replaced by its Tensor."""
    if isinstance(value, Ref):
        return Tensor(_tensor_of(value, outputs))
    if isinstance(value, dict):
        return {key: _with_tensors(inner, outputs) for key, inner in value.items()}
    return [_with_tensors(inner, outputs) for inner in value] if isinstance(value, (list, tuple)) else value


def _tensor_of(ref: Ref, outputs: Outputs) -> str:
    """The tensor that a Ref means. Errors: FileError where that output does not exist."""
    tensors_of_call = outputs.get((ref.layer, ref.call))
    if tensors_of_call is None or ref.index >= len(tensors_of_call):
        raise FileError(f"{ref.layer}: call {ref.call}, output {ref.index} must exist, not be missing")
    return tensors_of_call[ref.index]


def calls_in_order(model: Model) -> Iterator[tuple[Layer, int, Call]]:
    """(layer, call number, call) of every call, each after what it reads, else in the order of the file.

    Errors: FileError for layers that feed themselves.
    """
    calls = [(layer, number, call) for layer in model.layers.values() for number, call in enumerate(layer.calls)]
    place = {(layer.name, number): i for i, (layer, number, _) in enumerate(calls)}
    readers: dict[int, list[int]] = {}
    waiting: dict[int, int] = {}
    for i, (_, _, call) in enumerate(calls):
        sources = {place[r.layer, r.call] for r in call.refs if (r.layer, r.call) in place}
        waiting[i] = len(sources)
        for source in sources:
            readers.setdefault(source, []).append(i)
    ready = [i for i, count in waiting.items() if count == 0]
    done = 0
    while ready:
        i = heapq.heappop(ready)
        yield calls[i]
        done += 1
        for reader in readers.get(i, ()):
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    if done < len(calls):
        stuck = next(calls[i] for i, count in waiting.items() if count)
        raise FileError(f"{stuck[0].name}: layers must not feed themselves, not in a cycle")
