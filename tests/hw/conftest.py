"""The random networks of the engines' tests serve the device too."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "engine"))
