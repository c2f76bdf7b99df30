"""A calibration kept in a file: nothing is lost, and nothing that is not one is taken for one."""
import json

import numpy as np
import pytest

import hwsim
from helpers.small_networks import conv, graph, image
from hwsim.errors import FileError, QuantizeError, UsageError
from hwsim.graph.node import Node
from hwsim.graph.store import to_bytes
from hwsim.quantization import calibration_file
from hwsim.quantization.calibrate import calibrate, check_calibration
from hwsim.quantization.calibration import Calibration
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize
from hwsim.quantization.prepare import prepare


def network():
    return graph(image(), conv("c", "x", [[2.0]], [-1.0]), Node.make("r", "relu", ("c",)))


def measured(**options):
    values = np.random.default_rng(0).standard_normal((1, 4, 4, 1))
    return calibrate(network(), [{"x": values}], Config(**options))


def content(**changes):
    """What a file of a legal calibration holds."""
    return {"schema": "hwsim.calibration/1", "hwsim": "0.1.0", "model_sha256": "0" * 64, "calib_method": "max", "headroom": 1.0,
            "images": 4, "notes": [], "code_bits": {}, "input_scales": {}, "ranges": {"x": 1, "c:pre": 3.5, "c": 0.0}} | changes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ranges.json"


@pytest.mark.parametrize("method", ["max", "percentile", "mse"])
def test_what_is_saved_is_loaded(path, method):
    saved = measured(calib_method=method, headroom=1.25)
    saved.save(path)
    loaded = Calibration.load(path)
    assert loaded == Calibration(**{**vars(saved), "path": str(path)})
    assert bool(loaded.code_bits) == (method == "mse")


def test_the_network_is_the_same(path):
    config = Config(headroom=2)
    saved = measured(headroom=2)
    saved.save(path)
    assert to_bytes(quantize(network(), Calibration.load(path), config)) == to_bytes(quantize(network(), saved, config))


def test_the_checkpoint_is_known_by_its_sha256(path, tmp_path):
    (tmp_path / "net.h5").write_bytes(b"abc")
    measured().save(path, tmp_path / "net.h5")
    assert hwsim.Calibration.load(path).sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_range_that_is_not_finite_is_not_saved(path):
    with pytest.raises(QuantizeError, match="^c: the calibrated range must be finite, not inf$"):
        Calibration({"x": 1.0, "c": float("inf")}, 1).save(path)
    assert not path.exists()


