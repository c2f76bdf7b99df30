"""Writing whole files."""
import os
import threading

import pytest

from hwsim import files
from hwsim.errors import FileError


def test_a_pipe_is_written_to_not_replaced(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    with files.whole(pipe) as file:
        file.write(b"report")
    reader.join()
    assert got == [b"report"]
    assert pipe.is_fifo()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(FileError) as error, files.whole(tmp_path) as file:
        file.write(b"report")
    assert str(error.value) == f"{tmp_path}: must be writable, not a folder"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_write_that_failed(tmp_path):
    with pytest.raises(ZeroDivisionError), files.whole(tmp_path / "half") as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_the_digest_of_a_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea")
    with pytest.raises(FileError) as error:
        files.sha256(tmp_path / "none")
    assert str(error.value) == f"{tmp_path / 'none'}: must be a readable file, not missing"


def test_a_name_becomes_part_of_a_file_name():
    assert files.safe_name("block/conv:0 é.g0-1_a") == "block_conv_0__.g0-1_a"
