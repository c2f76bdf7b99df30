"""The pictures of the README: small, and the diagrams as their script draws them."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
LARGEST = 300_000   # bytes, all of them together


def test_the_pictures_are_small():
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < LARGEST


def drawings(folder):
    return {path.name: path.read_text() for path in folder.glob("*.svg")}


def test_the_diagrams_are_what_their_script_draws(tmp_path):
    subprocess.run([sys.executable, ROOT / "tools" / "draw_diagrams.py", tmp_path], check=True)
    assert drawings(tmp_path) == drawings(PICTURES)
