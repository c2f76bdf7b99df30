"""The order of the rooms: an import may only point to an earlier room; the engines and the device keep apart."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "hwsim"
ROOMS = ["errors", "version", "settings", "fixed", "ops", "graph", "importers", "engine", "hw", "quantization", "imaging", "rtl",
         "vectors", "pipeline", "bench", "reports", "sweep", "cli"]
CONTRACT = {"hwsim.fixed.formats", "hwsim.fixed.multiplier", "hwsim.fixed.logcode", "hwsim.engine.result", "hwsim.errors",
            "hwsim.settings"}


def imports(path):
    """The hwsim modules that a file names in its import statements."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("hwsim"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hwsim"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def files():
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def test_every_room_is_in_the_order():
    found = {path.relative_to(PACKAGE).parts[0] for path in files()}
    assert found <= set(ROOMS)


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_upstream(path):
    here = path.relative_to(PACKAGE).parts[0]
    wrong = [name for name in imports(path) if room(name) in ROOMS and ROOMS.index(room(name)) > ROOMS.index(here)]
    assert not wrong


def loaded_by(module):
    """What hwsim modules a fresh interpreter holds after importing `module`."""
    code = f"import sys, {module}; print(*(m for m in sys.modules if m.startswith('hwsim.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_engines_share_only_formats_and_the_graph():
    both = loaded_by("hwsim.engine.reference") & loaded_by("hwsim.engine.fast")
    shared = {m for m in both if not m.startswith(("hwsim.ops", "hwsim.graph"))}
    assert shared <= CONTRACT | {"hwsim.fixed", "hwsim.engine", "hwsim.engine.context", "hwsim.engine.protocol", "hwsim.version"}


def test_the_device_loads_no_float_quantizer():
    rooms = {room(module) for module in loaded_by("hwsim.hw.costs.network_cycles, hwsim.hw.device.stepped_engine, "
                                                  "hwsim.hw.accumulator.bounds, hwsim.hw.accumulator.what_if")}
    assert "hw" in rooms and not rooms & {"quantization", "imaging", "pipeline"}


def test_a_broken_import_is_found(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("from hwsim.cli import main\nimport hwsim.engine.fast\n")
    assert [room(name) for name in imports(bad)] == ["cli", "engine"]
