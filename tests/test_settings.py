"""One schema of settings: every record has its fields and no others, and a new entry reaches option, file, JSON and errors."""
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from decimal import Decimal
from pathlib import Path

import pytest

from hwsim.cli import options
from hwsim.errors import UsageError
from hwsim.fixed.formats import Datapath, Overflow, Rounding
from hwsim.hw.config import Device
from hwsim.quantization.config import Config
from hwsim.settings import FROM_SCHEMA, SETTINGS, fields_of, of_record, setting, translate, translate_given

ROOT = Path(__file__).resolve().parents[1]
RECORDS = {"config": Config, "device": Device, "datapath": Datapath}
OWN_DEFAULTS = {("device", "w_bits"), ("datapath", "acc_bits")}     # a device has one word, a datapath a settled width


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_annotates_its_settings_and_no_others(record):
    body = (ROOT / "hwsim" / Path(*RECORDS[record].__module__.split(".")[1:])).with_suffix(".py").read_text()
    names = [each.name for each in fields(RECORDS[record])]
    assert set(names) == set(of_record(record)) and len(names) == len(of_record(record))
    assert all(f"\n    {name}: " in body for name in names)


@pytest.mark.parametrize("record", RECORDS)
def test_defaults_are_those_of_the_schema(record):
    for each in fields(RECORDS[record]):
        default = each.default_factory() if each.default is MISSING else each.default
        same = default == of_record(record)[each.name].default_in(record)
        assert same != ((record, each.name) in OWN_DEFAULTS), each.name


def test_every_setting_has_an_option_and_a_record():
    flags = {option.name for group in (options.QUANTIZATION, options.DEVICE) for option in group(lambda: None).__click_params__}
    assert flags == {f"{entry.name}_file" if entry.name == "scales" else entry.name for entry in SETTINGS} | {"device_name"}
    assert all(entry.config or entry.device for entry in SETTINGS)


def test_the_words_of_a_rule_are_those_of_the_law():
    assert setting("overflow").kind.words == tuple(map(str, Overflow))
    assert setting("rounding").kind.words == tuple(map(str, Rounding))


def test_names_are_translated_and_words_with_them():
    assert translate_given({"overflow": "error", "fold_prelu": False, "tn": 8, "seed": 3, "gap": None}, "option", "device") == {
        "acc_mode": "error", "prelu": "unfolded", "TN": 8}
    assert translate(vars(Device(acc_bits=20, prelu="unfolded")), "device", "datapath") == Datapath(20, folded=False).as_json()
    both = {entry.device for entry in SETTINGS if entry.config and entry.device}
    assert translate(vars(Config()), "config", "device").keys() == both >= {"TN", "w_bits", "prelu"}
    with pytest.raises(KeyError):
        translate({"acc_bits": 20}, "device", "datapath")


def test_a_datapath_reads_back():
    path = Datapath(20, Overflow.SATURATE, Rounding.FLOOR, 12, folded=False, tn=8)
    assert Datapath.from_json(path.as_json()) == path


@pytest.mark.parametrize("make, message", [
    (lambda: Config(act_bits=1), "act_bits must be 2..16, not 1"),
    (lambda: Config(acc_bits=50), "acc_bits must be 8..48, not 50"),
    (lambda: Config(headroom=0), "headroom must be 0.01..100, not 0"),
    (lambda: Config(two_word_ratio=True), "two_word_ratio must be 0..1, not True"),
    (lambda: Config(weights="daq"), "weights must be one of linear, stlq, not 'daq'"),
    (lambda: Config(tn=12), "tn must be a power of two in 1..64, not 12"),
    (lambda: Config(layer_bits={"a": (8, 17)}), "weight_bits of a must be 2..16, not 17"),
    (lambda: Config(layer_bits={"a": (8, 6)}, weights="stlq"), "weight_bits of a must be 2..5, not 6"),
    (lambda: Datapath(acc_bits="auto"), "acc_bits must be 8..48, not auto"),
    (lambda: Device(acc_bits=50), "acc_bits must be 8..48 or auto, not 50"),
    (lambda: Device(prelu=True), "prelu must be one of folded, unfolded, not True"),
    (lambda: Device(clock_ghz=Decimal("NaN")), "clock_ghz must be an exact decimal in 1E-9..1000, not NaN")])
def test_a_value_out_of_range(make, message):
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message


def test_a_field_that_no_setting_stands_for():
    class Wrong:
        act_bits: int = FROM_SCHEMA
        act_bit: int = FROM_SCHEMA
    with pytest.raises(TypeError, match=r"^every field of Wrong must be in SETTINGS, not act_bit$"):
        fields_of("config")(Wrong)


TOY = """
import sys
from hwsim import settings
from hwsim.settings import Integer, Setting
settings.SETTINGS += (ENTRY,)
from hwsim.cli.main import status
from hwsim.quantization.config import Config
for line in sys.argv[1:]:
    status(line.split())
print(Config(toy_bits=7).as_json()["toy_bits"], Config().toy_bits)
"""


def test_a_new_key_is_one_entry(tmp_path):
    """Option, help, key of the device file, JSON and range follow from the entry on the page, in a process of its own."""
    (tmp_path / "mine.toml").write_text("TOY = 5\n")
    (tmp_path / "bad.toml").write_text("TOY = 0\n")
    lines = ["device --help", "device", f"device --device {tmp_path}/mine.toml", "device --toy-bits 3 --json -",
             "device --toy-bits 10", f"device --device {tmp_path}/bad.toml"]
    entry = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "adding-a-setting.md").read_text(), re.DOTALL)[1]
    code = TOY.replace("ENTRY", entry.strip())
    done = subprocess.run([sys.executable, "-c", code, *lines], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "  --toy-bits INTEGER              Word of a toy, bits (1..9).  [default: 4]\n" in done.stdout
    assert "\nTOY = 4\n" in done.stdout and "\nTOY = 5\n" in done.stdout and '"TOY": 3' in done.stdout
    assert done.stdout.endswith("7 4\n")
    assert done.stderr == f"hwsim: TOY must be 1..9, not 10\nhwsim: {tmp_path}/bad.toml: TOY must be 1..9, not 0\n"
