"""Draws docs/pictures/pipeline.svg and docs/pictures/array.svg: what hwsim does, and the array that it models.

    python tools/draw_diagrams.py docs/pictures

Fills are light and carry dark text, lines and loose text are grey, the ground is transparent: readable on light and dark pages.
"""
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

GREY, INK = "#7d8590", "#1f2328"
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

    def draw(self):
        left, top, shift = self.x - self.width // 2, self.y - self.height // 2, 9 if self.note else 0
        yield (f'<rect x="{left}" y="{top}" width="{self.width}" height="{self.height}" rx="7" '
               f'fill="{self.fill}" stroke="{GREY}" stroke-width="1.2"/>')
        yield words(self.x, self.y + 5 - shift, self.title, INK, 15, "600")
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
    """From a checkpoint to codes, and what hangs on the integer network: one row, two rows of results below."""
    row, wide = 56, 150
    top = [Box(85, row, wide, 60, "checkpoint", "Keras .h5", PALE), Box(285, row, wide, 60, "float graph", "importers/", BLUE),
           Box(485, row, wide, 60, "integer network", "quantization/, .hwq", VIOLET), Box(685, row, wide, 60, "engine", "exact integers", GREEN),
           Box(885, row, wide, 60, "codes", "what the chip outputs", PALE)]
    for box in top:
        yield from box.draw()
    for left, right in zip(top, top[1:]):
        yield arrow((left.x + wide // 2, row), (right.x - wide // 2 - 2, row))
    yield from Box(285, 162, wide, 52, "calibration", "range of every tensor", BLUE).draw()
    yield arrow((285, row + 30), (285, 134))
    yield arrow((360, 162), (450, 162), (450, 88))
    yield from Box(600, 162, 190, 52, "device model", "hw/: 16 x 16 array", ORANGE).draw()
    yield arrow((505, row + 30), (505, 162), (503, 162))
    yield from _results()


def _results():
    """The bottom rows: reports of the device model, and the loop with somebody's RTL."""
    yield arrow((695, 148), (738, 148))
    yield words(746, 153, "cycles, stalls, utilization", GREY, 13, anchor="start")
    yield arrow((695, 172), (738, 172))
    yield words(746, 177, "accumulator widths, overflow events", GREY, 13, anchor="start")
    yield from Box(285, 262, wide, 52, "golden vectors", "hex files, manifest", ORANGE).draw()
    yield from Box(485, 262, wide, 52, "your RTL", "any simulator", PALE).draw()
    yield from Box(685, 262, wide, 52, "compare", "first mismatch, its cause", GREEN).draw()
    yield line((600, 188), (600, 212), (285, 212))
    yield arrow((285, 212), (285, 234))
    yield arrow((360, 262), (408, 262))
    yield arrow((560, 262), (608, 262))
    yield words(584, 253, "trace")
    yield arrow((760, 262), (798, 262))
    yield words(806, 258, '"the last image column', GREY, 13, anchor="start")
    yield words(806, 276, 'counts as padding"', GREY, 13, anchor="start")


def array():
    """The array: SB above, NBin at the left, columns of multipliers, tree and accumulator, requantizers, NBout."""
    yield from Box(500, 40, 560, 48, "SB: one weight word per beat", "TM x TN weights of 8 bits, two banks behind a DMA", VIOLET).draw()
    yield from Box(90, 150, 140, 150, "NBin", "TN codes, 11 bits", BLUE).draw()
    yield from Box(90, 300, 140, 60, "control", "cot oy ox ky kx cit word", PALE).draw()
    yield arrow((90, 270), (90, 228))
    for index, left in enumerate((300, 430, 560, 720)):
        yield from _column(left, "m = TM-1" if index == 3 else f"m = {index}")
    yield words(640, 155, "...", GREY, 26)
    yield words(640, 245, "...", GREY, 26)
    yield line((160, 150), (236, 150))
    yield arrow((236, 150), (246, 150))
    yield from Box(500, 380, 560, 44, "NBout: one output word per finished pixel", "", BLUE).draw()
    yield from _cycles()


def _column(x, name):
    """One PE column at x: TN multipliers, the adder tree, the accumulator, its requantizer."""
    yield arrow((x, 64), (x, 106))
    yield words(x + 34, 90, name)
    yield from Box(x, 130, 106, 42, "TN x  \u00d7", "", ORANGE).draw()
    yield f'<path d="M{x - 53},158 L{x + 53},158 L{x + 16},190 L{x - 16},190 z" fill="{ORANGE}" stroke="{GREY}" stroke-width="1.2"/>'
    yield words(x, 179, "tree", INK, 13, "600")
    yield arrow((x, 190), (x, 208))
    yield from Box(x, 231, 106, 40, "accumulator", "", ORANGE).draw()
    yield arrow((x, 251), (x, 276))
    yield from Box(x, 302, 106, 46, "requantizer", "m, shift, clamp", GREEN).draw()
    yield arrow((x, 325), (x, 356))


def _cycles():
    """The cycle in which each stage shows the beat issued at c."""
    for y, text in ((44, "c + 1  word read"), (134, "c + 2  products"), (179, "c + 3  sum of TN"), (235, "c + 4  sum so far"),
                    (306, "c + 5  last beat only"), (384, "c + 6  code written")):
        yield words(800, y, text, GREY, 13, anchor="start")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "pipeline.svg").write_text(sheet(1000, 304, pipeline()))
    (folder / "array.svg").write_text(sheet(960, 412, array()))
