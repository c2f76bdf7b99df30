"""Train models/dephasenet10.h5: RGB from a 10-bit 4x4 RGBW mosaic. Needs tensorflow, tf_keras, h5py, pillow,
scikit-image and scikit-learn (the last two for the sample pictures in their wheels).

    python tools/train_dephasenet.py --kodak FOLDER --out models/dephasenet10.h5
    python tools/train_dephasenet.py --evaluate models/dephasenet10.h5

Pictures are halved: the sum of each 2x2 block of 8-bit values is a 10-bit code 0..1020, without any rounding.
A mosaic is made of codes by hwsim.imaging.cfa, W rounded half up; the network sees and returns code / 1023.
"""

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import h5py
import numpy as np
import tensorflow as tf
import tf_keras as keras
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hwsim.imaging.cfa import PATTERNS, mosaic  # noqa: E402
from hwsim.imaging.demosaic import bilinear  # noqa: E402
from hwsim.imaging.quality import psnr  # noqa: E402

CFA, BITS = "rgbw", 10
WHITE = 2**BITS - 1
PERIOD = 4
BORDER = 4
SEED = 20
BATCH, CROP = 6, 96
RATE = 1.5e-3
CLIP = 0.5
WIDTH, DEEP_WIDTH = 48, 64
SAMPLES = {
    "skimage": ("data/astronaut.png", "data/chelsea.png", "data/coffee.png", "data/motorcycle_left.png",
                "data/rocket.jpg"),
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
}


def conv(x, channels, name, stride=1):
    """A 3x3 convolution and its PReLU, one slope a channel."""
    x = keras.layers.Conv2D(channels, 3, stride, padding="same", name=name)(x)
    return keras.layers.PReLU(shared_axes=[1, 2], name=f"{name}_prelu")(x)


def network():
    """The float network: mosaic (N,H,W,1) -> RGB (N,H,W,3), both in 0..1; H and W are multiples of 8."""
    frame = keras.Input((None, None, 1), name="mosaic")
    phases = tf.nn.space_to_depth(frame, PERIOD)
    fine = conv(conv(phases, WIDTH, "enter"), WIDTH, "fine")
    deep = conv(fine, DEEP_WIDTH, "down", stride=2)
    deep = conv(conv(deep, DEEP_WIDTH, "deep_a"), DEEP_WIDTH, "deep_b")
    up = tf.nn.depth_to_space(conv(deep, WIDTH * 4, "up"), 2)
    fine = keras.layers.Add(name="merge")([fine, up])
    fine = conv(conv(fine, WIDTH, "merge_a"), WIDTH, "merge_b")
    colour = keras.layers.Conv2D(3 * PERIOD**2, 3, padding="same", name="leave")(fine)
    colour = tf.nn.depth_to_space(colour, PERIOD)
    skip = keras.layers.Concatenate(name="skip")([frame] * 3)
    return keras.Model(frame, keras.layers.Add(name="rgb")([colour, skip]), name="dephasenet10")