BAD = [
    ({"schema": "hwsim.calibration/2"}, "a calibration must be of schema hwsim.calibration/1, not 'hwsim.calibration/2'"),
    ({"more": 1}, "a calibration must have the keys schema, hwsim, model_sha256, "),
    ({"hwsim": 1}, "hwsim must be the version that wrote it, not 1"),
    ({"model_sha256": "0" * 63}, "model_sha256 must be the checkpoint's sha256 as 64 hex digits, or null, not '000"),
    ({"calib_method": "least"}, "calib_method must be one of max, percentile, mse, not 'least'"),
    ({"calib_method": []}, "calib_method must be one of max, percentile, mse, not []"),
    ({"headroom": True}, "headroom must be a number in 0.01..100, not True"),
    ({"headroom": 1000}, "headroom must be a number in 0.01..100, not 1000"),
    ({"images": 0}, "images must be a count of at least 1, not 0"),
    ({"images": 1.0}, "images must be a count of at least 1, not 1.0"),
    ({"notes": ["two\nlines"]}, "notes must be a list of lines of at most 1000 printable characters, not ['two\\nlines']"),
    ({"notes": ["\ud800"]}, "notes must be a list of lines of at most 1000 printable characters, not "),
    ({"notes": {}}, "notes must be a list of lines of at most 1000 printable characters, not {}"),
    ({"code_bits": {"x": 17}}, "code_bits must be an object of widths in 2..16, not {'x': 17}"),
    ({"input_scales": {"x": 0}}, "input_scales must be an object of numbers in 1e-30..1e30, not {'x': 0}"),
    ({"ranges": {"x": -1}}, "ranges must be an object of float32 values of at least 0, not {'x': -1}"),
    ({"ranges": {"x": 0.1}}, "ranges must be an object of float32 values of at least 0, not {'x': 0.1}"),
    ({"ranges": {"x": 10 ** 400}}, "ranges must be an object of float32 values of at least 0, not {'x': 1000"),
    ({"ranges": {"x": "1"}}, "ranges must be an object of float32 values of at least 0, not {'x': '1'}"),
    ({"ranges": [1]}, "ranges must be an object of float32 values of at least 0, not [1]"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_content_that_is_refused(path, changes, message):
    path.write_text(json.dumps(content(**changes)))
    with pytest.raises(FileError) as error:
        Calibration.load(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(("data", "message"), [
    (b"", "a calibration must be JSON, not broken text ("),
    (b"[]", "a calibration must be a JSON object, not list"),
    (b"\xff", "a calibration must be UTF-8 text, not binary data"),
    (b'{"ranges": NaN}', "a calibration must be JSON, not broken text (NaN is no number)"),
    (b'{"ranges": 1e999}', "a calibration must be JSON, not broken text (1e999 is too large)"),
    (b"[" * 100_000, "a calibration must be at most 64 levels deep, not deeper"),
])
def test_files_that_are_refused(path, data, message):
    path.write_bytes(data)
    with pytest.raises(FileError) as error:
        Calibration.load(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_files_that_are_not_there_or_too_large(path, monkeypatch):
    with pytest.raises(FileError, match="ranges.json: a calibration must be a JSON file, not missing$"):
        Calibration.load(path)
    path.write_text(json.dumps(content()))
    monkeypatch.setattr(calibration_file, "MAX_FILE", 100)
    with pytest.raises(FileError, match="ranges.json: a calibration must be at most 100 bytes, not more$"):
        Calibration.load(path)


@pytest.mark.parametrize(("changes", "config", "message"), [
    ({}, {"calib_method": "mse"}, "calib_method must be max, as it was calibrated, not mse"),
    ({}, {"headroom": 2.0}, "headroom must be 1.0, as it was calibrated, not 2.0"),
    ({"calib_method": "mse", "code_bits": {"x": 11, "c": 11}}, {"calib_method": "mse", "layer_bits": {"c": (9, 8)}},
     "codes of c must have 11 bits, as mse calibrated them, not 9"),
    ({"calib_method": "mse"}, {"calib_method": "mse"}, "codes of x must have None bits, as mse calibrated them, not 11"),
    ({"input_scales": {"x": 0.5}}, {"scales": {"x": 0.25}}, "scale of x must be 0.5, as its codes were calibrated, not 0.25"),
    ({"input_scales": {"c": 0.5}}, {}, "input_scales must name inputs (x), not 'c'"),
    ({"ranges": {"other:pre": 1.0}}, {}, "the calibration must be of tensors of this network, not of 'other'"),
])
def test_options_that_decide_a_calibration_must_agree(path, changes, config, message):
    path.write_text(json.dumps(content(**changes)))
    with pytest.raises(UsageError) as error:
        check_calibration(Calibration.load(path), prepare(network()), Config(**config))
    assert str(error.value) == f"{path}: {message}"


def test_options_that_do_not_decide_it_are_free(path):
    path.write_text(json.dumps(content()))
    config = Config(act_bits=6, weights="stlq", scale_policy="frozen")
    assert check_calibration(Calibration.load(path), prepare(network()), config) is None


@pytest.mark.parametrize(("changes", "message"), [
    ({"amax": {"x": 0.1}}, "ranges must be an object of float32 values of at least 0, not {'x': 0.1}"),
    ({"amax": {"x": 1.0, "y": -1.0}}, "ranges must be an object of float32 values of at least 0, not {'y': -1.0}"),
    ({"images": np.int64(3)}, "images must be a count of at least 1, not np.int64(3)"),
    ({"notes": ("two\nlines",)}, "notes must be a list of lines of at most 1000 printable characters, not ['two\\nlines']"),
])
def test_what_cannot_be_read_is_not_written(tmp_path, changes, message):
    path = tmp_path / "ranges.json"
    with pytest.raises(UsageError) as caught:
        Calibration(**{"amax": {"x": 1.0}, "images": 4} | changes).save(path)
    assert str(caught.value) == f"{path}: {message}" and not path.exists()


def test_a_missing_range_names_the_file(tmp_path):
    path = tmp_path / "ranges.json"
    Calibration({"x": 1.0}, 4).save(path)
    with pytest.raises(QuantizeError, match=r"ranges\.json: y: the calibration must hold the range of this tensor"):
        Calibration.load(path).range_of("y")
