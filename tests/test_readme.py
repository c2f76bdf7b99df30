"""README.md: the run that it prints is a real one, and the bug that it names is the tutorial's."""
import re
from pathlib import Path

import pytest

from hwsim.cli.main import status

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def transcript(command):
    """The lines below `$ command` in its block."""
    [block] = re.findall(rf"^```\n\$ {re.escape(command)}\n(.*?)^```", README, re.S | re.M)
    return [" ".join(line.split()) for line in block.splitlines()]


@pytest.mark.parametrize("command", ["hwsim run models/dephasenet10.h5 --act-bits 11"])
def test_the_run(command, capfd, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert status(command.split()[1:]) == 0
    printed = [" ".join(line.split()) for line in capfd.readouterr().out.splitlines() if line.strip()]
    same = [line for line in transcript(command) if not line.startswith("seconds:")]
    assert [line for line in printed if not line.startswith("seconds:")] == same


def test_the_bug():
    """tests/test_tutorial.py runs the comparison, on a vector set that it makes by a longer command."""
    tutorial = (ROOT / "docs" / "tutorial.md").read_text().splitlines()
    [block] = re.findall(r"^```\n(\$ hwsim vectors .*?)^```", README, re.S | re.M)
    assert [line for line in block.splitlines()[1:] if line not in tutorial] == []
