"""The same convolutions by other libraries: each is imported only where it is installed (extra `bench`).

A peer is a function of a bench Shape that returns work(), one call of a whole layer on one thread, from a tensor in memory to
a tensor in memory, with the requantizer that the library has: one scale per tensor or channel, no PReLU.
"""
from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.bench.layers import Shape
from hwsim.bench.timing import Work, process_seconds

REPEATS = 3
IR, QUANT = 8, "qonnx.custom_op.general"
LEAST_SECONDS = 0.02  # a call shorter than this is repeated
Fields = Sequence[tuple[str, Any]]  # the constants of an ONNX model: name, value


@dataclass(frozen=True)
class PeerRate:
    """A library's rate on one layer, GMAC/s: the best of REPEATS, in CPU time of the whole process."""

    shape: Shape
    name: str
    gmacs: float


def measured(shapes: Sequence[Shape]) -> tuple[PeerRate, ...]:
    """The PeerRate of every installed library on every shape."""
    installed = [(name, make) for name, (module, make) in PEERS.items() if importlib.util.find_spec(module) is not None]
    return tuple(PeerRate(shape, name, _rate(make(shape), shape.macs)) for shape in shapes for name, make in installed)


def _rate(work: Work, macs: int) -> float:
    """The best of a few, in GMAC/s of CPU time of the whole process: a peer may bring its own thread."""
    work()
    times = max(1, int(LEAST_SECONDS / max(process_seconds(work), 1e-6)))
    return macs * times * 1e-9 / min(process_seconds(lambda: [work() for _ in range(times)]) for _ in range(REPEATS))


def _codes(shape: Shape, kind: type, layout: str) -> np.ndarray:
    r, pixels = np.random.default_rng(1), (shape.size, shape.size)
    size = (1, *pixels, shape.channels) if layout == "NHWC" else (1, shape.channels, *pixels)
    return r.integers(-100, 100, size).astype(kind)


def _weights(shape: Shape, layout: str) -> np.ndarray:
    r, window = np.random.default_rng(0), (shape.kernel, shape.kernel)
    inputs = shape.channels // shape.groups
    size = (shape.oc, *window, inputs) if layout == "OHWI" else (shape.oc, inputs, *window)
    return r.integers(-127, 128, size)


# ---- torch

def torch_float(shape: Shape) -> Work:
    """The convolution alone, in float32."""
    import torch
    torch.set_num_threads(1)
    x, w = torch.tensor(_codes(shape, np.float32, "NCHW")), torch.tensor(_weights(shape, "OIHW").astype(np.float32))

    def work() -> Any:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(x, w, padding=shape.kernel // 2, groups=shape.groups)
    return work


def torch_fake_quantized(shape: Shape) -> Work:
    """Convolution and its fake quantization of 11 bits in float32, as quantization-aware training runs it."""
    import torch
    conv = torch_float(shape)

    def work() -> Any:
        with torch.inference_mode():
            return torch.fake_quantize_per_tensor_affine(conv(), 64.0, 0, -1024, 1023)
    return work


# ---- ONNX Runtime

def onnx_float(shape: Shape) -> Work:
    """The convolution alone, in float32."""
    return _session(shape, np.float32, "Conv", [("w", _weights(shape, "OIHW").astype(np.float32))], ["x", "w"])


def onnx_int8(shape: Shape) -> Work:
    """QLinearConv: codes of 8 bits, weights of 8 with a scale per channel."""
    scale, zero = np.float32(1), np.uint8(128)
    fields = [("sx", scale), ("zx", zero), ("w", _weights(shape, "OIHW").astype(np.int8)),
              ("sw", np.ones(shape.oc, np.float32)), ("zw", np.zeros(shape.oc, np.int8)), ("sy", np.float32(4096)), ("zy", zero)]
    return _session(shape, np.uint8, "QLinearConv", fields, ["x", *(name for name, _ in fields)])


def _session(shape: Shape, kind: type, op: str, fields: Fields, inputs: list[str]) -> Work:
    import onnxruntime
    from onnx import helper
    model = _model(shape, kind, [helper.make_node(op, inputs, ["y"], **_window(shape))], fields)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    x = _codes(shape, kind, "NCHW")
    return lambda: session.run(None, {"x": x})


def _window(shape: Shape) -> dict[str, Any]:
    return {"pads": [shape.kernel // 2] * 4, "group": shape.groups}


def _model(shape: Shape, kind: type, nodes: list[Any], fields: Fields) -> Any:
    from onnx import helper, numpy_helper
    element, pixels = helper.np_dtype_to_tensor_dtype(np.dtype(kind)), (shape.size, shape.size)
    graph = helper.make_graph(nodes, "bench", [helper.make_tensor_value_info("x", element, (1, shape.channels, *pixels))],
                              [helper.make_tensor_value_info("y", element, (1, shape.oc, *pixels))],
                              [numpy_helper.from_array(np.asarray(value), name) for name, value in fields])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(QUANT, 1)], ir_version=IR)


def qonnx_quantized(shape: Shape) -> Work:
    """Codes of 11 bits and weights of 8 in QONNX's own executor, quantized again behind the convolution."""
    import onnx
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    onnx.IR_VERSION = IR  # the executor makes a model per node, of a kind that the runtime may not read yet
    values = [("one", 1), ("many", 4096), ("zero", 0), ("eleven", 11), ("eight", 8)]
    weights = _weights(shape, "OIHW").astype(np.float32)
    fields = [("w", weights), *((name, np.float32(value)) for name, value in values)]

    def quant(source: str, target: str, scale: str, bits: str) -> Any:
        return onnx.helper.make_node("Quant", [source, scale, "zero", bits], [target], domain=QUANT, signed=1, narrow=0,
                                     rounding_mode="ROUND")
    conv = onnx.helper.make_node("Conv", ["qx", "qw"], ["acc"], **_window(shape))
    nodes = [quant("x", "qx", "one", "eleven"), quant("w", "qw", "one", "eight"), conv, quant("acc", "y", "many", "eleven")]
    model, x = ModelWrapper(_model(shape, np.float32, nodes, fields)), _codes(shape, np.float32, "NCHW")
    for name, size in (("qx", x.shape), ("qw", weights.shape), ("acc", (1, shape.oc, shape.size, shape.size))):
        model.set_tensor_shape(name, list(size))
    return lambda: execute_onnx(model, {"x": x})


# ---- LiteRT

def litert_int8(shape: Shape) -> Work:
    """8-bit codes and weights, 32-bit bias."""
    return _interpreter(shape, np.int8, np.int32)


def litert_int16x8(shape: Shape) -> Work:
    """16-bit codes, 8-bit weights, 64-bit bias."""
    return _interpreter(shape, np.int16, np.int64)


def _interpreter(shape: Shape, activation: type, bias: type) -> Work:
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(model_content=_tflite(shape, activation, bias), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], _codes(shape, activation, "NHWC"))
    return interpreter.invoke


