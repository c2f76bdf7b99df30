"""What a stepped run leaves behind: traces and waveforms as files, counters as a table."""
from helpers.array_layers import conv, image, network  # the layers of the device's tests
from hwsim.engine.run import run
from hwsim.fixed.formats import Datapath
from hwsim.hw.config import Device
from hwsim.pipeline.engines import recording_engine
from hwsim.reports import stepped


def record(tmp_path, groups):
    net = network(conv((3, 3, 4), 4, groups=groups), (3, 3, 4), Datapath(20))
    engine, found = recording_engine(Device(), trace=True, waves=True)
    run(net, {"x": image((3, 3, 4), n=2)}, engine)
    return found, stepped.write(tmp_path / "trace", found.traces, "txt")


def test_one_layer_is_one_file(tmp_path):
    body, paths = record(tmp_path, 1)
    assert paths == [tmp_path / "trace"]
    assert paths[0].read_text().splitlines()[-1] == "87 D 0 0"
    assert list(body.waves) == ["L000_conv"] and len(body.layers) == 2
    assert stepped.as_json(body)[0]["counters"]["cycles"] == 87


def test_groups_are_files_in_a_folder(tmp_path):
    _, paths = record(tmp_path, 2)
    assert [path.name for path in paths] == ["L000_conv.g0.txt", "L000_conv.g1.txt"]


def test_counters_for_people(tmp_path):
    found, _ = record(tmp_path, 1)
    (table,) = stepped.text(found)
    assert table.row_count == len(found.layers[0][1].rows())
