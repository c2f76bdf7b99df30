"""Draws docs/pictures/pipeline.svg and docs/pictures/array.svg: what hwsim does, and the array that it models.

    python tools/draw_diagrams.py docs/pictures

Fills are light and carry dark text, lines and loose text are grey, the ground is transparent: readable on light and dark pages.
"""
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

GREY, INK = "#7d8590", "#1f2328"
WIDE = 150
BLUE, GREEN, ORANGE, VIOLET, PALE = "#cfe3ff", "#cdeed3", "#ffe0b8", "#e6dbfb", "#eaeef2"
HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"
 font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" text-anchor="middle">
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0,0 L10,5 L0,10 z" fill="{grey}"/></marker></defs>
"""


@dataclass(frozen=True)
class Box:
    """A rounded box; x, y: its middle; note: a second, smaller line."""

    x: int
    y: int
    width: int
    height: int
    title: str
    note: str = ""
    fill: str = PALE
    size: int = 15

    def draw(self):
        left, top, shift = self.x - self.width // 2, self.y - self.height // 2, 9 if self.note else 0
        yield (f'<rect x="{left}" y="{top}" width="{self.width}" height="{self.height}" rx="7" '
               f'fill="{self.fill}" stroke="{GREY}" stroke-width="1.2"/>')
        yield words(self.x, self.y + 5 - shift, self.title, INK, self.size, "600")
        if self.note:
            yield words(self.x, self.y + 14, self.note, INK, 12)


def words(x, y, text, colour=GREY, size=12, weight="400", anchor="middle"):
    return (f'<text x="{x}" y="{y}" fill="{colour}" font-size="{size}" font-weight="{weight}" '
            f'text-anchor="{anchor}">{escape(text)}</text>')


def arrow(*points):
    """A line through the points with a tip at its end."""
    path = " L".join(f"{x},{y}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{GREY}" stroke-width="1.8" marker-end="url(#tip)"/>'


def line(*points):
    path = " L".join(f"{x},{y}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{GREY}" stroke-width="1.4"/>'


def sheet(width, height, parts):
    """The text of an SVG file."""
    return HEAD.format(width=width, height=height, grey=GREY) + "\n".join(parts) + "\n</svg>\n"


def pipeline():
    """From a checkpoint to codes in one row; the results of the integer network in two rows below."""
    top = [Box(85, 40, WIDE, 60, "checkpoint", "Keras .h5", PALE), Box(285, 40, WIDE, 60, "float graph", "importers/", BLUE),
           Box(485, 40, WIDE, 60, "integer network", "quantization/, .hwq", VIOLET),
           Box(685, 40, WIDE, 60, "engine", "exact integers", GREEN),
           Box(885, 40, WIDE, 60, "codes", "what the chip outputs", PALE)]
    for box in top:
        yield from box.draw()
    for left, right in pairwise(top):
        yield arrow((left.x + WIDE // 2, 40), (right.x - WIDE // 2 - 2, 40))
    yield from Box(285, 146, WIDE, 52, "calibration", "range of every tensor", BLUE).draw()
    yield arrow((285, 70), (285, 118))
    yield arrow((360, 146), (385, 146), (385, 43))
    yield from _results()


def _results():
    """The reports of the device model, and the loop with somebody's RTL."""
    yield arrow((485, 70), (485, 118))
    yield from Box(485, 146, WIDE, 52, "device model", "hw/, 16 x 16 array", ORANGE).draw()
    for y, text in ((134, "cycles, stalls, utilization"), (158, "accumulator widths, overflow events")):
        yield arrow((560, y), (608, y))
        yield words(616, y + 5, text, GREY, 14, anchor="start")
    yield line((485, 172), (485, 196), (285, 196))
    yield arrow((285, 196), (285, 218))
    yield from Box(285, 246, WIDE, 52, "golden vectors", "hex files, manifest", ORANGE).draw()
    yield arrow((360, 246), (408, 246))
    yield from Box(485, 246, WIDE, 52, "your RTL", "any simulator", PALE).draw()
    yield arrow((560, 246), (608, 246))
    yield words(584, 238, "trace")
    yield from Box(690, 246, WIDE + 10, 52, "hwsim compare", "first mismatch, its cause", GREEN).draw()
    yield arrow((770, 246), (798, 246))
    yield words(806, 242, "\u201cthe last image column", GREY, 14, anchor="start")
    yield words(806, 260, "counts as padding\u201d", GREY, 14, anchor="start")


COLUMNS = (300, 430, 560, 720)     # x of the PE columns that are drawn


def array():
    """The array: SB above, NBin at the left, columns of multipliers, tree and accumulator, requantizers, NBout."""
    yield from Box(500, 40, 560, 48, "SB: one weight word per beat",
                   "TM x TN weights of 8 bits, two banks behind a DMA", VIOLET).draw()
    yield from Box(90, 130, 140, 100, "NBin", "TN codes of 11 bits", BLUE).draw()
    yield from Box(90, 262, 140, 60, "control", "one beat per cycle", PALE).draw()
    yield arrow((90, 232), (90, 182))
    for index, left in enumerate(COLUMNS):
        yield from _column(left, "m = TM-1" if index == 3 else f"m = {index}")
    yield line((160, 97), (690, 97))
    for x in COLUMNS:
        yield arrow((x - 30, 97), (x - 30, 106))
    yield words(206, 90, "to all columns")
    yield words(640, 235, "...", GREY, 26)
    yield from Box(500, 380, 560, 44, "NBout: one output word per finished pixel", "", BLUE).draw()
    yield from _cycles()


def _column(x, name):
    """One PE column at x: TN multipliers, the adder tree, the accumulator, its requantizer."""
    yield arrow((x, 64), (x, 106))
    yield words(x + 34, 84, name)
    yield from Box(x, 130, 106, 42, "TN multipliers", "", ORANGE, 13).draw()
    yield (f'<path d="M{x - 53},158 L{x + 53},158 L{x + 16},190 L{x - 16},190 z" fill="{ORANGE}" '
           f'stroke="{GREY}" stroke-width="1.2"/>')
    yield words(x, 179, "tree", INK, 13, "600")
    yield arrow((x, 190), (x, 208))
    yield from Box(x, 231, 106, 40, "accumulator", "", ORANGE, 13).draw()
    yield arrow((x, 251), (x, 276))
    yield from Box(x, 302, 106, 46, "requantizer", "m, shift, clamp", GREEN, 13).draw()
    yield arrow((x, 325), (x, 356))


def _cycles():
    """The cycle in which each stage shows the beat issued at c."""
    for y, text in ((44, "c + 1  word read"), (134, "c + 2  products"), (179, "c + 3  sum of TN"), (235, "c + 4  sum so far"),
                    (306, "c + 5  last beat only"), (384, "c + 6  code written")):
        yield words(800, y, text, GREY, 13, anchor="start")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "pipeline.svg").write_text(sheet(1000, 280, pipeline()))
    (folder / "array.svg").write_text(sheet(960, 412, array()))