def _tflite(shape: Shape, activation: type, bias: type) -> bytes:
    """One CONV_2D or DEPTHWISE_CONV_2D as a flat file."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema
    kinds: dict[Any, Any] = {np.int8: schema.TensorType.INT8, np.int16: schema.TensorType.INT16,
                             np.int32: schema.TensorType.INT32, np.int64: schema.TensorType.INT64}
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.buffers = [_filled(schema.BufferT(), data=None)]

    def tensor(name: str, size: Sequence[int], kind: type, scales: list[float], data: np.ndarray | None = None,
               axis: int = 0) -> Any:
        if data is not None:
            model.buffers.append(_filled(schema.BufferT(), data=np.frombuffer(data.astype(kind).tobytes(), np.uint8)))
        quantization = _filled(schema.QuantizationParametersT(), scale=scales, zeroPoint=[0] * len(scales),
                               quantizedDimension=axis)
        return _filled(schema.TensorT(), name=name, shape=list(size), type=kinds[kind], quantization=quantization,
                       buffer=len(model.buffers) - 1 if data is not None else 0)

    kind, weights, axis, more = _convolution(shape)
    ones, pixels = [1.0] * shape.oc, (1, shape.size, shape.size)
    graph.tensors = [tensor("x", (*pixels, shape.channels), activation, [1.0]),
                     tensor("w", weights.shape, np.int8, ones, weights, axis),
                     tensor("b", (shape.oc,), bias, ones, np.zeros(shape.oc)),
                     tensor("y", (*pixels, shape.oc), activation, [4096.0])]
    options = _filled(getattr(schema, f"{kind}OptionsT")(), strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1,
                      padding=schema.Padding.SAME, **more)
    graph.operators = [_filled(schema.OperatorT(), opcodeIndex=0, inputs=[0, 1, 2], outputs=[3], builtinOptions=options,
                               builtinOptionsType=getattr(schema.BuiltinOptions, f"{kind}Options"))]
    graph.inputs, graph.outputs = [0], [3]
    code = {"Conv2D": schema.BuiltinOperator.CONV_2D, "DepthwiseConv2D": schema.BuiltinOperator.DEPTHWISE_CONV_2D}[kind]
    model.version, model.subgraphs = 3, [graph]
    model.operatorCodes = [_filled(schema.OperatorCodeT(), builtinCode=code, deprecatedBuiltinCode=code, version=3)]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _convolution(shape: Shape) -> tuple[str, np.ndarray, int, dict[str, Any]]:
    """(name of the operator, its weights, the axis of their channels, further options)."""
    weights = _weights(shape, "OHWI")
    if shape.groups == 1:
        return "Conv2D", weights, 0, {}
    return "DepthwiseConv2D", weights.transpose(3, 1, 2, 0), 3, {"depthMultiplier": 1}


def _filled(record: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(record, name, value)
    return record


# name -> (its module, function of a Shape that returns work())
PEERS: dict[str, tuple[str, Callable[[Shape], Work]]] = {
    "QONNX 11 and 8 bits": ("qonnx", qonnx_quantized),
    "torch float32": ("torch", torch_float), "torch fake-quantized": ("torch", torch_fake_quantized),
    "ONNX Runtime float32": ("onnxruntime", onnx_float), "ONNX Runtime QLinearConv int8": ("onnxruntime", onnx_int8),
    "LiteRT int8": ("ai_edge_litert", litert_int8), "LiteRT int16x8": ("ai_edge_litert", litert_int16x8)}
