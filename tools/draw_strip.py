"""Draws docs/pictures/strip.png: mosaic, float network, 11 bits, 8 bits and their difference, on the built-in scene.

    python tools/draw_strip.py docs/pictures/strip.png        (needs the extra `images`)

Everything comes from the shipped network; the whole 512x512 scene is computed, a crop of it is shown, each pixel twice as large.
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import hwsim
from hwsim.imaging import cfa
from hwsim.imaging.quality import psnr
from hwsim.imaging.scene import scene

MODEL = Path(__file__).resolve().parents[1] / "models" / "dephasenet10.h5"
TOP, LEFT, SIDE = 318, 92, 128          # the crop: stripes, hills and two discs
ZOOM, GAP, FOOT = 2, 14, 58             # pixels of the picture per pixel, between panels, below them for the captions
AMPLIFIED = 16
GREY = (125, 133, 144, 255)             # readable on a white and on a dark page
COLOURS = {"W": (1, 1, 1), "R": (1, 0, 0), "G": (0, 1, 0), "B": (0, 0, 1)}


def integer_picture(graph, frame, **config):
    """The dequantized output (H,W,3) of the network at these quantization options, calibrated on the frame itself."""
    config = hwsim.Config(**config)
    inputs = {"mosaic": frame}
    net = hwsim.quantize(graph, hwsim.calibrate(graph, [inputs], config), config)
    return hwsim.dequantize(net, "rgb", hwsim.run(net, frame)["rgb"])[0]


def coloured(mosaic, rows):
    """The mosaic (H,W,1) with every pixel in the colour of its filter."""
    height, width = mosaic.shape[:2]
    tints = np.array([[COLOURS[letter] for letter in row] for row in rows], float)
    return mosaic * np.tile(tints, (-(-height // len(rows)), -(-width // len(rows[0])), 1))[:height, :width]


def panels():
    """(caption, second line, values (H,W,3) in 0..1) from left to right."""
    truth, rows = scene(), cfa.pattern("rgbw")
    mosaic = cfa.mosaic(truth, rows)
    graph, frame = hwsim.load(MODEL), mosaic[None]
    (floats,) = hwsim.evaluate(graph, {"mosaic": frame})[0]
    eleven = integer_picture(graph, frame, act_bits=11, input_bits=10)
    eight = integer_picture(graph, frame, act_bits=8)
    yield "RGBW mosaic", "10-bit sensor codes", coloured(mosaic, rows)
    yield "float network", "the trained checkpoint", floats
    yield "integers, 11 bits", f"{psnr(eleven, floats, 1):.1f} dB against float", eleven
    yield "integers, 8 bits", f"{psnr(eight, floats, 1):.1f} dB against float", eight
    yield f"8 bits - float, x {AMPLIFIED}", "grey where they are equal", 0.5 + (eight - floats) * AMPLIFIED


def shown(values):
    """The crop of a picture as an image of whole 8-bit codes."""
    codes = np.rint(np.clip(values[TOP:TOP + SIDE, LEFT:LEFT + SIDE], 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(codes).resize((SIDE * ZOOM, SIDE * ZOOM), Image.Resampling.NEAREST)


def strip(pictures):
    """The panels beside each other on a transparent ground, two lines of text below each."""
    side, pictures = SIDE * ZOOM, list(pictures)
    sheet = Image.new("RGBA", (len(pictures) * (side + GAP) - GAP, side + FOOT), (0, 0, 0, 0))
    draw, large, small = ImageDraw.Draw(sheet), ImageFont.load_default(size=23), ImageFont.load_default(size=18)
    for index, (caption, note, values) in enumerate(pictures):
        left = index * (side + GAP)
        sheet.paste(shown(values), (left, 0))
        draw.text((left + side // 2, side + 16), caption, GREY, large, anchor="mm")
        draw.text((left + side // 2, side + 43), note, GREY, small, anchor="mm")
    return sheet


if __name__ == "__main__":
    strip(panels()).save(sys.argv[1], optimize=True)
