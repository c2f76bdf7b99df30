"""The device file: shipped devices, field by field checks, overrides."""
from decimal import Decimal
from fractions import Fraction

import pytest

from hwsim.errors import FileError, UsageError
from hwsim.fixed.formats import Datapath, Overflow, Rounding
from hwsim.hw.config import Device, config_fields, datapath, load_device, override, to_toml
from hwsim.quantization.config import Config


def test_sensor_npu_is_the_default():
    assert load_device() == load_device("sensor_npu") == Device()
    assert (Device().TN, Device().act_bits, Device().w_bits, Device().clock_ghz) == (16, 11, 8, Decimal("1.0"))


def test_diannao():
    device = load_device("diannao")
    assert (device.act_bits, device.w_bits, device.sb_kb, device.nbin_kb, device.nbout_kb) == (16, 16, 32, 2, 2)
    assert (device.clock_ghz, device.clock_hz) == (Decimal("0.98"), 980_000_000)


def test_a_file_reads_back(tmp_path):
    device = override(load_device("diannao"), dma_bits=64, prelu="unfolded", gap=20, acc_bits=24)
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(device))
    assert load_device(path) == device


@pytest.mark.parametrize(("line", "message"), [
    ("TN = 12", "TN must be a power of two in 1..64, not 12"),
    ("TM = 128", "TM must be a power of two in 1..64, not 128"),
    ('TN = "16"', "TN must be a power of two in 1..64, not '16'"),
    ("clock_ghz = 1e-99999999999", "clock_ghz must be an exact decimal in 1E-9..1000, not 1E-99999999999"),
    ("TM = true", "TM must be a power of two in 1..64, not True"),
    ("act_bits = 17", "act_bits must be 2..16, not 17"),
    ("acc_bits = 50", "acc_bits must be 8..48 or auto, not 50"),
    ('acc_bits = "many"', "acc_bits must be 8..48 or auto, not 'many'"),
    ('w_format = "float"', "w_format must be one of linear, stlq, not 'float'"),
    ('w_format = "stlq"', "w_bits must be 2..5 for stlq weights, not 8"),
    ('round = "nearest"', "round must be one of half-up, half-away, half-even, floor, gemmlowp, not 'nearest'"),
    ('round = "gemmlowp"', "mult_bits must be 31 for gemmlowp rounding, not 16"),
    ("shift_bits = 7", "shift_bits must be 1..6, not 7"),
    ("sb_kb = -1", "sb_kb must be 0..16777216, not -1"),
    ("clock_ghz = 0", "clock_ghz must be an exact decimal in 1E-9..1000, not 0"),
    ("clock_ghz = nan", "clock_ghz must be an exact decimal in 1E-9..1000, not NaN"),
    ("frequency = 1", "a device key must be one of TN, TM, act_bits, w_bits, w_format, acc_bits, acc_mode, mult_bits, "
                      "shift_bits, round, prelu, dma_bits, sb_kb, nbin_kb, nbout_kb, clock_ghz, gap, not 'frequency'")])
def test_a_wrong_field_is_named(tmp_path, line, message):
    path = tmp_path / "bad.toml"
    path.write_text(line)
    with pytest.raises(UsageError) as caught:
        load_device(path)
    assert str(caught.value) == f"{path}: {message}"


def test_files_that_are_no_device(tmp_path):
    text = r"^nowhere: a device must be a TOML file or one of sensor_npu, diannao, not missing$"
    with pytest.raises(FileError, match=text):
        load_device("nowhere")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "broken").write_text("TN = ")
    (tmp_path / "large").write_text("#" * 70000)
    (tmp_path / "deep").write_text("TN = " + "[" * 30000)
    (tmp_path / "digits").write_text("gap = " + "9" * 5000)
    (tmp_path / "power").write_text("clock_ghz = 1e" + "9" * 3000)
    for name, text in (("binary", "must be UTF-8 text, not binary data"), ("broken", "must be TOML, not "),
                       ("large", "must be at most 65536 bytes, not more"), ("digits", "must be TOML, not exceeds the limit"),
                       ("deep", "must be a flat TOML file, not nested values"),
                       ("power", "must be TOML, not numbers beyond all bounds")):
        with pytest.raises(FileError, match=text):
            load_device(tmp_path / name)


def test_a_binary_float_is_no_clock():
    with pytest.raises(UsageError, match=r"^clock_ghz must be an exact decimal in 1E-9\.\.1000, not 0\.98$"):
        Device(clock_ghz=0.98)
    assert override(Device(), clock_ghz="0.98").frames_per_second(1000) == Fraction(980_000)


def test_the_device_decides_config_and_datapath():
    device = override(Device(), acc_bits=20, acc_mode="saturate", round="floor", prelu="unfolded", TN=8)
    config = Config(**config_fields(device))
    assert (config.acc_bits, config.overflow, config.rounding, config.fold_prelu, config.tn, config.w_bits) == (
        20, "saturate", "floor", False, 8, 8)
    assert datapath(device) == Datapath(20, Overflow.SATURATE, Rounding.FLOOR, folded=False, tn=8)
    with pytest.raises(UsageError, match=r"^acc_bits must be a number here, not auto$"):
        datapath(Device())
