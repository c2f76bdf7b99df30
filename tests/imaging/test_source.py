"""INPUT in all its forms, through imaging.source."""
import numpy as np
import pytest

from hwsim.errors import FileError, UsageError
from hwsim.imaging import cfa
from hwsim.imaging.picture import write_picture
from hwsim.imaging.source import InputSpec, Optics, sources

GREY, RGB, OPEN = InputSpec("x", (8, 8, 1)), InputSpec("x", (8, 8, 3)), InputSpec("x", (None, None, 3))


def only(path, specs, optics=None):
    [(_, load)] = sources(path, specs, optics or Optics())
    return load()


def test_scene_of_the_declared_size():
    assert only(None, [RGB]).inputs["x"].shape == (1, 8, 8, 3)
    assert only(None, [OPEN]).inputs["x"].shape == (1, 512, 512, 3)
    assert only(None, [InputSpec("x", (4, 4, 7))]).inputs["x"].shape == (1, 4, 4, 7)
    assert only(None, [InputSpec("v", (20,))]).inputs["v"].shape == (1, 20)


def test_scene_behind_a_mosaic_keeps_its_truth():
    sample = only(None, [InputSpec("x", (None, None, 1))], Optics(cfa.pattern("rgbw")))
    assert sample.inputs["x"].shape == (1, 512, 512, 1) and sample.truth.shape == (1, 512, 512, 3)
    assert sample.inputs["x"][0, 0, 1, 0] == sample.truth[0, 0, 1, 1]  # G stands at row 0, column 1


def test_several_inputs(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, in0=np.ones((1, 8, 8, 1), np.float32), in1=np.ones((1, 8, 8, 3), np.int16))
    sample = only(path, [GREY, InputSpec("y", (8, 8, 3))])
    assert sample.inputs["x"].dtype == np.float64 and sample.inputs["y"].dtype == np.int16


def test_pictures(tmp_path):
    rgb = np.arange(192).reshape(8, 8, 3) / 255
    path = write_picture(tmp_path / "p.ppm", rgb)
    np.testing.assert_array_equal(only(path, [RGB]).inputs["x"][0], rgb)
    sample = only(path, [GREY], Optics(cfa.pattern("rggb")))
    assert sample.inputs["x"][0, 0, 0, 0] == rgb[0, 0, 0] and sample.note == "mosaic made from a picture"


def test_folder_in_name_order(tmp_path):
    for name in ("b", "a"):
        write_picture(tmp_path / f"{name}.ppm", np.zeros((8, 8, 3)))
    assert [name for name, _ in sources(tmp_path, [RGB], Optics())] == ["a.ppm", "b.ppm"]


def test_raw(tmp_path):
    path = tmp_path / "f.raw"
    np.full((8, 8), 550, "<u2").tofile(path)
    sample = only(path, [GREY], Optics(raw_size=(8, 8), raw_bits=10, black=100, white=1000))
    assert (sample.inputs["x"] == 0.5).all()


@pytest.mark.parametrize("make, specs, message", [
    (lambda d: d / "none.png", [RGB], "none.png: the input must be a file or a folder, not missing"),
    (lambda d: d, [RGB], "a folder of inputs must hold pictures, raw frames or arrays, not none"),
    (lambda d: write_picture(d / "p.ppm", np.zeros((8, 8, 3))), [GREY],
     "p.ppm: a picture for input x must have 1 channels, not 3 (a one-channel model reads RGB through --cfa)"),
    (lambda d: write_picture(d / "p.ppm", np.zeros((8, 8, 3))), [GREY, RGB],
     "p.ppm: a model with 2 inputs must be given in0, in1, ... in an .npz file, not a picture")])
def test_refused(tmp_path, make, specs, message):
    with pytest.raises((FileError, UsageError)) as caught:
        only(make(tmp_path), specs)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("content, message", [
    (b"", "must be a readable .npz file, not file is not a zip file"),
    (b"PK\x03\x04 broken", "must be a readable .npz file, not file is not a zip file")])
def test_bad_npz(tmp_path, content, message):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(FileError, match=message):
        only(path, [RGB])


@pytest.mark.parametrize("array, message", [
    (np.full((1, 8, 8, 3), np.nan), "input x must be finite, not NaN or Inf"),
    (np.full((1, 8, 8, 3), "a"), "input x must hold numbers, not <U1")])
def test_bad_values(tmp_path, array, message):
    np.savez(tmp_path / "x.npz", in0=array)
    with pytest.raises(FileError, match=message):
        only(tmp_path / "x.npz", [RGB])


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(FileError, match="must be a readable .npy file, not object arrays cannot be loaded"):
        only(tmp_path / "x.npy", [RGB])
