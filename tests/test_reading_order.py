"""docs/reading-order.md: one convolution is followed in at most twelve files, each of which is there."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = "## One convolution, followed all the way\n"


def steps():
    """The numbered lines, of a list or of a table, below the heading."""
    text = (ROOT / "docs" / "reading-order.md").read_text()
    section = text.split(HEADING)[1].split("\n## ")[0]
    return re.findall(r"^(?:\| *)?\d+[.| ].*", section, re.MULTILINE)


def files():
    return {path for step in steps() for path in re.findall(r"`([\w/]+\.py)`", step)}


def test_one_convolution_is_at_most_twelve_files():
    assert 8 <= len(files()) <= 12
    assert all(re.search(r"`[\w/]+\.py`", step) for step in steps())


def test_its_files_are_there():
    assert [path for path in sorted(files()) if not (ROOT / "hwsim" / path).is_file()] == []
