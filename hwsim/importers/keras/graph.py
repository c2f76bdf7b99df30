"""A Keras Model and its weights become the float Graph: every layer call in an order that feeds it, nested models inlined."""
import heapq

from hwsim.errors import FileError, UnsupportedError
from hwsim.importers.builder import Builder
from hwsim.importers.hdf5_file import show
from hwsim.importers.keras.layers.call import LayerCall, Tensor, tensors
from hwsim.importers.keras.layers.table import LAYERS, unsupported
from hwsim.importers.keras.model import Ref

MAX_CALLS = 20_000


def to_graph(model, weights, keras):
    """The checked float Graph of `model`; `keras` is the major version that wrote it, `weights` a WeightStore."""
    problems = list(_unsupported(model, ""))
    if problems:
        raise UnsupportedError(f"layers must be of a supported kind, not {', '.join(problems[:20])}")
    for layer in model.layers.values():
        weights.place(layer)
    builder = Builder()
    inputs = [_input(builder, model.layers[ref.layer], index) for index, ref in enumerate(model.inputs)]
    outputs = _Emitter(builder, weights, keras).model(model, inputs, (), "")
    return builder.finish(inputs, outputs)


def _unsupported(model, prefix):
    """`kind (layer)` of every layer that has no converter, nested ones included."""
    for layer in model.layers.values():
        if layer.model is not None:
            yield from _unsupported(layer.model, f"{prefix}{layer.name}/")
        else:
            problem = unsupported(layer)
            if problem:
                yield f"{problem} ({prefix}{layer.name})"


def _input(builder, layer, index):
    """The input node of an InputLayer; H and W may be open, channels and rank may not."""
    shape = layer.config.get("batch_input_shape") or layer.config.get("batch_shape")
    good = isinstance(shape, list) and 2 <= len(shape) <= 4 and all(_is_size(size) for size in shape[1:])
    if not good or shape[-1] is None:
        raise FileError(f"{layer.name}: the model must declare its input as [N, H, W, channels], not {show(shape)}")
    return builder.add(layer.name, "input", shape=tuple(shape[1:]), index=index)


def _is_size(size):
    return size is None or (isinstance(size, int) and not isinstance(size, bool) and 0 < size < 1 << 24)


class _Emitter:
    def __init__(self, builder, weights, keras):
        self._builder = builder
        self._weights = weights
        self._keras = keras
        self._calls = 0

    def model(self, model, inputs, path, prefix):
        """The output tensors of `model` for the tensors `inputs`; nodes are named `prefix` + layer."""
        if len(inputs) != len(model.inputs):
            raise FileError(f"{prefix or 'the model'} must be called on {len(model.inputs)} tensors, not {len(inputs)}")
        made = {(ref.layer, ref.call): [tensor] for ref, tensor in zip(model.inputs, inputs)}
        for layer, number, call in ordered(model):
            name = f"{prefix}{layer.name}" + (f":{number}" if number else "")
            made[layer.name, number] = self._layer(layer, _bound(call.args, made), _bound(call.kwargs, made), path, name)
        return [_tensor_of(ref, made) for ref in model.outputs]

    def _layer(self, layer, args, kwargs, path, name):
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise UnsupportedError(f"{name}: a network must have at most {MAX_CALLS} layer calls, not more")
        path = (*path, layer.name)
        if layer.model is not None:
            return self.model(layer.model, tensors([args, kwargs]), path, f"{name}/")
        call = LayerCall(name, layer, args, kwargs, self._builder, self._keras,
                         lambda slot, shape: self._weights.read(path, slot, shape))
        made = LAYERS[layer.kind].convert(call)
        return made if isinstance(made, list) else [made]



def _bound(value, made):
    """The arguments of a call with every Ref replaced by its Tensor."""
    if isinstance(value, Ref):
        return Tensor(_tensor_of(value, made))
    if isinstance(value, dict):
        return {key: _bound(inner, made) for key, inner in value.items()}
    return [_bound(inner, made) for inner in value] if isinstance(value, (list, tuple)) else value


def _tensor_of(ref, made):
    outputs = made.get((ref.layer, ref.call))
    if outputs is None or ref.index >= len(outputs):
        raise FileError(f"{ref.layer}: call {ref.call}, output {ref.index} must exist, not be missing")
    return outputs[ref.index]


def ordered(model):
    """(layer, call number, call) of every call, each after what it reads, else in the order of the file."""
    calls = [(layer, number, call) for layer in model.layers.values() for number, call in enumerate(layer.calls)]
    place = {(layer.name, number): i for i, (layer, number, _) in enumerate(calls)}
    readers, waiting = {}, {}
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
