"""Convolution: windows gathered block by block and multiplied as one matrix; depthwise sums tap by tap."""
import numpy as np

from hwsim.quantization.float_net.ops.params import Params
from hwsim.quantization.float_net.ops.window import blocks, geometry


def conv2d(params: Params, x: np.ndarray) -> np.ndarray:
    """The sums of ops/conv2d.py with their bias, without the fused activation: (N,IH,IW,IC) -> (N,OH,OW,OC), float64.

    weights (OC,KH,KW,IC/groups), bias (OC), both float64.
    """
    weights, groups = params["weights"], params["groups"]
    if groups == x.shape[3] and weights.shape[3] == 1:
        return _depthwise(params, x)
    outs, ins = weights.shape[0] // groups, weights.shape[3]
    parts = [_one_group(params, x[..., g * ins:(g + 1) * ins], weights[g * outs:(g + 1) * outs]) for g in range(groups)]
    out = parts[0] if groups == 1 else np.concatenate(parts, axis=3)
    out += params["bias"]
    return out


def _one_group(params: Params, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    oc, kh, kw, ic = weights.shape
    matrix = weights.transpose(1, 2, 3, 0).reshape(kh * kw * ic, oc)
    out = np.empty((len(x), *geometry(params, x.shape, (kh, kw))[3], oc))
    for n, rows, cols, windows in blocks(params, x, (kh, kw)):
        height, width = windows.shape[:2]
        out[n, rows, cols] = (windows.reshape(height * width, -1) @ matrix).reshape(height, width, oc)
    return out


def _depthwise(params: Params, x: np.ndarray) -> np.ndarray:
    oc, kh, kw, _ = params["weights"].shape
    per_channel = params["weights"].reshape(x.shape[3], -1, kh, kw)
    bias = params["bias"].reshape(per_channel.shape[:2])
    out = np.empty((len(x), *geometry(params, x.shape, (kh, kw))[3], oc))
    for n, rows, cols, windows in blocks(params, x, (kh, kw)):
        total = np.broadcast_to(bias, (*windows.shape[:2], *bias.shape)).copy()
        for ky in range(kh):
            for kx in range(kw):
                total += windows[:, :, ky, kx, :, None] * per_channel[:, :, ky, kx]
        out[n, rows, cols] = total.reshape(*windows.shape[:2], oc)
    return out


def conv2d_transpose(params: Params, x: np.ndarray) -> np.ndarray:
    """The sums of ops/conv2d_transpose.py: each tap adds x @ w to every S-th output that lies inside the crop.

    (N,IH,IW,IC) -> (N,OH,OW,OC), float64; weights (OC,KH,KW,IC), bias (OC).
    """
    weights, stride, crop = params["weights"], params["stride"], params["crop"]
    oc, kh, kw, _ = weights.shape
    size = [(x.shape[1 + a] - 1) * stride[a] + (kh, kw)[a] - sum(crop[2 * a:2 * a + 2]) for a in (0, 1)]
    out = np.broadcast_to(params["bias"], (len(x), *size, oc)).copy()
    for ky in range(kh):
        for kx in range(kw):
            (iy, oy), (ix, ox) = (_reach(x.shape[1 + a], size[a], stride[a], (ky, kx)[a] - crop[2 * a]) for a in (0, 1))
            out[:, oy, ox] += x[:, iy, ix] @ weights[:, ky, kx].T
    return out


def _reach(size: int, out_size: int, stride: int, offset: int) -> tuple[slice, slice]:
    """(input slice, output slice) of the positions i with 0 <= i*stride + offset < out_size."""
    first = max(0, -(offset // stride))
    end = max(first, min(size, -((offset - out_size) // stride)))
    start = first * stride + offset
    return slice(first, end), slice(start, start + (end - first - 1) * stride + 1 if end > first else start, stride)


def dense(params: Params, x: np.ndarray) -> np.ndarray:
    """(N,IC) times the weights (OC,IC), plus the bias (OC): float64 (N,OC)."""
    return np.asarray(x @ params["weights"].T + params["bias"])
