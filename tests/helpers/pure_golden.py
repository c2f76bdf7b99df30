"""The arithmetic and the clock of one array layer in plain Python integers, beat by beat: slow, short, shares no code."""
from hwsim.ops.epilogue import Folded
from hwsim.ops.weights import Linear


def rounded(p, s, mode):
    if s == 0:
        return p
    down, rest = p >> s, p & ((1 << s) - 1)
    half = 1 << (s - 1)
    if mode == "floor":
        return down
    if mode == "half-up":
        return down + (rest >= half)
    if mode == "half-even":
        return down + (rest > half or (rest == half and down % 2))
    return down + (rest > half or (rest == half and p >= 0))


def narrowed(value, bits, saturate):
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if saturate:
        return min(max(value, low), high)
    return (value - low) % (1 << bits) + low


def weight(code, layer):
    form = layer.weights.format
    if isinstance(form, Linear):
        return code
    return 0 if code == 0 else (1 if code > 0 else -1) << ((1 << (form.bits - 1)) - abs(code))


def lanes(layer, device, cit):
    return range(cit * device.TN, min((cit + 1) * device.TN, layer.ic))


def beats(layer, device, cot, oy, ox, oc, x):
    """Per beat the sum of products of output channel oc."""
    tile_words = -(-layer.ic // device.TN)
    chunks = [None] if layer.depthwise else range(tile_words)
    for ky in range(layer.kernel[0]):
        for kx in range(layer.kernel[1]):
            y = oy * layer.stride[0] + ky * layer.dilation[0] - layer.pad[0]
            xx = ox * layer.stride[1] + kx * layer.dilation[1] - layer.pad[2]
            inside = 0 <= y < layer.in_hw[0] and 0 <= xx < layer.in_hw[1]
            for cit in chunks:
                flag = layer.weights.flags is not None and bool(layer.weights.flags[cot, cit or 0, ky, kx])
                for word in range(1 + flag):
                    codes = layer.weights.codes[word, oc, ky, kx]
                    pairs = [(oc, 0)] if layer.depthwise else [(i, i) for i in lanes(layer, device, cit)]
                    yield sum(int(x[y, xx, i]) * weight(int(codes[j]), layer) for i, j in pairs) if inside else 0


def pixel(layer, device, out_bits, x, oy, ox, oc):
    """(accumulator, output, events) of one output."""
    acc, events, cot = int(layer.epilogue.bias[oc]), 0, oc // device.TM
    for tree in beats(layer, device, cot, oy, ox, oc, x):
        exact = acc + tree
        acc = narrowed(exact, device.acc_bits, device.acc_mode == "saturate")
        events += acc != exact
    stage = layer.epilogue.stage
    if isinstance(stage, Folded):
        m = int(stage.m_pos[oc] if acc >= 0 else stage.m_neg[oc])
        y = rounded(acc * m, int(stage.shift[oc]), device.round)
    else:
        y = narrowed(rounded(acc * int(stage.m1[oc]), int(stage.shift1[oc]), device.round), out_bits, True)
        if y < 0:
            y = narrowed(rounded(y * int(stage.alpha_q[oc]), 14, device.round), out_bits, True)
        y = rounded(y * int(stage.m2[oc]), int(stage.shift2[oc]), device.round)
    return acc, min(max(y, layer.epilogue.lo), layer.epilogue.hi), events


def cycles(layer, device):
    """The cycle of done, by walking the tiles one cycle at a time as spec/device.md section 4 tells it."""
    cot = -(-layer.oc // device.TM)
    per_tap = 1 if layer.depthwise else -(-layer.ic // device.TN)
    taps = layer.kernel[0] * layer.kernel[1] * per_tap
    flags = layer.weights.flags
    issue_left = [layer.out_hw[0] * layer.out_hw[1] * (taps + (0 if flags is None else int(flags[t].sum())))
                  for t in range(cot)]
    words = [n // (layer.out_hw[0] * layer.out_hw[1]) for n in issue_left]
    bits = [n * device.TM * device.TN * layer.weights.format.bits for n in words]
    loaded, clock, tile, loading = ([True] * cot if not device.dma_bits else [False] * cot), 0, 0, 0
    while tile < cot:
        free = not device.dma_bits or loading >= cot or loading < 2 or issue_left[loading - 2] == 0
        issues = loaded[tile]
        if device.dma_bits and loading < cot and free:
            bits[loading] -= device.dma_bits
            if bits[loading] <= 0:
                loaded[loading] = True
                loading += 1
        if issues:
            issue_left[tile] -= 1
            tile += issue_left[tile] == 0
        clock += 1
    return clock + (6 if isinstance(layer.epilogue.stage, Folded) else 9)
