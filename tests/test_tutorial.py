"""docs/tutorial.md, run: every command in the order of the page, every line of output that it shows."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hwsim.cli.main import status

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
EXIT_CODES = {"compare": 1}     # the comparison that finds the bug


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.S)


def commands():
    """(words, lines shown below it) of every `$` line of the console blocks."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            first, *shown = part.splitlines()
            yield first.split(), [" ".join(line.split()) for line in shown if line.strip() != "..."]


def output_of(words, capfd):
    """What a command line prints, both streams, runs of spaces as one."""
    if words[0] == "python":
        subprocess.run([sys.executable, *words[1:]], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    else:
        assert status(words[1:]) == EXIT_CODES.get(words[1], 0)
    done = capfd.readouterr()
    return [" ".join(line.split()) for line in (done.err + done.out).splitlines()]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder that looks like a clone to the commands, with the page's scripts in it."""
    (tmp_path / "models").symlink_to(ROOT / "models")
    for script in blocks("python"):
        name = re.match(r"# (\S+\.py)\n", script)[1]
        (tmp_path / name).write_text(script)
    monkeypatch.chdir(tmp_path)


def test_the_tutorial(clone, capfd):
    for words, shown in commands():
        lines = iter(output_of(words, capfd))
        for line in shown:
            assert line in lines, f"{' '.join(words)}: {line}"
