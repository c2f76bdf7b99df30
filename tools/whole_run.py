"""A whole `hwsim run` of a deep network on a large frame, beside the limit of the machine: rate, share of the limit, memory.

    python tools/whole_run.py                       30 layers 3x3 of 64 channels on 2000x1500x4
    python tools/whole_run.py --layers 8 --size 1000x800 --threads 1

The network's weights are random from a seed: only its shape matters. The limit is that of as many cores as threads, measured
before and after the run.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from write_resnet18 import Writer

from hwsim.engine.host.threads import in_order
from hwsim.engine.kernels import limit
from hwsim.engine.kernels.target import ladder
from hwsim.engine.kernels.variant import Form

CHANNELS, INPUTS, CROP = 64, 4, 128
PASSES, REPEATS = 1_000_000, 15


def chain(layers, path):
    """Writes a chain of 3x3 convolutions with ReLU as a Keras .h5, from and to INPUTS channels; its products per pixel."""
    writer, source = Writer(0), "image"
    writer.add("InputLayer", "image", [], batch_input_shape=[None, None, None, INPUTS])
    widths = [INPUTS, *[CHANNELS] * (layers - 1), INPUTS]
    for number, (ic, oc) in enumerate(zip(widths, widths[1:])):
        values = writer.rng.normal(0, (2 / (9 * ic)) ** 0.5, (3, 3, ic, oc))
        source = writer.add("Conv2D", f"conv{number}", [source], [("kernel", values), ("bias", np.zeros(oc))], filters=oc,
                          kernel_size=[3, 3], strides=[1, 1], padding="same", use_bias=True, dilation_rate=[1, 1],
                          data_format="channels_last", activation="relu" if number < layers - 1 else "linear")
    writer.save(path, source)
    return sum(9 * ic * oc for ic, oc in zip(widths, widths[1:]))


def frame(width, height, folder):
    """(path of a frame, path of a part of it to calibrate on): smooth waves and noise, values 0..1."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (17 + 9 * n)) * np.cos(y / (23 + 7 * n)) for n in range(INPUTS)]
    pixels = np.stack(waves, -1)[None] * 0.4 + 0.5 + rng.normal(0, 0.02, (1, height, width, INPUTS))
    paths = folder / "frame.npy", folder / "part.npy"
    np.save(paths[0], pixels.clip(0, 1).astype(np.float32))
    np.save(paths[1], pixels[:, :CROP, :CROP].clip(0, 1).astype(np.float32))
    return paths


def machine_limit(threads):
    """GMAC/s of the dot products on `threads` cores at once, wall time, the best of many short tries."""
    rung = ladder()[0]
    probe, work = limit.probe(rung, Form.PAIR), limit.macs(rung, Form.PAIR, PASSES) * threads
    return max(work * 1e-9 / _seconds(lambda: in_order(probe, [PASSES] * threads, threads)) for _ in range(REPEATS))


def _seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# the process says itself how much memory it had at most: what its parent is told counts the parent's own memory, too
COMMAND = """
import atexit, re, sys
from hwsim.cli.main import main
atexit.register(lambda: print(re.search("VmHWM.*", open("/proc/self/status").read())[0], file=sys.stderr))
main()
"""


def simulated(model, paths, threads):
    """(the report of `hwsim run`, its peak resident memory in bytes)."""
    command = [sys.executable, "-c", COMMAND, "run", str(model), "--input", str(paths[0]), "--calib", str(paths[1]), "--no-float",
               "--threads", str(threads), "--json", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout), int(done.stderr.split("VmHWM:")[1].split()[0]) * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--size", default="2000x1500", help="WxH")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "chain.h5"
        products, paths = chain(given.layers, model), frame(width, height, Path(folder))
        before = machine_limit(given.threads)
        report, peak = simulated(model, paths, given.threads)
        top = max(before, machine_limit(given.threads))
    rate = products * width * height * 1e-9 / report["seconds"]["simulate"]
    tensors = width * height * INPUTS * 4
    print(f"{given.layers} layers, {width}x{height}, {given.threads} thread(s): {report['seconds']['simulate']:.1f} s, "
          f"{rate:.1f} GMAC/s, {rate / top:.3f} of the limit {top:.1f}")
    print(f"peak memory {peak / 1e6:.0f} MB; input (file, codes) {2 * tensors / 1e6:.0f} MB, output codes {tensors / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