def halved(path):
    """10-bit RGB codes 0..1020 (H/2,W/2,3) of an 8-bit picture: the sums of its 2x2 blocks."""
    rgb = np.asarray(Image.open(path).convert("RGB"), np.int64)
    rgb = rgb[:rgb.shape[0] // 2 * 2, :rgb.shape[1] // 2 * 2]
    return rgb[::2, ::2] + rgb[1::2, ::2] + rgb[::2, 1::2] + rgb[1::2, 1::2]


def training_pictures(kodak):
    paths = [kodak / f"kodim{i:02}.png" for i in range(1, 17)]
    for package, files in SAMPLES.items():
        folder = Path(importlib.import_module(package).__file__).parent
        paths += [folder / file for file in files]
    return [halved(path) for path in paths]


def crop(rng, pictures, weights):
    """One CROP x CROP training target, in codes: cut, flipped, transposed; every second one under other gains."""
    picture = pictures[rng.choice(len(pictures), p=weights)]
    y, x = (rng.integers(0, side - CROP + 1) for side in picture.shape[:2])
    cut = picture[y:y + CROP, x:x + CROP]
    cut = cut[::rng.choice((-1, 1)), ::rng.choice((-1, 1))]
    cut = cut.transpose(1, 0, 2) if rng.random() < 0.5 else cut
    gains = rng.uniform(0.6, 1.15) * rng.uniform(0.85, 1.15, 3)
    return np.clip(np.rint(cut * gains), 0, WHITE).astype(np.int64) if rng.random() < 0.5 else cut


def batches(rng, pictures):
    """Endless pairs (mosaic, RGB), float32 code / WHITE; a picture's chance is its share of all pixels."""
    sizes = np.array([picture.shape[0] * picture.shape[1] for picture in pictures])
    while True:
        target = np.stack([crop(rng, pictures, sizes / sizes.sum()) for _ in range(BATCH)])
        yield as_input(mosaic(target, PATTERNS[CFA])), as_input(target)


def as_input(codes):
    return (codes / WHITE).astype(np.float32)


def train(args):
    keras.utils.set_random_seed(SEED)
    pictures = training_pictures(args.kodak)
    model = network()
    model.summary(line_length=110)
    optimizer = keras.optimizers.Adam(RATE, clipnorm=CLIP)

    @tf.function(reduce_retracing=True)
    def step(frame, target):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(model(frame, training=True) - target))
        weights = model.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    run(args, model, optimizer, step, batches(np.random.default_rng(SEED), pictures))


def run(args, model, optimizer, step, source):
    """Exactly --steps steps, the rate falling as a cosine; a checkpoint every --every steps."""
    start, losses = time.time(), []
    for i in range(args.steps):
        optimizer.learning_rate.assign(RATE * 0.5 * (1 + np.cos(np.pi * i / args.steps)))
        losses.append(float(step(*next(source))))
        if (i + 1) % args.every == 0 or i + 1 == args.steps:
            save(model, args.out)
            mean = np.mean([row[1] for row in evaluate(model, args.kodak)])
            print(f"step {i + 1}: {time.time() - start:.0f} s, loss {np.mean(losses):.5f}, {mean:.2f} dB", flush=True)
            losses = []


def save(model, path):
    """The whole model without optimizer state, with its filter pattern and input bits in the attribute `hwsim`."""
    part = path.with_name(f"part_{path.name}")
    model.save(part, include_optimizer=False, save_format="h5")
    with h5py.File(part, "r+") as file:
        file.attrs["hwsim"] = json.dumps({"cfa": CFA, "input_bits": BITS})
    part.replace(path)


def evaluate(model, kodak):
    """[(picture, dB of the network, dB of bilinear)] over the halved kodim17..24, BORDER pixels cut off."""
    return [score(model, kodak / f"kodim{i}.png") for i in range(17, 25)]


def score(model, path):
    target = halved(path)
    frame = mosaic(target, PATTERNS[CFA])
    guesses = model(as_input(frame)[None]).numpy()[0], bilinear(frame, PATTERNS[CFA]) / WHITE
    inner = np.s_[BORDER:-BORDER, BORDER:-BORDER]
    return path.stem, *(psnr(guess[inner], target[inner] / WHITE, 1.0) for guess in guesses)


def report(rows):
    rows = [*rows, ("mean", *np.mean([row[1:] for row in rows], axis=0))]
    for name, ours, base in rows:
        print(f"| {name} | {ours:.2f} | {base:.2f} | {ours - base:+.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kodak", type=Path, default=ROOT.parent / "shared/data/kodak", help="folder of kodim*.png")
    parser.add_argument("--out", type=Path, default=ROOT / "models/dephasenet10.h5")
    parser.add_argument("--steps", type=int, default=40000)
    parser.add_argument("--every", type=int, default=2000, help="steps between checkpoints")
    parser.add_argument("--evaluate", type=Path, metavar="H5", help="only print the table of this checkpoint")
    args = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if args.evaluate is None:
        train(args)
    report(evaluate(keras.models.load_model(args.evaluate or args.out, compile=False), args.kodak))


if __name__ == "__main__":
    main()
